"""Live: how a source on the net is asked, piece by piece, and how each answer is read.

A piece is one document: a window of time of some places.  Whoever asks fetches it, hands the bytes to
``parse`` (pure), stores what comes out, and remembers the piece; so a backfill goes on where it stopped.

Document: what JSON answers have in common - decoding, and values that stand in equal steps.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from fanous.errors import FanousError, Rejected
from fanous.model.claim import Claim
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.connector import OnProgress, OnReject
from fanous.sources.signals.files import About, OnRepeat, PublishedClaim, Reading, SeriesFiles, numbered
from fanous.sources.stream import BROKEN, broken_why, open_source

Get = Callable[[str], bytes]
"""Fetches one address; raises ``FanousError``."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted.  Times are unix seconds, UTC; half-open.

    Attributes:
        country: ISO 3166-1 alpha-2.
        networks: ASNs of which series are wanted too.
        regions: are series of the regions wanted too?
    """

    country: str
    since: int
    until: int
    networks: tuple[int, ...] = ()
    regions: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One document.

    Attributes:
        name: what it is about, in the source's words, without the window.
        url: where it is.
        since: unix seconds; likewise ``until``: the window that it speaks of.
    """

    name: str
    url: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a document held.

    Attributes:
        series: each key and step once.
        rejects: (number of the value, series, line or entry, from 1; reason).
        claims: what the source itself says of outages; never evidence.
    """

    series: tuple[SourceSeries, ...]
    rejects: tuple[tuple[int, str], ...] = ()
    claims: tuple[Claim, ...] = ()


class LiveSource(Protocol):
    """One source on the net."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        """What to fetch, oldest first; ``get`` is for lists of places that must be asked for."""
        ...

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        """The series in one document; pure.

        Args:
            name: of the piece, or of the file that holds the document.

        Raises:
            Rejected: it is no document of this source; the message is the reason.
        """
        ...


def windows(since: int, until: int, width: int) -> Iterator[tuple[int, int]]:
    """The time in windows of at most ``width`` seconds, oldest first.

    Where there are several, they begin at fixed places, so that a question is asked again in the same words;
    the first may begin before ``since``, the last ends at ``until``.
    """
    if until - since <= width:
        yield since, until
        return
    start = since // width * width
    while start < until:
        yield start, min(start + width, until)
        start += width


LARGEST = 256 << 20
"""Bytes of a document that is read whole."""
MOST_BINS = 500_000
"""Bins of one series in one document: five years of 5 minutes."""
LATEST = 7_258_118_400
"""The year 2200: no time of a measurement lies behind it."""


def decoded(data: bytes) -> Any:
    """The JSON document.

    Raises:
        Rejected: it is none.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"not JSON: {error}") from error


def field(document: Any, *names: str) -> Any:
    """``document[a][b]...``; ``None`` where it is not there or null."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def whole(value: Any, low: int, high: int) -> int | None:
    """A whole number within limits; ``None`` = it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return None
    return int(value)


def plain(value: Any) -> float | None:
    """A number, also one written as a text; NaN for null, ``None`` = it is no number."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) != float("inf") else None


def on_grid(
    key: SeriesKey,
    start: int,
    step: int,
    values: Sequence[Any],
    number: Callable[[Any], float | None] = plain,
) -> SourceSeries:
    """Values of equal bins from ``start`` on.

    Raises:
        Rejected: one of them is no number, or there are too many.
    """
    if len(values) > MOST_BINS:
        raise Rejected(f"{len(values):,} values, which no answer has")
    read = [number(value) for value in values]
    if None in read:
        at = read.index(None)
        raise Rejected(f"value {at + 1} is no number: {str(values[at])[:60]!r}")
    times = start + step * np.arange(len(read), dtype=np.int64)
    return SourceSeries(key, step, times, np.array(read, np.float64))


def merged(series: Sequence[SourceSeries]) -> tuple[SourceSeries, ...]:
    """Each key and step once; of a bin that comes twice the later stands."""
    together: dict[tuple[SeriesKey, int], dict[int, float]] = {}
    for one in series:
        bins = together.setdefault((one.key, one.step), {})
        bins.update(zip(one.times.tolist(), one.values.tolist(), strict=True))
    found = []
    for (key, step), bins in together.items():
        times = sorted(bins)
        values = np.array([bins[t] for t in times], np.float64)
        found.append(SourceSeries(key, step, np.array(times, np.int64), values))
    return tuple(found)


class Documents:
    """Saved answers of a live source as files (see ``SeriesFiles``); their values count, not lines."""

    def __init__(self, source: LiveSource) -> None:
        self._source = source

    def begin(self) -> SeriesFiles:
        return self

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading | PublishedClaim]:
        with open_source(path, on_progress) as source:
            try:
                data = _bounded(path, source.stream)
            except BROKEN as error:
                raise FanousError(f"{path}: {broken_why(error)}") from error
            source.finish()
        try:
            parsed = self._source.parse(data, about.country, path.name)
        except Rejected as reason:
            raise FanousError(f"{path} cannot be used: {reason}") from None
        for number, why in parsed.rejects:
            on_reject(number, why)
        yield from numbered(list(parsed.series))
        for entry, claim in enumerate(parsed.claims, 1):
            yield PublishedClaim(claim, entry)


def _bounded(path: Path, stream: BufferedReader) -> bytes:
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise FanousError(f"{path} has more than {LARGEST:,} bytes: this is not one answer")
    return data
