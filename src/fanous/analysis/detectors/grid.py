"""Grid: arranges quantities side by side on whole days, so that many series are processed in one pass.

Series share a grid if they have the same bin width, begin on the same day, and their bins begin at the same moments:
in Iran hours begin at half past in UTC, and days not at midnight UTC.  Values are converted to a *level*, which is
worse the lower it is.  ``rolled_up`` adds a series for the whole country if a source has only its regions.

The *baseline* is what past days show about each series in a grid: its usual values, and how deep it dips by itself.
Departures are replaced by the expected value (*inpainted*), so that an outage never enters its own baseline; a new
level enters it once it has lasted.  ``DropOptions`` holds every threshold, with its reason.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from bottleneck import move_min, nanmedian
from numpy.typing import NDArray

from fanous.analysis.detectors.detector import option
from fanous.analysis.series.baselines import NORMAL, Single, as_level, over_bins, slot_baselines, slot_medians
from fanous.analysis.series.signals import SIGNALS, target_of_series
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Place
from fanous.model.series import Ints, Series, SeriesKey
from fanous.model.threshold import threshold

Bools = NDArray[np.bool_]

CHUNK = threshold(
    "detectors.grid_series",
    400,
    "Series side by side in memory: 30 days of their ten-minute bins take a few dozen megabytes. No influence "
    "on results.",
)


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


REGIONS = threshold(
    "detectors.rollup_regions",
    10,
    "Regions of a country from which their median represents it: half of them must fall before it falls.",
)

REPORTING = threshold(
    "detectors.rollup_reporting",
    0.5,
    "Share of a country's regions that must be measured in a bin, or each median is of other regions.",
)

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


# --- what past days show ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DropOptions:
    """Thresholds of the detector of drops; the least drop of each signal is in ``analysis.series.signals``."""

    slot: int = option(1800, "Seconds of a slot of the day: the daily curve is straight within half an hour.")
    days: int = option(
        14, "Days from which the median of a slot is taken: two weeks span a holiday and follow growth."
    )
    weeks: int = option(
        4, "Weeks from which the median of the weekday is taken (Cloudflare compares with 28 days)."
    )
    least_days: int = option(2, "Days of data before there is a result: each slot was seen twice.")
    week_seen: int = option(7, "Days that contain a whole week.")
    widen: float = option(
        3.0,
        "Times the least drop of usage with less than a week of history: a weekend that was never seen can move "
        "traffic by 40 %, which is 2.7 times its least drop.",
    )
    widen_steady: float = option(
        2.0,
        "As `detectors.drop.widen` for routes and answers to probes unless their smallest step is fine "
        "(`detectors.baseline_fine_step`): no weekend moves them, but the few blocks of a small network come and "
        "go by whole ones.",
    )
    widest: float = option(0.8, "Share at which widening stops: a cut must remain visible.")
    spreads: float = option(
        5.0,
        "Robust deviations that a drop must exceed: 5 were measured for slot medians; Chocolatine takes 3 of a "
        "validated model.",
    )
    total: float = option(
        0.9,
        "If the spread is wide, losing this share of the average of an hour or longer is enough: the spread of a "
        "sparse count says little about how rarely it is zero.",
    )
    total_spreads: float = option(
        3.0,
        "Deviations that a loss of `detectors.drop.total` must exceed: a count that is zero every other hour "
        "proves nothing by being zero.",
    )
    units: int = option(
        2, "Smallest steps of its values that must be missing: of a dozen blocks, one comes and goes."
    )
    hours: tuple[float, ...] = option(
        (1.0, 3.0, 6.0),
        "Hours over which drops are averaged, besides single bins: a sparse or noisy series shows a loss only "
        "over hours.",
    )
    parts: int = option(4, "Parts of the day with a spread of their own: nights are not like evenings.")
    leave: float = option(
        0.5,
        "Share of the threshold where an anomaly ends (Chocolatine: a quarter of three deviations; a half of five "
        "lies as far from noise).",
    )
    together: int = option(
        2, "Bins in a row that must be low: a single one is just as often a gap of the source."
    )
    sure_step: int = option(10800, "Seconds; a bin this wide is enough by itself.")
    gone: float = option(
        0.5, "Share of the level; a single bin that lost so much is raised for another publisher to support."
    )
    gone_step: int = option(
        1800,
        "Seconds of the widest bin for which one alone is raised: with wider bins, `detectors.drop.together` of "
        "them are needed.",
    )
    accept_after: int = option(
        7, "Days after which a partial loss becomes the new baseline; IODA inpaints no longer."
    )
    severe: float = option(0.5, "Share of the baseline: with less left, a loss is not partial.")
    accept_severe_after: int = option(
        30,
        "Days after which even a severe loss is accepted: networks are closed for good and sources change their "
        "units, while national blackouts last days to weeks.",
    )
    shifted: int = option(
        10800,
        "Seconds by which a day may begin or end later or earlier than those of the week before: holidays, clock "
        "changes.",
    )
    ceiling: float = option(0.5, "Excess that an average may hold: a surge must not hide the loss after it.")


def scales_of(step: int, options: DropOptions) -> tuple[int, ...]:
    """Numbers of bins over which drops are averaged, ascending: one, then at least as many as must be low together."""
    wide = [max(in_a_row(step, options), round(hours * HOUR / step)) for hours in options.hours]
    return tuple(dict.fromkeys([1, *wide]))


def in_a_row(step: int, options: DropOptions) -> int:
    """Number of bins in a row that must be low."""
    return 1 if step >= options.sure_step else options.together


ALMOST = threshold(
    "detectors.baseline_almost_all",
    0.99,
    "Share of a whole number of units that must be missing, so that they reach the threshold without having to "
    "pass it.",
)

COARSE = threshold(
    "detectors.baseline_coarse_step",
    1 / 3,
    "Share of the baseline beyond which units ask for no more: whatever has lost a third is reported.",
)

FINE = threshold(
    "detectors.baseline_fine_step",
    0.25,
    "Share of the least drop up to which the smallest step of a series counts as fine: one alone is far from a "
    "drop.",
)

SAME = threshold(
    "detectors.baseline_same",
    1e-5,
    "Share of a value below which a change is rounding, by division and single precision.",
)

OWN_DAYS = threshold(
    "detectors.baseline_own_days",
    3,
    "Days that were compared with the days before them alone, from which the first days no longer count: "
    "compared with one another they dip less.",
)

SAMPLES = threshold(
    "detectors.baseline_samples",
    8,
    "Averages of a part of a day from which the absence of a dip means that it does not dip: except for one "
    "time in 250, at least one in eight averages of noise is below the norm.",
)


class Baseline:
    """What is known before each day about all series of a grid.

    Attributes:
        painted: float32, (days, bins of a day, series): levels, with departures replaced by their norm.
        calm: float32, (bins, series): drops, NaN where they depart.
        slots: float32, (slots of a day, series, days): ``painted`` by slot.
        unit: float32, (series,): smallest change seen so far, such as one block or one city; infinite = it never
            changed.
        dips: float32, (scales, parts of a day, series, days): median depth of values below the norm.
        own: int64, (series,): the first day that was compared only with days before it; -1 = none yet.
        until: int64, (series,): the bin after the last that was measured.
        on: bool, (series,): a stretch is ongoing at midnight; since: int64, the bin in which it began.
    """

    def __init__(self, grid: SeriesGrid, options: DropOptions) -> None:
        days, bins, count = grid.levels.shape
        fine = options.slot % grid.step == 0 and DAY % options.slot == 0
        self.options, self.grid = options, grid
        self.scales = scales_of(grid.step, options)
        self.parts = options.parts if bins % options.parts == 0 else 1
        self.painted: Single = np.full(grid.levels.shape, np.nan, np.float32)
        self.calm: Single = np.full((days * bins, count), np.nan, np.float32)
        self.slots = np.full((DAY // options.slot if fine else bins, count, days), np.nan, np.float32)
        self.dips = np.full((len(self.scales), self.parts, count, days), np.nan, np.float32)
        self.unit: Single = np.full(count, np.inf, np.float32)
        self.own = np.full(count, -1, np.int64)
        measured = ~np.isnan(grid.levels.reshape(days * bins, count))
        self.until = days * bins - np.argmax(measured[::-1], axis=0)
        self.on: Bools = np.zeros(count, np.bool_)
        self.since = np.zeros(count, np.int64)

    def norms(self, day: int) -> tuple[Single, Bools]:
        """Baseline of each bin, (bins, series), NaN = unknown; and which series have less than a week of history."""
        options = self.options
        seen = ~np.isnan(self.slots[:, :, max(0, day - options.days) : day]).all(axis=0)
        known = seen.sum(axis=1)
        slots = slot_baselines(
            self.slots, day, days=options.days, weeks=options.weeks, week_seen=options.week_seen
        )
        slots = np.where((known >= options.least_days) & (slots > 0), slots, np.nan)
        return over_bins(slots.astype(np.float32), self.grid.bins), known < options.week_seen

    def look_back(self, day: int, norms: Single) -> None:
        """Learn how deep the first days of a series dipped below the baseline that is now known.

        Otherwise its noise would be unknown on the first day judged, and days with an alarm are not learnt from.
        """
        new = (self.own < 0) & ~np.isnan(norms).all(axis=0)
        if not new.any():
            return
        self.own[new] = day
        bins = self.grid.bins
        for index in range(max(0, day - self.options.days), day):
            rows = slice(index * bins, (index + 1) * bins)
            drop = 1 - self.grid.levels[index] / norms
            self.calm[rows] = np.where(new & np.isnan(self.calm[rows]), drop, self.calm[rows])
            self._sum_up(index, slice(None))

    def lowest(self, day: int) -> Single:
        """The lowest value of the last week at each hour, allowing for shifted days; (bins, series)."""
        last = self.slots[:, :, max(0, day - self.options.week_seen) : day]
        low = np.fmin.reduce(last, axis=2, initial=np.float32(np.inf))
        low = np.where(np.isinf(low), np.nan, low)
        beside = max(1, self.options.shifted * len(low) // DAY)
        around = np.concatenate([low[-beside:], low, low[:beside]])
        low = move_min(around, 2 * beside + 1, min_count=1, axis=0)[2 * beside :]
        return over_bins(low.astype(np.float32), self.grid.bins)

    def limits(self, day: int, norms: Single, short: Bools) -> Single:
        """The drop that must be exceeded at each scale, (scales, bins, series)."""
        least = self.grid.least
        fine = self.unit / nanmedian(norms, axis=0) <= FINE * self.grid.least
        steady = np.where(fine, 1, self.options.widen_steady)
        widen = np.where(self.grid.of_people, self.options.widen, steady)
        least = np.where(short, np.minimum(least * widen, self.options.widest), least)
        limits = np.fmax(least, self._spread_limits(day)).astype(np.float32)
        limits = np.repeat(limits, self.grid.bins // self.parts, axis=1)
        unit = np.where(np.isinf(self.unit), 0, self.unit)
        few = ALMOST * self.options.units * unit / norms
        return np.asarray(np.fmax(limits, np.minimum(few, COARSE)), np.float32)

    def _spread_limits(self, day: int) -> Single:
        """The same from the dips of earlier days only, (scales, parts, series); NaN = unknown."""
        options = self.options
        if not day:
            return np.full(self.dips.shape[:3], np.nan, np.float32)
        first = max(0, day - options.days)
        before = self.dips[..., first:day].copy()
        borrowed = (np.arange(first, day) < self.own[:, None]) & (day - self.own >= OWN_DAYS)[:, None]
        before[..., borrowed] = np.nan
        wanted: Single = options.spreads * NORMAL * nanmedian(before, axis=3)
        wanted = np.where(np.isnan(wanted), nanmedian(wanted, axis=1)[:, None], wanted)
        rare = options.total_spreads * wanted <= options.total * options.spreads
        rare[0] &= len(self.scales) == 1  # a single bin of 0 comes easily, an hour of it does not
        return np.where(rare, np.minimum(wanted, options.total), wanted)

    def learn(self, day: int, norms: Single, drop: Single, departs: Bools) -> None:
        """Record the day, with departures replaced by their norm."""
        rows = slice(day * self.grid.bins, (day + 1) * self.grid.bins)
        self.painted[day] = np.where(departs, norms, self.grid.levels[day])
        self.calm[rows] = np.where(departs, np.nan, drop)
        self._sum_up(day, slice(None))
        steps = np.abs(np.diff(np.where(departs, np.nan, self.grid.levels[day]), axis=0))
        steps[~(steps > SAME * np.abs(self.painted[day][1:]))] = np.inf
        self.unit = np.minimum(self.unit, steps.min(axis=0, initial=np.inf))

    def take_back(self, column: int, rows: Ints, norms: Single) -> None:
        """Remove bins that were learnt before they turned out to belong to a stretch.

        Args:
            rows: bins since the beginning of the grid, of days that were learnt.
            norms: float32, their baseline.
        """
        self.painted.reshape(-1, self.painted.shape[2])[rows, column] = norms
        self.calm[rows, column] = np.nan
        for day in np.unique(rows // self.grid.bins).tolist():
            self._sum_up(day, slice(column, column + 1))

    def accept(self, day: int, drop: Single) -> list[tuple[int, int]]:
        """Accept levels that have lasted; (bin, series) of each stretch that ends because of it.

        A series accepts no unfinished day: the newest may have only three hours so far.
        """
        options, bins = self.options, self.grid.bins
        end, found = (day + 1) * bins, []
        lasted = end - self.since >= options.accept_after * bins
        for column in np.flatnonzero(self.on & lasted & (self.until >= end)).tolist():
            left = 1 - drop[end - options.accept_after * bins : end, column]
            left = left[~np.isnan(left)]
            partial = len(left) > 0 and float(np.median(left)) >= options.severe
            limit = options.accept_after if partial else options.accept_severe_after
            if end - self.since[column] >= limit * bins:
                self._begin_anew(column, day)
                found.append((end, column))
        return found

    def _begin_anew(self, column: int, day: int) -> None:
        """Forget everything before the last days, and record these unchanged."""
        first = max(0, day + 1 - self.options.accept_after)
        self.slots[:, column, :first] = np.nan
        self.painted[first : day + 1, :, column] = self.grid.levels[first : day + 1, :, column]
        for index in range(first, day + 1):
            self._sum_up(index, slice(column, column + 1))
        self.on[column] = False

    def _sum_up(self, day: int, columns: slice) -> None:
        """Slots and dips of a learnt day."""
        bins = self.grid.bins
        own = np.ascontiguousarray(self.painted[day, :, columns])
        self.slots[:, columns, day] = slot_medians(own, len(self.slots))
        calm = self.calm[max(0, day * bins - max(self.scales)) : (day + 1) * bins, columns]
        means = window_means(calm, self.scales, bins)
        counted = (~np.isnan(means[0])).reshape(self.parts, -1, means.shape[2]).sum(axis=1)
        few = counted < bins // self.parts // 2  # if most of a part departs, only its edge is left
        means[~(means > 0)] = np.nan
        for scale, width in enumerate(self.scales):
            every = max(1, width // 2)  # neighbours share most of their window and add nothing
            split = means[scale].reshape(self.parts, bins // self.parts, -1)[:, ::every]
            dips = nanmedian(np.ascontiguousarray(split.transpose(0, 2, 1)), axis=2)
            if split.shape[1] >= SAMPLES:
                dips = np.nan_to_num(dips)  # it was measured and never dipped
            self.dips[scale, :, columns, day] = np.where(few, np.nan, dips)
