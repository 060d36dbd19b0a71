"""Place: a country, a region of it, or a network (ASN) in it, and the share of users on each network.

A place is named the way people in the field name it: ``PK``, ``PK-PB``, ``AS17557``.
"""

from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """How users reach the network; ``ANY`` = not distinguished."""

    ANY = "any"
    MOBILE = "mobile"
    FIXED = "fixed"


class Family(StrEnum):
    """Sources that fail together and so count once; a signal belongs to a family by what it measures."""

    EDGE = "edge"
    OONI = "ooni"
    REMOTE = "remote"
    ATLAS = "atlas"
    ROUTING = "routing"
    PROBING = "probing"
    USAGE = "usage"
    DARKNET = "darknet"
    REPORTS = "reports"


MEASURING = frozenset({Family.EDGE, Family.OONI, Family.REMOTE})
"""Families whose sources bring measurements; the others publish series, or claims."""


UNKNOWN_COUNTRY = "ZZ"
"""ISO 3166-1 user-assigned code that OONI writes when the country is unknown."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A country, or a network inside a country.

    Attributes:
        country: ISO 3166-1 alpha-2, upper case; ``ZZ`` = unknown.
        asn: 0 = the whole country.
        region: ISO 3166-2 (``PK-PB``); for a place without a known code, the country and the source's own name
            (``IR:Ardebil``); empty = the whole country.
    """

    country: str
    asn: int = 0
    region: str = ""

    def __str__(self) -> str:
        if self.asn:
            return f"AS{self.asn}"
        return self.region or self.country


LARGEST_ASN = 2**32 - 1
"""RFC 6793; 0 is reserved (RFC 7607), and here it means no network."""

MOST_DIGITS = 20
"""Most digits of an ASN that an error message repeats; the largest have ten (RFC 6793)."""


def asn_of(place: str) -> int:
    """``AS17557`` -> 17557; 0 for a country or a region."""
    number = place.removeprefix("AS")
    return int(number) if number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS else 0


def written_asn(text: str) -> int:
    """What a publisher writes for a network, ``as17557`` or ``17557`` -> 17557; 0 = not an ASN."""
    number = asn_of(text.upper())
    return number if number <= LARGEST_ASN else 0


PRIVATE_ASNS = (range(64_512, 65_536), range(4_200_000_000, 2**32), range(23_456, 23_457))
"""RFC 6996, RFC 7300, RFC 6793."""


DOCUMENTATION_ASNS = (range(64_496, 64_512), range(65_536, 65_552))
"""RFC 5398: any network in an example may have them."""


def is_unroutable(asn: int) -> bool:
    """Is it an ASN that no network on the public internet has?"""
    return any(asn in numbers for numbers in PRIVATE_ASNS)


def is_nobodys(asn: int) -> bool:
    """Is it an ASN that was given to no operator, so that it is at home in no country?"""
    return any(asn in numbers for numbers in (*PRIVATE_ASNS, *DOCUMENTATION_ASNS))


@dataclass(frozen=True, slots=True)
class NetworkWeight:
    """Users of one network.

    Attributes:
        asn: the network.
        share: of the country's users (all access classes together), 0..1.
        access: the kind of line that this network sells; ``any`` = both or unknown.
        operator: who runs it; several networks may have one operator.
    """

    asn: int
    share: float
    access: Access
    operator: str


@dataclass(frozen=True, slots=True)
class UserWeights:
    """A country's networks by users.

    Attributes:
        country: ISO 3166-1 alpha-2.
        networks: each ASN once; the shares sum to at most 1, the rest is on networks not listed.
        error: relative standard deviation of a share (the weights' own error).
        source: where the figures come from, with year.
        abroad: networks on which the country's users were seen and which are registered in another country,
            ascending.
    """

    country: str
    networks: tuple[NetworkWeight, ...]
    error: float
    source: str
    abroad: tuple[int, ...] = ()
