"""Place: a country, a region of it, or a network (ASN) in it.

A place is named the way people in the field name it: ``PK``, ``PK-PB``, ``AS17557``.
"""

from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """How users reach the network.  ``ANY`` = not told apart."""

    ANY = "any"
    MOBILE = "mobile"
    FIXED = "fixed"


class Family(StrEnum):
    """Sources that fail together count once; a signal belongs to a family by what it measures."""

    EDGE = "edge"
    OONI = "ooni"
    ROUTING = "routing"
    PROBING = "probing"
    USAGE = "usage"
    DARKNET = "darknet"
    REPORTS = "reports"


UNKNOWN_COUNTRY = "ZZ"
"""ISO 3166-1 user-assigned code that OONI writes when the country is unknown."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A country, or a network inside a country.

    Attributes:
        country: ISO 3166-1 alpha-2, upper case; ``ZZ`` = unknown.
        asn: 0 = the whole country.
        region: ISO 3166-2 (``PK-PB``); where a place has no code that is known, the country and the
            source's own name of it (``IR:Ardebil``); empty = the whole country.
    """

    country: str
    asn: int = 0
    region: str = ""

    def __str__(self) -> str:
        if self.asn:
            return f"AS{self.asn}"
        return self.region or self.country


def asn_of(place: str) -> int:
    """``AS17557`` -> 17557; 0 for a country or a region."""
    number = place.removeprefix("AS")
    return int(number) if number.isdigit() else 0
