"""MRT: routing tables and updates as RIPE RIS and RouteViews publish them (RFC 6396).

A table comes first (``bview``, ``rib``): updates alone say what changed, not how much was visible.  The files of one
command are read in the order given, each continuing from the one before.
"""

import bz2
import gzip
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from fanous.base.files import check_regular
from fanous.errors import FanousError
from fanous.sources.connector import About, OnProgress, OnReject, OnRepeat, Reading, SeriesFiles
from fanous.sources.signals.rows import numbered
from fanous.sources.signals.visibility import STEP, RecordedRoute, Visibility

TABLES = (12, 13)
"""Types of records that are tables (RFC 6396, 4.2 and 4.3)."""
KNOWN = (*TABLES, 16, 17)
"""Tables, and updates (4.4, and with microseconds)."""
FIELDS = ("elem_type", "timestamp", "peer_ip", "peer_asn", "prefix", "origin_asns")
HEAD = 12
"""Bytes before a record: time, type, subtype, length (RFC 6396, 2)."""
LEAST_RECORD, MOST_RECORD = 8, 16 << 20
"""Bytes after the head.  The shortest is an index of peers without one (4.3.1); a prefix of a table takes some 50 kB
from a thousand peers."""
MOST_RATIO, LEAST_UNPACKED = 100, 64 << 20
"""How many times its packed size a file may unpack to, and how many bytes any file may: tables shrink five- to
fifteenfold.
"""
MOST_BINS = 10_000
"""Most bins between two routes of one file: a month.  A longer gap means a broken clock."""


class Mrt(SeriesFiles):
    name = "mrt"
    title = "Routing tables and updates as MRT files"
    help = "a routing table, then the updates of the same collector, of RIPE RIS or RouteViews"
    page = "https://ris.ripe.net"
    licence = "RIPE NCC or RouteViews terms, by who collected the file"

    def __init__(self) -> None:
        super().__init__()
        self._visibility: Visibility | None = None
        self._networks: set[int] = set()

    def begin(self) -> SeriesFiles:
        return Mrt()

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading]:
        kind = _kind(path)
        recorded = RecordedRoute(self.name, about.country)
        if kind in TABLES:
            self._visibility = Visibility(about.country, country_of)
            self._load(path, self._visibility, recorded)
        elif self._visibility is None:
            raise FanousError(
                f"{path} has only updates, which do not say how much was visible before: give a table (bview "
                f"or rib file) of the same collector first"
            )
        else:
            self._update(path, self._visibility, recorded, on_reject)
        levels = list(recorded.levels(self._networks))
        for count in recorded.counts.values():
            self._networks |= count.networks.keys()
        if on_progress is not None:
            on_progress(path.stat().st_size)
        yield from numbered(levels)

    def _load(self, path: Path, visibility: Visibility, recorded: RecordedRoute) -> None:
        first = None
        for _, at, peer, prefix, origin in routes(path):
            first = at if first is None else first
            visibility.load(peer, prefix, origin)
        if first is None:
            raise FanousError(f"{path}: cannot read any route in this table")
        recorded.counts[int(first) // STEP * STEP] = visibility.count()

    def _update(
        self, path: Path, visibility: Visibility, recorded: RecordedRoute, on_reject: OnReject
    ) -> None:
        """A count at the end of each bin from the first to the last change."""
        current = None
        for number, (announced, at, peer, prefix, origin) in enumerate(routes(path), 1):
            start = int(at) // STEP * STEP
            if current is None:
                current = start
            if abs(start - current) > MOST_BINS * STEP:
                on_reject(number, f"a change at {at:.0f} (unix seconds), far from the others")
                continue
            while current < start:
                recorded.counts[current] = visibility.count()
                current += STEP
            if announced:
                visibility.announce(peer, prefix, origin)
            else:
                visibility.withdraw(peer, prefix)
        if current is None:
            raise FanousError(f"{path}: cannot read any update in this file")
        recorded.counts[current] = visibility.count()


def routes(path: Path) -> Iterator[tuple[bool, float, str, str, int]]:
    """(announced?, unix seconds, peer, prefix, origin ASN or 0) in the order of the file.

    Raises:
        FanousError: it cannot be read.
    """
    for kind, at, ip, asn, prefix, origins in _elements(path, FIELDS):
        yield kind == "A", at, f"{ip} {asn}", prefix, origins[0] if origins else 0


def paths(path: Path) -> Iterator[tuple[int, str]]:
    """(peer ASN, AS path) of all that is announced; 0 for a peer in updates, which leave out those that saw no change.

    Raises:
        FanousError: it cannot be read.
    """
    is_table = _kind(path) in TABLES
    return ((asn if is_table else 0, told) for asn, told in _elements(path, ("peer_asn", "as_path")) if told)


def _elements(path: Path, fields: Sequence[str]) -> Iterator[Any]:
    from pybgpkit_parser import Parser  # 12 MB that nothing else needs

    _check(path)
    try:
        yield from Parser(str(path)).iter_tuples(list(fields))
    except ValueError as error:
        raise FanousError(f"cannot read {path} as MRT: {error}") from error


def country_of(address: str) -> str | None:
    """The country to which the registries assign an address; ``None`` = unknown."""
    import iptocc

    found: str | None = iptocc.country_code(address)
    return found


def _kind(path: Path) -> int:
    """Type of the first record.

    Raises:
        FanousError: it is not an MRT file.
    """
    try:
        with _opened(path) as stream:
            head = stream.read(HEAD)
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or error
        raise FanousError(f"Cannot read {path}: {why}; check the path") from error
    kind = int.from_bytes(head[4:6], "big")
    if len(head) < HEAD or kind not in KNOWN:
        raise FanousError(f"{path} is not an MRT file of a routing table or of updates")
    return kind


def _check(path: Path) -> None:
    """Refuse what the parser would read for hours: what unpacks without end, and what is
    not made of records.  A file that ends within a record passes: what is before is read.

    Raises:
        FanousError: it is one of these.
    """
    _kind(path)
    most = max(LEAST_UNPACKED, path.stat().st_size * MOST_RATIO)
    at = 0
    with suppress(OSError, EOFError), _opened(path) as stream:
        while len(head := stream.read(HEAD)) == HEAD:
            size = int.from_bytes(head[8:], "big")
            if not LEAST_RECORD <= size <= MOST_RECORD:
                raise FanousError(f"{path} is damaged: no MRT record begins at byte {at:,} of its content")
            at += HEAD + len(stream.read(size))
            if at > most:
                raise FanousError(f"{path} unpacks to more than {MOST_RATIO} times its size, as no routes do")


def _opened(path: Path) -> BinaryIO:
    check_regular(path)
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix, open)
    stream: BinaryIO = opener(path, "rb")
    return stream
