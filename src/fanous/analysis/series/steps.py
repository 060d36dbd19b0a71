"""Steps: one series whose publisher changed the width of its bins is still one series.

A publisher probes every five minutes instead of every ten, or answers for a month in wider bins than for a day.  Taken
apart, the newer part knows nothing of the weeks before it, and takes the cuts of its first days for its ordinary level.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from fanous.analysis.series.signals import SIGNALS
from fanous.model.instant import DAY
from fanous.model.series import Series, SeriesKey

OWN_WEEKS = 28 * DAY
"""Seconds of history from which the finest bins stand alone: the four weeks of which a baseline is made."""

MEASURED = 0.5
"""Share of a wide bin that finer ones must have measured."""

COUNTED = frozenset({"tests"})
"""Units of counts per bin: a bin half as wide holds half as many."""


def joined(series: Iterable[Series]) -> list[Series]:
    """The series; those of one key and several steps as one, in the widest bins, or in the finest if these have four
    weeks of history."""
    by_key: dict[SeriesKey, list[Series]] = defaultdict(list)
    for one in series:
        by_key[one.key].append(one)
    return [one for same in by_key.values() for one in (same if len(same) == 1 else _as_one(same))]


def _as_one(same: Sequence[Series]) -> list[Series]:
    fine, *wider = sorted((one for one in same if len(one)), key=lambda one: one.step) or same[:1]
    if not wider or SIGNALS[fine.key.signal].unit in COUNTED:
        return list(same)
    if fine.times[-1] - fine.times[0] >= OWN_WEEKS:
        return [fine]
    widest = wider[-1]
    if any(widest.step % one.step for one in (fine, *wider)):
        return list(same)
    found = widest
    for one in reversed([fine, *wider[:-1]]):
        found = together(found, _in_bins(one, widest))
    return [found]


def _in_bins(one: Series, wide: Series) -> Series:
    """The means of the bins of another series, where at least half of each was measured."""
    known = ~np.isnan(one.values)
    first = int(wide.times[0]) % wide.step
    starts, rows = np.unique((one.times[known] - first) // wide.step, return_inverse=True)
    counts = np.bincount(rows)
    kept = counts * one.step >= MEASURED * wide.step
    ones = np.ones(int(kept.sum()), np.int64)
    values = np.bincount(rows, weights=one.values[known]) / counts
    return Series(
        wide.key, wide.step, starts[kept] * wide.step + first, values[kept], ones, 0 * ones, 0 * ones
    )


def together(own: Series, other: Series) -> Series:
    """The bins of one series, and those of another of the same width where the first has none."""
    own = own.where(~np.isnan(own.values))
    other = other.where(~np.isin(other.times, own.times))
    order = np.argsort(np.concatenate([own.times, other.times]), kind="stable")
    return Series(
        own.key,
        own.step,
        np.concatenate([own.times, other.times])[order],
        np.concatenate([own.values, other.values])[order],
        np.concatenate([own.counts, other.counts])[order],
        np.concatenate([own.controlled, other.controlled])[order],
        np.concatenate([own.measurements, other.measurements])[order],
    )
