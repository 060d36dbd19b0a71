"""Shift: finds where human activity falls for whole days, and stays low.

Activity shifts by the hour on its own: people sleep longer on a holiday, and school begins.  Whole days hardly
shift, so a loss too small to show in any single hour shows in the sum of twenty-four, starting at any hour.  A
window counts only if it is also below every day of the last two weeks at its hour.

Such a fall is compared with the time before it until the level is back; a level that lasts longer than a week
becomes the baseline of what follows, and the anomaly says since when.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from bottleneck import nanmedian

from fanous.analysis.detectors.detector import Detector, Reads, option
from fanous.analysis.detectors.grid import fills_days
from fanous.analysis.series.baselines import NORMAL, Shares, as_level, shares
from fanous.analysis.series.depth import back_at, fall
from fanous.analysis.series.signals import SIGNALS, shown_by
from fanous.model.incident import Interval, Kind
from fanous.model.instant import DAY
from fanous.model.series import Anomaly, Departure, Floats, Series
from fanous.model.threshold import threshold

SHIFT_VERSION = "2026.24-days"


@dataclass(frozen=True, slots=True)
class ShiftOptions:
    """Thresholds of the detector of shifts; the least drop of each signal is in ``analysis.series.signals``."""

    days: int = option(
        14,
        "Days that give the usual value of a time of day, as `detectors.drop.days`; every one of them must have "
        "been higher.",
    )
    weeks: int = option(4, "Weeks that give the weekday's value, as `detectors.drop.weeks`.")
    least_days: int = option(14, "Days of data before there is a result.")
    known: float = option(
        0.5,
        "Share of the days before that must be known at a time of the day: the others were part of a loss.",
    )
    measured: float = option(0.75, "Share of the bins of a day that must be known.")
    spreads: float = option(
        5.0,
        "Robust deviations of whole days that a loss must exceed, as `detectors.drop.spreads`: three per cent in "
        "the 18 country-years that we have.",
    )
    margin: float = option(
        0.5, "Share of the least drop by which a day must lie below the lowest of the days before."
    )
    accept_after: int = option(
        7,
        "Days after which the lower level becomes the baseline of what follows, as `detectors.drop.accept_after`.",
    )
    severe: float = option(
        0.5, "Share of the baseline below which acceptance takes longer, as `detectors.drop.severe`."
    )
    accept_severe_after: int = option(
        30, "Days after which even a severe loss is accepted, as `detectors.drop.accept_severe_after`."
    )


def find_shifts(series: Sequence[Series], options: ShiftOptions) -> list[Anomaly]:
    """Anomalies of human activity, in order of onset."""
    found = [
        anomaly
        for one in series
        if len(one) and fills_days(one.step) and SIGNALS[one.key.signal].of_people
        for anomaly in _of_series(one, options)
    ]
    return sorted(found, key=lambda a: (a.start, str(a.key.place), a.key.signal))


def _of_series(one: Series, options: ShiftOptions) -> Iterator[Anomaly]:
    start = int(one.times[0])
    per_day = DAY // one.step
    rows = (one.times - start) // one.step
    levels = np.full((int(rows[-1]) // per_day + 1) * per_day, np.nan)
    levels[rows] = as_level(one)
    last = int(rows[-1])
    since, before = 0, list[Interval]()
    while since <= last:
        row = _first_alarm(levels, per_day, since, options, SIGNALS[one.key.signal].least_drop)
        if row is None:
            return
        found = _anomaly(one, start + row * one.step, start + since * one.step, before, options)
        if found is None:
            since = row + per_day
            continue
        yield found
        settled = found.known_until
        if found.departure.lasting_since is not None:
            settled = found.departure.lasting_since
            # what follows is compared only with the new level
            since = int((settled - start) // one.step)
            levels[: max(0, int((found.start - start) // one.step))] = np.nan
        else:
            since = max(row + 1, int((settled - start) // one.step) + 1)
            levels[max(0, int((found.start - start) // one.step)) : since] = np.nan
        before.append(Interval(found.start, settled))


def _first_alarm(
    levels: Floats, per_day: int, since: int, options: ShiftOptions, least_drop: float
) -> int | None:
    """The first bin from ``since`` on at the end of which a day's sum is too low; None = there is none."""
    usual = _usual(levels.reshape(-1, per_day), options).ravel()
    known = ~np.isnan(levels) & ~np.isnan(usual)
    sums, norms, counts = (
        _day_sums(np.where(known, values, 0.0), per_day) for values in (levels, usual, np.ones(len(levels)))
    )
    enough = (counts >= options.measured * per_day) & (norms > 0)
    share = np.where(enough, sums / np.where(norms > 0, norms, 1), np.nan)
    whole = np.where(np.isnan(levels), usual, levels)  # a day is not higher because its nights are missing
    held = _day_sums((~np.isnan(whole)).astype(np.float64), per_day)
    level = np.where(enough, _day_sums(np.nan_to_num(whole), per_day) / np.maximum(held, 1), np.nan)
    spread = _spread(share, per_day, options)
    lowest = _lowest(level, per_day, options)
    limit = np.fmax(least_drop, options.spreads * spread)
    low = (1 - share >= limit) & (level < lowest * (1 - options.margin * least_drop))
    low[:since] = False
    found = np.flatnonzero(low)
    return int(found[0]) if len(found) else None


def _usual(days: Floats, options: ShiftOptions) -> Floats:
    """The usual value of each bin, from earlier days: the lower of the last days' and the same weekday's."""
    usual = np.full(days.shape, np.nan)
    seen = np.cumsum(~np.isnan(days).all(axis=1))
    for day in range(1, len(days)):
        if seen[day - 1] < options.least_days:
            continue
        last = days[max(0, day - options.days) : day]
        enough = (~np.isnan(last)).sum(axis=0) >= options.known * options.days
        recent = np.where(enough, nanmedian(last, axis=0), np.nan)
        same = [day - 7 * back for back in range(1, options.weeks + 1) if day - 7 * back >= 0]
        usual[day] = (
            np.where(enough, np.fmin(recent, nanmedian(days[same], axis=0)), np.nan) if same else recent
        )
    return usual


def _day_sums(values: Floats, per_day: int) -> Floats:
    """Sum of the day that ends with each bin."""
    sums = np.concatenate([np.zeros(per_day), np.cumsum(values)])
    return np.asarray(sums[per_day:] - sums[:-per_day])


def _back(values: Floats, per_day: int, days: int) -> Floats:
    """The values of the ``days`` days before each bin, at its time of day, (days, bins); NaN where there are none."""
    padded = np.concatenate([np.full(days * per_day, np.nan), values])
    return np.stack(
        [padded[(days - k) * per_day : (days - k) * per_day + len(values)] for k in range(1, days + 1)]
    )


def _spread(share: Floats, per_day: int, options: ShiftOptions) -> Floats:
    """Spread of whole days around the median of them all, or of the week before each.

    It is the smaller of the two, so that a level that changed once, as at a soft start, does not count as spread.
    """
    before = _back(share, per_day, 2 * options.days)
    middle = nanmedian(before, axis=0)
    around = nanmedian(np.abs(before - middle), axis=0)
    moved = np.abs(share - nanmedian(_back(share, per_day, options.days // 2), axis=0))
    return np.asarray(NORMAL * np.fmin(around, nanmedian(_back(moved, per_day, 2 * options.days), axis=0)))


def _lowest(level: Floats, per_day: int, options: ShiftOptions) -> Floats:
    before = _back(level, per_day, options.days)
    return np.asarray(np.fmin.reduce(before, axis=0, initial=np.inf))


def _anomaly(
    one: Series, alarm: int, floor: float, before: Sequence[Interval], options: ShiftOptions
) -> Anomaly | None:
    """The fall behind an alarm, from its change point to its return.

    Args:
        alarm: beginning of the bin at the end of which it was raised.
        floor: end of the previous finding.
    """
    begun = alarm + one.step - DAY
    told = shares(one, begun - DAY, before)
    if told is None:
        return None
    fell = fall(told, begun, alarm + one.step, max(floor, begun - 2 * DAY))
    if fell is None:
        return None
    told = shares(one, fell.earliest, before) or told
    while_on = told.between(fell.at, alarm + one.step)
    lost = 1 - float(np.median(while_on)) if len(while_on) else 1 - fell.after
    end = back_at(told, alarm, lost)
    until = float(one.times[-1] + one.step)
    days = options.accept_after if 1 - lost >= options.severe else options.accept_severe_after
    lasts = (until if end is None else end) - fell.at > days * DAY
    lasting = fell.at + days * DAY if lasts else None
    last_seen = until if end is None else end
    return Anomaly(
        key=one.key,
        start=fell.at,
        start_earliest=fell.earliest,
        start_latest=fell.latest,
        end=end,
        raised_at=float(alarm + one.step),
        last_seen=last_seen,
        probability=PROBABILITY,
        bins=len(told.between(fell.at, last_seen)),
        probes=0,
        controlled=0,
        departure=_departure(one, told, fell.at, last_seen, lasting),
    )


PROBABILITY = threshold(
    "detectors.probability_of_days",
    0.99,
    "Probability of an anomaly of whole days, as of a drop that just reaches its threshold: it ranks anomalies "
    "and is not calibrated.",
)


def _departure(one: Series, told: Shares, start: float, last_seen: float, lasting: float | None) -> Departure:
    left = told.between(start, last_seen)
    left = left if len(left) else np.array([1.0])
    low, middle, high = np.quantile(np.clip(left, 0, 1), [0.05, 0.5, 0.95])
    return Departure(
        step=one.step,
        left=float(middle),
        low=float(low),
        high=float(high),
        ratio=1.0,
        unlike=1.0,
        short=False,
        accepted=lasting is not None,
        lasting_since=lasting,
    )


SHIFT = Detector(
    name="shift",
    version=SHIFT_VERSION,
    kind=Kind.OUTAGE,
    reads=Reads.QUANTITIES,
    signals=tuple(name for name in shown_by(Kind.OUTAGE, quantities=True) if SIGNALS[name].of_people),
    options=ShiftOptions(),
    find=find_shifts,
)
