"""Grid: level series side by side on whole days, so that one pass serves many.

Series share a grid if they have one bin width, begin on one day, and their bins begin at the same moments: on
a clock such as Iran's hours begin at half past in UTC, and days at no midnight of UTC.  Values are turned so
that down is bad: a *level*, of which a share can be missing.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.series.signals import SIGNALS, Direction
from fanous.model.series import Floats, Series

Single = NDArray[np.float32]
Bools = NDArray[np.bool_]

DAY = 86400

CHUNK = 400
"""Series side by side: their arrays of 30 days of ten-minute bins stay within a few dozen megabytes."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesGrid:
    """Levels of several series.

    Attributes:
        start: unix seconds of the first bin: the first of its day (UTC).
        step: bin width in seconds; a day is a whole number of bins.
        levels: float32, shape (days, bins of a day, series); NaN = not measured.
        least: float32, shape (series,): share that must be missing before anything is said.
    """

    start: int
    step: int
    series: tuple[Series, ...]
    levels: Single
    least: Single

    @property
    def bins(self) -> int:
        """Bins of a day."""
        return int(self.levels.shape[1])


def grids(series: Sequence[Series], chunk: int = CHUNK) -> Iterator[SeriesGrid]:
    """Every series that has a value and whose bins fill days, in grids of at most ``chunk``."""
    alike: dict[tuple[int, int], list[Series]] = defaultdict(list)
    for one in series:
        if len(one) and fills_days(one.step):
            first = int(one.times[0])
            alike[one.step, first // DAY * DAY + first % one.step].append(one)
    for (step, start), group in sorted(alike.items(), key=lambda item: item[0]):
        for at in range(0, len(group), chunk):
            yield _grid(group[at : at + chunk], step, start)


def fills_days(step: int) -> bool:
    """Is a day a whole number of such bins?  No detector looks at others."""
    return step <= DAY and DAY % step == 0


def _grid(group: list[Series], step: int, start: int) -> SeriesGrid:
    days = max(int(one.times[-1]) - start for one in group) // DAY + 1
    flat = np.full((len(group), days * (DAY // step)), np.nan, np.float32)
    for row, one in enumerate(group):
        flat[row, (one.times - start) // step] = as_level(one)
    least = np.array([SIGNALS[one.key.signal].least_drop for one in group], np.float32)
    levels = np.ascontiguousarray(flat.T).reshape(days, DAY // step, len(group))
    return SeriesGrid(start, step, tuple(group), levels, least)


def as_level(one: Series) -> Floats:
    """Values as a level, shape (n,): what is bad when it rises is turned over.

    A share (of packets lost) becomes the share that is left; a time (of a round trip) becomes a speed, of
    which half is left where the time doubles.
    """
    signal = SIGNALS[one.key.signal]
    if signal.bad is Direction.DOWN:
        return one.values
    if signal.unit == "share":
        return np.asarray(1.0 - one.values)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(one.values > 0, 1.0 / one.values, np.nan))
