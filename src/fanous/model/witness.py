"""Witness: what one family of sources says about an incident."""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.place import Family


class Sight(StrEnum):
    """Whether it saw it."""

    SAW = "saw"
    DID_NOT_SEE = "did_not_see"
    COULD_NOT_SEE = "could_not_see"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Witness:
    """What one source, or a family without a source, says.

    Attributes:
        source: by its name; empty = no source of the family says anything.
        why: in words, for a reader.
        saw: measurements on the networks named, while it was on, that saw it.
        contrary: likewise, that saw the contrary.
    """

    family: Family
    source: str
    sight: Sight
    why: str
    saw: int = 0
    contrary: int = 0
