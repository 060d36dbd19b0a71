"""Baselines: what a series looks like when nothing is wrong."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from bottleneck import nanmedian
from numpy.typing import NDArray

from fanous.analysis.series.signals import SIGNALS, Direction
from fanous.model.incident import Incident, Status
from fanous.model.place import Place
from fanous.model.series import Floats, Ints, Series

Single = NDArray[np.float32]

NORMAL = 1.4826
"""Factor from the median absolute deviation to a standard deviation, for a normal distribution."""


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


NEIGHBOURS = 24
"""Least slots per day for neighbouring slots to have about the same value: an evening rises and falls within
bins of two hours, and their median would be of three different times."""


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


HISTORY = 28 * 86400.0
"""Seconds of history for the baseline of a time of day."""

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


def baseline_level(series: Series, outages: Spans = ()) -> Callable[[int], float]:
    """``slot_baseline`` of a series, without its bins in outages.

    Otherwise the level after two weeks of a blackout would become its baseline.
    """
    lost = np.zeros(len(series), np.bool_)
    for start, end in outages:
        lost |= (series.times >= start) & (series.times < end)
    values = np.where(lost, np.nan, series.values)
    return lambda at: slot_baseline(series.times, values, at, since=look_back(at, outages))


def slot_baseline(
    times: Ints, values: Floats, at: int, *, since: float | None = None, least: int = 3
) -> float:
    """The usual level at a time of day: the median at that time on the days before.

    If fewer than ``least`` days have it, the median of all values before instead, which is a rougher answer.

    Args:
        times: int64, (n,), ascending, unix seconds at which each bin begins.
        values: float64, (n,).
        at: beginning of the bin in question, which does not itself count.
        since: earlier values do not count; None = ``HISTORY`` before ``at``.

    Returns:
        The level; NaN = nothing was measured before.
    """
    first = at - HISTORY if since is None else since
    before = (times < at) & (times >= first) & ~np.isnan(values)
    same_slot = before & ((at - times) % 86400 == 0)
    chosen = same_slot if same_slot.sum() >= least else before
    return float(np.median(values[chosen])) if chosen.any() else float("nan")
