"""Provenance: where a record comes from.  It travels with everything derived from the record."""

from collections.abc import Iterable
from enum import StrEnum


class Provenance(StrEnum):
    """From the strongest to the weakest."""

    REAL = "real"
    """Our collector, our probe, or a public archive."""
    IMPORTED = "imported"
    """A file or table of unknown origin that someone supplied."""
    SYNTHETIC = "synthetic"
    """Made by a generator or measured in a lab; it says nothing about any country."""

    @property
    def is_synthetic(self) -> bool:
        return self is Provenance.SYNTHETIC


def weakest(known: Iterable[Provenance]) -> Provenance:
    """The provenance of anything derived from all of these; imported if there are none."""
    return max(known, key=list(Provenance).index, default=Provenance.IMPORTED)
