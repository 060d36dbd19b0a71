"""Targets: which addresses may be pinged: those that once answered, except networks that opted out.

A list has one address per line: ``address``, then optionally ASN, region and the share of the time that it answers,
separated by commas.  Lists come from the operator's own records or from published histories of answers;
Fanous ships none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path

import numpy as np

from fanous.base.files import text_of_regular
from fanous.errors import FanousError
from fanous.model.place import written_asn
from fanous.model.series import Floats, Ints
from fanous.model.threshold import threshold
from fanous.refdata.countries import region_of
from fanous.sources.connector import OnReject

MOST_BYTES = 256 << 20
"""Bytes of a list of addresses; one of a country with a million /24 blocks has some 40 MB."""

LEAST_ADDRESSES = threshold(
    "scan.block_addresses", 15, "Fewest addresses of a block: fewer say too little (Trinocular, section 3.2)."
)
LEAST_AVAILABLE = threshold(
    "scan.block_available",
    0.1,
    "Share of time that the addresses of a block must answer: less says too little.",
)
USUALLY = threshold(
    "scan.usual_availability", 0.8, "Availability of an address about which the list says nothing: our guess."
)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """n blocks, ordered by address.

    Attributes:
        blocks: int64, (n,), first address of each /24 as a number.
        addresses: for each block int64, (m,), its addresses in probing order.
        available: float64, (n,), share of its addresses that answer while it is up.
        asns: int64, (n,), 0 = unknown.
        regions: for each block its region, empty = unknown.
        opted_out: addresses left out because their owners asked for it.
        thin: blocks left out because too little is known about them.
    """

    blocks: Ints
    addresses: tuple[Ints, ...]
    available: Floats
    asns: Ints
    regions: tuple[str, ...]
    opted_out: int
    thin: int

    def __len__(self) -> int:
        return len(self.blocks)


@dataclass(frozen=True, slots=True)
class _Row:
    address: int
    asn: int
    region: str
    available: float


def read_targets(
    path: Path, country: str, opt_out: Iterable[IPv4Network], on_reject: OnReject, *, lab: bool = False
) -> Targets:
    """The blocks of a list.

    Args:
        opt_out: networks whose owners do not want to be pinged.
        on_reject: called with the number of each unusable line, and why.
        lab: private addresses may be pinged too.

    Raises:
        FanousError: the file cannot be read, or nothing in it may be pinged.
    """
    closed = list(opt_out)
    by_block: dict[int, list[_Row]] = {}
    left_out = 0
    for number, line in _lines(path):
        row = _row(line, country)
        why = row if isinstance(row, str) else _forbidden(row.address, lab)
        if why or isinstance(row, str):
            on_reject(number, why)
        elif any(IPv4Address(row.address) in network for network in closed):
            left_out += 1
        else:
            by_block.setdefault(row.address & ~0xFF, []).append(row)
    targets = _targets(by_block, left_out)
    if not len(targets):
        raise FanousError(
            f"{path}: no block with {LEAST_ADDRESSES} or more addresses may be pinged ({left_out:,} "
            f"addresses opted out, {targets.thin:,} blocks too thin)"
        )
    return targets


def read_opt_out(path: Path | None) -> list[IPv4Network]:
    """Networks, one per line; ``#`` begins a comment.

    Raises:
        FanousError: it cannot be read.  An invalid list must stop the scan, not widen it.
    """
    if path is None:
        return []
    found = []
    for number, line in _lines(path):
        try:
            network = ip_network(line, strict=False)
        except ValueError:
            raise FanousError(
                f"{path}:{number}: {line[:60]!r} is not a network such as 192.0.2.0/24"
            ) from None
        if isinstance(network, IPv4Network):
            found.append(network)
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = text_of_regular(path, MOST_BYTES, "a list of addresses", errors="replace")
    except OSError as error:
        raise FanousError(f"Cannot read {path}: {error.strerror}. Check the path.") from error
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.partition("#")[0].strip()
        if plain:
            yield number, plain


def _row(line: str, country: str) -> _Row | str:
    """The row, or why it cannot be used."""
    fields = [field.strip() for field in line.split(",")] + [""] * 3
    try:
        address = int(IPv4Address(fields[0]))
    except ValueError:
        return f"{fields[0][:40]!r} is not an IPv4 address"
    asn = written_asn(fields[1])
    if fields[1] and not asn and fields[1].upper().removeprefix("AS") != "0":
        return f"{fields[1][:40]!r} is not an ASN"
    try:
        available = float(fields[3]) if fields[3] else USUALLY
    except ValueError:
        return f"{fields[3][:40]!r} is not a share"
    if not 0 <= available <= 1:
        return f"{fields[3][:40]!r} is not a share from 0 to 1"
    return _Row(address, asn, region_of(country, fields[2]), available)


def _forbidden(address: int, lab: bool) -> str:
    told = IPv4Address(address)
    if told.is_loopback or told.is_multicast or told.is_unspecified or told.is_reserved:
        return f"{told} is not an address that may be pinged"
    return "" if lab or told.is_global else f"{told} is not a public address"


def _targets(by_block: dict[int, list[_Row]], left_out: int) -> Targets:
    kept: list[tuple[int, list[_Row], float]] = []
    for block, rows in sorted(by_block.items()):
        distinct = {row.address: row for row in rows}
        available = float(np.mean([row.available for row in distinct.values()]))
        if len(distinct) >= LEAST_ADDRESSES and available >= LEAST_AVAILABLE:
            kept.append((block, list(distinct.values()), available))
    # A fixed shuffle, so that neighbouring addresses are not pinged one after the other.
    order = np.random.default_rng(24)
    return Targets(
        blocks=np.array([block for block, _, _ in kept], np.int64),
        addresses=tuple(
            order.permutation([row.address for row in rows]).astype(np.int64) for _, rows, _ in kept
        ),
        available=np.clip(np.array([available for _, _, available in kept], np.float64), 0.01, 0.99),
        asns=np.array([rows[0].asn for _, rows, _ in kept], np.int64),
        regions=tuple(rows[0].region for _, rows, _ in kept),
        opted_out=left_out,
        thin=len(by_block) - len(kept),
    )
