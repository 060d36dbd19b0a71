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
    found: dict[str, N] = {}
    for one in plug_ins:
        if one.name in found:
            raise ValueError(
                f"two are called {one.name!r}: rename the new one (there are {', '.join(found)})"
            )
        found[one.name] = one
    return found
