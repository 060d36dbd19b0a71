"""Votes: what probes on a network say over time, described in physical terms - rates an hour, minutes.

For tests of detectors.  Nothing here comes from a detector's model of the world: failures come in bursts
because lines are bad for half an hour, a restriction catches a share of the attempts, volunteers sleep.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from fanous.evaluation.simulate.notation import DAY, STEP, series_key
from fanous.model.series import Series, SeriesKey

HOUR = 3600.0
Hours = tuple[float, float]
"""From, to: hours since the beginning."""


@dataclass(frozen=True, slots=True)
class Life:
    """A network and the probes on it.

    Attributes:
        probes: sound ones.
        rounds_per_hour: of each probe, at random moments.
        failure_rate: share of attempts that fail for no reason of interest.
        bursts_per_day: bad spells of each probe's line.
        burst_minutes: how long one lasts.
        burst_failure_rate: share of attempts that fail within one.
        shared_bursts_per_day: bad spells of the network, which all its probes feel at once.
        blocked: when the target is restricted.
        catch: share of attempts that the restriction catches.
        broken: further probes for which everything fails always.
        lying: further probes that report a failure whatever they see, half of the time.
        silent: when nobody measures.
        controlled: share of attempts with a normal control of their own; a bad line spoils the control too.
    """

    probes: int = 3
    rounds_per_hour: float = 1.0
    failure_rate: float = 0.01
    bursts_per_day: float = 0.1
    burst_minutes: float = 30.0
    burst_failure_rate: float = 0.7
    shared_bursts_per_day: float = 0.0
    blocked: tuple[Hours, ...] = ()
    catch: float = 0.93
    broken: int = 0
    lying: int = 0
    silent: tuple[Hours, ...] = ()
    controlled: float = 1.0


@dataclass(frozen=True, slots=True)
class SimulatedVote:
    """One attempt: ``hour`` since the beginning, whether it failed, whether its control was normal."""

    hour: float
    probe: str
    failed: bool
    controlled: bool


def votes_of(life: Life, hours: float, seed: int) -> list[SimulatedVote]:
    """All attempts within ``hours`` from the beginning, in the order of time."""
    shared = _spells(life.shared_bursts_per_day, life.burst_minutes, hours, Random(f"{seed}/shared"))
    kinds = [("sound", life.probes), ("broken", life.broken), ("lying", life.lying)]
    votes: list[SimulatedVote] = []
    for kind, count in kinds:
        for number in range(count):
            votes += _attempts(
                life, kind, f"{kind}-{number}", hours, shared, Random(f"{seed}/{kind}/{number}")
            )
    return sorted(votes, key=lambda vote: (vote.hour, vote.probe))


def series_of(
    votes: Sequence[SimulatedVote], *, key: SeriesKey | None = None, step: int = STEP, start: int = DAY
) -> Series:
    """The share of probes that failed in each bin in which any measured; a probe has one vote a bin."""
    bins: dict[int, dict[str, list[SimulatedVote]]] = defaultdict(lambda: defaultdict(list))
    for vote in votes:
        at = start + vote.hour * HOUR
        bins[int(at // step) * step][vote.probe].append(vote)
    times = sorted(bins)
    failed = [[_mostly_failed(made) for made in bins[time].values()] for time in times]
    normal = [sum(any(v.controlled for v in made) for made in bins[time].values()) for time in times]
    return Series(
        key=key or series_key(),
        step=step,
        times=np.array(times, dtype=np.int64),
        values=np.array([sum(each) / len(each) for each in failed], dtype=np.float64),
        counts=np.array([len(each) for each in failed], dtype=np.int64),
        controlled=np.array(normal, dtype=np.int64),
        measurements=np.array([sum(map(len, bins[time].values())) for time in times], dtype=np.int64),
    )


def _attempts(
    life: Life, kind: str, probe: str, hours: float, shared: list[Hours], chance: Random
) -> list[SimulatedVote]:
    spells = shared + _spells(life.bursts_per_day, life.burst_minutes, hours, chance)
    made, hour = [], 0.0
    while life.rounds_per_hour and (hour := hour + chance.expovariate(life.rounds_per_hour)) < hours:
        if _within(hour, life.silent):
            continue
        bad = _within(hour, spells)
        failed = _fails(life, kind, hour, bad, chance)
        spoilt = bad or kind == "broken"
        made.append(SimulatedVote(hour, probe, failed, not spoilt and chance.random() < life.controlled))
    return made


def _fails(life: Life, kind: str, hour: float, bad: bool, chance: Random) -> bool:
    if kind == "broken":
        return True
    if kind == "lying" and chance.random() < 0.5:
        return True
    if _within(hour, life.blocked) and chance.random() < life.catch:
        return True
    return chance.random() < (life.burst_failure_rate if bad else life.failure_rate)


def _spells(per_day: float, minutes: float, hours: float, chance: Random) -> list[Hours]:
    spells, hour = [], 0.0
    while per_day and (hour := hour + chance.expovariate(per_day / 24)) < hours:
        spells.append((hour, hour + minutes / 60))
    return spells


def _within(hour: float, spans: Sequence[Hours]) -> bool:
    return any(start <= hour < end for start, end in spans)


def _mostly_failed(made: list[SimulatedVote]) -> bool:
    """Ties count as failed, as everywhere."""
    return 2 * sum(vote.failed for vote in made) >= len(made)
