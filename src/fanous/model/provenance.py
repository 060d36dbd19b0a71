"""Provenance: where a record comes from.  It travels with everything that is made of the record."""

from collections.abc import Iterable
from enum import StrEnum


class Provenance(StrEnum):
    """From the strongest to the weakest."""

    REAL = "real"
    """Our collector, our probe, or a public archive."""
    IMPORTED = "imported"
    """A file or a table that somebody handed in; nothing says where it was before."""
    SYNTHETIC = "synthetic"
    """Made by a generator or measured in a lab: it is about no country."""

    @property
    def is_synthetic(self) -> bool:
        return self is Provenance.SYNTHETIC


def weakest(known: Iterable[Provenance]) -> Provenance:
    """What may be said of something that is made of all these; of nothing, that it is real."""
    return max(known, key=list(Provenance).index, default=Provenance.REAL)
