"""Departures: what a day-by-day walk over a grid leaves behind, bin by bin."""

from dataclasses import dataclass, field

import numpy as np

from fanous.analysis.detectors.grid import Bools, SeriesGrid
from fanous.analysis.series.baselines import Single
from fanous.model.series import Ints

BACK = 48 * 3600
"""Seconds that an onset may lie before the alarm: a gradual decline is noticed late; more is drift."""


@dataclass(frozen=True, slots=True, eq=False)
class Departures:
    """What becomes of a grid; arrays of bins have shape (bins, series).

    Attributes:
        drop: float32, share of the ordinary level that is missing (negative: an excess); NaN = not
            measured, or nothing to compare with.
        norms: float32, the ordinary level; NaN = unknown.
        on: bool, a watcher would say that it is down.
        edge: float32, drop from which a bin belongs to a stretch.
        ratio: float32, the deepest drop over what it had to exceed; 1 = just so.
        unlike: bool, it lies below every day of the last week at this hour too.
        short: bool, (days, series), no whole week of history.
        accepted: (bin, series) at which a stretch became the new ordinary.
    """

    grid: SeriesGrid
    drop: Single
    norms: Single
    on: Bools
    edge: Single
    ratio: Single
    unlike: Bools
    short: Bools
    accepted: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def blank(cls, grid: SeriesGrid) -> "Departures":
        """Nothing walked yet."""
        days, bins, count = grid.levels.shape
        shape = (days * bins, count)
        unknown, naught = np.full(shape, np.nan, np.float32), np.zeros(shape, np.float32)
        no = np.zeros(shape, np.bool_)
        return cls(
            grid,
            unknown,
            unknown.copy(),
            no,
            naught,
            naught.copy(),
            no.copy(),
            np.zeros((days, count), np.bool_),
        )

    def lead(self, row: int, column: int, floor: int = 0) -> Ints:
        """The low bins that lead up to ``row``, from the newest back; bins without data do not part them.

        Args:
            floor: no bin before this one.
        """
        floor = max(floor, row - BACK // self.grid.step)
        drop = self.drop[floor:row, column]
        before = floor + np.flatnonzero(~np.isnan(drop))[::-1]
        high = np.flatnonzero(self.drop[before, column] < self.edge[row, column])
        return before[: int(high[0])] if len(high) else before
