"""Grid: arranges quantities side by side on whole days, so that many series are processed in one pass.

Series share a grid if they have the same bin width, begin on the same day, and their bins begin at the same moments:
in Iran hours begin at half past in UTC, and days not at midnight UTC.  Values are converted to a *level*, which is
worse the lower it is.  ``rolled_up`` adds a series for the whole country if a source has only its regions.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from bottleneck import nanmedian
from numpy.typing import NDArray

from fanous.analysis.series.baselines import as_level
from fanous.analysis.series.signals import SIGNALS, target_of_series
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey

Single = NDArray[np.float32]
Bools = NDArray[np.bool_]

CHUNK = 400
"""Most series in a grid; 30 days of their ten-minute bins take a few dozen megabytes."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesGrid:
    """Levels of several series on the same days.

    Attributes:
        start: unix seconds of the first bin: the first of its day (UTC).
        step: bin width in seconds; a day is a whole number of bins.
        levels: float32, shape (days, bins of a day, series); NaN = not measured.
        least: float32, shape (series,): least share that must be missing (``Signal.least_drop``).
        of_people: bool, shape (series,): it moves with people's days (``Signal.of_people``).
    """

    start: int
    step: int
    series: tuple[Series, ...]
    levels: Single
    least: Single
    of_people: Bools

    @property
    def bins(self) -> int:
        """Bins per day."""
        return int(self.levels.shape[1])


def grids(series: Sequence[Series], chunk: int = CHUNK) -> Iterator[SeriesGrid]:
    """All series with a value and with bins that fill days, in grids of at most ``chunk`` series."""
    alike: dict[tuple[int, int], list[Series]] = defaultdict(list)
    for one in series:
        if len(one) and fills_days(one.step):
            first = int(one.times[0])
            alike[one.step, first // DAY * DAY + first % one.step].append(one)
    for (step, start), group in sorted(alike.items(), key=lambda item: item[0]):
        for at in range(0, len(group), chunk):
            yield _grid(group[at : at + chunk], step, start)


def fills_days(step: int) -> bool:
    """Is a day a whole number of such bins?  Detectors ignore other series."""
    return step <= DAY and DAY % step == 0


def _grid(group: list[Series], step: int, start: int) -> SeriesGrid:
    days = max(int(one.times[-1]) - start for one in group) // DAY + 1
    flat = np.full((len(group), days * (DAY // step)), np.nan, np.float32)
    for row, one in enumerate(group):
        flat[row, (one.times - start) // step] = as_level(one)
    least = np.array([SIGNALS[one.key.signal].least_drop for one in group], np.float32)
    levels = np.ascontiguousarray(flat.T).reshape(days, DAY // step, len(group))
    of_people = np.array([SIGNALS[one.key.signal].of_people for one in group], np.bool_)
    return SeriesGrid(start, step, tuple(group), levels, least, of_people)


def window_means(values: Single, scales: Sequence[int], bins: int) -> Single:
    """Mean of the last ``m`` measured bins, for each scale ``m`` and each of the last ``bins``.

    Args:
        values: float32, shape (at least ``bins``, series); NaN = not measured.

    Returns:
        float32, shape (scales, bins, series).  NaN if the bin itself was not measured, or less than half of
        the window was: nothing is decided without data.
    """
    measured = ~np.isnan(values)
    sums = _running(np.where(measured, values, 0))
    counts = _running(measured)
    first = len(values) - bins
    means = np.empty((len(scales), bins, values.shape[1]), np.float32)
    here = np.arange(first, len(values)) + 1
    for index, width in enumerate(scales):
        before = np.maximum(here - width, 0)
        held = counts[here] - counts[before]
        enough = measured[first:] & (2 * held >= width)
        total = sums[here] - sums[before]
        means[index] = np.where(enough, total / np.maximum(held, 1), np.nan)
    return means


def _running(values: Single) -> Single:
    """Sums of all rows before each; one row more than ``values``."""
    out = np.zeros((len(values) + 1, values.shape[1]), np.float32)
    np.cumsum(values, axis=0, dtype=np.float32, out=out[1:])
    return out


def last_measured(values: Single) -> Single:
    """Each bin's value, or the newest one before it; NaN where there is none."""
    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)


REGIONS = 10
"""Least number of regions whose median represents the country: half of them must fall before it falls."""

REPORTING = 0.5
"""Share of the regions that must be measured in a bin; otherwise each median would be of different regions."""

ROLLED_UP = "median of regions"
"""Subtype of the resulting series."""


def rolled_up(series: Sequence[Series]) -> list[Series]:
    """The median over regions, bin by bin, for each source and signal without a series of the country itself.

    A source's national series hides a regional cut; conversely, many regions at once amount to the nation.  Every
    region counts once, since the number of users in each is not known here.
    """
    regional: dict[tuple[str, str, str, str, str, int], list[Series]] = defaultdict(list)
    own = set()
    for one in series:
        key = one.key
        name = (key.place.country, key.source, key.signal, target_of_series(key), key.subtype, one.step)
        if key.place.region and not key.place.asn and len(one):
            regional[name].append(one)
        elif not key.place.asn:
            own.add(name[:4])
    return [
        _median(group, country, source, signal, target)
        for (country, source, signal, target, _, _), group in sorted(regional.items())
        if len(group) >= REGIONS and (country, source, signal, target) not in own
    ]


def _median(group: list[Series], country: str, source: str, signal: str, target: str) -> Series:
    times = np.unique(np.concatenate([one.times for one in group]))
    values = np.full((len(times), len(group)), np.nan)
    for column, one in enumerate(group):
        values[np.searchsorted(times, one.times), column] = one.values
    counts = (~np.isnan(values)).sum(axis=1)
    kept = counts >= REPORTING * len(group)
    middle = nanmedian(values[kept], axis=1) if kept.any() else np.array([])
    none = np.zeros(int(kept.sum()), np.int64)
    key = SeriesKey(Place(country), target, signal, source=source, subtype=ROLLED_UP)
    return Series(key, group[0].step, times[kept], np.asarray(middle), counts[kept], none, none)
