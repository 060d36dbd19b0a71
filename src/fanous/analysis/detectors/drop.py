"""Drop: finds where a series is below its baseline for the hour.

Each day is compared only with earlier days, so that a replay sees what a live monitor saw.  A grid of series is
walked day by day (``departures``); runs of bins that are too low become anomalies with an onset and an end
(``stretches``); and each anomaly says whether the series fell at once (``sudden_from``), which human activity
never does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from bottleneck import move_max, move_sum, nanmedian

from fanous.analysis.detectors.detector import Detector, Reads
from fanous.analysis.detectors.grid import (
    Baseline,
    Bools,
    DropOptions,
    SeriesGrid,
    grids,
    in_a_row,
    last_measured,
    scales_of,
    window_means,
)
from fanous.analysis.series.baselines import NORMAL, Single, shares
from fanous.analysis.series.depth import back_at
from fanous.analysis.series.signals import SIGNALS, shown_by
from fanous.model.incident import Kind
from fanous.model.instant import DAY, HOUR
from fanous.model.series import Anomaly, Departure, Ints, Series
from fanous.model.threshold import threshold

QUANTITY_DETECTOR_VERSION = "2026.35-levels"
"""Changes whenever the same quantities may give other anomalies; recorded in every incident made of them."""

BACK = threshold(
    "detectors.back_seconds",
    48 * 3600,
    "Most time from onset to alarm: a gradual decline is noticed late, and anything slower is drift.",
)


def find_drops(series: Sequence[Series], options: DropOptions) -> list[Anomaly]:
    """Anomalies of quantities, in order of onset."""
    found = [anomaly for one in departures(series, options) for anomaly in stretches(one, options)]
    return sorted(found, key=lambda a: (a.start, str(a.key.place), a.key.signal))


# --- departures: bin by bin -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Departures:
    """How a grid departs from its baseline; arrays of bins have shape (bins, series).

    Attributes:
        drop: float32, share of the baseline that is missing (negative: an excess); NaN = not measured, or
            nothing to compare with.
        norms: float32, the baseline; NaN = unknown.
        on: bool, a live monitor would say that it is down.
        edge: float32, drop from which a bin belongs to a stretch.
        ratio: float32, the deepest drop divided by what it had to exceed; 1 = just exceeded.
        unlike: bool, it is also below every day of the last week at this hour.
        short: bool, (days, series), less than a week of history.
        accepted: (bin, series) at which a stretch became the new baseline.
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
        """The state before the first day."""
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
        """The low bins that lead up to ``row``, newest first; bins without data do not split them.

        Args:
            floor: no bin before this one.
        """
        floor = max(floor, row - BACK // self.grid.step)
        drop = self.drop[floor:row, column]
        before = floor + np.flatnonzero(~np.isnan(drop))[::-1]
        high = np.flatnonzero(self.drop[before, column] < self.edge[row, column])
        return before[: int(high[0])] if len(high) else before


def departures(series: Sequence[Series], options: DropOptions) -> Iterator[Departures]:
    """The departures of every series, day by day, one grid at a time."""
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
        earlier = found.ratio[max(0, rows.start - longest) : rows.start]
        found.on[rows], found.ratio[rows] = _states(ordinary, recent, earlier, means, limits)
        ordinary.learn(day, norms, found.drop[rows], found.on[rows] | (found.drop[rows] >= limits[0]))
        _take_back(ordinary, found, rows)
        _carry(ordinary, found.on[rows], rows.start)
        found.accepted.extend(ordinary.accept(day, found.drop))
    return found


def _unlike(ordinary: Baseline, day: int, norms: Single) -> Bools:
    """Bins below every day of the last week at that hour, and below the measurement of a week ago.

    The baseline has expected values in place of departures, so a day of rest would be news each week.  If
    more than half is gone, it is news anyway.
    """
    grid, options = ordinary.grid, ordinary.options
    level, margin = grid.levels[day], 1 - options.leave * grid.least
    new = level < ordinary.lowest(day) * margin
    if day >= options.week_seen:
        before = grid.levels[day - options.week_seen]
        new &= ~(level >= before * margin) | (level < options.severe * norms)
    return np.asarray(new)


def _edge(limits: Single, options: DropOptions) -> Single:
    """The drop below which a bin is not part of a stretch, (bins, series).

    If the threshold exceeds the whole level, half of the level is low enough.
    """
    return np.asarray(options.leave * np.minimum(limits[min(1, len(limits) - 1)], 1))


def _states(
    ordinary: Baseline, recent: Single, earlier: Single, means: Single, limits: Single
) -> tuple[Bools, Single]:
    """Is each series down, with hysteresis, (bins, series)?  And the ratio of drop to threshold.

    A series goes down when the drop exceeds the threshold at any scale while the last bins are low themselves and the
    last hour is not much better than the whole, since what was lost before a return must not count again.  It goes up
    when the last hour has come back.  A single bin that has lost enough puts it down regardless of the hour, which
    has five others if bins are ten minutes wide.  Bins without data change nothing.  It also goes up when nothing has
    exceeded the threshold for as long as the longest scale: a few blocks that do not return, or were gone before, are
    not an ongoing outage.

    Args:
        recent: drops up to the end of the day; earlier: ratios before the day.
    """
    options, bins = ordinary.options, means.shape[1]
    edge = _edge(limits, options)
    hour = means[min(1, len(means) - 1)]
    lasting = np.where(hour >= options.leave * means, means / limits, 0)
    low = _low(recent, edge, in_a_row(ordinary.grid.step, options))
    # Bins that lost so much that one alone may count, and more than bins of this series usually lose.
    gone = recent[-len(limits[0]) :] >= np.maximum(limits[0], options.gone)
    gone &= ordinary.grid.step <= options.gone_step
    lasting[0] = np.where(gone, means[0] / limits[0], lasting[0])
    ratio = np.nan_to_num(lasting, nan=0.0).max(axis=0)
    settled = _settled(np.concatenate([earlier, ratio]), recent, max(ordinary.scales))[-bins:]
    back, low = ((hour < edge) | settled) & ~gone, low | gone
    moved = np.where(back, -1, np.where((ratio >= 1) & low, 1, 0)).astype(np.int8)
    moved = np.concatenate([ordinary.on[None].astype(np.int8) * 2 - 1, moved])
    rows = np.where(moved == 0, 0, np.arange(bins + 1)[:, None])
    state = np.take_along_axis(moved, np.maximum.accumulate(rows, axis=0), axis=0)[1:]
    return state > 0, np.asarray(ratio, np.float32)


def _settled(ratios: Single, drops: Single, width: int) -> Bools:
    """Bins at the end of ``width`` in which no drop exceeded its threshold, at least half of them measured."""
    width = min(max(width, 2), len(ratios))
    counts = move_sum((~np.isnan(drops[-len(ratios) :])).astype(np.float32), width, min_count=1, axis=0)
    highest = move_max(ratios, width, min_count=1, axis=0)
    return np.asarray((highest < 1) & (2 * counts >= width) & ~np.isnan(drops[-len(ratios) :]))


def _low(recent: Single, edge: Single, row: int) -> Bools:
    """Is each of the last ``row`` measured bins low?  (bins, series)."""
    bins = len(edge)
    held = last_measured(recent)
    low = held[-bins:] >= edge
    for _ in range(row - 1):
        # The measured value before the newest: shifted at each measurement, kept where there is none.
        shifted = np.concatenate([np.full((1, held.shape[1]), np.nan, np.float32), held[:-1]])
        held = last_measured(np.where(np.isnan(recent), np.nan, shifted).astype(np.float32))
        low &= held[-bins:] >= edge
    return np.asarray(low)


def _take_back(ordinary: Baseline, found: Departures, rows: slice) -> None:
    """Remove from the baseline the bins that led up to an alarm and were learnt before it was raised."""
    on = found.on[max(0, rows.start - 1) : rows.stop].astype(np.int8)
    first = rows.stop - len(on)
    begun = np.diff(on, axis=0) > 0
    for row, column in np.argwhere(begun).tolist():
        lead = found.lead(first + row + 1, column)
        if len(lead):
            ordinary.take_back(column, lead, found.norms[lead, column])


def _carry(ordinary: Baseline, on: Bools, first: int) -> None:
    """Remember which stretches continue at midnight, and since which bin."""
    begun = first + len(on) - np.argmin(on[::-1], axis=0)
    ordinary.since = np.where(~on.all(axis=0), begun, np.where(ordinary.on, ordinary.since, first))
    ordinary.on = on[-1].copy()


# --- anomalies: from bins that are too low --------------------------------------------------------------

HALF_GAP = threshold(
    "detectors.half_gap_seconds",
    1800.0,
    "Most by which an onset may precede the first low bin if bins before it are missing, and an end follow the "
    "last: midway, but never further, as `detectors.*.back_date` of the filter.",
)

DEEP = threshold(
    "detectors.deep_share",
    0.5,
    "Share of the baseline: a bin with less left is deep down, which no normal day is.",
)

CERTAIN = threshold(
    "detectors.probability_most", 0.9999, "Highest probability that a single series can give."
)


def stretches(found: Departures, options: DropOptions) -> Iterator[Anomaly]:
    """The anomalies of a grid, series by series, in order of onset."""
    for column in np.flatnonzero(found.on.any(axis=0)).tolist():
        accepted = [row for row, own in found.accepted if own == column]
        yield from _of_series(found, column, accepted, options)


def _of_series(
    found: Departures, column: int, accepted: list[int], options: DropOptions
) -> Iterator[Anomaly]:
    on = found.on[:, column].astype(np.int8)
    cuts = np.diff(np.concatenate([[0], on, [0]]))
    begins, ends = np.flatnonzero(cuts > 0).tolist(), np.flatnonzero(cuts < 0).tolist()
    for row in accepted:
        if row not in ends:  # the next day is down again, compared with the accepted level
            ends.append(row)
            begins.append(row)
    measured = np.flatnonzero(~np.isnan(found.drop[:, column]))
    floor = 0
    for begin, end in zip(sorted(begins), sorted(ends), strict=True):
        yield _stretch(found, column, measured, (floor, begin, end), options)
        floor = end


def _stretch(
    found: Departures, column: int, measured: Ints, bounds: tuple[int, int, int], options: DropOptions
) -> Anomaly:
    """One stretch; ``bounds``: end of the previous one, first bin reported down, first bin reported up again."""
    floor, begin, end = bounds
    lead = found.lead(begin, column, floor)
    first = int(lead[-1]) if len(lead) else begin
    inside = measured[(measured >= first) & (measured < end)]
    low = inside[found.drop[inside, column] >= found.edge[begin, column]]
    low = _before_it_settled(found, column, low, (begin, end), options)
    last = int(low[-1]) if len(low) else end - 1
    accepted = (end, column) in found.accepted
    earlier, later = measured[measured < first], measured[measured > last]
    before = _at(found, int(earlier[-1]) + 1) if len(earlier) else None
    after = _at(found, int(later[0])) if len(later) and end < len(found.drop) else None
    start, last_seen = _at(found, first), _at(found, last + 1)
    came_back = None if after is None else last_seen + min((after - last_seen) / 2, HALF_GAP)
    departure = _departure(found, column, low if len(low) else np.array([begin]), begin, accepted, options)
    if accepted:
        departure = replace(departure, lasting_since=_at(found, end))
        # Until when the accepted level was seen, and when the earlier level was back.
        series = found.grid.series[column]
        course = shares(series, start)
        came_back = None if course is None else back_at(course, _at(found, end), 1 - departure.left)
        last_seen = float(series.times[-1] + series.step) if came_back is None else came_back
    return Anomaly(
        key=found.grid.series[column].key,
        start=start if before is None else start - min((start - before) / 2, HALF_GAP),
        start_earliest=before,
        start_latest=start,
        end=came_back,
        raised_at=_at(found, begin + 1) if departure.single else _raised_at(found, low, begin, options),
        last_seen=last_seen,
        probability=_probability(found.ratio[begin:end, column]),
        bins=len(low),
        probes=0,
        controlled=0,
        departure=departure,
    )


def _before_it_settled(
    found: Departures, column: int, low: Ints, bounds: tuple[int, int], options: DropOptions
) -> Ints:
    """The low bins, without those after the last drop that exceeded the threshold, if the stretch ended by settling."""
    begin, end = bounds
    width = max(2, max(scales_of(found.grid.step, options)))
    if (
        end == len(found.drop)
        or end - begin < width
        or (found.ratio[end - width + 1 : end + 1, column] >= 1).any()
    ):
        return low
    deep = low[found.drop[low, column] * options.leave >= found.edge[begin, column]]
    return low[low <= deep[-1]] if len(deep) else low


def _at(found: Departures, row: int) -> float:
    """When a bin begins."""
    return float(found.grid.start + row * found.grid.step)


def _probability(ratio: Single) -> float:
    """0.99 if the threshold was just reached, and a tenth of the doubt for each further multiple of it.

    It ranks anomalies by trust and is not a calibrated probability.
    """
    return float(min(1 - 0.1 * 10.0 ** -float(ratio.max(initial=1.0)), CERTAIN))


def _departure(
    found: Departures, column: int, low: Ints, begin: int, accepted: bool, options: DropOptions
) -> Departure:
    deep = low[found.drop[low, column] * options.leave >= found.edge[begin, column]]
    core = low[(low >= deep[0]) & (low <= deep[-1])] if len(deep) else low  # not what led up to it
    left = np.clip(1 - found.drop[core, column], 0, 1)
    bottom, middle, top = np.quantile(left, [0.05, 0.5, 0.95])
    gone = core[left < DEEP]
    alone = low[(low >= begin) & (found.drop[low, column] >= options.gone)]  # had lost enough to count alone
    return Departure(
        step=found.grid.step,
        left=float(middle),
        low=float(bottom),
        high=float(top),
        ratio=float(found.ratio[begin : max(begin, int(low[-1])) + 1, column].max(initial=1.0)),
        unlike=float(found.unlike[low, column].mean()),
        short=bool(found.short[begin // found.grid.bins, column]),
        accepted=accepted,
        deep_from=_at(found, int(gone[0])) if len(gone) else None,
        deep_until=_at(found, int(gone[-1]) + 1) if len(gone) else None,
        sudden_from=sudden_from(found, column, low, options),
        single=_raised_at(found, low, begin, options) is None,
        gone_at=_at(found, int(alone[0]) + 1) if len(alone) else None,
    )


def _raised_at(found: Departures, low: Ints, begin: int, options: DropOptions) -> float | None:
    """When as many bins in a row were low as one series alone needs; None = never, since one deep bin raised it."""
    needed = in_a_row(found.grid.step, options)
    rows = low[needed - 1 :][low[needed - 1 :] >= begin]
    return _at(found, int(rows[0]) + 1) if len(rows) else None


# --- sudden: did the series fall at once? ---------------------------------------------------------------
#
# On a holiday people sleep longer: the morning's curve comes late, and for hours activity is below what is usual for
# the hour.  But people wake one after another, so the share sinks from one half hour to the next, whereas a cut is
# complete at once and sinks no further.  So a fall counts only beyond what the neighbouring half hours fell.

WITHIN = threshold(
    "detectors.sudden_within_seconds",
    1800,
    "Time whose bins are compared as one, so that bins of five minutes give the same answer as bins of thirty.",
)

WIDEST = threshold("detectors.sudden_step_seconds", 3600, "Wider bins cannot tell a fall from a slope.")

STAYS = threshold(
    "detectors.sudden_stays_share",
    0.5,
    "Share of a fall that must still be missing after half an hour, and at the median of "
    "`detectors.sudden_settled_seconds`.",
)

SETTLED = threshold(
    "detectors.sudden_settled_seconds",
    3 * HOUR,
    "Time at whose median half of the fall must still be missing, or at that of the whole stretch if it is "
    "shorter: a gap of the source is soon over.",
)

AROUND = threshold(
    "detectors.sudden_around_seconds",
    3 * HOUR,
    "Before and after a time of the day, in which a series moves as it does at that time: together a quarter of "
    "the day.",
)

CHANGES = threshold(
    "detectors.sudden_changes",
    24,
    "Changes that show how far a series moves by itself: with fewer, the spread is known to no better than a "
    "third.",
)

SPANS = threshold(
    "detectors.sudden_spans",
    (1, 2),
    "Half hours between those that are compared: if the fall began in the middle of one, that one is left out.",
)

FLOOR = threshold(
    "detectors.sudden_floor",
    0.01,
    "Share of the typical level that counts as zero: below it a change says nothing more.",
)


def sudden_from(found: Departures, column: int, low: Ints, options: DropOptions) -> float | None:
    """Beginning of the first of the bins ``low`` into which the series fell at once.

    None = it fell gradually, or the signal does not show human activity, so that there is nothing to distinguish.

    A fall is a change from half hour to half hour beyond the median change at that time of the day.  Less what the
    neighbouring half hours fell, it must exceed the signal's least drop and ``spreads`` robust deviations of such
    changes around that time of the day before the stretch.

    Args:
        low: rows of the stretch that are low, ascending.
    """
    step, signal = found.grid.step, SIGNALS[found.grid.series[column].key.signal]
    if step > WIDEST or not signal.of_people or not len(low):
        return None
    width, left = max(1, WITHIN // step), 1 - found.drop[:, column]
    levels = found.grid.levels[:, :, column].ravel()
    quiet = np.where(_beside(found.on[:, column], width), np.nan, levels)
    changes = _changes(levels, quiet, width, found.grid.bins, options.days)
    moves = _moves(changes, int(low[0]), step, options.days)
    limit = max(float(found.grid.least[column]), options.spreads * moves)
    falls = _falls(changes, low, width)
    for row, fall in zip(low[falls >= limit].tolist(), falls[falls >= limit].tolist(), strict=True):
        if _kept_lost(left[: int(low[-1]) + 1], row, width, SETTLED // step) >= STAYS * fall:
            return float(found.grid.start + row * step)
    return None


def _kept_lost(left: Single, row: int, width: int, settled: int) -> float:
    """Share of the level before ``row`` that is still missing after half an hour, and at the median of ``settled``
    bins.

    Args:
        left: shares of the baseline, up to the end of the stretch.
    """
    halves = (left[max(0, row - back * width) : max(0, row - (back - 1) * width)] for back in (1, 2))
    before = np.fmin(*map(nanmedian, halves))
    after = np.fmax(nanmedian(left[row + width : row + 3 * width]), nanmedian(left[row : row + settled]))
    return float(1 - after / before) if before > 0 else 0.0


def _beside(on: Bools, width: int) -> Bools:
    """The bins of stretches, and the hour on either side of each: series fall before an alarm, and return after it."""
    padded = np.concatenate([np.zeros(2 * width, np.bool_), on, np.zeros(2 * width, np.bool_)])
    return np.lib.stride_tricks.sliding_window_view(padded, 4 * width + 1).any(axis=1)


def _changes(levels: Single, quiet: Single, width: int, day: int, days: int) -> Single:
    """Logarithm of the change from the half hour before each bin to the one that it begins, less the median of such
    changes at that time on the days before; (bins,), NaN = unknown.

    Args:
        quiet: the levels without stretches: a curfew that ends each morning must not pass for the usual morning.
        width: bins of half an hour.
        day: bins of a day.
    """
    least = FLOOR * nanmedian(_half_hours(levels, width))
    change, usual = (_steps(one, width, least) for one in (levels, quiet))
    padded = np.concatenate([np.full(days * day, np.nan, np.float32), usual])
    before = np.stack([padded[back * day : back * day + len(change)] for back in range(days)])
    return np.asarray(change - nanmedian(before, axis=0), np.float32)


def _steps(levels: Single, width: int, least: float) -> Single:
    """Logarithm of the change from the half hour before each bin to the one that it begins, (bins,); NaN = unknown."""
    halves = np.maximum(_half_hours(levels, width), least)  # NaN stays
    logs = np.log(np.where(halves > 0, halves, np.nan))
    return np.concatenate([np.full(width, np.nan, np.float32), logs[width:] - logs[:-width]])


def _half_hours(levels: Single, width: int) -> Single:
    """Mean of the ``width`` bins from each on, (bins,); NaN where fewer than half of them were measured."""
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
    """Share lost at the beginning of each row, less what was lost next to it; NaN = unknown."""
    blank = np.full(max(SPANS) * width, np.nan, np.float32)
    padded, here = np.concatenate([blank, changes, blank]), rows + len(blank)
    fallen, best = np.zeros(len(rows), np.float32), np.full(len(rows), np.nan, np.float32)
    for span in SPANS:
        fallen = fallen + padded[here + (span - 1) * width]
        beside = np.fmin(padded[here - width], padded[here + span * width])
        best = np.fmax(best, np.exp(span * np.fmin(beside, 0)) - np.exp(fallen))
    return best


DROP = Detector(
    name="drop",
    version=QUANTITY_DETECTOR_VERSION,
    kind=Kind.OUTAGE,
    reads=Reads.QUANTITIES,
    signals=shown_by(Kind.OUTAGE, quantities=True),
    options=DropOptions(),
    find=find_drops,
)
