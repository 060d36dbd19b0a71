"""Fanous: an independent, open monitor of internet disruptions.

As a library it offers ``judge``, ``Store``, ``confirm``, ``incidents``, ``sentences`` and ``series`` (docs/library.md).
Each is imported on first use, so a probe does not load what they depend on.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fanous.questions.library import Store, confirm, incidents, judge, sentences, series

__version__ = "0.1.0"

__all__ = ["Store", "__version__", "confirm", "incidents", "judge", "sentences", "series"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'fanous' has no attribute {name!r}")
        from fanous.questions import library

        return getattr(library, name)

    def __dir__() -> list[str]:
        return sorted(__all__)
