"""Aggregate: from verdicts to series: the reference in plain Python for what the store computes in SQL.

A measurement votes, then a probe votes, then the bin holds the share of probes; so neither a probe that measures every
second nor a nettest that writes many verdicts outweighs the others.

A probe that repeats itself while most of its neighbours say the contrary counts less, or not at all.  Otherwise a probe
that measures without pause would have a voice in every bin, and people who measure now and then would have one in few:
one flooding probe would outweigh a network of honest ones.  If neighbours agree, or no one else measures, each bin is
news as usual: own probes decide in minutes.

Voices that an operator answers for are counted in bins as narrow as their rounds; those of strangers, whom anyone can
multiply, in wider ones.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from math import floor, nan

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.series.line import Line, account, in_view_of, is_sender_known, lines, sender_of
from fanous.analysis.series.signals import COUNTED, SIGNALS, Signal, Symptoms
from fanous.model.measurement import Layer
from fanous.model.place import UNKNOWN_COUNTRY, Place
from fanous.model.series import Floats, Ints, Series, SeriesKey, Votes
from fanous.model.threshold import threshold
from fanous.model.verdict import State, is_starved

# --- probes that repeat themselves -----------------------------------------------------------------------

Bools = NDArray[np.bool_]

MEMORY = threshold(
    "series.repeats_memory_seconds",
    21600,
    "Time for which what a probe said counts: someone who measures every other hour is heard three times in it, "
    "and what was said longer ago may have been about another event.",
)

MOST = threshold(
    "series.repeats_most",
    2,
    "Neighbours for each probe that says the same, beyond which they overrule it: of five probes one is "
    "overruled by the others, and two that fail by chance overrule no one and keep no one waiting.",
)

VOICE = threshold(
    "series.repeats_voice_seconds",
    MEMORY // 3,
    "Time in which a probe has one voice when voices are counted: probes that measure all the time must not "
    "outnumber those that measure every other hour.",
)

KNOWN = threshold(
    "series.repeats_known_weight",
    2,
    "Weight of a statement by a probe that has said something about the target before.",
)
NEW = threshold(
    "series.repeats_new_weight",
    1,
    "Weight of a probe's first statement: names cost nothing, and a few machines under new names each round "
    "overruled the honest (in two runs of four, 17 of these among 57 created a national incident).",
)


def overruled(probes: Ints, bins: Ints, seen: Bools) -> Bools:
    """Which voices of one series are repeats against the majority.

    A repeat does not count while more than ``MOST`` times as many say the contrary as say the same.  One that says
    *works* must wait as soon as those that contradict it are more numerous, and more than ``MOST``: it counts as often
    as they do.  One that says *fails* does not wait, otherwise the stretch would end before the others are heard,
    and the rest would be claimed with hardly anyone against it.

    Only what neighbours said *since* the probe first said the same counts against it: at an onset or an end, those that
    measured before it contradict no one.

    Args:
        probes: shape (n,), one number for each probe.
        bins: int64, shape (n,), unix seconds at which the bin begins; one row for each probe and bin.
        seen: bool, shape (n,), what the probe says in it.

    Returns:
        bool, shape (n,).
    """
    order = np.argsort(bins, kind="stable")
    out = np.empty(len(bins), np.bool_)
    out[order] = _overruled(probes[order], bins[order], seen[order])
    return out


def _overruled(probes: Ints, bins: Ints, seen: Bools) -> Bools:
    """The same for rows in order of time."""
    words = 2 * probes + seen
    since, until, weights = _first_said(words, bins), _stands_until(probes, bins), _weights(probes, bins)
    for_it, against = _standing(bins, until, seen, weights)
    out = np.zeros(len(bins), np.bool_)
    if not ((since < bins) & (against > for_it)).any():
        return out
    silenced_at = np.where(_is_outnumbered(words, bins, weights, since), 1, MOST) * for_it
    waits_at = np.where(seen, silenced_at, np.maximum(for_it, MOST * weights))
    begin, end = np.searchsorted(bins, bins - MEMORY), np.searchsorted(bins, bins, side="right")
    for row in np.flatnonzero((since < bins) & (against > np.minimum(silenced_at, waits_at))):
        lately = np.arange(begin[row], end[row])
        contrary = lately[seen[lately] != seen[row]]
        stand = contrary[(bins[contrary] > since[row]) & (until[contrary] > bins[row])]
        standing = weights[stand].sum()
        out[row] = standing > silenced_at[row]
        if not out[row] and standing > waits_at[row]:
            heard = lately[(words[lately] == words[row]) & (bins[lately] < bins[row]) & ~out[lately]]
            after = contrary[bins[contrary] > bins[heard].max(initial=0)]
            out[row] = weights[after].sum() < standing
    return out


def _is_outnumbered(words: Ints, bins: Ints, weights: Ints, since: Ints) -> Bools:
    """Do others' later statements weigh more than ``MOST`` times as much against a statement as for it?

    A neighbour that said the same once, hours ago, and has not been heard since is one voice against many.
    """
    slots = bins // VOICE
    voices, first = np.unique(words * (slots.max() + 1) + slots, return_index=True)
    said, times, weigh = voices // (slots.max() + 1), bins[first], weights[first]

    def others(asked: Ints) -> Ints:
        """The weight without what the probe itself said."""
        everybody = _between(said % 2, times, weigh, asked % 2, since, bins)
        return everybody - _between(said, times, weigh, asked, since, bins)

    contrary = words ^ 1
    return np.asarray(others(contrary) > MOST * (weights + others(words)))


def _between(words: Ints, times: Ints, weights: Ints, asked: Ints, since: Ints, until: Ints) -> Ints:
    """Weight of each statement made from ``since`` up to ``until``."""
    apart = int(until.max()) + 1
    line = words * apart + times  # one statement after the other
    return _sum_until(line, weights, asked * apart + until) - _sum_until(
        line, weights, asked * apart + since - 1
    )


def _weights(probes: Ints, bins: Ints) -> Ints:
    """Weight of each row's statement."""
    order = np.lexsort((bins, probes))
    is_first = np.diff(probes[order], prepend=-1) != 0
    weights = np.empty_like(bins)
    weights[order] = np.where(is_first, NEW, KNOWN)
    return weights


def _first_said(words: Ints, bins: Ints) -> Ints:
    """When each statement (a probe's yes or no) was first made within ``MEMORY`` of each row."""
    order = np.lexsort((bins, words))
    apart = np.ptp(bins) + MEMORY + 1 if len(bins) else 0
    line = words[order] * apart + bins[order]  # one statement after the other, too far apart to be within it
    first = np.empty_like(bins)
    first[order] = bins[order][np.searchsorted(line, line - MEMORY)]
    return first


def _stands_until(probes: Ints, bins: Ints) -> Ints:
    """Until when each row is its probe's latest statement."""
    order = np.lexsort((bins, probes))
    until = bins[order] + MEMORY + 1
    same = np.flatnonzero(np.diff(probes[order]) == 0)
    until[same] = np.minimum(until[same], bins[order][same + 1])
    stands = np.empty_like(bins)
    stands[order] = until
    return stands


def _standing(bins: Ints, until: Ints, seen: Bools, weights: Ints) -> tuple[Ints, Ints]:
    """Weight of the latest statements that agree with each row at its time, including its own, and of the others."""
    yes, no = (
        _sum_until(bins[said], weights[said], bins) - _sum_until(until[said], weights[said], bins)
        for said in (seen, ~seen)
    )
    return np.where(seen, yes, no), np.where(seen, no, yes)


def _sum_until(times: Ints, weights: Ints, now: Ints) -> Ints:
    """Sum of the weights whose time is not after each ``now``."""
    order = np.argsort(times)
    sums = np.concatenate([[0], np.cumsum(weights[order])])
    return np.asarray(sums[np.searchsorted(times[order], now, side="right")])


VOUCHED_STEP = threshold(
    "series.vouched_step_seconds",
    60,
    "Width of a bin of vouched voices: an organisation's probes measure once in 1 to 10 minutes.",
)


def starts(times: Floats, vouched: Bools, step: int, vouched_step: int) -> Ints:
    """When the bins begin that hold votes, unix seconds; all arrays have shape (n,)."""
    widths = np.where(vouched, vouched_step, step)
    return np.asarray(np.floor(times / widths), np.int64) * widths


BLOCKED_DNS = "blocked_dns"
BLOCKED_PATH = "blocked_path"
THROTTLED = "throttled"
PROBE_MAJORITY = threshold(
    "series.probe_majority",
    0.5,
    "At least this share of a probe's measurements in a bin must see the failure. A tie counts as seen: a probe "
    "on a path that blocks every second attempt cannot be said to reach the target.",
)


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One verdict with the needed fields of its measurement; as in ``Verdict`` and ``Measurement``."""

    uid: str
    country: str
    asn: int
    resolver_asn: int
    probe: str
    started_at: float
    target: str
    layer: Layer
    state: State
    symptom: bool = False
    controlled: bool = False
    defect: str = ""
    mechanism: str = ""
    kbps: float = nan
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """What one measurement says about one target in one signal.

    Attributes:
        at: unix seconds, UTC.
        seen: did it see blocking (or throttling)?
        controlled: did a normal control travel with one of the verdicts behind the vote?  Behind one that saw it are
            those that show it.
        vouched: does an operator answer for who made it?
    """

    key: SeriesKey
    at: float
    probe: str
    seen: bool
    controlled: bool
    vouched: bool


def series(rows: Iterable[VerdictRow], step: int, vouched_step: int = 0) -> list[Series]:
    """The three signals of verdicts, for each network, target (and resolver's network for DNS).

    Args:
        rows: in any order; those of unsound measurements, unknown networks and unknown countries are left out.
        step: bin width in seconds.
        vouched_step: that of vouched voices; 0 = the same.

    Returns:
        Sorted by network, target, signal, resolver; ``values`` is the share of probes that saw it.
    """
    ballots: defaultdict[SeriesKey, defaultdict[int, defaultdict[str, list[Vote]]]]
    ballots = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for vote in votes(rows):
        width = vouched_step if vote.vouched and vouched_step else step
        ballots[vote.key][floor(vote.at / width) * width][vote.probe].append(vote)
    keys = sorted(ballots, key=lambda k: (k.place, k.target, k.signal, k.resolver_asn))
    return [series_of(key, step, _ballots(ballots[key]), vouched_step) for key in keys]


def votes(rows: Iterable[VerdictRow]) -> Iterator[Vote]:
    """Each measurement's vote on each target in each signal on which it can vote."""
    grouped: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
    for row in rows:
        if not row.defect and row.asn and row.country != UNKNOWN_COUNTRY:
            grouped[row.uid, row.target].append(row)
    known = lines(
        account(uid, target, sender_of(uid, row.probe, row.country, row.asn), row.started_at, group)
        for (uid, target), group in grouped.items()
        for row in group[:1]
    )
    for key, group in grouped.items():
        # Without the sender's other measurements, nothing says how its line was.
        is_known = is_sender_known(key[0], group[0].probe)
        group = [in_view_of(known.get(key, Line.UNKNOWN), row, is_known) for row in group]
        for signal in COUNTED:
            rows_of_it = [row for row in group if row.layer in signal.layers]
            others = [row for row in group if signal.yields_to and _shows(SIGNALS[signal.yields_to], row)]
            yield from _vote(signal, rows_of_it, yields=bool(others))


def _vote(signal: Signal, rows: list[VerdictRow], *, yields: bool) -> Iterator[Vote]:
    """None, if the verdicts say neither that the target works nor that it does not."""
    seen = [row for row in rows if _shows(signal, row)]
    if not seen and (yields or all(row.state != State.OK for row in rows)):
        return
    row = rows[0]
    key = SeriesKey(
        Place(row.country, row.asn),
        row.target,
        signal.name,
        resolver_asn=row.resolver_asn if signal.by_resolver else 0,
    )
    # A control that came with another verdict says nothing about what was seen.
    is_controlled = any(one.controlled for one in seen or rows)
    yield Vote(key, row.started_at, row.probe, bool(seen), is_controlled, row.vouched)


def _shows(signal: Signal, row: VerdictRow) -> bool:
    """Does the verdict say what the signal counts?"""
    if row.layer not in signal.layers:
        return False
    if not row.symptom or signal.symptoms is Symptoms.ALL:
        return row.state in signal.states or row.symptom
    is_slow = row.layer == Layer.TRANSFER or is_starved(row.mechanism)
    return row.state in signal.states or is_slow == (signal.symptoms is Symptoms.SLOW)


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """What the probes of one series say, one row for each probe and bin; all arrays have shape (n,).

    Attributes:
        bins: int64, unix seconds at which the bin begins.
        probes: one number for each probe.
        seen: bool, what most of the probe's measurements in the bin say.
        controlled: bool, did one of them carry a normal control?
        measurements: int64, number made in the bin.
        vouched: bool, does an operator answer for the probe?
    """

    bins: Ints
    probes: Ints
    seen: Bools
    controlled: Bools
    measurements: Ints
    vouched: Bools


def series_of(key: SeriesKey, step: int, ballots: Ballots, vouched_step: int = 0) -> Series:
    """The series of one key: each probe counts once per bin, and repeats against the majority do not count.

    Its step is that of its narrowest bins.
    """
    heard = ~overruled(ballots.probes, ballots.bins, ballots.seen)
    times, bin_of = np.unique(ballots.bins[heard], return_inverse=True)

    def in_bins(values: Bools | Ints) -> Floats:
        return np.asarray(np.bincount(bin_of, weights=values[heard], minlength=len(times)), np.float64)

    counts = np.bincount(bin_of, minlength=len(times))
    vouched = in_bins(ballots.vouched).astype(np.int64)
    return Series(
        key=key,
        step=vouched_step if vouched_step and vouched.any() else step,
        times=times,
        values=in_bins(ballots.seen) / counts,
        counts=counts,
        controlled=in_bins(ballots.controlled).astype(np.int64),
        measurements=in_bins(ballots.measurements).astype(np.int64),
        vouched=vouched,
    )


def counted(votes: Votes, step: int, vouched_step: int = VOUCHED_STEP) -> Votes:
    """The votes that count, without those of probes that repeat themselves against the majority.

    Args:
        step, vouched_step: bin widths of the series that the detectors saw, seconds.
    """
    columns = votes.asns, votes.targets, votes.signals, votes.resolver_asns
    series = _numbered(zip(*(column.tolist() for column in columns), strict=True))
    probes, bins = _numbered(votes.probes.tolist()), starts(votes.times, votes.vouched, step, vouched_step)
    kept = np.ones(len(votes), np.bool_)
    order = np.argsort(series, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(series[order])) + 1):
        if votes.seen[rows].any() and not votes.seen[rows].all():
            kept[rows] = _counts(probes[rows], bins[rows], votes.seen[rows])
    return votes.where(kept)


def _counts(probes: Ints, bins: Ints, seen: Bools) -> Bools:
    """Which votes of one series count."""
    (of, when), ballot = np.unique(np.stack([probes, bins]), axis=1, return_inverse=True)
    ballot = ballot.ravel()
    said = np.bincount(ballot, weights=seen) >= PROBE_MAJORITY * np.bincount(ballot)
    return np.asarray(~overruled(of, when, said)[ballot])


def _numbered(names: Iterable[Hashable]) -> Ints:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def _ballots(bins: dict[int, defaultdict[str, list[Vote]]]) -> Ballots:
    numbers: dict[str, int] = {}
    rows = [
        (time, numbers.setdefault(probe, len(numbers)), own)
        for time in sorted(bins)
        for probe, own in bins[time].items()
    ]
    return Ballots(
        bins=np.array([time for time, _, _ in rows], np.int64),
        probes=np.array([probe for _, probe, _ in rows], np.int64),
        seen=np.array([_majority(own) for _, _, own in rows], np.bool_),
        controlled=np.array([any(vote.controlled for vote in own) for _, _, own in rows], np.bool_),
        measurements=np.array([len(own) for _, _, own in rows], np.int64),
        vouched=np.array([any(vote.vouched for vote in own) for _, _, own in rows], np.bool_),
    )


def _majority(own: list[Vote]) -> bool:
    return sum(vote.seen for vote in own) / len(own) >= PROBE_MAJORITY
