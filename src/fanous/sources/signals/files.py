"""Files: helpers for readers of files of series - bins into series, and which line went into which bin."""

from collections.abc import Iterator

import numpy as np

from fanous.analysis.series.signals import SIGNALS
from fanous.model.series import Floats, Ints, SeriesKey, SourceSeries
from fanous.sources.connector import Reading


def series_of_file(
    key: SeriesKey, step: int, times: list[int], values: list[float], licence: str = ""
) -> SourceSeries:
    """A series of bins given in any order; of two values for the same time, the later one counts."""
    last = dict(zip(times, values, strict=True))
    bins = sorted(last)
    ordered = np.array([last[b] for b in bins], np.float64)
    return SourceSeries(key, step, np.array(bins, np.int64), ordered, licence)


def reading_of(levels: SourceSeries, times: list[int] | Ints, lines: list[int] | Ints) -> Reading:
    """A series with the lines of its ``times``, both of shape (m,); every time is one of its bins."""
    at: Ints = np.searchsorted(levels.times, np.asarray(times, np.int64)).astype(np.int64)
    return Reading(levels, np.asarray(lines, np.int64), at)


def numbered(series: list[SourceSeries]) -> Iterator[Reading]:
    """Readings of a file without lines: its values are counted instead, from 1."""
    first = 1
    for levels in series:
        count = len(levels)
        yield Reading(levels, np.arange(first, first + count), np.arange(count))
        first += count


def median_step(times: Ints, default: int) -> int:
    """The most frequent distance between neighbouring, ascending times; ``default`` if there are fewer than two."""
    gaps = np.diff(times)
    if not len(gaps):
        return default
    distances, counts = np.unique(gaps, return_counts=True)
    return int(distances[np.argmax(counts)])


def begins(key: SeriesKey, step: int, times: Ints) -> Ints:
    """When bins begin whose times are as the signal's publisher writes them."""
    return times - step if SIGNALS[key.signal].stamped_at_end else times


def finite(values: Floats) -> Floats:
    """The values with NaN in place of infinite ones, which were not measured."""
    return np.where(np.isfinite(values), values, np.nan)
