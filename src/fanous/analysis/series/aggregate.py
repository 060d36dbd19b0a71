"""Aggregate: from verdicts to series: the reference in plain Python for what the store computes in SQL.

A measurement votes, then a probe votes, then the bin holds the share of probes; so neither a probe that measures every
second nor a nettest that writes many verdicts outweighs the others.  If a probe says the same in bin after bin against
its neighbours, the repeats do not count (``repeats``).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from math import floor

import numpy as np

from fanous.analysis.series.repeats import Bools, overruled
from fanous.analysis.series.signals import COUNTED, SIGNALS, Signal, Symptoms
from fanous.model.measurement import Layer
from fanous.model.place import UNKNOWN_COUNTRY, Place
from fanous.model.series import Floats, Ints, Series, SeriesKey, Votes
from fanous.model.verdict import SLOWNESS, State

BLOCKED_DNS = "blocked_dns"
BLOCKED_PATH = "blocked_path"
THROTTLED = "throttled"
PROBE_MAJORITY = 0.5
"""A probe says "blocked" in a bin if at least half of its measurements do.  Ties count as seen, since a probe on a path
that blocks every second attempt cannot be said to reach the target."""


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


@dataclass(frozen=True, slots=True)
class Vote:
    """What one measurement says about one target in one signal.

    Attributes:
        at: unix seconds, UTC.
        seen: did it see blocking (or throttling)?
        controlled: did a normal control travel with one of the verdicts behind the vote?  Behind one that saw it are
            those that show it.
    """

    key: SeriesKey
    at: float
    probe: str
    seen: bool
    controlled: bool


def series(rows: Iterable[VerdictRow], step: int) -> list[Series]:
    """The three signals of verdicts, for each network, target (and resolver's network for DNS).

    Args:
        rows: in any order; those of unsound measurements, unknown networks and unknown countries are left out.
        step: bin width in seconds.

    Returns:
        Sorted by network, target, signal, resolver; ``values`` is the share of probes that saw it.
    """
    ballots: defaultdict[SeriesKey, defaultdict[int, defaultdict[str, list[Vote]]]]
    ballots = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for vote in votes(rows):
        ballots[vote.key][floor(vote.at / step) * step][vote.probe].append(vote)
    keys = sorted(ballots, key=lambda k: (k.place, k.target, k.signal, k.resolver_asn))
    return [series_of(key, step, _ballots(ballots[key])) for key in keys]


def votes(rows: Iterable[VerdictRow]) -> Iterator[Vote]:
    """Each measurement's vote on each target in each signal on which it can vote."""
    grouped: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
    for row in rows:
        if not row.defect and row.asn and row.country != UNKNOWN_COUNTRY:
            grouped[row.uid, row.target].append(row)
    for group in grouped.values():
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
    yield Vote(key, row.started_at, row.probe, bool(seen), any(r.controlled for r in seen or rows))


def _shows(signal: Signal, row: VerdictRow) -> bool:
    """Does the verdict say what the signal counts?"""
    if row.layer not in signal.layers:
        return False
    if not row.symptom or signal.symptoms is Symptoms.ALL:
        return row.state in signal.states or row.symptom
    is_slow = row.layer == Layer.TRANSFER or SLOWNESS in row.mechanism
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
    """

    bins: Ints
    probes: Ints
    seen: Bools
    controlled: Bools
    measurements: Ints


def series_of(key: SeriesKey, step: int, ballots: Ballots) -> Series:
    """The series of one key: each probe counts once per bin, and repeats against the majority do not count."""
    heard = ~overruled(ballots.probes, ballots.bins, ballots.seen)
    times, bin_of = np.unique(ballots.bins[heard], return_inverse=True)

    def in_bins(values: Bools | Ints) -> Floats:
        return np.asarray(np.bincount(bin_of, weights=values[heard], minlength=len(times)), np.float64)

    counts = np.bincount(bin_of, minlength=len(times))
    return Series(
        key=key,
        step=step,
        times=times,
        values=in_bins(ballots.seen) / counts,
        counts=counts,
        controlled=in_bins(ballots.controlled).astype(np.int64),
        measurements=in_bins(ballots.measurements).astype(np.int64),
    )


def counted(votes: Votes, step: int) -> Votes:
    """The votes that count, without those of probes that repeat themselves against the majority.

    Args:
        step: bin width of the series that the detectors saw, seconds.
    """
    columns = votes.asns, votes.targets, votes.signals, votes.resolver_asns
    series = _numbered(zip(*(column.tolist() for column in columns), strict=True))
    probes, bins = _numbered(votes.probes.tolist()), (votes.times // step).astype(np.int64) * step
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
    )


def _majority(own: list[Vote]) -> bool:
    return sum(vote.seen for vote in own) / len(own) >= PROBE_MAJORITY
