"""Crowd: honest probes of a country and liars among them, and an organisation's own probes, attempt by attempt.

A liar controls everything it sends: it forges its own control too, and says what its strategy dictates.  The
crowd is described only in physical terms (who, where, how often), and nothing here comes from a detector.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

import numpy as np

from fanous.model.instant import HOUR
from fanous.model.series import Votes

START = 1_699_920_000.0
"""14 November 2023, 00:00 UTC."""

RATE = 0.5
"""Rounds per hour of each probe."""

FLOOD = 12.0
"""How many times more often than others a flooding liar sends."""

TRUTH = 1 / 6
"""How often a wavering liar tells the truth: often enough to seem to change its mind within an hour."""

OWN_RATE = 12.0
"""Rounds per hour of each probe that an organisation runs itself."""

FAILING = 0.015
CAUGHT = 0.93
"""Shares of honest attempts that fail by chance, and that a real restriction catches."""


class Strategy(StrEnum):
    """What a liar says."""

    ALWAYS_BLOCKED = "always blocked"
    ALWAYS_OK = "always ok"
    MIMIC = "mimic: honest until the hour, then all together"
    FLOOD = "flood: the same, twelve times as often"
    WAVER = "waver: flood, and the truth every sixth time"
    SYBIL = "sybil: the same, under a new name each round"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who measures.

    Attributes:
        networks: ASNs 1 to ``networks``, all alike.
        honest: sound probes on each.
        hours: how long everyone measures.
        event: from, to (hours since the beginning): when a restriction is in force, or is made to seem so.
        real: whether there is one.
        liars: probes that lie, in all.
        spread: number of networks that the liars are spread over, from ASN 1 on.
        own: probes of an organisation on each network, for which everything works: there is no restriction, or the
            censor knows them and lets them through.
    """

    networks: int
    honest: int
    hours: float
    event: tuple[float, float]
    real: bool
    liars: int
    spread: int
    strategy: Strategy
    own: int = 0


@dataclass(frozen=True, slots=True)
class SimulatedAttempt:
    """``hour`` since the beginning; ``source`` as in ``Votes``."""

    hour: float
    asn: int
    probe: str
    failed: bool
    source: str = "ooni"


def attempts(crowd: Crowd, seed: int) -> list[SimulatedAttempt]:
    """All attempts, in the order of time."""
    made: list[SimulatedAttempt] = []
    for asn in range(1, crowd.networks + 1):
        for number in range(crowd.honest):
            made += _honest(crowd, asn, number, Random(f"{seed}/{asn}/{number}"))
    for number in range(crowd.liars):
        made += _lies(crowd, number % crowd.spread + 1, number, Random(f"{seed}/liar/{number}"))
    for asn in range(1, crowd.networks + 1):
        for number in range(crowd.own):
            made += _own(crowd, asn, number, Random(f"{seed}/own/{asn}/{number}"))
    return sorted(made, key=lambda attempt: attempt.hour)


def _honest(crowd: Crowd, asn: int, number: int, chance: Random) -> Iterator[SimulatedAttempt]:
    for hour in _rounds(crowd, RATE, chance):
        caught = crowd.real and _during(crowd, hour) and chance.random() < CAUGHT
        yield SimulatedAttempt(hour, asn, f"{asn}.{number}", caught or chance.random() < FAILING)


def _own(crowd: Crowd, asn: int, number: int, chance: Random) -> Iterator[SimulatedAttempt]:
    for hour in _rounds(crowd, OWN_RATE, chance):
        yield SimulatedAttempt(hour, asn, f"own {asn}.{number}", chance.random() < FAILING, "edge")


def _lies(crowd: Crowd, asn: int, number: int, chance: Random) -> Iterator[SimulatedAttempt]:
    rate = RATE * FLOOD if crowd.strategy in (Strategy.FLOOD, Strategy.WAVER) else RATE
    for turn, hour in enumerate(_rounds(crowd, rate, chance)):
        name = f"liar {number}" + (f".{turn}" if crowd.strategy is Strategy.SYBIL else "")
        yield SimulatedAttempt(hour, asn, name, _claimed(crowd, hour, chance))


def _claimed(crowd: Crowd, hour: float, chance: Random) -> bool:
    """What a liar claims, the opposite of the truth: it denies a real restriction and reports a non-existent one."""
    match crowd.strategy:
        case Strategy.WAVER if chance.random() < TRUTH:
            return crowd.real and _during(crowd, hour)
        case Strategy.ALWAYS_BLOCKED:
            return True
        case Strategy.ALWAYS_OK:
            return False
        case _:
            return not crowd.real and _during(crowd, hour)


def _rounds(crowd: Crowd, rate: float, chance: Random) -> Iterator[float]:
    hour = 0.0
    while (hour := hour + chance.expovariate(rate)) < crowd.hours:
        yield hour


def _during(crowd: Crowd, hour: float) -> bool:
    return crowd.event[0] <= hour < crowd.event[1]


def votes_of(made: Sequence[SimulatedAttempt]) -> Votes:
    """The attempts as votes on ``x``; each comes with a normal control, which liars forge."""
    count = len(made)

    def names(values: list[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        return np.array(values, dtype=object)

    return Votes(
        uids=names([str(number) for number in range(count)]),
        times=START + HOUR * np.array([a.hour for a in made], np.float64),
        asns=np.array([a.asn for a in made], np.int64),
        resolver_asns=np.zeros(count, np.int64),
        targets=names(["x"] * count),
        signals=names(["blocked_path"] * count),
        probes=names([a.probe for a in made]),
        seen=np.array([a.failed for a in made], np.bool_),
        controlled=np.ones(count, np.bool_),
        mechanisms=names(["tls.reset.sni" if a.failed else "" for a in made]),
        kbps=np.full(count, np.nan),
        access=names(["any"] * count),
        sources=names([a.source for a in made]),
        cut=names([""] * count),
        reached=names([""] * count),
    )
