"""Baselines: what a series looks like when nothing is wrong, and how much of that is left.

People do less on holidays, and last year shows how much less.  Feasts move, but calendars return: after a solar
year, a lunar one (Ramadan, Ashura), a lunisolar one with or without a leap month (the new year in China), or a number
of weeks (Easter).  A loss deeper than any of those still counts: phones were cut on Ashura.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from bottleneck import median, nanmedian
from numpy.typing import NDArray

from fanous.analysis.series.signals import SIGNALS, Direction
from fanous.model.incident import Incident, Interval, Status
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import Floats, Ints, Series, SeriesKey, within
from fanous.model.threshold import threshold

Single = NDArray[np.float32]

NORMAL = threshold(
    "detectors.baseline_mad_scale",
    1.4826,
    "Factor from the median absolute deviation to a standard deviation, if deviations are normally distributed.",
)


def as_level(one: Series) -> Floats:
    """Values as a level, shape (n,): signals that are bad when they rise are inverted.

    A share (of packets lost) becomes the share that is left; a time (of a round trip) becomes a speed, of
    which half is left if the time doubles.
    """
    signal = SIGNALS[one.key.signal]
    if signal.bad is Direction.DOWN:
        return one.values
    if signal.unit == "share":
        return np.asarray(1.0 - one.values)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(one.values > 0, 1.0 / one.values, np.nan))


def quiet_share(
    failing: Ints,
    probes: Ints,
    quiet: Floats,
    together: Ints,
    *,
    prior: float,
    strength: float,
    low: float,
    high: float,
) -> Floats:
    """Failing share of each series in its quiet bins, shrunk towards its group's, and that towards ``prior``.

    A series with few probes says little about itself, so it borrows from its country and platform (its group), and
    these from the literature.

    Args:
        failing: int64, (bins, series), probes that failed.
        probes: int64, (bins, series), probes that measured; 0 = padding.
        quiet: float64, (bins, series), probability that the bin is ordinary: its weight.
        together: int64, (series,), number of each series' group, from 0.
        prior: share expected before any data.
        strength: probes that the prior is worth, at both levels.
        low: lowest answer, since no series is trusted to be perfect.
        high: highest answer, since otherwise a block that was there from the first day would become the
            baseline.

    Returns:
        float64, (series,).
    """
    failed, measured = (failing * quiet).sum(axis=0), (probes * quiet).sum(axis=0)
    all_failed, all_measured = (np.bincount(together, weights=w) for w in (failed, measured))
    pooled = np.clip((all_failed + prior * strength) / (all_measured + strength), low, high)[together]
    return np.asarray(np.clip((failed + pooled * strength) / (measured + strength), low, high))


def slot_baselines(slots: Single, day: int, *, days: int, weeks: int, week_seen: int) -> Single:
    """The usual value of each slot of ``day``, from the days before it.

    It is the lower of two: the median of the slot over the last ``days``, and, if the series was seen a week ago, the
    median of the slot and its neighbours on the same weekday of the last ``weeks``.  A drop must depart from both,
    since a day of rest looks like an outage to the one, and a week that was itself unusual to the other.

    Args:
        slots: float32, shape (slots of a day, series, days); NaN = not measured.
        day: index on the last axis.
        week_seen: with fewer days of history, the first median takes in neighbouring slots too, or it would rest
            on too few values.

    Returns:
        float32, shape (slots of a day, series); NaN = no history of this slot.
    """
    recent = slots[:, :, max(0, day - days) : day]
    fine = len(slots) >= NEIGHBOURS
    if day < week_seen and fine:
        recent = _with_neighbours(recent)
    norms = nanmedian(np.ascontiguousarray(recent), axis=2)
    same = [day - 7 * back for back in range(1, weeks + 1) if day - 7 * back >= 0]
    if same:
        weekdays = slots[:, :, same]
        weekly = nanmedian(_with_neighbours(weekdays) if fine else weekdays, axis=2)
        norms = np.fmin(norms, weekly)
    return np.asarray(norms, np.float32)


NEIGHBOURS = threshold(
    "series.baseline_neighbours",
    24,
    "Slots of a day from which the slots next to one hold about the same: within bins of two hours an evening "
    "rises and falls, and their median would be of three different times.",
)


def _with_neighbours(slots: Single) -> Single:
    """Each slot with the one before and after it, on the last axis."""
    return np.concatenate([np.roll(slots, 1, axis=0), slots, np.roll(slots, -1, axis=0)], axis=2)


def slot_medians(bins: Single, slots: int) -> Single:
    """Median of the bins of one day, shape (bins, series), in each of ``slots``; float32, shape (slots, series)."""
    width = bins.shape[0] // slots
    if width == 1:
        return bins
    gathered = bins.reshape(slots, width, -1).transpose(0, 2, 1)
    return np.asarray(nanmedian(np.ascontiguousarray(gathered), axis=2), np.float32)


def over_bins(slots: Single, bins: int) -> Single:
    """Slot values at the middle of each bin, interpolated linearly between the middles of the slots.

    Args:
        slots: float32, shape (slots of a day, series).

    Returns:
        float32, shape (bins, series).
    """
    width = bins // len(slots)
    if width == 1:
        return slots
    place = (np.arange(bins, dtype=np.float32) + 0.5) / width - 0.5
    before = np.floor(place).astype(np.int64)
    share = (place - before).astype(np.float32)[:, None]
    low, high = slots[before % len(slots)], slots[(before + 1) % len(slots)]
    between = low * (1 - share) + high * share
    return np.asarray(np.where(np.isnan(between), np.fmin(low, high), between), np.float32)


HISTORY = threshold(
    "series.baseline_seconds",
    28 * 86400.0,
    "History, known outages left out, against which the baseline of a quantity is shown: the four weeks of "
    "`detectors.drop.weeks`.",
)

Spans = Sequence[tuple[float, float]]
"""Half-open, unix seconds; infinity while one is ongoing."""


def outage_times(incidents: Iterable[Incident], place: Place) -> Spans:
    """When a place was in a known outage or slow-down, its own or its country's."""
    of_lines = [one for one in incidents if one.is_of_line and one.status is not Status.RETRACTED]
    if not of_lines:  # in most countries, and each of their series asks
        return []
    names = {str(place), place.country}
    return [
        (interval.start, interval.until)
        for incident in of_lines
        if names & set(incident.entities)
        for interval in incident.intervals
    ]


def traffic_losses(incidents: Iterable[Incident], country: str, targets: Sequence[str]) -> Spans:
    """When traffic to one of these targets was lost in a country."""
    return [
        (interval.start, interval.until)
        for one in incidents
        if one.is_of_traffic and one.status is not Status.RETRACTED
        if one.country == country and not set(targets).isdisjoint(one.targets)
        for interval in one.intervals
    ]


def look_back(at: float, outages: Spans, history: float = HISTORY) -> float:
    """The instant since which there were ``history`` seconds outside outages before ``at``."""
    since = at - history
    for start, end in sorted(outages, reverse=True):
        since -= max(0.0, min(end, at) - start) if end > since else 0.0
    return since


class SlotBaseline:
    """The usual level of a series at any time of day: the median at that time on the days before."""

    def __init__(self, times: Ints, values: Floats) -> None:
        """Index a series by time of day.

        Args:
            times: int64, (n,), ascending, unix seconds at which each bin begins.
            values: float64, (n,); NaN = not measured.
        """
        known = ~np.isnan(values)
        self._times, self._values = times[known], values[known]
        slots = self._times % DAY
        order = np.argsort(slots, kind="stable")
        names, first = np.unique(slots[order], return_index=True)
        self._rows = dict(zip(names.tolist(), np.split(order, first[1:]), strict=True)) if len(order) else {}

    def at(self, at: int, *, since: float | None = None, least: int = 3) -> float:
        """The usual level of a time of day; NaN = nothing was measured before.

        If fewer than ``least`` days have it, the median of all values before instead, which is a rougher answer.

        Args:
            at: beginning of the bin in question, which does not itself count.
            since: earlier values do not count; None = ``HISTORY`` before ``at``.
        """
        window = (at - HISTORY if since is None else since, at)
        rows = self._rows.get(at % DAY, np.array([], np.int64))
        first, last = np.searchsorted(self._times[rows], window)
        if last - first >= least:
            return float(median(self._values[rows[first:last]]))
        first, last = np.searchsorted(self._times, window)
        return float(median(self._values[first:last])) if last > first else float("nan")


def baseline_level(series: Series, outages: Spans = ()) -> Callable[[int], float]:
    """The baseline of a series, without its bins in outages.

    Otherwise the level after two weeks of a blackout would become its baseline.
    """
    lost = np.zeros(len(series), np.bool_)
    for start, end in outages:
        lost |= (series.times >= start) & (series.times < end)
    baseline = SlotBaseline(series.times, np.where(lost, np.nan, series.values))
    return lambda at: baseline.at(at, since=look_back(at, outages))


# --- how much is left -----------------------------------------------------------------------------------

SIGMAS = threshold(
    "series.fall_deviations", 2.0, "Standard deviations within which two bins are not told apart."
)

RECENT = threshold(
    "series.depth_days",
    14,
    "Days before the event from which the usual value of a time of day is taken, as in the detector of drops.",
)

WEEKS = threshold(
    "series.depth_weeks",
    4,
    "Weeks from which the usual value of a weekday is taken, so that quiet Sundays do not make an event look deeper.",
)
SAME_WEEKDAY = threshold(
    "series.depth_weekdays", 3, "Weeks of `series.depth_weeks` that must be known for the weekday to count."
)

CEILING = threshold(
    "series.depth_ceiling",
    1.5,
    "Shares of the usual level above this count as this: a surge must not outweigh a loss.",
)

FILLED = threshold(
    "series.filled_share",
    0.9,
    "Share of a bin from which an event fills it: onsets are known to no better than a tenth of a bin.",
)

LEAST_FILLED = threshold(
    "series.filled_least",
    0.25,
    "Least sum of the squares of the shares of bins that a short event takes up; below it only noise is left, "
    "and its depth is not given.",
)

NOISELESS = threshold(
    "series.depth_noise_least",
    0.003,
    "Least noise assumed, as a share of the usual level: publishers round their values.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """A series as a share of what it was before an event; only bins that were measured.

    Attributes:
        times: int64, (n,), beginning of each bin, from ``RECENT`` days before the event on.
        left: float64, (n,), share of the usual level, at least 0.
        noise: standard deviation of one bin before the event, as a share.
    """

    key: SeriesKey
    step: int
    times: Ints
    left: Floats
    noise: float

    def between(self, since: float, until: float) -> "Floats":
        """Shares of the bins wholly within ``[since, until)``."""
        return self.left[(self.times >= since) & (self.times + self.step <= until)]

    def lost_in(self, intervals: Sequence[Interval]) -> "list[Loss]":
        """What was left in the bins that an event filled, one loss per interval; if it filled none, what was left
        while it was on, if it was on for a quarter of a bin or more.
        """
        found, rest = list[Loss](), list[tuple[Floats, Floats]]()
        for one in intervals:
            times, inside, left = self._met(one.start, one.until)
            filled = inside >= FILLED
            if filled.any():
                whole = lost_whole(left[filled], SIGMAS * self.noise)
                found.append(Loss(left[filled][whole], self.held(times[filled][whole])))
            elif len(left):
                rest.append((inside, left))
        if not found and rest:
            inside, left = (np.concatenate(part) for part in zip(*rest, strict=True))
            known = float((inside**2).sum())
            if known >= LEAST_FILLED:
                share = max(0.0, 1 - float((inside * (1 - left)).sum()) / known)
                found.append(Loss(np.array([share]), np.array([float(self.step)])))
        return found

    def held(self, times: Ints) -> Floats:
        """Seconds for which each value stands: until the next one, however long that took to come."""
        return np.append(np.diff(times), self.step).astype(np.float64)

    def brief(self, span: Interval) -> Interval | None:
        """When an event was on that shows in two bins and filled neither; None = it is not such an event.

        It is assumed to have lasted as long as a bin, so that it lost what both bins lost together.  If it was
        longer, it lost less, but no less than the deeper of the two; two bins that lost the same were filled.
        """
        if span.end is None or span.end - span.start > 2 * self.step:
            return None
        near = (self.times + 3 * self.step > span.start) & (self.times - 2 * self.step < span.end)
        times, lost = self.times[near], 1 - self.left[near]
        rows = np.flatnonzero(lost > SIGMAS * self.noise)
        if (
            len(rows) != 2
            or np.any(np.diff(times) != self.step)
            or not 0 < rows[0] == rows[1] - 1 < len(times) - 2
        ):
            return None
        first, second = float(lost[rows[0]]), float(lost[rows[1]])
        alike = FILLED * max(first, second) - SIGMAS * self.noise
        if min(first, second) >= alike or first + second > 1 + 2 * SIGMAS * self.noise:
            return None
        start = float(times[rows[0]]) + self.step * second / (first + second)
        return Interval(start, start + self.step)

    def _met(self, since: float, until: float) -> tuple[Ints, Floats, Floats]:
        """For the bins that an event touched: their times, the share of each that it covered, and the share of the
        level left."""
        met = (self.times + self.step > since) & (self.times < until)
        times = self.times[met]
        inside = (np.minimum(times + self.step, until) - np.maximum(times, since)) / self.step
        return times, inside, self.left[met]


@dataclass(frozen=True, slots=True)
class Loss:
    """What was left in one interval of an event; both arrays are float64, (n,).

    Attributes:
        left: shares of the usual level, in order of time.
        held: seconds for which each stands.
    """

    left: Floats
    held: Floats


def lost_whole(left: Floats, margin: float = 0.0) -> slice:
    """The bins of an event without a first or last one that it covered in part, which lost less than the one next to
    it.

    If it covered two bins in part, the deeper one is kept: they show only that at least that much was gone.

    Args:
        left: shares, in order of time.
        margin: difference within which two bins count as equal.
    """
    first, last = 0, len(left)
    if last - first > 1 and left[0] > left[1] + margin:
        first += 1
    if last - first > 1 and left[last - 1] > left[last - 2] + margin:
        last -= 1
    return slice(first, last)


def shares(series: Series, before: float, without: Sequence[Interval] = ()) -> Shares | None:
    """The series as a share of what it was before an instant; None = too little is known.

    Args:
        before: unix seconds; the usual level is that of the ``WEEKS`` weeks before it.
        without: earlier events, which say nothing about the usual level.
    """
    step = series.step
    per_day = DAY // step
    last = int(before)
    first = last - max(WEEKS * 7, RECENT) * DAY
    level = as_level(series)
    inside = (series.times >= first) & ~np.isnan(level)
    times, level = series.times[inside], level[inside]
    known = (times + step <= last) & ~within(times, without)
    if not known.any():
        return None
    back = -((times - last) // DAY + 1)  # 0 = the day before; negative from the event on
    slots = (times - first) % DAY // step
    past = np.full((max(WEEKS * 7, RECENT), per_day), np.nan)
    rows = known & (back < len(past)) & (slots < per_day)
    past[back[rows], slots[rows]] = level[rows]
    recent: Floats = nanmedian(past[:RECENT], axis=0)
    if not SIGNALS[
        series.key.signal
    ].of_people:  # it hardly varies by hour, so an hour never seen is like the others
        recent = np.where(np.isnan(recent), nanmedian(recent), recent)
    usual = recent[np.minimum(slots, per_day - 1)]
    for weekday in range(7):
        same = past[weekday::7][:WEEKS]
        enough = (~np.isnan(same)).sum(axis=0) >= SAME_WEEKDAY
        weekly = np.where(enough, nanmedian(same, axis=0), recent)
        own = back % 7 == weekday
        usual[own] = weekly[np.minimum(slots[own], per_day - 1)]
    told = (usual > 0) & (times >= last - RECENT * DAY)
    if not told.any():
        return None
    left = np.clip(level[told] / usual[told], 0, None)
    calm = left[known[told]]
    noise = NORMAL * float(np.median(np.abs(calm - np.median(calm)))) if len(calm) else 0.0
    return Shares(series.key, step, times[told], left, max(noise, NOISELESS))


SHORT = threshold(
    "series.depth_short_seconds",
    3 * DAY,
    "An event of what people do that is over by then is compared with the days around it, too: people do more "
    "or less on some days than in the weeks before. (Half of the use of Search, taken away for 1 to 24 hours at "
    "300 moments of a real month: off by more than 5 points in 12 % without this, in 6 % with it.)",
)

BESIDE_BINS = threshold(
    "series.depth_beside_bins",
    12,
    "Bins on either side of a short event that are compared at least, and at most a day: a few are noise.",
)


def of_those_days(told: Shares, intervals: Sequence[Interval]) -> Shares:
    """The series as a share of what people did right before and after a short event, where that was ordinary."""
    signal, span = SIGNALS[told.key.signal], intervals[0]
    if not signal.of_people or len(intervals) > 1 or span.end is None or span.end - span.start > SHORT:
        return told
    width = min(DAY, max(span.end - span.start, BESIDE_BINS * told.step))
    beside = [told.between(span.start - width, span.start), told.between(span.end, span.end + width)]
    if not all(map(len, beside)):
        return told
    level = float(np.median(np.concatenate(beside)))
    return replace(told, left=told.left / level) if abs(level - 1) <= signal.least_drop else told


# --- the same days of an earlier year -------------------------------------------------------------------

RETURNS = threshold(
    "series.years_returns",
    (365, 366, 364, 354, 355, 384, 383, 385, 350, 357, 378),
    "Days after which a feast is back: the solar year and a day either side of it, the lunar year, the "
    "lunisolar leap year, the weeks from one Easter to the next.",
)

YEARS = threshold("series.years", 3, "Earlier years in which the same days are looked at.")

COVERED = threshold(
    "series.years_covered_share", 0.75, "Share of the bins that must have been measured in the earlier year."
)

MARGIN = threshold(
    "series.years_margin",
    1 / 3,
    "Share of the least drop by which a loss may be deeper than the earlier one.",
)

NO_OUTAGE = threshold(
    "series.years_no_outage",
    0.5,
    "With a smaller share left, the earlier loss was itself an outage and excludes nothing.",
)


def lost_as_much(one: Series, start: float, end: float) -> int | None:
    """The latest earlier year in which the series lost as much on the same days, at the same hours; None = never.

    Args:
        one: with as many years of history as are known.
        start, end: those of the loss, unix seconds.
    """
    now = _left(one, start, end)
    if now is None:
        return None
    margin = MARGIN * SIGNALS[one.key.signal].least_drop
    for year in range(1, YEARS + 1):
        for days in _lags(year):
            then = _left(one, start - days * DAY, end - days * DAY)
            if then is not None and NO_OUTAGE <= then <= now + margin:
                return datetime.fromtimestamp(start - days * DAY, UTC).year
    return None


def _left(one: Series, start: float, end: float) -> float | None:
    """Typical share left of what was usual before; None = too little is known."""
    if not len(one) or start - DAY < one.times[0]:
        return None
    then = shares(one, start)
    if then is None:
        return None
    left = then.left[(then.times >= start) & (then.times < end)]
    return float(np.median(left)) if len(left) and len(left) * one.step >= COVERED * (end - start) else None


def _lags(year: int) -> tuple[int, ...]:
    """Days back to the same days of a calendar ``year`` years ago."""
    if year == 1:
        return RETURNS
    solar = round(365.25 * year)
    lunar = round(354.367 * year)
    return (solar, solar - 1, solar + 1, lunar, lunar + 1)


LOOKED_AT = threshold(
    "incidents.others_bins",
    48,
    "Bins of the time of the outage, evenly spread, that are compared with their hour: as many as a day has "
    "half hours tell the level of weeks.",
)
