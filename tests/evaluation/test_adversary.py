"""Lying probes, and how many of them it takes."""

from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.incidents.claims import check_claim
from fanous.analysis.incidents.witnesses import ORDINARY_FAILING, coverage_of, who_saw_what
from fanous.evaluation.adversary import AFTER, BEFORE, UNMAKING, claims_of, fifths, succeeds
from fanous.evaluation.simulate.crowd import START, Crowd, SimulatedAttempt, Strategy, attempts, votes_of
from fanous.evaluation.votes import incidents_of
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.incident import Incident, Scope, Sight
from fanous.model.instant import HOUR
from fanous.model.series import Votes
from fanous.sources.measurements import FAMILY_OF

EVENT = (BEFORE, BEFORE + 12)
HOURS = EVENT[1] + AFTER


def crowd(
    strategy: Strategy, *, real: bool = False, honest: int = 8, liars: int = 2, spread: int = 1
) -> Crowd:
    return Crowd(5, honest, HOURS, EVENT, real, liars, spread, strategy)


def confirmed(found: list[Incident]) -> list[Incident]:
    return [incident for incident in found if incident.confirmed_at is not None]


def test_honest_probes_alone_confirm_a_real_restriction_and_nothing_else() -> None:
    assert confirmed(claims_of(crowd(Strategy.MIMIC, liars=0), 1)) == []
    (incident,) = confirmed(claims_of(crowd(Strategy.MIMIC, liars=0, real=True), 1))
    assert incident.scope is Scope.NATION
    assert abs(incident.intervals[0].start - incident.onset) < 1


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.matrix)])
def test_a_fifth_of_the_probes_on_one_network_of_five_makes_nothing(strategy: Strategy, seed: int) -> None:
    assert confirmed(claims_of(crowd(strategy), seed)) == []


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.matrix)])
def test_nor_does_it_unmake_a_national_one(strategy: Strategy, seed: int) -> None:
    (incident,) = confirmed(claims_of(crowd(strategy, real=True), seed))
    assert incident.scope is Scope.NATION


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.matrix)])
def test_nor_does_it_take_its_own_network_out_of_the_claim(strategy: Strategy, seed: int) -> None:
    assert not succeeds(crowd(strategy, real=True), Scope.ISP, seed)


@pytest.mark.parametrize(
    ("strategy", "seed"),
    [(Strategy.MIMIC, 1_000_052), (Strategy.FLOOD, 3_000_137), (Strategy.SYBIL, 3_000_225)],
)
def test_nor_does_it_where_some_of_the_honest_fail_by_chance_meanwhile(strategy: Strategy, seed: int) -> None:
    assert not succeeds(crowd(strategy), Scope.ISP, seed)


@pytest.mark.matrix
def test_how_often_a_fifth_of_one_networks_probes_reaches_its_goal_is_counted() -> None:
    found = list(fifths(range(2)))
    assert all(one.worked == one.national == 0 and one.times == 2 for one in found)
    unmaking = [one.strategy for one in found if one.goal == "unmake" and one.honest == 4]
    assert unmaking == [strategy.value for strategy in UNMAKING]
    assert [(one.honest, one.liars) for one in found if not one.strategy] == [(5, 0), (10, 0)] * 2


def test_enough_liars_on_every_network_do_make_a_nation() -> None:
    """No one can tell them from the honest: the table says how many it takes."""
    many = crowd(Strategy.MIMIC, honest=3, liars=60, spread=5)
    assert succeeds(many, Scope.NATION, 1)
    assert not succeeds(crowd(Strategy.MIMIC, honest=3, liars=5, spread=5), Scope.NATION, 1)


def with_own_probes(users: Crowd, on_each: int, seed: int = 1) -> Votes:
    """What users' probes say, and what an organisation's own say every five minutes, to which the censor tells the
    truth: that all works."""
    own = [
        SimulatedAttempt(minute / 60, asn, f"own {asn}.{number}", failed=False)
        for asn in range(1, users.networks + 1)
        for number in range(on_each)
        for minute in range(number, int(users.hours * 60), 5)
    ]
    made = sorted([*attempts(users, seed), *own], key=lambda attempt: attempt.hour)
    votes = votes_of(made)
    is_own = np.array([attempt.probe.startswith("own") for attempt in made])
    return replace(votes, sources=np.where(is_own, "edge", "ooni").astype(object))


def told(votes: Votes) -> list[Incident]:
    return incidents_of(votes, votes.where(np.zeros(len(votes), np.bool_)), "XA", None)


def claimed(votes: Votes, found: list[Incident]) -> ClaimCheck:
    """The answer to somebody's claim that the target was blocked then."""
    began, ended = (START + HOUR * hour for hour in EVENT)
    claim = Claim("a newspaper", Said.BLOCKING, "XA", began, ended, targets=("x",))
    return check_claim(claim, found, coverage_of(votes, began, ended)).answer


def test_a_few_own_probes_that_a_censor_lets_through_hide_nothing_and_are_counted_against_it() -> None:
    votes = with_own_probes(crowd(Strategy.MIMIC, liars=0, real=True), on_each=2)
    (incident,) = confirmed(told(votes))
    seen = {one.source: one for one in who_saw_what(incident, votes, FAMILY_OF)}
    assert (seen["ooni"].sight, seen["edge"].sight) == (Sight.SAW, Sight.DID_NOT_SEE)
    assert claimed(votes, [incident]) is ClaimCheck.SUPPORTED


def test_where_they_are_as_many_as_the_users_nothing_is_found_and_nothing_is_denied() -> None:
    """The limit that docs/threats.md states: most voices of a network must agree."""
    votes = with_own_probes(crowd(Strategy.MIMIC, liars=0, real=True), on_each=8)
    during = coverage_of(votes, *(START + HOUR * hour for hour in EVENT))
    assert during.failing_share is not None and during.failing_share < ORDINARY_FAILING
    assert confirmed(told(votes)) == []
    assert claimed(votes, told(votes)) is ClaimCheck.CANNOT_TELL
    quiet = with_own_probes(crowd(Strategy.MIMIC, liars=0), on_each=8)
    assert claimed(quiet, told(quiet)) is ClaimCheck.CONTRADICTED
