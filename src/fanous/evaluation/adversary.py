"""Adversary: how many lying probes it takes to fake a confirmed incident or suppress a real one.

The liars' attempts go through the live series, detectors and confirmation rules.  It looks for the
break-even, the least number of liars with which an attack succeeds for most seeds, and for how often a number
that should be too small succeeds.  Prices count in what a liar has to pay: connections, networks and hours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from fanous.analysis.detectors.drop import QUANTITY_DETECTOR_VERSION
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.disputes import is_disputed
from fanous.analysis.incidents.names import listed_only
from fanous.analysis.incidents.outage import Quantities
from fanous.evaluation.simulate.lines import (
    ATTACKED,
    BLOCK_HOURS,
    LIE_HOURS,
    LURE,
    NAMES,
    PRELUDE,
    Prelude,
    Raid,
    lied_about,
    prelude_attempts,
    raid_attempts,
    works_abroad,
)
from fanous.evaluation.simulate.votes import Crowd, Strategy, attempts, votes_of
from fanous.evaluation.votes import incidents_of
from fanous.model.incident import Incident, Scope, Status
from fanous.model.measurement import is_late
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.score import Attack, Fifth, Price, Spared
from fanous.model.series import Votes
from fanous.pipeline.interference import TICK
from fanous.pipeline.judge import rules_version
from fanous.pipeline.outages import found_in
from fanous.refdata.watchlist import watched

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
        yield from _of_size(networks, honest, days)


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
    for honest, own in SPARED:
        crowd = Crowd(5, honest, event[1] + AFTER, event, True, 0, 1, Strategy.ALWAYS_OK, own)
        runs = [
            [one for one in claims_of(crowd, seed) if one.status is not Status.RETRACTED] for seed in seeds
        ]
        sure = [[one for one in run if one.confirmed_at is not None] for run in runs]
        yield Spared(
            honest,
            own,
            times=len(runs),
            confirmed=sum(map(bool, sure)),
            national=sum(any(one.scope is Scope.NATION for one in run) for run in sure),
            told=sum(any(map(is_disputed, run)) for run in runs),
            missed=sum(not run for run in runs),
        )


DRAWS = 20
"""Draws of each price; seeds on which nothing was tuned."""

HONEST = (0, 3, 8, 12)
PATIENCE = {1: (3.0, 8.0, 24.0, 27.0), 2: (1.0, 2.0, 3.0, 4.0)}
"""Networks that a laptop claims -> hours for which it is patient."""


def prices(draws: int = DRAWS) -> Iterator[Price]:
    """What one line, or a few, or one publisher, can do."""
    for honest, lines, hours in product(HONEST, (1, 2), (3.0, 24.0, 72.0)):
        yield price_of("T1", Raid(lines, 1, hours, honest, "edge"), draws)
    for honest, lines in product(HONEST, (1, 2, 8)):
        yield price_of("T2", Raid(lines, 2, 12.0, honest, "edge", denies=True), draws)
    for honest, (networks, patience) in product(HONEST, PATIENCE.items()):
        for hours in patience:
            yield price_of("T7", Raid(1, networks, hours, honest, "ooni"), draws)
    for honest, lines, networks in product(HONEST, (1, 2), (1, 2)):
        yield price_of_past("T3", Prelude(lines, networks, 168.0, honest, _own(honest), 0.5), draws)
        yield price_of_past("T4", Prelude(lines, networks, 20.0, honest, _own(honest)), draws)
    for honest, lines in product(HONEST, (1, 2)):
        yield price_of("T5", Raid(lines, 2, 12.0, honest, "edge", back=720.0), draws)
    for honest, lines in product(HONEST, (1, 2)):
        yield price_of_name(Raid(lines, 1, 72.0, honest, "edge"), draws)
    for others in ((), ("gtr",)):
        yield price_of_lie(others, draws)


def price_of(attack: str, raid: Raid, draws: int) -> Price:
    """How often a raid works: it confirms what never was, or takes back or narrows what was."""
    worked = reported = 0
    for seed in _seeds(draws):
        standing = _standing(raid, seed)
        sure = [one for one in standing if one.confirmed_at is not None]
        named = {network.entity for one in sure for network in one.networks}
        worked += len(named) < raid.networks if raid.denies else bool(sure)
        reported += bool(standing)
    lines = raid.lines if raid.through == "edge" else 1
    return Price(
        attack, lines, raid.networks, raid.hours, NAMES[raid.through], raid.honest, draws, worked, reported
    )


def _standing(raid: Raid, seed: int, target: str = "x") -> list[Incident]:
    """What Fanous says after a raid."""
    votes = _in_time(votes_of(raid_attempts(raid, seed), target=target))
    abroad = votes_of(works_abroad(raid.until, seed), target=target)
    found = incidents_of(votes, abroad, COUNTRY, _equal_users(raid.networks))
    return [one for one in found if one.status is not Status.RETRACTED]


def _in_time(votes: Votes) -> Votes:
    """Those that count: what a stranger dates back by more than is allowed supports nothing (``is_late``)."""
    pairs = zip(votes.times.tolist(), votes.receipts.tolist(), strict=True)
    late = np.fromiter((is_late(made, received) for made, received in pairs), np.bool_, len(votes))
    return votes.where(votes.vouched | ~late)


ENOUGH = 8
"""Volunteers on each of two networks who confirm a block of half a day by themselves."""


def _own(honest: int) -> int:
    """Own probes on each network, where too few volunteers measure to confirm anything."""
    return 0 if honest >= ENOUGH else 3


def _confirmed_of(prelude: Prelude, seed: int) -> Incident | None:
    """The confirmed incident of the block with most networks; ``None`` = there is none."""
    votes = votes_of(prelude_attempts(prelude, seed))
    abroad = votes_of(works_abroad(PRELUDE + BLOCK_HOURS, seed))
    found = incidents_of(votes, abroad, COUNTRY, _equal_users(ATTACKED))
    sure = [one for one in found if one.confirmed_at is not None and one.status is not Status.RETRACTED]
    return max(sure, key=lambda one: len(one.networks), default=None)


def _has_moved(true: Incident, told: Incident) -> bool:
    """Did its onset move by more than a bin, or its confirmation to an earlier one?"""
    earlier = (true.confirmed_at or 0.0) - (told.confirmed_at or 0.0)
    return abs(told.onset - true.onset) > TICK or earlier > TICK


def price_of_name(raid: Raid, draws: int) -> Price:
    """How often readers see a name that is on no list (``worked``), or that there is such a site at all."""
    worked = reported = 0
    for seed in _seeds(draws):
        shown = [listed_only(one, watched().__contains__) for one in _standing(raid, seed, LURE)]
        worked += LURE in repr(shown)
        reported += bool(shown)
    names = NAMES[raid.through]
    return Price("T6", raid.lines, raid.networks, raid.hours, names, raid.honest, draws, worked, reported)


def price_of_past(attack: str, prelude: Prelude, draws: int) -> Price:
    """How often lies about the time before a true block keep it from confirmation or narrow it (T3), or move its onset
    or its confirmation by more than a bin (T4); ``reported`` counts either.  Draws in which it is not confirmed where
    no one lies are left out."""
    counted = worked = reported = 0
    for seed in _seeds(draws):
        true, told = (_confirmed_of(one, seed) for one in (replace(prelude, lines=0), prelude))
        if true is None:
            continue
        counted += 1
        is_less = told is None or len(told.networks) < len(true.networks)
        has_moved = told is not None and _has_moved(true, told)
        worked += is_less if attack == "T3" else has_moved
        reported += is_less or has_moved
    return Price(
        attack,
        prelude.lines,
        prelude.networks,
        prelude.hours,
        NAMES["edge"],
        prelude.honest,
        counted,
        worked,
        reported,
    )


def price_of_lie(others: Sequence[str], draws: int) -> Price:
    """How often an observatory that lies about a whole country is believed, alone or together with others."""
    worked = reported = 0
    for seed in _seeds(draws):
        series = lied_about(seed, ("bgp", "ping-slash24"), others)
        setting = Setting(COUNTRY, None, rules_version(), QUANTITY_DETECTOR_VERSION)
        deep = [
            one
            for one in found_in(Quantities(series), setting)
            if one.level is not None and one.level.mean < 0.5
        ]
        worked += any(one.confirmed_at is not None for one in deep)
        reported += bool(deep)
    return Price("T8", 1 + len(others), 1, LIE_HOURS, 1, 0, draws, worked, reported)


def _seeds(draws: int) -> range:
    return range(FIFTH_SEEDS.start, FIFTH_SEEDS.start + draws)


def _of_size(networks: int, honest: int, days: float) -> Iterator[Attack]:
    for strategy in MAKING:
        yield _attack("make", Scope.ISP, strategy, networks, honest, days, 1)
        if networks > 1:
            yield _attack("make", Scope.NATION, strategy, networks, honest, days, networks)
    for strategy in UNMAKING:
        yield _attack("unmake", Scope.ISP, strategy, networks, honest, days, 1)
        if networks > 1:
            yield _attack("unmake", Scope.NATION, strategy, networks, honest, days, networks)


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
    return incidents_of(votes, nobody, COUNTRY, _equal_users(crowd.networks))


def _equal_users(networks: int) -> UserWeights:
    share = 1 / networks
    listed = tuple(NetworkWeight(asn, share, Access.ANY, f"AS{asn}") for asn in range(1, networks + 1))
    return UserWeights(COUNTRY, listed, 0.2, "made up: equal networks")
