"""Weeks: made-up weeks of a small country - restrictions that leak, lines that fail in bursts, broken probes.

Described in physical terms: who measures how often, what is wrong when and for whom.  Nothing here comes from a
detector or is a setting of one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np

from fanous.model.instant import HOUR
from fanous.model.series import Votes

WEEK = 168.0
START = 1_704_067_200.0
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
        own = frozenset([probe])
        if chance.random() < 0.05:  # a machine that is broken from some hour on
            start = chance.uniform(0, WEEK)
            yield Trouble(start, WEEK, frozenset([asn]), 0.95, own)
        while chance.random() < 0.4:  # a radio link
            start = chance.uniform(0, WEEK)
            yield Trouble(start, start + chance.expovariate(1 / 2), frozenset([asn]), 0.8, own, local=True)


def _upstream(chance: Random, asns: list[int], more: float) -> Iterator[Trouble]:
    """Something that several networks use (a carrier, a resolver) is bad: they fail together, for any site."""
    while len(asns) > 1 and chance.random() < more / 2:
        start, length = chance.uniform(0, WEEK), chance.expovariate(1 / 1.5)
        hit = chance.sample(asns, chance.randint(2, len(asns)))
        yield Trouble(start, start + length, frozenset(hit), chance.uniform(0.3, 1), local=True)


def measured(week: Week, seed: int) -> tuple[Votes, Votes]:
    """Votes of its probes on one site, and of people abroad, for whom it works."""
    chance = Random(f"measured {seed}")
    rows = [
        (hour, asn, probe, *_outcome(week, hour, asn, probe, chance))
        for (asn, probe), rate in week.rates.items()
        for hour in _rounds(rate, chance)
    ]
    abroad = enumerate(_rounds(week.abroad, chance))
    return _votes(rows), _votes([(hour, ABROAD, f"abroad {n}", False, True) for n, hour in abroad])


def _outcome(week: Week, hour: float, asn: int, probe: str, chance: Random) -> tuple[bool, bool]:
    """(it failed, a normal check came with it)."""
    failed, checked = chance.random() < week.ordinary, chance.random() < week.helped
    for trouble in week.troubles:
        if trouble.hits(hour, asn, probe) and chance.random() < trouble.share:
            failed = True
            checked = checked and not (trouble.local and chance.random() < 0.9)
    return failed, checked


def _rounds(rate: float, chance: Random) -> Iterator[float]:
    hour = 0.0
    while rate and (hour := hour + chance.expovariate(rate)) < WEEK:
        yield hour


def _votes(rows: list[tuple[float, int, str, bool, bool]]) -> Votes:
    rows = sorted(rows)
    count = len(rows)
    words = np.full(count, "", object)
    failed = np.array([row[3] for row in rows], np.bool_)
    return Votes(
        uids=np.array([f"{n}" for n in range(count)], object),
        times=START + HOUR * np.array([row[0] for row in rows], np.float64),
        asns=np.array([row[1] for row in rows], np.int64),
        resolver_asns=np.zeros(count, np.int64),
        targets=np.full(count, "x", object),
        signals=np.full(count, "blocked_path", object),
        probes=np.array([row[2] for row in rows], object),
        seen=failed,
        controlled=np.array([row[4] for row in rows], np.bool_),
        mechanisms=np.where(failed, "tls.timeout", words).astype(object),
        kbps=np.full(count, np.nan),
        access=np.full(count, "any", object),
        sources=np.full(count, "ooni", object),
        cut=words,
        reached=words,
    )
