"""Sensitivity: the shortest event that would have been found on each network, with what was measured there.

*Nothing was found* means little where hardly anyone measures.  So events without an end are put into a network's own
votes, each from another moment on: in which bin would the filter have raised it?  The share of them that a given length
reaches is the chance to find an event of that length.

The network is taken to be quiet before the event, and only what a live monitor knew counts: hindsight, and attention
because of other networks, find more.  For an event that is over, hindsight counts too.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.detectors.interference import (
    Bins,
    InterferenceOptions,
    Seats,
    alone,
    clip_bursts,
    forward,
    log_likelihood_ratio,
    side_by_side,
    smooth,
    usual_failures,
)
from fanous.model.coverage import CHANCE, Sensitivity
from fanous.model.instant import DAY
from fanous.model.series import Floats, Ints, Series
from fanous.model.threshold import threshold

STARTS = threshold(
    "sensitivity.starts",
    200,
    "Moments, evenly spread over the time asked about, at which an event is put in. With two hundred, a chance of 0.9 "
    "is known to within 0.04.",
)
LONGEST = threshold(
    "sensitivity.longest_seconds",
    7 * DAY,
    "Longer events are not tried: where a week of failures would be missed, hardly anyone measures.",
)
QUIET_BINS = threshold(
    "sensitivity.quiet_bins",
    6,
    "Bins before the event that are filtered as quiet ones. Each divides the odds by ten, so what the filter believed "
    "before them is forgotten.",
)
DEPTHS = threshold(
    "sensitivity.depths",
    (1.0, 0.5),
    "Shares of the measurements that fail in the events: all, as in a block of the whole network, and half, as in one "
    "of some lines, or one that comes and goes.",
)
SEED = 7
"""Which half fails is drawn, in the same way each time."""


def sensitivities(
    series: Sequence[Series],
    options: InterferenceOptions,
    since: float,
    until: float,
    length: float | None = None,
    asked: Callable[[int], bool] = lambda _: True,
    most: int | None = None,
) -> list[Sensitivity]:
    """One for each network and target, those with most measurements first.

    Args:
        series: shares of failing votes, one country's.  Of several of a network and target, such as those of
            different resolvers, the one with most measurements counts.
        since, until: within which an event lies, unix seconds.
        length: seconds, of an event of which the chance to find it is asked for.
        asked: is this network (an ASN) asked about?
        most: how many are told; None = all.
    """
    by_target: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        if len(one):
            by_target[one.key.target].append(one)
    fullest = [each for own in by_target.values() for each in _fullest(own, options)]
    told = [each for each in fullest if asked(each[0].key.place.asn)]
    told.sort(key=lambda each: (-each[0].measurements.sum(), each[0].key.place.asn, each[0].key.target))
    return [_of_series(one, usual, options, (since, until), length) for one, usual in told[:most]]


def _fullest(series: Sequence[Series], options: InterferenceOptions) -> list[tuple[Series, float]]:
    """The series of each network with most measurements, of one target, with what usually fails there."""
    every = list(series)
    seats = Seats(np.array([one.key.place.asn for one in every]), np.zeros(len(every), np.int64))
    usual = usual_failures(side_by_side(every), seats, options)
    fullest: dict[int, int] = {}
    for column in sorted(range(len(every)), key=lambda column: every[column].measurements.sum()):
        fullest[every[column].key.place.asn] = column
    return [(every[column], float(usual[column])) for column in fullest.values()]


def _of_series(
    one: Series,
    usual: float,
    options: InterferenceOptions,
    when: tuple[float, float],
    length: float | None,
) -> Sensitivity:
    needed = [_needed(one, usual, depth, options, when) for depth in DEPTHS]
    of_all, of_half = (_shortest(each, *when) for each in needed)
    tried = None if length is None else min(length, longest(*when))
    alike = None if tried is None else _found_alike(one, usual, options, when, tried)
    key = one.key
    return Sensitivity(
        key.place.asn, key.target, len(one), int(one.measurements.sum()), of_all, of_half, alike
    )


def _starts(since: float, until: float) -> Floats:
    return since + (np.arange(STARTS) + 0.5) / STARTS * (until - since)


def longest(since: float, until: float) -> float:
    """The longest length that is tried: as many events of it as shorter ones must fit in."""
    return min(LONGEST, (until - since) / 2)


def _needed(
    one: Series, usual: float, depth: float, options: InterferenceOptions, when: tuple[float, float]
) -> Floats:
    """Seconds after which each event is raised; infinite = not while it is measured, or not within the longest."""
    starts = _starts(*when)
    columns = np.arange(len(starts))
    bins = _planted(one, starts, depth, longest(*when))

    def raised(usual: Floats) -> NDArray[np.bool_]:
        ratio, on = _belief(bins, usual, options)
        found = (on >= options.raise_at) & (ratio > 0)
        found[:QUIET_BINS] = False
        return found

    # What the first look at an event takes for ordinary failures raises what is usual, and so hides a part of it.
    first = raised(np.full(len(starts), usual))
    reached = np.where(first.any(axis=0), first.argmax(axis=0), len(first) - 1)
    lasts = np.arange(len(first))[:, None] <= reached
    event = replace(bins, failing=bins.failing * lasts, probes=bins.probes * lasts)
    second = raised(_learnt(one, event, usual, options))
    at = bins.times[second.argmax(axis=0), columns] + one.step
    return np.where(second.any(axis=0), at - starts, np.inf)


def _found_alike(
    one: Series, usual: float, options: InterferenceOptions, when: tuple[float, float], length: float
) -> float:
    """Share of the events of this length that are found in the end, if all measurements fail."""
    starts = _starts(*when)
    event = _planted(one, starts[starts + length <= when[1]], 1.0, length, QUIET_BINS)
    _, on = _belief(event, _learnt(one, event, usual, options), options)
    found = np.maximum(on, _in_hindsight(on, event, options)) >= options.raise_at
    return float((found & (event.failing > 0)).any(axis=0).mean())


def _learnt(one: Series, event: Bins, usual: float, options: InterferenceOptions) -> Floats:
    """What is usual, once the failures of the event that pass for ordinary ones are counted in; one for each event."""
    _, on = _belief(event, np.full(event.probes.shape[1], options.mean_off), options)
    unnoticed = event.failing * (1 - _in_hindsight(on, event, options))
    learnt = usual + unnoticed.sum(axis=0) / (one.counts.sum() + options.strength)
    return np.minimum(learnt, options.mean_off_high)


def _belief(bins: Bins, usual: Floats, options: InterferenceOptions) -> tuple[Floats, Floats]:
    """The evidence of each bin, and the probability that the event is on, as a live monitor knew it."""
    raw = log_likelihood_ratio(bins, usual, options.mean_on, options.rho, options.burst)
    ratio = clip_bursts(raw, bins, options.clip, options.burst)
    return ratio, forward(
        ratio, bins.times, _onsets(bins, options), options.ends_a_day / DAY, alone(ratio.shape)
    )


def _in_hindsight(on: Floats, bins: Bins, options: InterferenceOptions) -> Floats:
    return smooth(on, bins.times, _onsets(bins, options), options.ends_a_day / DAY, alone(on.shape))


def _onsets(bins: Bins, options: InterferenceOptions) -> Floats:
    return np.full(bins.times.shape, options.onsets_a_day / DAY)


def _planted(one: Series, starts: Floats, depth: float, longest: float, after: int = 0) -> Bins:
    """A column for each event: quiet bins before it, then those in which votes fail, then more quiet ones.

    A bin that began before the event is not failing yet.

    Args:
        after: how many bins follow the event.
    """
    first = np.searchsorted(one.times, starts)
    last = np.searchsorted(one.times, starts + longest)
    rows = np.arange(-QUIET_BINS, int((last - first).max(initial=0)) + after)[:, None]
    index = first[None, :] + rows
    there = (index >= 0) & (index < np.minimum(last + after, len(one))[None, :])
    fails = (rows >= 0) & (index < last[None, :])
    index = index.clip(0, len(one) - 1)
    probes: Ints = np.where(there, one.counts[index], 0)
    failing = np.where(fails, probes, 0)
    if depth < 1:
        failing = np.random.default_rng(SEED).binomial(failing, depth)
    controlled = 2 * one.controlled[index] >= np.maximum(failing, 1)
    vouched = np.zeros(len(one), np.int64) if one.vouched is None else one.vouched
    return Bins(one.times[index], failing, probes, controlled, 2 * vouched[index] >= one.counts[index])


def _shortest(needed: Floats, since: float, until: float) -> float | None:
    """The shortest length that ``CHANCE`` of the events reach, of those that fit into the time."""
    for length in np.unique(needed[needed <= longest(since, until)]):
        if _chance(needed, length, since, until) >= CHANCE:
            return float(length)
    return None


def _chance(needed: Floats, length: float, since: float, until: float) -> float:
    """Share of the events of this length that fit into the time that are found."""
    return float((needed[_starts(since, until) + length <= until] <= length).mean())
