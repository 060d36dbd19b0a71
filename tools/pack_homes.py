"""Pack homes: the country in which a network's addresses are registered, into ``refdata/network_homes.tsv.xz``.

    python -m tools.pack_homes 2.3.2026061719 asn-country-ipv4.csv asn-country-ipv6.csv > OUT

The files come from npm ``@ip-location-db/asn-country`` (CC BY 4.0: the registries' lists of what they delegated, NRO).
They are laid over the announced ranges of ``fanous.refdata.networks``.  A network whose addresses are registered in
several countries, none of which has ``CLEAR`` of them, is left out: it has no one home.
"""

import csv
import lzma
import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from fanous.model.place import is_nobodys
from fanous.refdata.networks import announced

CLEAR = 0.8
"""Share of a network's addresses from which one country is its home."""

BITS = {4: 0, 6: 64}


def main(release: str, v4: Path, v6: Path) -> None:
    counts = {version: addresses(version, path) for version, path in ((4, v4), (6, v6))}
    # IPv6 space has no measure in common with IPv4's, so it counts only where there is no other.
    # Some announce numbers for documentation or private use; that does not make them theirs.
    known = {asn: own for asn, own in (counts[6] | counts[4]).items() if not is_nobodys(asn)}
    homes = {asn: home for asn, own in known.items() if (home := home_of(own))}
    head = (
        "# ASN -> country in which its addresses are registered. Each line: distance to the ASN before it, country.\n"
        f"# Made from npm @ip-location-db/asn-country {release} (CC BY 4.0): Number Resource Organization (nro.net).\n"
    )
    sys.stdout.buffer.write(lzma.compress((head + "".join(lines(homes))).encode(), preset=9))


def addresses(version: int, path: Path) -> dict[int, Counter[str]]:
    """ASN -> country -> addresses (IPv6: /64s)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(
            (int(ip_address(a)) >> BITS[version], int(ip_address(b)) >> BITS[version], country)
            for a, b, country in csv.reader(file)
        )
    firsts = [first for first, *_ in rows]
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for first, last, asn in announced(version):
        for row in range(max(0, bisect_right(firsts, first) - 1), bisect_right(firsts, last)):
            low, high, country = rows[row]
            common = min(high, last) - max(low, first) + 1
            if common > 0:
                found[asn][country] += common
    return found


def home_of(counts: Counter[str]) -> str:
    ((country, most),) = counts.most_common(1)
    return country if most >= CLEAR * counts.total() else ""


def lines(homes: dict[int, str]) -> Iterator[str]:
    before = 0
    for asn in sorted(homes):
        yield f"{asn - before}\t{homes[asn]}\n"
        before = asn


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
