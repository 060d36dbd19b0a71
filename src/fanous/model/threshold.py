"""Thresholds: every number that a conclusion depends on, declared where it is used.

Evidence bundles carry ids and values, and the tables of docs/methodology-appendix.md are made of all three.  An id
is permanent: it stays when code moves, and is never given to another threshold.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number, or several that belong together.

    Attributes:
        id: the room in which it is used, a dot, and what it is.
        why: what it decides and why it has this value, in a sentence or two for the reader of the methodology.
    """

    id: str
    value: Any
    why: str


_DECLARED: dict[str, Threshold] = {}


def threshold(name: str, value: T, why: str) -> T:
    """Declare a threshold under its permanent id and return its value."""
    if name in _DECLARED:
        raise ValueError(f"two thresholds have the id {name}")
    _DECLARED[name] = Threshold(name, value, why)
    return value


def declared() -> tuple[Threshold, ...]:
    """All thresholds of the modules that are loaded, by id."""
    return tuple(_DECLARED[name] for name in sorted(_DECLARED))
