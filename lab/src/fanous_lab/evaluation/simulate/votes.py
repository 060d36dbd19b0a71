"""Votes: what made-up probes say, attempt by attempt: a crowd with liars among them, and weeks of a small country.

Described in physical terms: who measures where and how often, what is wrong when and for whom.  Nothing here comes from
a detector or is a setting of one.

A liar controls everything it sends: it forges its own control too, and says what its strategy dictates.  Weeks have
restrictions that leak, lines that fail in bursts, and broken probes.
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
    """``hour`` since the beginning; ``source``, ``controlled``, ``vouched`` and ``volunteer`` as in ``Votes``.

    Attributes:
        received: hour in which a collector had it; ``None`` = at once.
        software: that measured, as the sender says; empty = not stated.
    """

    hour: float
    asn: int
    probe: str
    failed: bool
    source: str = "ooni"
    controlled: bool = True
    vouched: bool = True
    volunteer: bool = False
    received: float | None = None
    software: str = ""


def attempts(crowd: Crowd, seed: int) -> list[SimulatedAttempt]:
    """All attempts, in the order of time."""
    sent: list[SimulatedAttempt] = []
    for asn in range(1, crowd.networks + 1):
        for number in range(crowd.honest):
            sent += _honest(crowd, asn, number, Random(f"{seed}/{asn}/{number}"))
    for number in range(crowd.liars):
        sent += _lies(crowd, number % crowd.spread + 1, number, Random(f"{seed}/liar/{number}"))
    for asn in range(1, crowd.networks + 1):
        for number in range(crowd.own):
            sent += _own(crowd, asn, number, Random(f"{seed}/own/{asn}/{number}"))
    return sorted(sent, key=lambda attempt: attempt.hour)


def _honest(crowd: Crowd, asn: int, number: int, chance: Random) -> Iterator[SimulatedAttempt]:
    for hour in _rounds(RATE, crowd.hours, chance):
        caught = crowd.real and _during(crowd, hour) and chance.random() < CAUGHT
        yield SimulatedAttempt(hour, asn, f"{asn}.{number}", caught or chance.random() < FAILING)


def _own(crowd: Crowd, asn: int, number: int, chance: Random) -> Iterator[SimulatedAttempt]:
    for hour in _rounds(OWN_RATE, crowd.hours, chance):
        yield SimulatedAttempt(hour, asn, f"own {asn}.{number}", chance.random() < FAILING, "edge")


def _lies(crowd: Crowd, asn: int, number: int, chance: Random) -> Iterator[SimulatedAttempt]:
    rate = RATE * FLOOD if crowd.strategy in (Strategy.FLOOD, Strategy.WAVER) else RATE
    for turn, hour in enumerate(_rounds(rate, crowd.hours, chance)):
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


def _rounds(rate: float, hours: float, chance: Random) -> Iterator[float]:
    """When a probe measures, in hours since the beginning; ``rate`` is per hour."""
    hour = 0.0
    while rate and (hour := hour + chance.expovariate(rate)) < hours:
        yield hour


def _during(crowd: Crowd, hour: float) -> bool:
    return crowd.event[0] <= hour < crowd.event[1]


def votes_of(
    made: Sequence[SimulatedAttempt],
    start: float = START,
    mechanism: str = "tls.reset.sni",
    target: str = "x",
) -> Votes:
    """The attempts, in the order of time, as votes on a target.

    Args:
        start: unix seconds of the beginning.
        mechanism: of those that failed.
    """
    count = len(made)
    failed = np.array([a.failed for a in made], np.bool_)
    empty = np.full(count, "", object)
    times = start + HOUR * np.array([a.hour for a in made], np.float64)
    return Votes(
        uids=np.array([f"{number}" for number in range(count)], object),
        times=times,
        asns=np.array([a.asn for a in made], np.int64),
        resolver_asns=np.zeros(count, np.int64),
        targets=np.full(count, target, object),
        signals=np.full(count, "blocked_path", object),
        probes=np.array([a.probe for a in made], object),
        seen=failed,
        controlled=np.array([a.controlled for a in made], np.bool_),
        mechanisms=np.where(failed, mechanism, empty).astype(object),
        kbps=np.full(count, np.nan),
        access=np.full(count, "any", object),
        sources=np.array([a.source for a in made], object),
        receipts=start + HOUR * np.array([a.hour if a.received is None else a.received for a in made]),
        vouched=np.array([a.vouched for a in made], np.bool_),
        volunteer=np.array([a.volunteer for a in made], np.bool_),
        cut=empty,
        reached=empty,
    )


# --- weeks ----------------------------------------------------------------------------------------------

WEEK = 168.0
WEEK_START = 1_704_067_200.0
"""1 January 2024, 00:00 UTC."""

ABROAD = 900_000
"""The first ASN of another country."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that makes measurements fail; hours since the beginning.

    Attributes:
        probes: the probes affected; empty = all on the networks.
        share: share of the measurements that it catches.
        local: the line itself fails, so checks of other sites fail too.
        real: whether it is a restriction.
    """

    start: float
    end: float
    networks: frozenset[int]
    share: float
    probes: frozenset[str] = frozenset()
    local: bool = False
    real: bool = False

    def hits(self, hour: float, asn: int, probe: str) -> bool:
        here = self.start <= hour < self.end and asn in self.networks
        return here and (not self.probes or probe in self.probes)


@dataclass(frozen=True, slots=True)
class Week:
    """A made-up week of one country: who measures how often, and what goes wrong.

    Attributes:
        helped: share of the measurements that come with a check from outside.
        rates: rounds per hour of each probe, by (ASN, probe).
        abroad: rounds per hour of people in another country, for whom the site works.
    """

    ordinary: float
    helped: float
    rates: dict[tuple[int, str], float]
    troubles: tuple[Trouble, ...]
    abroad: float

    @property
    def restrictions(self) -> tuple[Trouble, ...]:
        return tuple(trouble for trouble in self.troubles if trouble.real)


def week_of(seed: int, faults: float = 0.2) -> Week:
    """One week; the same seed gives the same.

    Args:
        faults: probability of another fault of a network's own path, after each that it had; for paths that
            networks share, half of that.
    """
    chance = Random(f"week {seed}")
    asns = range(1, chance.randint(2, 7))
    rates = {
        (asn, f"{asn}/{number}"): chance.choice([0.1, 0.3, 1.0, 2.0])
        for asn in asns
        for number in range(chance.choice([1, 2, 3, 5, 8]))
    }
    troubles = [*_restrictions(chance, list(asns)), *_faults(chance, list(rates), faults)]
    troubles += _upstream(Random(f"upstream {seed}"), list(asns), faults)
    helped = chance.choice([0.0, 0.7, 0.98])
    return Week(chance.uniform(0.003, 0.04), helped, rates, tuple(troubles), chance.choice([0.0, 2.0, 10.0]))


def _restrictions(chance: Random, asns: list[int]) -> Iterator[Trouble]:
    if chance.random() < 0.5:
        return
    start, hours = chance.uniform(48, 140), chance.choice([2, 6, 12, 30, 80])
    hit = chance.sample(asns, chance.randint(1, len(asns)))
    for asn in hit:
        begun = start + chance.expovariate(1 / 0.4)
        yield Trouble(begun, begun + hours, frozenset([asn]), chance.uniform(0.35, 0.99), real=True)


def _faults(chance: Random, probes: list[tuple[int, str]], more: float) -> Iterator[Trouble]:
    for asn in sorted({asn for asn, _ in probes}):
        while chance.random() < more:  # the provider's own path to the site is bad for a while
            start = chance.uniform(0, WEEK)
            length = chance.expovariate(1 / 1.5)
            yield Trouble(start, start + length, frozenset([asn]), chance.uniform(0.3, 1), local=True)
    for asn, probe in probes:
        alone = frozenset([probe])
        if chance.random() < 0.05:  # a machine that is broken from some hour on
            start = chance.uniform(0, WEEK)
            yield Trouble(start, WEEK, frozenset([asn]), 0.95, alone)
        while chance.random() < 0.4:  # a radio link
            start = chance.uniform(0, WEEK)
            yield Trouble(start, start + chance.expovariate(1 / 2), frozenset([asn]), 0.8, alone, local=True)


def _upstream(chance: Random, asns: list[int], more: float) -> Iterator[Trouble]:
    """Something that several networks use (a carrier, a resolver) is bad: they fail together, for any site."""
    while len(asns) > 1 and chance.random() < more / 2:
        start, length = chance.uniform(0, WEEK), chance.expovariate(1 / 1.5)
        hit = chance.sample(asns, chance.randint(2, len(asns)))
        yield Trouble(start, start + length, frozenset(hit), chance.uniform(0.3, 1), local=True)


def measured(week: Week, seed: int) -> tuple[Votes, Votes]:
    """Votes of its probes on one site, and of people abroad, for whom it works."""
    chance = Random(f"measured {seed}")
    sent = [
        _attempt(week, hour, asn, probe, chance)
        for (asn, probe), rate in week.rates.items()
        for hour in _rounds(rate, WEEK, chance)
    ]
    abroad = [
        SimulatedAttempt(hour, ABROAD, f"abroad {n}", False)
        for n, hour in enumerate(_rounds(week.abroad, WEEK, chance))
    ]
    sent.sort(key=lambda attempt: attempt.hour)
    return votes_of(sent, WEEK_START, "tls.timeout"), votes_of(abroad, WEEK_START)


def _attempt(week: Week, hour: float, asn: int, probe: str, chance: Random) -> SimulatedAttempt:
    failed, checked = chance.random() < week.ordinary, chance.random() < week.helped
    for trouble in week.troubles:
        if trouble.hits(hour, asn, probe) and chance.random() < trouble.share:
            failed = True
            checked = checked and not (trouble.local and chance.random() < 0.9)
    return SimulatedAttempt(hour, asn, probe, failed, controlled=checked)
