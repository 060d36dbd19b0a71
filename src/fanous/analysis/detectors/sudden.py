"""Sudden: did a series fall at once, as no day of people begins or ends?

On a holiday people sleep longer: the morning's curve comes late, and for hours less is there than is ordinary
for the hour.  But they wake one after another, so that the share sinks from one half hour to the next, while
what is cut is gone at once and sinks no further.  So a fall counts beyond what the half hours beside it fell.
"""

import numpy as np
from bottleneck import nanmedian

from fanous.analysis.detectors.baseline import NORMAL
from fanous.analysis.detectors.departures import Departures
from fanous.analysis.detectors.grid import DAY
from fanous.analysis.detectors.options import HOUR, DropOptions
from fanous.analysis.series.baselines import Single
from fanous.analysis.series.signals import SIGNALS
from fanous.model.series import Ints

WITHIN = 1800
"""Seconds of the stretches of time that are compared: what holds for bins of five minutes as of thirty."""

WIDEST = 3600
"""Seconds of the widest bin that tells a fall from a slope."""

STAYS = 0.5
"""Share of a fall that must still be missing after half an hour, and ..."""

SETTLED = 3 * HOUR
"""... in the middle of these seconds, or of what the stretch lasts of them: a gap of the source is soon over,
and a day that is low besides is no part of it."""

AROUND = 3 * HOUR
"""Seconds before and after the hour of the day, in which a series moves as it does at that hour: together a
quarter of the day, as for its dips."""

CHANGES = 24
"""Changes that say how far a series moves by itself: of fewer the spread is known to no better than a
third."""

SPANS = (1, 2)
"""Half hours between those that are compared: where it began in the middle of one, that one is left out."""

FLOOR = 0.01
"""Share of the typical level that counts as nought: below it a change says nothing more."""


def sudden_from(found: Departures, column: int, low: Ints, options: DropOptions) -> float | None:
    """Beginning of the first of the bins ``low`` into which the series fell at once.

    ``None`` = it did not, or shows nothing that people do, so that nothing is to be told apart.

    A fall is a change from half hour to half hour beyond the median change at that time of the day.  Less
    what it fell beside that, it must exceed the least drop of the signal and ``spreads`` robust deviations of
    such changes, around that time of the day, before the stretch.

    Args:
        low: rows of the stretch that are low, ascending.
    """
    step, signal = found.grid.step, SIGNALS[found.grid.series[column].key.signal]
    if step > WIDEST or not signal.of_people or not len(low):
        return None
    width, left = max(1, WITHIN // step), 1 - found.drop[:, column]
    changes = _changes(found.grid.levels[:, :, column].ravel(), width, found.grid.bins, options.days)
    moves = _moves(changes, int(low[0]), step, options.days)
    limit = max(float(found.grid.least[column]), options.spreads * moves)
    falls = _falls(changes, low, width)
    for row, fall in zip(low[falls >= limit].tolist(), falls[falls >= limit].tolist(), strict=True):
        if _kept_lost(left[: int(low[-1]) + 1], row, width, SETTLED // step) >= STAYS * fall:
            return float(found.grid.start + row * step)
    return None


def _kept_lost(left: Single, row: int, width: int, settled: int) -> float:
    """Share of the level before ``row`` that is still missing after half an hour, and in the middle of
    ``settled`` bins.

    Args:
        left: shares of the ordinary level, up to the end of the stretch.
    """
    halves = (left[max(0, row - back * width) : max(0, row - (back - 1) * width)] for back in (1, 2))
    before = np.fmin(*map(nanmedian, halves))
    after = np.fmax(nanmedian(left[row + width : row + 3 * width]), nanmedian(left[row : row + settled]))
    return float(1 - after / before) if before > 0 else 0.0


def _changes(levels: Single, width: int, day: int, days: int) -> Single:
    """Log of the change from the half hour before each bin to the one that it begins, less the median of such
    changes at that time on the days before; (bins,), NaN = unknown.

    Args:
        width: bins of half an hour.
        day: bins of a day.
    """
    halves = _half_hours(levels, width)
    halves = np.maximum(halves, FLOOR * nanmedian(halves))  # NaN stays
    logs = np.log(np.where(halves > 0, halves, np.nan))
    change = np.concatenate([np.full(width, np.nan, np.float32), logs[width:] - logs[:-width]])
    padded = np.concatenate([np.full(days * day, np.nan, np.float32), change])
    before = np.stack([padded[back * day : back * day + len(change)] for back in range(days)])
    return np.asarray(change - nanmedian(before, axis=0), np.float32)


def _half_hours(levels: Single, width: int) -> Single:
    """Mean of the ``width`` bins from each on, (bins,); NaN where less than half of them were measured."""
    padded = np.concatenate([levels, np.full(width - 1, np.nan, np.float32)])
    bins = np.lib.stride_tricks.sliding_window_view(padded, width)
    measured = ~np.isnan(bins)
    counts = measured.sum(axis=1)
    sums = np.where(measured, bins, 0).sum(axis=1)
    return np.where(2 * counts >= width, sums / np.maximum(counts, 1), np.nan).astype(np.float32)


def _moves(changes: Single, first: int, step: int, days: int) -> float:
    """Robust deviation of the changes before row ``first`` around its time of the day; inf = unknown."""
    width = max(1, WITHIN // step)
    rows = np.arange(max(0, first - days * DAY // step), first - width + 1)
    apart = np.abs((rows - first) * step % DAY - DAY // 2)  # half a day less the distance in time of day
    near = np.abs(changes[rows[apart >= DAY // 2 - AROUND]])
    near = near[~np.isnan(near)]
    return NORMAL * float(np.median(near)) if len(near) >= CHANGES * width else float("inf")


def _falls(changes: Single, rows: Ints, width: int) -> Single:
    """Share lost at the beginning of each row, less what was lost beside it; NaN = unknown."""
    blank = np.full(max(SPANS) * width, np.nan, np.float32)
    padded, here = np.concatenate([blank, changes, blank]), rows + len(blank)
    fallen, best = np.zeros(len(rows), np.float32), np.full(len(rows), np.nan, np.float32)
    for span in SPANS:
        fallen = fallen + padded[here + (span - 1) * width]
        beside = np.fmin(padded[here - width], padded[here + span * width])
        best = np.fmax(best, np.exp(span * np.fmin(beside, 0)) - np.exp(fallen))
    return best
