"""Networks: the name of an ASN for people, and which network announces an address.

``networks.tsv.xz`` has the registered name of every announced network; ``network_names.toml`` has the names that
users know, which come first.  ``network_homes.tsv.xz``, made by ``tools/pack_homes.py``, has the country in which a
network's addresses are registered.  ``routed.xz``, made by ``tools/pack_routed.py``, has address ranges and their ASNs
from the public routing tables.  It ages: it shows that a probe of a country's provider connects through a hosting
company abroad, but cannot follow a network's moves.  README.md next to this file has sources, dates and licences.
"""

import lzma
import re
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from ipaddress import ip_address
from itertools import accumulate

from fanous.base.text import printable
from fanous.refdata import bytes_of, toml_table


@cache
def _by_asn(file: str) -> dict[int, str]:
    """A table by ASN; each line is the distance from the previous ASN, a tab, and what is known about it."""
    known: dict[int, str] = {}
    asn = 0
    for line in lzma.decompress(bytes_of(file)).decode("utf-8").splitlines():
        if line.startswith("#"):
            continue
        step, _, text = line.partition("\t")
        asn += int(step)
        known[asn] = text
    return known


def home_of(asn: int) -> str:
    """The country in which most of its addresses are registered; empty = unknown, or there is no one such country."""
    return _by_asn("network_homes.tsv.xz").get(asn, "")


def network_name(asn: int) -> str:
    """The name for people; empty = unknown.  The first call takes about 0.1 s to unpack the table."""
    return toml_table("network_names.toml")["names"].get(str(asn)) or registered_name(asn)


_ACTING = re.compile(r"(?:[@<>`*_~\[\]|#]|://)+")
"""What makes a mention, a link or markup of a text where it is posted (``@everyone``, ``<!channel>``, ``[x](...)``)."""


def network_title(asn: int, names: Mapping[int, str]) -> str:
    """The name to show, preferably ours rather than that in measurements (``names``), which anyone may have chosen;
    empty = unknown.  No escape sequence in it reaches a terminal, and no mention a chat."""
    name = printable(network_name(asn) or _ACTING.sub(" ", names.get(asn, "")))
    return "" if name == f"AS{asn}" else name


def former_names(asn: int) -> list[str]:
    """Other names under which people know it: former ones, and those of owners."""
    return list(toml_table("network_names.toml")["former"].get(str(asn), ()))


def is_same_operator(one: int, other: int) -> bool:
    """Do both have the same name?  Operators have networks for mobile lines, fixed lines and transit."""
    return any(of(one) != "" and of(one) == of(other) for of in (registered_name, network_name))


def registered_name(asn: int) -> str:
    """The name in the registries; empty = unknown."""
    return _by_asn("networks.tsv.xz").get(asn, "")


_BITS = {4: 0, 6: 64}
"""Lower bits of an address that are left out: no IPv6 range is smaller than a /64."""


class _Ranges:
    """Ranges of one IP version, ascending."""

    def __init__(self, gaps: "array[int]", lengths: "array[int]", asns: "array[int]") -> None:
        # Beginnings: the sum of all earlier gaps and ranges, each range being one longer than its length.
        steps = (gap + before for gap, before in zip(gaps, [0, *(n + 1 for n in lengths)], strict=False))
        self._firsts = array("Q", accumulate(steps))
        self._lengths, self._asns = lengths, asns

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        for first, length, asn in zip(self._firsts, self._lengths, self._asns, strict=True):
            yield first, first + length, asn

    def of(self, number: int) -> int:
        index = bisect_right(self._firsts, number) - 1
        inside = index >= 0 and number - self._firsts[index] <= self._lengths[index]
        return self._asns[index] if inside else 0


@lru_cache(maxsize=1)
def _tables() -> dict[int, _Ranges]:
    head, _, body = lzma.decompress(bytes_of("routed.xz")).partition(b"\n")
    tables, at = {}, 0
    for version, kind, count in zip((4, 6), "IQ", head.split()[-2:], strict=True):
        columns = []
        for code in (kind, kind, "I"):
            column = array(code)
            column.frombytes(body[at : at + int(count) * column.itemsize])
            if sys.byteorder == "big":
                column.byteswap()
            at += int(count) * column.itemsize
            columns.append(column)
        tables[version] = _Ranges(*columns)
    return tables


def network_of(address: str) -> int:
    """The ASN; 0 = not announced.  The first call takes half a second to unpack the table (20 MB).

    Raises:
        ValueError: it is not an address.
    """
    parsed = ip_address(address)
    return _tables()[parsed.version].of(int(parsed) >> _BITS[parsed.version])


def announced(version: int) -> Iterator[tuple[int, int, int]]:
    """All ranges of one IP version, ascending: first and last (of IPv6 the upper 64 bits), and the ASN."""
    return iter(_tables()[version])


def source() -> str:
    """The table's origin, release and licence."""
    head = lzma.decompress(bytes_of("routed.xz")).partition(b"\n")[0]
    return " ".join(head.decode().split()[:-2])
