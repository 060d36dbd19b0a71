"""Aggregate: verdicts to series - the reference in plain Python for what the store computes in SQL.

A measurement votes, then a probe votes, then the bin holds the share of the probes: so neither a probe
that measures every second nor a nettest that writes many verdicts outweighs the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import floor

import numpy as np

from fanous.model.entity import UNKNOWN_COUNTRY, Entity
from fanous.model.observation import Layer
from fanous.model.series import Series, SeriesKey
from fanous.model.verdict import State

BLOCKED_DNS = "blocked_dns"
BLOCKED_PATH = "blocked_path"
THROTTLED = "throttled"
PROBE_MAJORITY = 0.5
"""A probe says "blocked" in a bin where at least half of its measurements do: ties count as seen, since
a probe on a path that blocks every second attempt is not a probe that can reach the target."""


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One verdict with what is needed of its measurement; fields as in ``Verdict``, ``Measurement``."""

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


@dataclass(frozen=True, slots=True)
class Vote:
    """What one measurement says of one target in one signal.

    Attributes:
        at: unix seconds, UTC.
        seen: the measurement saw blocking (or throttling).
        controlled: a normal control travelled with one of the verdicts behind the vote.
    """

    key: SeriesKey
    at: float
    probe: str
    seen: bool
    controlled: bool


def series(rows: Iterable[VerdictRow], step: int) -> list[Series]:
    """The three signals of verdicts, for each network, target (and resolver's network for DNS).

    Args:
        rows: in any order; those of unsound measurements, unknown networks and unknown countries are
            left out.
        step: bin width in seconds.

    Returns:
        Sorted by network, target, signal, resolver; ``values`` is the share of probes that saw it.
    """
    ballots: defaultdict[SeriesKey, defaultdict[int, defaultdict[str, list[Vote]]]]
    ballots = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for vote in votes(rows):
        ballots[vote.key][floor(vote.at / step) * step][vote.probe].append(vote)
    keys = sorted(ballots, key=lambda k: (k.entity, k.target, k.signal, k.resolver_asn))
    return [_series(key, step, ballots[key]) for key in keys]


def votes(rows: Iterable[VerdictRow]) -> Iterator[Vote]:
    """Each measurement's vote on each target in each signal it has a say in."""
    grouped: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
    for row in rows:
        if not row.defect and row.asn and row.country != UNKNOWN_COUNTRY:
            grouped[row.uid, row.target].append(row)
    for group in grouped.values():
        dns = [row for row in group if row.layer == Layer.DNS]
        path = [row for row in group if row.layer != Layer.DNS]
        yield from _vote(BLOCKED_DNS, dns, _blocked(dns), dns[0].resolver_asn if dns else 0)
        yield from _vote(BLOCKED_PATH, path, _blocked(path), 0)
        throttled = _throttled(path)
        yield from _vote(THROTTLED, [r for r in path if _slowed(r)] if throttled else path, throttled, 0)


def _vote(signal: str, rows: list[VerdictRow], seen: bool | None, resolver_asn: int) -> Iterator[Vote]:
    if seen is None:
        return
    row = rows[0]
    key = SeriesKey(Entity(row.country, row.asn), row.target, signal, resolver_asn=resolver_asn)
    yield Vote(key, row.started_at, row.probe, seen, any(r.controlled for r in rows))


def _blocked(rows: list[VerdictRow]) -> bool | None:
    """``None`` = the verdicts say neither that it works nor that it is blocked."""
    if any(row.state == State.BLOCKED or (row.symptom and row.layer != Layer.TRANSFER) for row in rows):
        return True
    return False if any(row.state == State.OK for row in rows) else None


def _throttled(rows: list[VerdictRow]) -> bool | None:
    """A blocked target cannot be measured for throttling: no vote."""
    if any(_slowed(row) for row in rows):
        return True
    return None if _blocked(rows) else _blocked(rows)


def _slowed(row: VerdictRow) -> bool:
    """A transfer's symptom is that it is slow: it came through."""
    return row.state == State.THROTTLED or (row.symptom and row.layer == Layer.TRANSFER)


def _series(key: SeriesKey, step: int, bins: dict[int, defaultdict[str, list[Vote]]]) -> Series:
    """Bins of one series: one vote a probe."""
    times = sorted(bins)
    probes = [list(bins[time].values()) for time in times]
    seen = [sum(_majority(own) for own in bin_) for bin_ in probes]
    counts = np.array([len(bin_) for bin_ in probes], np.int64)
    return Series(
        key=key,
        step=step,
        times=np.array(times, np.int64),
        values=np.array(seen, np.float64) / counts,
        counts=counts,
        controlled=np.array([sum(any(v.controlled for v in own) for own in b) for b in probes], np.int64),
        measurements=np.array([sum(len(own) for own in bin_) for bin_ in probes], np.int64),
    )


def _majority(own: list[Vote]) -> bool:
    return sum(vote.seen for vote in own) / len(own) >= PROBE_MAJORITY
