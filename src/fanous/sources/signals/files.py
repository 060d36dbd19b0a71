"""Files of series: what was read of each series, from which lines of the file; and how to read a file.

Lines are what the user counts: each is stored, known already, or rejected with a reason.

Columns: which columns of a table mean what, and how its lines come to the values of bins.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np

from fanous.model.claim import Claim
from fanous.model.series import Floats, Ints, SeriesKey, SourceSeries
from fanous.sources.connector import OnProgress, OnReject


class Gather(StrEnum):
    """How the lines of one place and bin become one value."""

    MEDIAN = "median"
    MEAN = "mean"
    SUM = "sum"
    COUNT = "count"
    DISTINCT = "distinct"


@dataclass(frozen=True, slots=True)
class TableColumns:
    """What the user says of a table of any shape.

    Attributes:
        time: column of the time: ISO 8601, ``11-Nov-2019 00:00:00``, or unix seconds.
        value: column of the value.
        signal: a name in ``fanous.analysis.series.signals``.
        place: column of the region's name or code, or of the network (``AS17557``); empty = every line is
            about the country.
        zone: of times that name none: an IANA zone or an offset (``+06:30``).  Unix seconds are taken for
            local too, where this is not UTC.
        step: bin width in seconds; 0 = the signal's own.
        gather: how lines of one bin become one value.
        empty_is_zero: a bin without lines, between the first and the last of the file, is a 0: for tables
            that list every answer, so that no line is no answer.  Only for counts.
    """

    time: str
    value: str
    signal: str
    place: str = ""
    zone: str = "UTC"
    step: int = 0
    gather: Gather = Gather.MEDIAN
    empty_is_zero: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One series with its lines.

    Attributes:
        levels: the series.
        lines: int64, shape (m,), 1-based lines (values, where a file has no lines) that went into it; one
            line may be in several readings of a file.
        bins: int64, shape (m,), index in ``levels`` of the bin that each line went into.
    """

    levels: SourceSeries
    lines: Ints
    bins: Ints


@dataclass(frozen=True, slots=True)
class PublishedClaim:
    """What the source itself says of one outage, and which entry of the file says it, from 1."""

    claim: Claim
    entry: int


@dataclass(frozen=True, slots=True)
class About:
    """What a file does not say of itself.

    Attributes:
        country: ISO 3166-1 alpha-2.
        columns: for tables of any shape: which columns mean what.
    """

    country: str
    columns: TableColumns | None = None


OnRepeat = Callable[[int], None]
"""Called with the 1-based line that is an exact repetition of an earlier one."""


class SeriesFiles(Protocol):
    """A kind of file that holds ready-made series."""

    def begin(self) -> "SeriesFiles":
        """What reads the files of one command, in order: itself, where no file needs the one before."""
        ...

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading | PublishedClaim]:
        """Every series of the file, each key and step once, and what the source says of outages.

        Raises:
            FanousError: the file is missing, unreadable or not of this kind, or ``about`` lacks something.
        """
        ...


def series_of_file(key: SeriesKey, step: int, times: list[int], values: list[float]) -> SourceSeries:
    """Bins in any order to levels in the order of time; of one time twice the later stands."""
    last = dict(zip(times, values, strict=True))
    bins = sorted(last)
    return SourceSeries(key, step, np.array(bins, np.int64), np.array([last[b] for b in bins], np.float64))


def reading_of(levels: SourceSeries, times: list[int] | Ints, lines: list[int] | Ints) -> Reading:
    """Levels with the lines that stood at ``times``, both of shape (m,); every time is a bin of levels."""
    at: Ints = np.searchsorted(levels.times, np.asarray(times, np.int64)).astype(np.int64)
    return Reading(levels, np.asarray(lines, np.int64), at)


def numbered(series: list[SourceSeries]) -> Iterator[Reading]:
    """Readings of a file without lines: its values count, from 1."""
    first = 1
    for levels in series:
        count = len(levels)
        yield Reading(levels, np.arange(first, first + count), np.arange(count))
        first += count


def median_step(times: Ints, default: int) -> int:
    """The most frequent distance between neighbouring times, ascending; ``default`` = there are too few."""
    gaps = np.diff(times)
    if not len(gaps):
        return default
    distances, counts = np.unique(gaps, return_counts=True)
    return int(distances[np.argmax(counts)])


def finite(values: Floats) -> Floats:
    """What is not a number is NaN: an infinite level was not measured."""
    return np.where(np.isfinite(values), values, np.nan)
