"""Artefacts: what is in a series because of how its publisher gives it, and not because of what was measured.

- A source that has nothing new may repeat its last value for hours.  At night that value is low, and by day it looks
  like a loss.  And one table may be in the store under two names: the same numbers do not count as a second witness.
- Radar and Google divide each answer by the greatest value in it.  When a greater one comes in, all the others shrink,
  as if the country had lost a part of its traffic on the first day of the answer.
- A publisher probes every five minutes instead of every ten, or answers for a month in wider bins than for a day.
  Taken apart, the newer part knows nothing of the weeks before it, and takes the cuts of its first days for its usual
  level.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.series.signals import SIGNALS
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Place
from fanous.model.series import Floats, Ints, Series, SeriesKey, SourceSeries
from fanous.model.threshold import threshold

Bools = NDArray[np.bool_]

FROZEN_SECONDS = threshold(
    "series.frozen_seconds",
    3 * HOUR,
    "A value other than zero that is repeated for so long, and in `series.frozen_bins` bins, was not measured "
    "again.",
)
FROZEN_BINS = threshold(
    "series.frozen_bins",
    6,
    "Bins in a row with one value other than zero, from which it was not measured again if it lasts for "
    "`series.frozen_seconds`.",
)

FROZEN_REPEATS = threshold(
    "series.frozen_repeats",
    0.02,
    "Share of the other bins that may repeat the one before: counts of a few things do so all the time, and are "
    "not frozen.",
)

JUMP = threshold(
    "series.frozen_jump",
    2.0,
    "Times the 95th percentile of a series' steps, by which it must have changed to a value that counts "
    "although it is repeated: what a cut leaves may be constant, while a frozen source repeats its last value.",
)

SAME_BINS = threshold(
    "series.same_bins",
    96,
    "Bins that two series must have in common before equal numbers cannot be chance: two days of half hours.",
)

SAME_RATIO = threshold(
    "series.same_ratio",
    1e-4,
    "By how much the ratio of two series' values may vary for them to be the same: one of the two may be scaled "
    "and rounded.",
)

MOVES = threshold(
    "series.same_moves",
    0.5,
    "Share of the bins in which both of two equal series must differ from the one before: lines that never move "
    "are alike by chance.",
)


def frozen(one: Series) -> Bools:
    """The bins that only repeat an earlier value, shape (n,)."""
    values = one.values
    found = np.zeros(len(values), np.bool_)
    if len(values) < FROZEN_BINS:
        return found
    same = np.concatenate([[False], (values[1:] == values[:-1]) & (values[1:] != 0)])
    edges = np.diff(np.concatenate([[0], same, [0]]).astype(np.int8))
    begins, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    long = (ends - begins >= FROZEN_BINS - 1) & ((ends - begins) * one.step >= FROZEN_SECONDS - one.step)
    steps = np.abs(np.diff(values))
    usual = JUMP * float(np.quantile(steps[~same[1:]], 0.95)) if (~same[1:]).any() else 0.0
    for begin, end in zip(begins[long].tolist(), ends[long].tolist(), strict=True):
        found[begin:end] = begin < 2 or steps[begin - 2] <= usual
    others = ~found
    moves = 2 * others.sum() >= len(values) and same[others].sum() <= FROZEN_REPEATS * others.sum()
    return found if moves else np.zeros_like(found)


def thawed(one: Series) -> Series:
    """The series without the bins that only repeat an earlier value."""
    return one.where(~frozen(one))


def copies(series: Sequence[Series]) -> list[Series]:
    """Series with the numbers of one of another family, about the same place.

    Of the two, the one of human activity stays, since less is concluded from it.
    """
    places: dict[Place, list[Series]] = defaultdict(list)
    for one in sorted(series, key=lambda one: not SIGNALS[one.key.signal].of_people):
        places[one.key.place].append(one)
    return [copy for own in places.values() for copy in _copies(own)]


def _copies(series: Sequence[Series]) -> Iterator[Series]:
    gone: set[int] = set()
    for first, second in combinations(range(len(series)), 2):
        one, other = series[first], series[second]
        families = {SIGNALS[each.key.signal].family for each in (one, other)}
        if len(families) == 2 and not gone & {first, second} and _same_numbers(one, other):
            gone.add(second)
            yield other


def _same_numbers(one: Series, other: Series) -> bool:
    if one.step != other.step:
        return False
    _, here, there = np.intersect1d(one.times, other.times, assume_unique=True, return_indices=True)
    left, right = one.values[here], other.values[there]
    known = ~np.isnan(left) & ~np.isnan(right)
    left, right = left[known], right[known]
    if len(left) < SAME_BINS or any(np.mean(np.diff(v) != 0) < MOVES for v in (left, right)):
        return False
    some = right != 0
    if (left[~some] != 0).any() or not some.any():
        return False
    ratio = left[some] / right[some]
    return bool(np.ptp(ratio) <= SAME_RATIO * abs(float(np.median(ratio))))


# --- answers of which each has a scale of its own --------------------------------------------------------

SCALED = (("radar", "radar_netflows"), ("google", "google_traffic"))
"""Sources and signals of which each answer has a scale of its own."""

COMMON_BINS = threshold(
    "series.scale_bins",
    96,
    "Bins that an answer must have in common with what is known, to be brought to its scale: a day of quarters "
    "of an hour.",
)

SPREAD = threshold(
    "series.scale_spread",
    0.02,
    "Most by which the middle nine tenths of the ratios of an answer to what is known may differ, as a share of "
    "their median: with more, they differ in more than scale.",
)

ROUNDED = threshold(
    "series.scale_rounded",
    0.001,
    "Share of a value by which it may differ and still be the same value: publishers round.",
)


def is_scaled(one: SourceSeries) -> bool:
    return (one.key.source, one.key.signal) in SCALED


def on_known_scale(times: Ints, values: Floats, known_times: Ints, known: Floats) -> Floats:
    """The values on the scale of what is known of the same series; unchanged if no scale explains the difference."""
    _, here, there = np.intersect1d(times, known_times, return_indices=True)
    new, old = values[here], known[there]
    both = (new > 0) & (old > 0)
    if both.sum() < COMMON_BINS:
        return values
    low, factor, high = np.quantile(old[both] / new[both], [0.05, 0.5, 0.95])
    if high - low > SPREAD * factor:
        return values
    found = values * factor
    same = np.isclose(found[here], old, rtol=ROUNDED, atol=0)
    found[here[same]] = old[same]
    return np.asarray(found)


# --- bins of several widths ------------------------------------------------------------------------------

OWN_WEEKS = threshold(
    "series.steps_own_seconds",
    28 * DAY,
    "History from which the finest bins of a series stand alone: the four weeks of `detectors.drop.weeks`.",
)

MEASURED = threshold("series.steps_measured", 0.5, "Share of a wide bin that finer ones must have measured.")

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
