"""Place: a country, a region of it, or a network (ASN) in it, and the share of users on each network.

A place is named the way people in the field name it: ``PK``, ``PK-PB``, ``AS17557``.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address


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


MOST_DIGITS = 20
"""Most digits of an ASN that an error message repeats; the largest have ten (RFC 6793)."""


def asn_of(place: str) -> int:
    """``AS17557`` -> 17557; 0 for a country or a region."""
    number = place.removeprefix("AS")
    return int(number) if number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS else 0


def written_asn(text: str) -> int:
    """What a publisher writes for a network, ``as17557`` or ``17557`` -> 17557; 0 = not an ASN."""
    number = asn_of(text.upper())
    return number if number < 2**32 else 0


PRIVATE_ASNS = (range(64_512, 65_536), range(4_200_000_000, 2**32), range(23_456, 23_457))
"""RFC 6996, RFC 7300, RFC 6793."""


def is_unroutable(asn: int) -> bool:
    """Is it an ASN that no network on the public internet has?"""
    return any(asn in numbers for numbers in PRIVATE_ASNS)


LONGEST = 45
"""Characters of an IPv6 address that ends in an IPv4 one (INET6_ADDRSTRLEN, RFC 3493)."""


def is_address(text: str) -> bool:
    """Is it an IPv4 or IPv6 address, without brackets?  Probes, readers and rules ask this of every host name."""
    if not text or len(text) > LONGEST or (text[-1] not in "0123456789." and ":" not in text):
        return False  # most names, without the cost of an exception
    return _is_address(text)


@lru_cache(maxsize=65_536)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def endpoint(ip: str, port: int | str) -> str:
    """``192.0.2.1:443`` or ``[2001:db8::1]:443``."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def ip_of(place: str) -> str:
    """The address in what ``endpoint`` made."""
    return place.rpartition(":")[0].strip("[]")


LOCAL_ENDINGS = ("localhost", "local", "internal", "home.arpa", "lan", "home", "corp", "localdomain")
"""Ends of names that belong to a local network: RFC 6761, RFC 6762, RFC 8375, ICANN's reservation of .internal
(2024), and those that home routers use."""


def is_local_name(host: str) -> bool:
    """Is it the name of a machine in someone's own network?  A name without a dot is."""
    name = host.rstrip(".").lower()
    return bool(name) and ("." not in name or name.endswith(tuple(f".{end}" for end in LOCAL_ENDINGS)))


_ORIGIN = re.compile(
    r"([a-z]{1,10}:)?//(\[[0-9a-f:.]+\]|[^/?#:@]*)(:\d{1,5})?(.*)", re.IGNORECASE | re.DOTALL
)

LOCAL_NAME = "local-name"
"""Stands for the name of a machine in a user's own network."""


def shown_name(name: str) -> str:
    """A host name as it may be shown to anyone."""
    return LOCAL_NAME if is_local_name(name) and not is_address(name) else name


def shown_url(url: str, asked: str) -> str:
    """A URL as it may be shown to anyone: what follows the host of another than the one asked for may name its
    visitor."""
    found = _ORIGIN.match(url)
    if url == asked or not url or found is None:
        return url if url == asked else "..." if url else ""
    scheme, host, port, rest = found.groups("")
    return f"{scheme}//{shown_name(host)}{port}{'/...' if rest not in ('', '/') else rest}"


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
