"""Ranges: a table of networks by address, as the operator fetched it.

Both forms in which such tables are published are read: iptoasn.com's TSV (first, last, ASN, country, name;
public domain) and CSV with the columns first, last, ASN (ip-location-db's asn files, which name no country)
or first, last, country.  Several files in one: rows of the same range complement each other.
"""

import gzip
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from fanous.collector.origin import UNKNOWN, Origin
from fanous.errors import FanousError
from fanous.model.place import UNKNOWN_COUNTRY

_Row = tuple[int, int, Origin]


class Ranges:
    """Look-up by address; some 50 bytes a range.

    Args:
        rows: (first, last, origin) of IPv4, and the same of IPv6, each in any order and not overlapping.
    """

    def __init__(self, v4: Iterable[_Row], v6: Iterable[_Row]) -> None:
        self._v4, self._v6 = _Table(v4), _Table(v6)

    def of(self, address: str, /) -> Origin:
        parsed = ip_address(address)
        return (self._v4 if parsed.version == 4 else self._v6).of(int(parsed))


class _Table:
    """Ranges of one IP version, ascending; of IPv6 the upper 64 bits, since none is smaller than a /64."""

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


def read_ranges(path: Path) -> Ranges:
    """The table of a file, gzip or not.

    Raises:
        FanousError: it cannot be read, or a line of it is no range.
    """
    tables: tuple[list[_Row], list[_Row]] = ([], [])
    known: dict[Origin, Origin] = {}
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                for version, first, last, origin in _row(line, path, number):
                    tables[version == 6].append((first, last, known.setdefault(origin, origin)))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FanousError(f"cannot read the table of networks {path}: {error}") from error
    return Ranges(*tables)


def _row(line: str, path: Path, number: int) -> Iterator[tuple[int, int, int, Origin]]:
    separator = "\t" if "\t" in line else ","
    cells = [cell.strip().strip('"') for cell in line.split(separator)]
    if not line.strip() or line.startswith("#"):
        return
    try:
        first, last = ip_address(cells[0]), ip_address(cells[1])
        asn = next((int(c.removeprefix("AS")) for c in cells[2:4] if c.removeprefix("AS").isdigit()), 0)
    except (ValueError, IndexError):
        raise FanousError(f"{path}:{number}: not a range of addresses: first, last, ASN, country") from None
    country = next((c for c in cells[2:4] if len(c) == 2 and c.isalpha() and c.isupper()), UNKNOWN_COUNTRY)
    if asn or country != UNKNOWN_COUNTRY:
        yield first.version, int(first), int(last), Origin(country, asn)
