"""Sensitivity: the shortest event that would have been found on each network, with what was measured there.

*Nothing was found* means little where hardly anyone measures.  So events without an end are put into a network's own
votes, each from another moment on: in which bin would the filter have raised it?  The share of them that a given length
reaches is the chance to find an event of that length.

The network is taken to be quiet before the event, and only what a live monitor knew counts: hindsight, and attention
because of other networks, find more.
"""

from collections import defaultdict
from collections.abc import Sequence
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
from fanous.model.coverage import Sensitivity
from fanous.model.instant import DAY
from fanous.model.series import Floats, Ints, Series
from fanous.model.threshold import threshold

CHANCE = threshold(
    "sensitivity.chance",
    0.9,
    "Share of the moments at which an event may begin from which it is found. An event of this length is missed once "
    "in ten times: that nothing was found makes it unlikely, and does not rule it out.",
)
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
    series: Sequence[Series], options: InterferenceOptions, since: float, until: float
) -> list[Sensitivity]:
    """One for each network and target, those with most measurements first.

    Args:
        series: shares of failing votes, one country's.  Of several of a network and target, such as those of
            different resolvers, the one with most measurements counts.
        since, until: within which an event lies, unix seconds.
    """
    by_target: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        if len(one):
            by_target[one.key.target].append(one)
    found = [each for own in by_target.values() for each in _of_target(own, options, (since, until))]
    return sorted(found, key=lambda one: (-one.measurements, one.asn, one.target))


def _of_target(
    series: Sequence[Series], options: InterferenceOptions, when: tuple[float, float]
) -> list[Sensitivity]:
    every = list(series)
    seats = Seats(np.array([one.key.place.asn for one in every]), np.zeros(len(every), np.int64))
    usual = usual_failures(side_by_side(every), seats, options)
    fullest: dict[int, int] = {}
    for column in sorted(range(len(every)), key=lambda column: every[column].measurements.sum()):
        fullest[every[column].key.place.asn] = column
    return [_of_series(every[column], float(usual[column]), options, when) for column in fullest.values()]


def _of_series(
    one: Series, usual: float, options: InterferenceOptions, when: tuple[float, float]
) -> Sensitivity:
    seconds = [_shortest(_needed(one, usual, depth, options, when), *when) for depth in DEPTHS]
    key = one.key
    return Sensitivity(key.place.asn, key.target, len(one), int(one.measurements.sum()), *seconds)


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
    rate = np.full(bins.times.shape, options.onsets_a_day / DAY)

    def belief(bins: Bins, usual: Floats) -> tuple[Floats, Floats]:
        raw = log_likelihood_ratio(bins, usual, options.mean_on, options.rho, options.burst)
        ratio = clip_bursts(raw, bins, options.clip, options.burst)
        return ratio, forward(ratio, bins.times, rate, options.ends_a_day / DAY, alone(ratio.shape))

    def raised(usual: Floats) -> NDArray[np.bool_]:
        ratio, on = belief(bins, usual)
        found = (on >= options.raise_at) & (ratio > 0)
        found[:QUIET_BINS] = False
        return found

    # What the first look at an event takes for ordinary failures raises what is usual, and so hides a part of it.
    first = raised(np.full(len(starts), usual))
    reached = np.where(first.any(axis=0), first.argmax(axis=0), len(first) - 1)
    lasts = np.arange(len(first))[:, None] <= reached
    event = replace(bins, failing=bins.failing * lasts, probes=bins.probes * lasts)
    _, on = belief(event, np.full(len(starts), options.mean_off))
    unnoticed = event.failing * (1 - smooth(on, event.times, rate, options.ends_a_day / DAY, alone(on.shape)))
    learnt = usual + unnoticed.sum(axis=0) / (one.counts.sum() + options.strength)
    second = raised(np.minimum(learnt, options.mean_off_high))
    at = bins.times[second.argmax(axis=0), columns] + one.step
    return np.where(second.any(axis=0), at - starts, np.inf)


def _planted(one: Series, starts: Floats, depth: float, longest: float) -> Bins:
    """A column for each event: quiet bins before it, then those in which votes fail.

    A bin that began before the event is not failing yet.
    """
    first = np.searchsorted(one.times, starts)
    last = np.searchsorted(one.times, starts + longest)
    rows = np.arange(-QUIET_BINS, int((last - first).max(initial=0)))[:, None]
    index = first[None, :] + rows
    there = (index >= 0) & (index < last[None, :])
    index = index.clip(0, len(one) - 1)
    probes: Ints = np.where(there, one.counts[index], 0)
    failing = np.where(rows >= 0, probes, 0)
    if depth < 1:
        failing = np.random.default_rng(SEED).binomial(failing, depth)
    controlled = 2 * one.controlled[index] >= np.maximum(failing, 1)
    vouched = np.zeros(len(one), np.int64) if one.vouched is None else one.vouched
    return Bins(one.times[index], failing, probes, controlled, 2 * vouched[index] >= one.counts[index])


def _shortest(needed: Floats, since: float, until: float) -> float | None:
    """The shortest length that ``CHANCE`` of the events reach, of those that fit into the time."""
    starts = _starts(since, until)
    for length in np.unique(needed[needed <= longest(since, until)]):
        if (needed[starts + length <= until] <= length).mean() >= CHANCE:
            return float(length)
    return None
