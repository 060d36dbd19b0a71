"""Live: helpers for series of sources on the internet - windows of time, values in answers, and saved answers as
files."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fanous.errors import FanousError, Rejected
from fanous.model.instant import DAY
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.connector import (
    About,
    Get,
    OnProgress,
    OnReject,
    OnRepeat,
    Parsed,
    Piece,
    PublishedClaim,
    Query,
    Reading,
    SeriesFiles,
    Transport,
)
from fanous.sources.signals.rows import LARGEST as LARGEST_VALUE
from fanous.sources.signals.rows import numbered, series_of
from fanous.sources.stream import BROKEN, broken_why, open_source


def windows(since: int, until: int, width: int) -> Iterator[tuple[int, int]]:
    """The time split into windows of at most ``width`` seconds, oldest first.

    If there are several, they begin at fixed times, so that a later request has the same URL.  The first may
    begin before ``since``; the last ends at ``until``.
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


def plain(value: Any) -> float | None:
    """A number, even if written as text; NaN for null, ``None`` = not a number."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if abs(number) > LARGEST_VALUE else number


def on_grid(
    key: SeriesKey,
    start: int,
    step: int,
    values: Sequence[Any],
    number: Callable[[Any], float | None] = plain,
) -> SourceSeries:
    """A series of values in equal bins from ``start`` on.

    Raises:
        Rejected: one of them is not a number, or there are too many.
    """
    if len(values) > MOST_BINS:
        raise Rejected(f"{len(values):,} values, which no answer has")
    read = [number(value) for value in values]
    if None in read:
        at = read.index(None)
        raise Rejected(f"value {at + 1} is not a number: {str(values[at])[:60]!r}")
    times = start + step * np.arange(len(read), dtype=np.int64)
    return SourceSeries(key, step, times, np.array(read, np.float64))


def merged(series: Sequence[SourceSeries]) -> tuple[SourceSeries, ...]:
    """Each key and step once; of two values for the same bin, the later one counts."""
    together: dict[tuple[SeriesKey, int], dict[int, float]] = {}
    for levels in series:
        bins = together.setdefault((levels.key, levels.step), {})
        bins.update(zip(levels.times.tolist(), levels.values.tolist(), strict=True))
    return tuple(series_of(key, step, bins) for (key, step), bins in together.items())


class LiveSource(SeriesFiles):
    """Asks a publisher on the internet, piece by piece, and reads the answers; saved ones can be read as files.

    Attributes:
        settles: seconds after which its values no longer change, so that a backfill need not request them again.
        may_be_empty: may an answer be empty, as when no one claimed anything?  Otherwise an empty answer is put down to
            a fault of the publisher, and its window is requested again.
    """

    pulled = Transport.ANSWERS
    settles = 2 * DAY
    may_be_empty = False
    needs = (*SeriesFiles.needs, "address")

    @abstractmethod
    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        """What to fetch, oldest first; ``get`` is for lists of places that must be requested."""

    @abstractmethod
    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        """The series and claims in one document; pure.

        Args:
            name: name of the piece, or of the file that contains the document.

        Raises:
            Rejected: it is not a document of this source; the message is the reason.
        """

    def next_page(self, url: str, data: bytes) -> str | None:
        """URL of the page after this one; ``None`` = it was the last.

        Raises:
            Rejected: it is not a page of this source, or there are implausibly many.
        """
        return None

    def joined(self, pages: Sequence[bytes]) -> bytes:
        """One document with the content of all pages, as ``parse`` reads it."""
        return pages[0]

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading | PublishedClaim]:
        """A saved answer; values are counted, not lines."""
        with open_source(path, on_progress) as source:
            try:
                data = source.stream.read(LARGEST + 1)
            except BROKEN as error:
                raise FanousError(f"{path}: {broken_why(error)}") from error
        if len(data) > LARGEST:
            raise FanousError(f"{path} has more than {LARGEST:,} bytes: too large for one answer")
        try:
            parsed = self.parse(data, about.country, path.name)
        except Rejected as reason:
            raise FanousError(f"{path} cannot be used: {reason}") from None
        for number, why in parsed.rejects:
            on_reject(number, why)
        yield from numbered(list(parsed.series))
        for entry, claim in enumerate(parsed.claims, 1):
            yield PublishedClaim(claim, entry)
