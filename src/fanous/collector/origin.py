"""Origin: who is calling, and from which country and network, as seen by the collector.

The address stays in memory.  What a probe claims and what its address says are kept separate: a probe may
call through a circumvention tool or a mirror, and then its claim is the better of the two.

The operator may supply tables of networks by address, in either published form: iptoasn.com's TSV (first,
last, ASN, country, name; public domain), or CSV with the columns first, last, ASN (ip-location-db's asn
files, which name no country) or first, last, country.  If files are concatenated, rows for the same range
complement each other.

By default the tables included in Fanous locate an address.  The network is the one that announces the address
(``refdata.networks``), the country the one in which it is registered (``iptocc``, from the registries' own
lists).
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Protocol

import iptocc

from fanous.errors import FanousError
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.refdata.countries import is_country
from fanous.refdata.networks import is_same_operator, network_of
from fanous.sources.stream import BROKEN, open_source, read_line

Network = IPv4Network | IPv6Network

NOBODY = "127.0.0.1"
"""Represents a peer without an address (a unix socket)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an address is.

    Attributes:
        country: ISO 3166-1 alpha-2; ``ZZ`` = unknown.
        asn: 0 = unknown.
    """

    country: str = UNKNOWN_COUNTRY
    asn: int = 0

    def contradicts(self, country: str, asn: int) -> bool:
        """Does it contradict this claim?  Unknown values contradict nothing.

        If both networks are known they decide, since an address's country is only where it is registered;
        networks of one operator count as one.
        """
        if 0 not in (self.asn, asn):
            return self.asn != asn and not is_same_operator(self.asn, asn)
        return UNKNOWN_COUNTRY not in (self.country, country) and self.country != country


UNKNOWN = Origin()


class Origins(Protocol):
    """Something that knows networks by address."""

    def of(self, address: str, /) -> Origin: ...


class NoOrigins:
    """Derives nothing from an address, so only claims count."""

    def of(self, _address: str, /) -> Origin:
        return UNKNOWN


def trusted_proxies(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks whose ``X-Forwarded-For`` is trusted.

    Raises:
        FanousError: one of them is not a network.
    """
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise FanousError(
            f"{error}: to trust X-Forwarded-For, give an address or a network such as 10.0.0.0/8"
        ) from None


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of the client.

    Only our own proxies are trusted, and only what they added to the chain: the last entry that is not one of
    them. The client can forge everything before it.  (ooni/backend's ``extract_probe_ipaddr`` trusts any
    header, since it always runs behind a proxy.)

    Args:
        peer: the other end of the connection; ``None`` = it has no address.
        forwarded: values of ``X-Forwarded-For``, in order.
    """
    address = str(_parsed(peer or NOBODY) or NOBODY)
    chain = [entry.strip() for value in forwarded for entry in value.split(",")]
    while chain and is_within(address, trusted):
        before = _parsed(chain.pop())
        if before is None:
            break
        address = str(before)
    return address


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is, IPv4 if it is mapped into IPv6; ``None`` = it is none.

    Some proxies (Azure's gateways, IIS) write the port after it.
    """
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    host = host.partition(":")[0] if host.count(":") == 1 else host
    try:
        parsed = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Is the address in one of them?  A peer that has no address is in none."""
    parsed = _parsed(address)
    return parsed is not None and any(
        parsed.version == network.version and parsed in network for network in networks
    )


_Row = tuple[int, int, Origin]


class Ranges:
    """Look-up by address; takes some 50 bytes per range.

    Args:
        rows: (first, last, origin) of IPv4, and the same of IPv6, each in any order and not overlapping.
    """

    def __init__(self, v4: Iterable[_Row], v6: Iterable[_Row]) -> None:
        self._v4, self._v6 = _Table(v4), _Table(v6)

    def of(self, address: str, /) -> Origin:
        parsed = ip_address(address)
        return (self._v4 if parsed.version == 4 else self._v6).of(int(parsed))


class _Table:
    """Ranges of one IP version, ascending; for IPv6 only the upper 64 bits, since none is smaller than a /64."""

    def __init__(self, rows: Iterable[_Row]) -> None:
        ordered = sorted(rows, key=lambda row: row[0])
        self._shift = 64 if any(last >= 1 << 64 for _, last, _ in ordered) else 0
        self._firsts = array("Q", (first >> self._shift for first, _, _ in ordered))
        self._lasts = array("Q", (last >> self._shift for _, last, _ in ordered))
        self._origins = [origin for *_, origin in ordered]

    def of(self, address: int) -> Origin:
        number = address >> self._shift
        index = bisect_right(self._firsts, number) - 1
        return self._origins[index] if index >= 0 and number <= self._lasts[index] else UNKNOWN


LONGEST_ROW = 1 << 16
"""Bytes; a row has a name of some dozens."""

LAST_NETWORK = 2**32 - 1
"""The greatest number of a network (RFC 6793)."""

_COUNTRY = re.compile("[A-Z]{2}")


def read_ranges(path: Path) -> Ranges:
    """The table of a file, gzip or not.

    Raises:
        FanousError: it cannot be read, or a line is not a range.
    """
    tables: tuple[list[_Row], list[_Row]] = ([], [])
    origins: dict[Origin, Origin] = {}
    number, length = 0, 1
    with open_source(path) as source:
        while length:
            number += 1
            try:
                line, length = read_line(source.stream, LONGEST_ROW)
                for version, first, last, origin in _row(line.decode(), length):
                    tables[version == 6].append((first, last, origins.setdefault(origin, origin)))
            except BROKEN as error:
                raise FanousError(
                    f"cannot read the table of networks {path}: it is damaged or breaks off at line {number:,}; "
                    "download it again"
                ) from error
            except (ValueError, IndexError):
                raise FanousError(
                    f"{path}:{number}: not a range of addresses: first, last, ASN, country"
                ) from None
    return Ranges(*tables)


def _row(line: str, length: int) -> Iterator[tuple[int, int, int, Origin]]:
    """Raises ``ValueError`` or ``IndexError`` if it is not a row."""
    if length > LONGEST_ROW:
        raise ValueError
    separator = "\t" if "\t" in line else ","
    cells = [cell.strip().strip('"') for cell in line.split(separator)]
    if not line.strip() or line.startswith("#"):
        return
    first, last = ip_address(cells[0]), ip_address(cells[1])
    asn = next((int(c.removeprefix("AS")) for c in cells[2:4] if c.removeprefix("AS").isdigit()), 0)
    if first.version != last.version or int(first) > int(last) or asn > LAST_NETWORK:
        raise ValueError
    country = next((c for c in cells[2:4] if _COUNTRY.fullmatch(c)), UNKNOWN_COUNTRY)
    if asn or country != UNKNOWN_COUNTRY:
        yield first.version, int(first), int(last), Origin(country, asn)


NOTHING = "none"
"""Given instead of a file: derive nothing from an address."""


class ShippedOrigins:
    """Locates by the tables of this release."""

    def of(self, address: str, /) -> Origin:
        country: str = iptocc.country_code(address) or UNKNOWN_COUNTRY
        return Origin(country if is_country(country) else UNKNOWN_COUNTRY, network_of(address))


def origins_named(networks: Path | None) -> Origins:
    """The operator's choice: their own table, none, or the included one.

    Raises:
        FanousError: the file cannot be read as a table.
    """
    if networks is None:
        origins = ShippedOrigins()
        origins.of("192.0.2.1")  # unpack it before the first probe calls
        return origins
    is_word = networks.name == NOTHING and not networks.exists()
    return NoOrigins() if is_word else read_ranges(networks)
