"""Pack routed ranges: which network announces an address, into ``refdata/routed.xz``.

    python -m tools.pack_routed 2.3.2026061719 asn-ipv4.csv asn-ipv6.csv > src/fanous/refdata/routed.xz

The files come from npm ``@ip-location-db/asn`` (CC BY 4.0).  Of each line, the range and the
ASN are kept; adjacent ranges of one network become one, and of IPv6 the upper 64 bits are kept.  The format is the
one that ``fanous.refdata.networks`` reads.
"""

import csv
import lzma
import sys
from array import array
from ipaddress import ip_address
from pathlib import Path

Range = tuple[int, int, int]
"""First, last, ASN."""


def main(release: str, v4: Path, v6: Path) -> None:
    packed = [columns(ranges(path, shift), kind) for path, shift, kind in ((v4, 0, "I"), (v6, 64, "Q"))]
    sizes = " ".join(str(count) for count, _ in packed)
    head = f"npm @ip-location-db/asn {release} (CC BY 4.0: RouteViews, NRO, DB-IP) {sizes}\n"
    whole = head.encode() + b"".join(data for _, data in packed)
    sys.stdout.buffer.write(lzma.compress(whole, preset=9 | lzma.PRESET_EXTREME))


def ranges(path: Path, shift: int) -> list[Range]:
    """In order, without overlaps: if two overlap, the first keeps the part that both claim."""
    found: list[Range] = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(
            (int(ip_address(a)), int(ip_address(b)), int(asn)) for a, b, asn, *_ in csv.reader(file)
        )
    for low, high, asn in rows:
        first, last = low >> shift, high >> shift
        if found and first <= found[-1][1]:
            first = found[-1][1] + 1
        if first > last or not asn:
            continue
        if found and found[-1][2] == asn and found[-1][1] + 1 == first:
            found[-1] = (found[-1][0], last, asn)
        else:
            found.append((first, last, asn))
    return found


def columns(found: list[Range], kind: str) -> tuple[int, bytes]:
    """Distance from the end of the previous range, length less one, ASN; each a column, little-endian."""
    ends = [-1, *(last for _, last, _ in found)]
    gaps = array(kind, (first - end - 1 for (first, _, _), end in zip(found, ends, strict=False)))
    lengths = array(kind, (last - first for first, last, _ in found))
    asns = array("I", (asn for *_, asn in found))
    if sys.byteorder == "big":
        for column in (gaps, lengths, asns):
            column.byteswap()
    return len(found), gaps.tobytes() + lengths.tobytes() + asns.tobytes()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
