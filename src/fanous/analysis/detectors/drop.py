"""Drop: where a series lies below its baseline for the hour, bin by bin.

Each day is held against the days before it alone, so that replay says what a live watcher saw.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from fanous.analysis.detectors.anomalies import stretches
from fanous.analysis.detectors.baseline import Baseline
from fanous.analysis.detectors.departures import Departures
from fanous.analysis.detectors.grid import Bools, SeriesGrid, grids
from fanous.analysis.detectors.options import DropOptions, in_a_row
from fanous.analysis.detectors.windows import last_measured, window_means
from fanous.analysis.series.baselines import Single
from fanous.model.anomaly import Anomaly
from fanous.model.series import Series


def find_drops(series: Sequence[Series], options: DropOptions) -> list[Anomaly]:
    """Anomalies of level series, in order of onset."""
    found = [anomaly for one in departures(series, options) for anomaly in stretches(one, options)]
    return sorted(found, key=lambda a: (a.start, str(a.key.place), a.key.signal))


def departures(series: Sequence[Series], options: DropOptions) -> Iterator[Departures]:
    """Every series through its days, a grid at a time."""
    for grid in grids(series):
        yield _walk(grid, options)


def _walk(grid: SeriesGrid, options: DropOptions) -> Departures:
    ordinary, found = Baseline(grid, options), Departures.blank(grid)
    longest = max(ordinary.scales)
    for day in range(len(grid.levels)):
        rows = slice(day * grid.bins, (day + 1) * grid.bins)
        norms, found.short[day] = ordinary.norms(day)
        ordinary.look_back(day, norms)
        limits = ordinary.limits(day, norms, found.short[day])
        found.norms[rows] = norms
        found.drop[rows] = np.maximum(1 - grid.levels[day] / norms, -options.ceiling)
        found.edge[rows] = _edge(limits, options)
        found.unlike[rows] = _unlike(ordinary, day, norms)
        recent = found.drop[max(0, rows.start - longest) : rows.stop]
        means = window_means(recent, ordinary.scales, grid.bins)
        found.on[rows], found.ratio[rows] = _states(ordinary, recent, means, limits)
        ordinary.learn(day, norms, found.drop[rows], found.on[rows] | (found.drop[rows] >= limits[0]))
        _take_back(ordinary, found, rows)
        _carry(ordinary, found.on[rows], rows.start)
        found.accepted.extend(ordinary.accept(day, found.drop))
    return found


def _unlike(ordinary: Baseline, day: int, norms: Single) -> Bools:
    """Bins below every day of the last week at that hour, and below what was really measured a week ago.

    What departed was written down as ordinary, so that a day of rest would be news each week; where more than
    half is gone, it is.
    """
    grid, options = ordinary.grid, ordinary.options
    level, margin = grid.levels[day], 1 - options.leave * grid.least
    new = level < ordinary.lowest(day) * margin
    if day >= options.week_seen:
        before = grid.levels[day - options.week_seen]
        new &= ~(level >= before * margin) | (level < options.severe * norms)
    return np.asarray(new)


def _edge(limits: Single, options: DropOptions) -> Single:
    """Drop below which a bin is no part of a stretch, (bins, series).

    Where the threshold exceeds everything, half of the level is still low enough.
    """
    return np.asarray(options.leave * np.minimum(limits[min(1, len(limits) - 1)], 1))


def _states(ordinary: Baseline, recent: Single, means: Single, limits: Single) -> tuple[Bools, Single]:
    """Down or not, with hysteresis, (bins, series); and the ratio of drop to threshold.

    It goes down where the drop exceeds the threshold at any scale while the last bins are low themselves
    and the last hour is not much better than the whole (what was lost before a return must not be counted
    again).  It goes up where the last hour has come back.  Bins without data change nothing.
    """
    options, bins = ordinary.options, means.shape[1]
    edge = _edge(limits, options)
    hour = means[min(1, len(means) - 1)]
    lasting = np.where(hour >= options.leave * means, means / limits, 0)
    ratio = np.nan_to_num(lasting, nan=0.0).max(axis=0)
    low = _low(recent, edge, in_a_row(ordinary.grid.step, options))
    back = hour < edge
    moved = np.where(back, -1, np.where((ratio >= 1) & low, 1, 0)).astype(np.int8)
    moved = np.concatenate([ordinary.on[None].astype(np.int8) * 2 - 1, moved])
    rows = np.where(moved == 0, 0, np.arange(bins + 1)[:, None])
    state = np.take_along_axis(moved, np.maximum.accumulate(rows, axis=0), axis=0)[1:]
    return state > 0, np.asarray(ratio, np.float32)


def _low(recent: Single, edge: Single, row: int) -> Bools:
    """The last ``row`` bins that were measured are each low, (bins, series)."""
    bins = len(edge)
    held = last_measured(recent)
    low = held[-bins:] >= edge
    for _ in range(row - 1):
        held = _one_before(held, recent)
        low &= held[-bins:] >= edge
    return np.asarray(low)


def _one_before(held: Single, recent: Single) -> Single:
    """The measured value before the newest one: shifted at each measurement, kept where there is none."""
    shifted = np.concatenate([np.full((1, held.shape[1]), np.nan, np.float32), held[:-1]])
    return last_measured(np.where(np.isnan(recent), np.nan, shifted).astype(np.float32))


def _take_back(ordinary: Baseline, found: Departures, rows: slice) -> None:
    """What led up to an alarm was let in as ordinary before anybody knew."""
    on = found.on[max(0, rows.start - 1) : rows.stop].astype(np.int8)
    first = rows.stop - len(on)
    begun = np.diff(on, axis=0) > 0
    for row, column in np.argwhere(begun).tolist():
        lead = found.lead(first + row + 1, column)
        if len(lead):
            ordinary.take_back(column, lead, found.norms[lead, column])


def _carry(ordinary: Baseline, on: Bools, first: int) -> None:
    """Remember which stretches go on at midnight, and since which bin."""
    begun = first + len(on) - np.argmin(on[::-1], axis=0)
    ordinary.since = np.where(~on.all(axis=0), begun, np.where(ordinary.on, ordinary.since, first))
    ordinary.on = on[-1].copy()
