"""Adversary: how many lying probes it takes to fake a confirmed incident or suppress a real one.

The liars' attempts go through the live series, detectors and confirmation rules.  It looks for the
break-even, the least number of liars with which an attack succeeds for most seeds, and for how often a number
that should be too small succeeds.  What they have to pay is in ``prices``.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from fanous.analysis.incidents.disputes import is_disputed
from fanous.model.incident import Incident, Scope, Status
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.score import Attack, Fifth, Spared
from fanous_lab.evaluation.simulate.votes import Crowd, Strategy, attempts, votes_of
from fanous_lab.evaluation.votes import incidents_of

COUNTRY = "XA"
BEFORE = 36.0
AFTER = 12.0
"""Normal hours on either side of an attack."""

SEEDS = 3
"""Runs of each attack; it counts as working if most of them succeed."""

MOST_SHARE = 4.0
"""Most liars per honest probe of the attacked networks; no break-even is sought beyond that."""

FIFTH_SEEDS = range(14_000_000, 14_000_100)
"""Seeds on which nothing was tuned."""

FIFTHS = ((4, 1), (8, 2))
"""Honest probes and liars on the network attacked."""

SPARED_SEEDS = range(14_000_000, 14_000_010)
SPARED = ((8, 0), (8, 2), (8, 4), (8, 8), (8, 16), (3, 8))
"""Users' probes on each network, and own ones that a restriction spares."""

MAKING = (Strategy.ALWAYS_BLOCKED, Strategy.MIMIC, Strategy.FLOOD, Strategy.WAVER, Strategy.SYBIL)
UNMAKING = (Strategy.ALWAYS_OK, Strategy.FLOOD, Strategy.WAVER, Strategy.SYBIL)


def attacks() -> Iterator[Attack]:
    """The break-even of every strategy, goal and size."""
    for networks, honest, days in product((1, 5), (3, 8), (0.5, 2.0)):
        for goal, strategies in (("make", MAKING), ("unmake", UNMAKING)):
            for strategy in strategies:
                yield _attack(goal, Scope.ISP, strategy, networks, honest, days, 1)
                if networks > 1:
                    yield _attack(goal, Scope.NATION, strategy, networks, honest, days, networks)


def fifths(seeds: range = FIFTH_SEEDS) -> Iterator[Fifth]:
    """Every goal and strategy with a fifth of the probes on one network of five lying, and the same without liars."""
    for goal, strategies in (("unmake", UNMAKING), ("make", MAKING)):
        for honest, liars in FIFTHS:
            for strategy in strategies:
                yield _fifth(goal, strategy, honest, liars, seeds)
            yield _fifth(goal, None, honest + liars, 0, seeds)


def _fifth(goal: str, strategy: Strategy | None, honest: int, liars: int, seeds: range) -> Fifth:
    event = (BEFORE, BEFORE + 12)
    crowd = Crowd(
        5, honest, event[1] + AFTER, event, goal == "unmake", liars, 1, strategy or Strategy.ALWAYS_OK
    )
    worked = national = 0
    for seed in seeds:
        confirmed = _confirmed(crowd, seed)
        worked += _has_worked(confirmed, crowd, Scope.ISP)
        national += _has_worked(confirmed, crowd, Scope.NATION)
    name = "" if strategy is None else strategy.value
    return Fifth(goal, name, honest, liars, len(seeds), worked, national)


def spared(seeds: range = SPARED_SEEDS) -> Iterator[Spared]:
    """What own probes hide that a censor lets through."""
    event = (BEFORE, BEFORE + 12)
    for honest, spared_probes in SPARED:
        crowd = Crowd(5, honest, event[1] + AFTER, event, True, 0, 1, Strategy.ALWAYS_OK, spared_probes)
        runs = [[i for i in claims_of(crowd, seed) if i.status is not Status.RETRACTED] for seed in seeds]
        sure = [[incident for incident in run if incident.confirmed_at is not None] for run in runs]
        yield Spared(
            honest,
            spared_probes,
            times=len(runs),
            confirmed=sum(map(bool, sure)),
            national=sum(any(incident.scope is Scope.NATION for incident in run) for run in sure),
            told=sum(any(map(is_disputed, run)) for run in runs),
            missed=sum(not run for run in runs),
        )


def _attack(
    goal: str, scope: Scope, strategy: Strategy, networks: int, honest: int, days: float, spread: int
) -> Attack:
    def works(liars: int) -> bool:
        event = (BEFORE, BEFORE + 24 * days)
        crowd = Crowd(networks, honest, event[1] + AFTER, event, goal == "unmake", liars, spread, strategy)
        return sum(succeeds(crowd, scope, seed) for seed in range(SEEDS)) * 2 > SEEDS

    most = int(MOST_SHARE * honest * spread)
    liars = None
    if works(most):
        low, high = 0, most  # success grows with their number, so the least is found by bisection
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if works(middle) else (middle + 1, high)
        liars = high
    return Attack(goal, scope, strategy.value, networks, honest, days, spread, liars)


def succeeds(crowd: Crowd, scope: Scope, seed: int) -> bool:
    """Do the liars reach their goal?"""
    return _has_worked(_confirmed(crowd, seed), crowd, scope)


def _confirmed(crowd: Crowd, seed: int) -> list[Incident]:
    return [incident for incident in claims_of(crowd, seed) if incident.confirmed_at is not None]


def _has_worked(confirmed: Sequence[Incident], crowd: Crowd, scope: Scope) -> bool:
    attacked = {f"AS{asn}" for asn in range(1, crowd.spread + 1)}
    named = {n.entity for i in confirmed for n in i.networks} & attacked
    if crowd.real:
        return not named if scope is Scope.ISP else not any(i.scope is scope for i in confirmed)
    return bool(named) if scope is Scope.ISP else any(i.scope is scope for i in confirmed)


def claims_of(crowd: Crowd, seed: int) -> list[Incident]:
    """What Fanous concludes from what the crowd sent."""
    votes = votes_of(attempts(crowd, seed))
    nobody = votes.where(np.zeros(len(votes), np.bool_))
    return incidents_of(votes, nobody, COUNTRY, equal_users(crowd.networks))


def equal_users(networks: int) -> UserWeights:
    share = 1 / networks
    listed = tuple(NetworkWeight(asn, share, Access.ANY, f"AS{asn}") for asn in range(1, networks + 1))
    return UserWeights(COUNTRY, listed, 0.2, "made up: equal networks")
