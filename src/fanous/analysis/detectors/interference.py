"""Interference: finds stretches in which a target fails on a network, by the two-state filter.

Blocking, throttling, probes that fall silent and probes that become slow are found by one function; they differ in the
signals watched and in a few options.  The settings were fitted on two Kenyan files and on simulation
(docs/methodology-reviewers.md).

The filter says how probable it is, bin by bin, that a series is *on* (interfered with): a hidden Markov chain with the
states off and on, rates per second between them, and Beta-Binomial emissions: probes on one network fail together, so
ten failing probes are worth little more than three, and what they say again within minutes less than what they said
first.  Only bins in which something was measured are updated.  Between
them the chain relaxes; callers must treat silence as *unknown*.  Many series run at once: arrays have shape (bins,
series), so that one step in time is one contiguous row, and shorter series are padded at the end.

Detectors are pure, and the series of one target in one country are examined together and apart from all others, so what
was found for identical series still holds.  Results are kept in memory by a digest of the series, and computed again
after a restart.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.detectors.detector import Detector, Reads, option
from fanous.analysis.series.baselines import quiet_share
from fanous.analysis.series.signals import shown_by
from fanous.model.incident import Kind
from fanous.model.instant import DAY, HOUR
from fanous.model.series import Anomaly, Floats, Ints, Series
from fanous.model.threshold import threshold

# --- how probable is it, bin by bin? ---------------------------------------------------------------------

Bools = NDArray[np.bool_]
Counts = Ints | Floats

PROBES_MAX = threshold(
    "detectors.filter_probes",
    40,
    "More probes in a bin add nothing under the correlation assumed; larger bins are scaled down.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Series side by side.  Row ``j`` holds the j-th measured bin of each series.

    Attributes:
        times: int64, (bins, series), unix seconds; padding repeats the last time.
        failing: int64, (bins, series), probes that failed.
        probes: int64, (bins, series), probes that measured; 0 = padding.
        controlled: bool, (bins, series): did at least half of the failing probes have a normal control of their
            own?
        vouched: bool, (bins, series): does an operator answer for at least half of the probes?
    """

    times: Ints
    failing: Ints
    probes: Ints
    controlled: Bools
    vouched: Bools

    def of(self, series: Bools) -> "Bins":
        """Those of some of the series."""
        times, failing, probes = (part[:, series] for part in (self.times, self.failing, self.probes))
        return Bins(times, failing, probes, self.controlled[:, series], self.vouched[:, series])


def side_by_side(series: list[Series]) -> Bins:
    """The series as one rectangle, padded."""
    shape = (max((len(one) for one in series), default=0), len(series))
    times, failing, probes, controlled, vouched = (np.zeros(shape, np.int64) for _ in range(5))
    for column, one in enumerate(series):
        n = len(one)
        times[:n, column], times[n:, column] = one.times, one.times[-1] if n else 0
        probes[:n, column] = one.counts
        failing[:n, column] = np.rint(one.values * one.counts)
        controlled[:n, column] = one.controlled
        vouched[:n, column] = 0 if one.vouched is None else one.vouched
    controls = 2 * controlled >= np.maximum(failing, 1)
    return Bins(times, failing, probes, controls, 2 * vouched >= np.maximum(probes, 1))


def beta_binomial(mean: Floats, rho: float) -> Floats:
    """Log probability of k failing among n probes, up to the binomial coefficient.

    Args:
        mean: shape (m,), expected failing share, each in (0, 1).
        rho: correlation between probes of one bin, in (0, 1).

    Returns:
        float64, shape (m, PROBES_MAX + 1, PROBES_MAX + 1), indexed [mean, n, k]; NaN where k > n.
    """
    strength = (1 - rho) / rho
    a, b = mean[:, None] * strength, (1 - mean[:, None]) * strength
    steps = np.arange(PROBES_MAX, dtype=np.float64)
    zero = np.zeros((len(mean), 1))
    rising_a = np.hstack([zero, np.cumsum(np.log(a + steps), axis=1)])
    rising_b = np.hstack([zero, np.cumsum(np.log(b + steps), axis=1)])
    rising_ab = np.concatenate([[0.0], np.cumsum(np.log(strength + steps))])
    n, k = np.meshgrid(np.arange(PROBES_MAX + 1), np.arange(PROBES_MAX + 1), indexing="ij")
    table = rising_a[:, k] + rising_b[:, np.maximum(n - k, 0)] - rising_ab[n]
    return np.where(k > n, np.nan, table)


def log_likelihood_ratio(bins: Bins, mean_off: Floats, mean_on: float, rho: float, burst: int) -> Floats:
    """Evidence for *on* in each bin, in nats; 0 in the padding.

    What was said within ``burst`` before a bin is remembered, the less the longer ago, as long as it says the same; the
    bin counts by what it adds to that.  Two rounds in a minute are worth hardly more than one, and it makes no
    difference whether the voices of a round fall in one bin or in five.

    Args:
        mean_off: shape (series,).
        mean_on, rho, burst: see ``InterferenceOptions``.
    """
    means, mean_of = np.unique(np.round(mean_off, 4), return_inverse=True)
    evidence = beta_binomial(np.array([mean_on]), rho) - beta_binomial(means, rho)

    def of_voices(probes: Counts, failing: Counts, series: Bools | slice = slice(None)) -> Floats:
        scale = np.maximum(probes / PROBES_MAX, 1.0)
        n = np.rint(probes / scale).astype(np.int64)
        k = np.minimum(np.rint(failing / scale).astype(np.int64), n)
        return np.asarray(evidence[mean_of[series], n, k])

    ratio = of_voices(bins.probes, bins.failing)
    close = (np.diff(bins.times, axis=0) < burst) & (bins.probes[1:] > 0)
    rounds = close.any(axis=0)  # in all other series nothing is remembered
    if rounds.any():
        own = bins.of(rounds)
        said, failed = (_remembered(voices, own, burst) for voices in (own.probes, own.failing))
        all_said = of_voices(said + own.probes, failed + own.failing, rounds)
        ratio[:, rounds] = all_said - of_voices(said, failed, rounds)
    return np.where(bins.probes > 0, ratio, 0.0)


def _remembered(voices: Ints, bins: Bins, burst: int) -> Floats:
    """How many of the voices before each bin are still remembered there; shapes (bins, series)."""
    out = np.zeros(voices.shape)
    fails = 2 * bins.failing >= bins.probes
    for j in range(1, len(voices)):
        kept = np.maximum(0.0, 1 - (bins.times[j] - bins.times[j - 1]) / burst)
        out[j] = np.where(fails[j] == fails[j - 1], kept * (out[j - 1] + voices[j - 1]), 0.0)
    return out


def clip_bursts(ratio: Floats, bins: Bins, limit: float, burst: int) -> Floats:
    """Cap what failures may contribute: those without controls in an hour, and those of strangers in a burst.

    Failures come in bursts: on a quiet network one failure makes another within hours forty times as likely.  Failing
    bins with their own normal controls share a cap only within ``burst``, and have none if their voices are vouched
    for; all other failing bins of a series share one cap per hour.  A success needs no control.
    """
    capped = np.maximum(ratio, -limit)
    for shares, seconds in ((~bins.controlled, HOUR), (bins.controlled & ~bins.vouched, burst)):
        capped = _shared(capped, shares, bins.times // seconds, limit)
    return capped


def _shared(ratio: Floats, shares: Bools, slots: Ints, limit: float) -> Floats:
    """The same with at most ``limit`` from all failing bins of a slot that share it."""
    out = ratio.copy()
    spent = np.zeros(ratio.shape[1])
    for j in range(len(ratio)):
        if j:
            spent[slots[j] != slots[j - 1]] = 0.0
        allowed = np.where(shares[j] & (ratio[j] > 0), np.minimum(ratio[j], limit - spent), 0.0)
        spent += allowed
        out[j] = np.where(shares[j] & (ratio[j] > 0), allowed, ratio[j])
    return out


def _relax(probability: Floats, rate_on: Floats, rate_off: float, seconds: Ints) -> Floats:
    """The chain's own prediction after ``seconds`` without data."""
    total = rate_on + rate_off
    rest = rate_on / total
    return rest + (probability - rest) * np.exp(-total * seconds)


def forward(ratio: Floats, times: Ints, rate_on: Floats, rate_off: float, bounds: "Bounds") -> Floats:
    """P(on | everything up to and including the bin).

    Args:
        ratio: float64, (bins, series), nats.
        times: int64, (bins, series).
        rate_on: float64, (bins, series), per second, valid before each bin.
        rate_off: per second.
        bounds: what other networks leave of it.

    Returns:
        float64, (bins, series), in [0, 1].  A series begins at the chain's stationary share.
    """
    out, is_bound = np.empty_like(ratio), bounds.bind()
    for j in range(len(ratio)):
        if j == 0:
            predicted = rate_on[0] / (rate_on[0] + rate_off)
        else:
            predicted = _relax(out[j - 1], rate_on[j], rate_off, times[j] - times[j - 1])
        if is_bound[j]:
            predicted = np.clip(predicted, bounds.least[j], bounds.most[j])
        weight = predicted * np.exp(ratio[j])
        out[j] = weight / (weight + 1 - predicted)
    return out


def smooth(filtered: Floats, times: Ints, rate_on: Floats, rate_off: float, bounds: "Bounds") -> Floats:
    """P(on | all data), from the forward probabilities; same shape."""
    out, is_bound = filtered.copy(), bounds.bind()
    for j in range(len(filtered) - 2, -1, -1):
        here, ahead, rate = filtered[j], out[j + 1], rate_on[j + 1]
        decay = np.exp(-(rate + rate_off) * (times[j + 1] - times[j]))
        rest = rate / (rate + rate_off)
        on_to_on, off_to_on = rest + (1 - rest) * decay, rest - rest * decay
        predicted = relaxed = np.clip(here * on_to_on + (1 - here) * off_to_on, 1e-300, 1 - 1e-16)
        if is_bound[j + 1]:
            predicted = np.clip(relaxed, bounds.least[j + 1], bounds.most[j + 1])
            comes, stays = (
                np.maximum(predicted - relaxed, 0) / (1 - relaxed),
                np.minimum(predicted / relaxed, 1),
            )
            on_to_on, off_to_on = (stays * (to_on + (1 - to_on) * comes) for to_on in (on_to_on, off_to_on))
        up, down = ahead / predicted, (1 - ahead) / (1 - predicted)
        out[j] = here * (on_to_on * up + (1 - on_to_on) * down)
    return np.clip(out, 0.0, 1.0)


DETECTOR_VERSION = "2026.40"
"""Changes whenever the same measurements may give other anomalies; recorded in every incident made of them."""

SLOWDOWN_DETECTOR_VERSION = "2026.17-slowdowns"
"""The same for slow-downs by our own downloads (``analysis.series.slowness``)."""


@dataclass(frozen=True, slots=True)
class InterferenceOptions:
    """Every threshold of the filter, with its reason; detectors that differ in some have options of their own."""

    mean_off: float = option(
        0.02, "Failing share of a normal series before it has history (measured .005 to .01)."
    )
    mean_off_low: float = option(0.005, "No lower baseline share is ever believed: nothing works perfectly.")
    mean_off_high: float = option(
        0.3,
        "No higher baseline share is ever believed: a block that was there from the first day must not become the "
        "baseline.",
    )
    strength: float = option(50.0, "Probes of history that the prior share is worth.")
    mean_on: float = option(0.9, "Failing share under blocking (Kenya 2023); the literature's .75 is slower.")
    rho: float = option(
        0.2, "Correlation of the probes of one bin (.2 to .25), which share a network and its faults."
    )
    clip: float = option(
        4.0, "Nats that strangers may contribute in one bin, and anyone without controls in one hour."
    )
    onsets_a_day: float = option(1 / 30, "Rate of new blocking on a quiet network, a day.")
    onsets_a_day_alert: float = option(
        1.0, "Rate of new blocking, a day, while another network of the country has it."
    )
    alert_hours: float = option(
        36.0, "Hours that the alert lasts after the other network was last seen with it."
    )
    burst: int = option(
        600,
        "Seconds after which what probes said no longer belongs to the same round: as wide as a bin of strangers' "
        "votes, so that one that measures ten times as often is not ten times as sure.",
    )
    joins: float = option(
        0.5, "Share of the networks that carry out an order at once: what another shows counts by so much."
    )
    ends_a_day: float = option(1.0, "Rate at which blocking ends, a day.")
    raise_at: float = option(0.99, "Probability that raises a network.")
    suspect_at: float = option(0.9, "Probability that is worth a suspicion.")
    clear_at: float = option(0.2, "Probability, on data, that clears a network.")
    session_at: float = option(0.5, "Smoothed probability that counts a bin as *on* in hindsight.")
    back_date: float = option(
        1800.0,
        "Most seconds by which an onset may be dated before the first failing bin, and an end after the last: "
        "midway to the neighbouring normal bin, but never further.",
    )
    alone: float = option(
        7200.0,
        "Seconds from the next failing bin beyond which one failing probe shows neither an onset nor an end.",
    )


BLOCK_CELLS = threshold(
    "detectors.filter_cells",
    4_000_000,
    "Bins held side by side at once: enough for speed, and about 0.5 GB at the most. No influence on results.",
)


def find_interference(series: Sequence[Series], options: InterferenceOptions) -> list[Anomaly]:
    """Anomalies of all series, in order of onset.

    Series of one target in one country influence each other: if one network is affected, others are expected to
    follow. So pass all series of a country at once.
    """
    together: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for one in series:
        if len(one):
            together[(one.key.place.country, one.key.target)].append(one)
    found = [anomaly for block in _blocks(list(together.values())) for anomaly in _find(block, options)]
    return sorted(found, key=lambda a: (a.start, str(a.key.place), a.key.target))


def _blocks(groups: list[list[Series]]) -> Iterator[list[list[Series]]]:
    """Batches of whole groups of similar length, since one pass over many is as fast as over few."""
    block: list[list[Series]] = []
    for group in sorted(groups, key=lambda group: max(map(len, group))):
        longest = max(map(len, group))
        if block and longest * sum(map(len, [*block, group])) > BLOCK_CELLS:
            yield block
            block = []
        block.append(group)
    if block:
        yield block


def _find(block: list[list[Series]], options: InterferenceOptions) -> list[Anomaly]:
    series = [one for group in block for one in group]
    group_of = np.repeat(np.arange(len(block)), [len(group) for group in block])
    seats = Seats(np.array([one.key.place.asn for one in series]), group_of)
    bins = side_by_side(series)
    beliefs = _believe(bins, seats, usual_failures(bins, seats, options), options)
    return [
        anomaly
        for column, one in enumerate(series)
        for anomaly in _stretches(one, beliefs.column(column), options)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Seats:
    """Which network is in which column.

    Attributes:
        networks: int64, (series,), ASN.
        groups: int64, (series,), ascending: series of one country and target have one number.
    """

    networks: Ints
    groups: Ints


def usual_failures(bins: Bins, seats: Seats, options: InterferenceOptions) -> Floats:
    """Failing share of each series where nothing interferes, shape (series,).

    Failures with normal controls that were worth a suspicion while they lasted are no habit, however soon they healed:
    hindsight finds short events unlikely.  Without controls they may be, so hindsight alone counts.
    """
    beliefs = _believe(bins, seats, np.full(bins.probes.shape[1], options.mean_off), options)
    was_suspected = bins.controlled & (_of_run(beliefs.filtered, bins) >= options.suspect_at)
    is_on = np.where(was_suspected, 1.0, beliefs.smoothed)
    return quiet_share(
        bins.failing,
        bins.probes,
        np.where(bins.probes > 0, 1 - is_on, 0.0),
        seats.groups,
        prior=options.mean_off,
        strength=options.strength,
        low=options.mean_off_low,
        high=options.mean_off_high,
    )


def _of_run(filtered: Floats, bins: Bins) -> Floats:
    """Highest probability from each bin on in its run of failures, or its own outside of runs; (bins, series)."""
    out = filtered.copy()
    fails = (2 * bins.failing >= bins.probes) & (bins.probes > 0)
    for j in range(len(out) - 2, -1, -1):
        out[j] = np.where(fails[j] & fails[j + 1], np.maximum(out[j], out[j + 1]), out[j])
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs:
    """Probabilities of *on*, arrays as in ``Bins``: ``filtered`` knows the past, ``smoothed`` all."""

    ratio: Floats
    filtered: Floats
    smoothed: Floats

    def column(self, index: int) -> "Beliefs":
        return Beliefs(self.ratio[:, index], self.filtered[:, index], self.smoothed[:, index])


ROUNDS_MAX = threshold(
    "detectors.alert_rounds",
    4,
    "Rounds of alerts: raising one network makes others likelier, which may raise them. In practice this "
    "settles after two.",
)


def _believe(bins: Bins, seats: Seats, off: Floats, options: InterferenceOptions) -> Beliefs:
    """Filter and smooth, with onsets likelier while another network of the country is *on*."""
    raw = log_likelihood_ratio(bins, off, options.mean_on, options.rho, options.burst)
    ratio = clip_bursts(raw, bins, options.clip, options.burst)
    bounds = shown_by_others(ratio, bins, seats, options)
    ends = options.ends_a_day / DAY
    rate = np.full(ratio.shape, options.onsets_a_day / DAY)
    spans: list[Span] = []
    for _ in range(ROUNDS_MAX):
        filtered = forward(ratio, bins.times, rate, ends, bounds)
        settled, spans = spans, _raised_spans(bins, ratio, filtered, options)
        if spans == settled:
            break
        rate = _onset_rates(bins.times, spans, seats, options)
    return Beliefs(ratio, filtered, smooth(filtered, bins.times, rate, ends, bounds))


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Between what other networks leave the probability of each bin, before the bin itself is looked at.

    Attributes:
        least, most: float64, (bins, series); 0 and 1 where others say nothing.
    """

    least: Floats
    most: Floats

    def bind(self) -> Bools:
        """In which bins others say anything at all, (bins,)."""
        return np.asarray(((self.least > 0) | (self.most < 1)).any(axis=1))


def alone(shape: tuple[int, ...]) -> Bounds:
    """Those of networks about which no other says anything."""
    return Bounds(np.zeros(shape), np.ones(shape))


def shown_by_others(ratio: Floats, bins: Bins, seats: Seats, options: InterferenceOptions) -> Bounds:
    """What vouched voices on other networks have just said, as bounds.

    Faults of different networks are independent, and an order reaches many at once, when it is given and when it is
    lifted: so what their voices say together multiplies.  A network says that the order is lifted if it works again.
    """
    shown = np.where(bins.vouched & (bins.probes > 0), ratio, 0.0)
    if not shown.any():
        return alone(ratio.shape)
    fails, works = np.zeros(ratio.shape), np.zeros(ratio.shape)
    for j in range(len(ratio)):
        before = max(j - 1, 0)
        near = bins.times[j] - bins.times[before] < options.burst
        fails[j] = np.where(shown[j] >= 0, near * fails[before] + shown[j], 0.0)
        is_back = near & (shown[j] <= 0) & ((works[before] > 0) | (fails[before] > 0))
        works[j] = np.where(is_back, works[before] - shown[j], 0.0)
    onset, end = (rate / DAY * options.burst for rate in (options.onsets_a_day, options.ends_a_day))
    return Bounds(
        least=_from_others(fails, bins, seats, onset, "right", options),
        most=1 - _from_others(works, bins, seats, end, "left", options),
    )


def _from_others(
    said: Floats,
    bins: Bins,
    seats: Seats,
    prior: float,
    side: Literal["left", "right"],
    options: InterferenceOptions,
) -> Floats:
    """How probable it is that others' order reaches each network, too, (bins, series).

    Args:
        said: nats, (bins, series), that speak for it.
        prior: probability that one is given within ``burst``.
        side: *right*: what they say at the same time counts; *left*: only what they said before.
    """
    out = np.zeros(said.shape)
    turns = said > 0  # and the bins after them, in which a run may have ended
    turns[1:] |= said[:-1] > 0
    for group in np.unique(seats.groups[turns.any(axis=0)]).tolist():
        own = np.flatnonzero(seats.groups == group)
        times, networks = bins.times[:, own], seats.networks[own]
        moments = np.unique(times[turns[:, own]])
        most = [
            _latest(moments, times, said[:, own], networks == one, options.burst)
            for one in np.unique(networks)
        ]
        nats = np.logaddexp(np.log(options.joins) + np.stack(most), np.log(1 - options.joins))
        for column, network in zip(own.tolist(), np.searchsorted(np.unique(networks), networks), strict=True):
            others = nats.sum(axis=0) - nats[network]
            given = np.where(others > 0, 1 / (1 + np.exp(-others) / prior), 0.0)
            row = np.searchsorted(moments, bins.times[:, column], side=side) - 1
            is_near = (row >= 0) & (bins.times[:, column] - moments[row] < options.burst)
            out[:, column] = np.where(is_near, (options.joins * given)[row], 0.0)
    return out


def _latest(moments: Ints, times: Ints, runs: Floats, columns: Bools, burst: int) -> Floats:
    """What one network shows at each moment: the most that one of its series does."""
    shown = np.zeros(len(moments))
    for column in np.flatnonzero(columns).tolist():
        row = np.searchsorted(times[:, column], moments, side="right") - 1
        is_near = (row >= 0) & (moments - times[row, column] < burst)
        shown = np.maximum(shown, np.where(is_near, runs[row, column], 0.0))
    return shown


Span = tuple[int, int, int]
"""Column, from, to."""


def _raised_spans(bins: Bins, ratio: Floats, filtered: Floats, options: InterferenceOptions) -> list[Span]:
    """When a live monitor would have reported each series as *on*.

    It is raised and cleared on data only; a bin without data changes nothing.
    """
    series = ratio.shape[1]
    on, since = np.zeros(series, np.bool_), np.zeros(series, np.int64)
    spans: list[Span] = []
    for j in range(len(ratio)):
        measured = bins.probes[j] > 0
        raised = measured & ~on & (filtered[j] >= options.raise_at) & (ratio[j] > 0)
        cleared = measured & on & (filtered[j] < options.clear_at) & (ratio[j] < 0)
        since[raised] = bins.times[j][raised]
        spans += [_span(column, since, bins.times[j]) for column in np.flatnonzero(cleared)]
        on = (on | raised) & ~cleared
    return spans + [_span(column, since, bins.times[-1]) for column in np.flatnonzero(on)]


def _span(column: np.intp, since: Ints, until: Ints) -> Span:
    return int(column), int(since[column]), int(until[column])


def _onset_rates(times: Ints, spans: list[Span], seats: Seats, options: InterferenceOptions) -> Floats:
    """Onsets per second before each bin: the alert's rate while *another* network is *on*."""
    alert: Bools = np.zeros(times.shape, np.bool_)
    tail = options.alert_hours * 3600
    for column, start, end in spans:
        first, last = np.searchsorted(seats.groups, [seats.groups[column], seats.groups[column] + 1])
        own = slice(int(first), int(last))
        others = seats.networks[own] != seats.networks[column]
        alert[:, own] |= (times[:, own] >= start) & (times[:, own] < end + tail) & others
    return np.where(alert, options.onsets_a_day_alert, options.onsets_a_day) / DAY


def _stretches(one: Series, beliefs: Beliefs, options: InterferenceOptions) -> list[Anomaly]:
    """Runs of bins that are *on* in hindsight; silence inside a run does not split it."""
    n = len(one)
    on = beliefs.smoothed[:n] >= options.session_at
    if not on.any():
        return []
    on = _with_failing_edges(one, on)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    return [
        _stretch(one, slice(int(a), int(b)), beliefs, options)
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def _with_failing_edges(one: Series, on: Bools) -> Bools:
    """Failing bins within an hour of a run belong to it: the hourly cap reduced their weight, not their meaning."""
    near = np.diff(one.times) <= HOUR
    joins = (one.values >= 0.5) | on
    out = on.copy()
    for j in range(1, len(out)):
        out[j] |= out[j - 1] and near[j - 1] and joins[j]
    for j in range(len(out) - 2, -1, -1):
        out[j] |= out[j + 1] and near[j] and joins[j]
    return out


def _stretch(one: Series, run: slice, beliefs: Beliefs, options: InterferenceOptions) -> Anomaly:
    filtered, ratio = beliefs.filtered[run], beliefs.ratio[run]
    failing = np.rint(one.values * one.counts).astype(np.int64)
    first, last = _witnessed(one, failing, run, options)
    highest = float(max(filtered.max(), beliefs.smoothed[run].max()))
    raised = np.flatnonzero((filtered >= options.raise_at) & (ratio > 0))
    start_latest, last_seen = float(one.times[first]), float(one.times[last] + one.step)
    raised_at = None
    if len(raised):
        raised_at = float(one.times[run.start + raised[0]] + one.step)
    elif highest >= options.raise_at:
        raised_at = last_seen
    before = float(one.times[run.start - 1] + one.step) if run.start else None
    after = float(one.times[last + 1]) if run.stop < len(one) else None
    gap_before = 0.0 if before is None else start_latest - before
    inside = slice(first, last + 1)
    return Anomaly(
        key=one.key,
        start=start_latest - min(gap_before / 2, options.back_date),
        start_earliest=before,
        start_latest=start_latest,
        end=None if after is None else last_seen + min((after - last_seen) / 2, options.back_date),
        raised_at=raised_at,
        last_seen=last_seen,
        probability=highest,
        bins=int((failing[inside] > 0).sum()),
        probes=int(failing[inside].sum()),
        controlled=int(np.minimum(failing, one.controlled)[inside].sum()),
    )


def _witnessed(one: Series, failing: Ints, run: slice, options: InterferenceOptions) -> tuple[int, int]:
    """First and last failing bin of a run that has others close to it.

    A single failure hours before the others may be chance: it widens the bounds of the onset, but moves neither the
    onset nor the end.
    """
    seen = run.start + np.flatnonzero(failing[run] > 0)
    if not len(seen):
        return run.start, run.stop - 1
    near = np.diff(one.times[seen]) <= options.alone
    company = (failing[seen] > 1) | np.append(near, False) | np.insert(near, 0, False)
    kept = seen[company] if company.any() else seen
    return int(kept[0]), int(kept[-1])


OPTIONS = InterferenceOptions()

BLOCKING = Detector(
    name="blocking",
    version=DETECTOR_VERSION,
    kind=Kind.BLOCKING,
    reads=Reads.VOTES,
    signals=shown_by(Kind.BLOCKING, quantities=False),
    options=OPTIONS,
    find=find_interference,
    suspect_at=OPTIONS.suspect_at,
)


@dataclass(frozen=True, slots=True)
class ThrottlingOptions(InterferenceOptions):
    """Those of throttling."""

    mean_on: float = option(
        0.75, "A policed flow still gives some probes a good moment: the bucket lets a burst through."
    )


THROTTLING = replace(
    BLOCKING,
    name="throttling",
    kind=Kind.THROTTLING,
    signals=shown_by(Kind.THROTTLING, quantities=False),
    options=ThrottlingOptions(),
)


@dataclass(frozen=True, slots=True)
class SilenceOptions(InterferenceOptions):
    """Those of silent probes."""

    mean_off: float = option(
        0.03, "A probe's machine restarts, or its line fails by itself, more often than a platform fails."
    )


SILENCE = replace(
    BLOCKING,
    name="silence",
    kind=Kind.OUTAGE,
    signals=shown_by(Kind.OUTAGE, quantities=False),
    options=SilenceOptions(),
)


@dataclass(frozen=True, slots=True)
class SlownessOptions(InterferenceOptions):
    """Those of slow probes."""

    burst: int = option(300, "Seconds of a round: as wide as a bin (`series.slowness_step_seconds`).")
    mean_off: float = option(
        0.05, "Of rates that differ by half from one to the next, one in thirty is slow by chance."
    )
    mean_on: float = option(0.75, "Where every line has a third left, one rate in four is not slow.")


SLOWNESS = replace(
    BLOCKING,
    name="slowness",
    version=SLOWDOWN_DETECTOR_VERSION,
    kind=Kind.SLOWDOWN,
    reads=Reads.RATES,
    signals=shown_by(Kind.SLOWDOWN, quantities=False),
    options=SlownessOptions(),
)


MOST = 100_000
"""Pairs of country and target kept; each takes about a hundred bytes if nothing was found."""

_Place = tuple[str, str]
"""Country and target."""


class Recall:
    """Cache of anomalies by detector and place; for one thread at a time."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._found: OrderedDict[tuple[Detector[Any], _Place], tuple[bytes, list[Anomaly]]] = OrderedDict()

    def find(self, detector: Detector[Any], series: Sequence[Series]) -> list[Anomaly]:
        """As ``detector.found``, which is called only for places where something changed."""
        places: dict[_Place, list[Series]] = defaultdict(list)
        for one in series:
            if one.key.signal in detector.signals:
                places[(one.key.place.country, one.key.target)].append(one)
        digests = {place: _digest(own) for place, own in places.items()}
        changed = [place for place in places if not self._holds(detector, place, digests[place])]
        fresh: dict[_Place, list[Anomaly]] = {place: [] for place in changed}
        for anomaly in detector.found(s for place in changed for s in places[place]):
            fresh[(anomaly.key.place.country, anomaly.key.target)].append(anomaly)
        known = {place: self._found[detector, place][1] for place in places if place not in fresh}
        for place, anomalies in (fresh | known).items():
            self._found[detector, place] = digests[place], anomalies
            self._found.move_to_end((detector, place))
        while len(self._found) > self._most:
            self._found.popitem(last=False)
        found = [anomaly for place in places for anomaly in (fresh | known)[place]]
        return sorted(found, key=lambda a: (a.start, str(a.key.place), a.key.target))

    def _holds(self, detector: Detector[Any], place: _Place, digest: bytes) -> bool:
        kept = self._found.get((detector, place))
        return kept is not None and kept[0] == digest


def _digest(series: Sequence[Series]) -> bytes:
    """Digest of everything that a detector can see of the series, including their order."""
    digest = blake2b(digest_size=16)
    for one in series:
        digest.update(repr((one.key, one.step, len(one))).encode())
        for values in (one.times, one.values, one.counts, one.controlled, one.measurements):
            digest.update(values.tobytes())
        digest.update(b"" if one.vouched is None else one.vouched.tobytes())
    return digest.digest()
