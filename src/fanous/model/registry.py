"""Registry: plug-ins by name.  A name that is taken ends the import, where a plain dictionary would lose one of two."""

from typing import Protocol, TypeVar


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def registered(*plug_ins: N) -> dict[str, N]:
    """The plug-ins by their names, in this order.

    Raises:
        ValueError: two have the same name.
    """
    registry: dict[str, N] = {}
    for plug_in in plug_ins:
        if plug_in.name in registry:
            raise ValueError(
                f"two are called {plug_in.name!r}: rename the new one (there are {', '.join(registry)})"
            )
        registry[plug_in.name] = plug_in
    return registry
