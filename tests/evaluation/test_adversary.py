"""Lying probes, and how many of them it takes."""

from dataclasses import replace

import pytest

from fanous.analysis.claims import check_claim
from fanous.analysis.coverage import coverage_of, who_saw_what
from fanous.analysis.incidents.assemble import UNCONFIRMED
from fanous.analysis.incidents.disputes import shown_by
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.incident import Incident, Scope, Sight, Status
from fanous.model.instant import HOUR
from fanous.model.place import Family
from fanous.model.series import Votes
from fanous.sources.measurements import FAMILY_OF
from fanous_lab.evaluation.adversary import (
    AFTER,
    BEFORE,
    MAKING,
    UNMAKING,
    claims_of,
    fifths,
    spared,
    succeeds,
)
from fanous_lab.evaluation.simulate.votes import START, Crowd, Strategy, attempts, votes_of

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
def test_nor_does_it_where_some_of_the_honest_fail_by_chance(strategy: Strategy, seed: int) -> None:
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


# --- an organisation's own probes, for which all works ----------------------------------------------------


def concluded(users: Crowd, seed: int = 1) -> tuple[Votes, list[Incident]]:
    votes = votes_of(attempts(users, seed))
    return votes, claims_of(users, seed)


def claimed(votes: Votes, found: list[Incident]) -> ClaimCheck:
    """The answer to a claim that the target was blocked then."""
    began, ended = (START + HOUR * hour for hour in EVENT)
    claim = Claim("a newspaper", Said.BLOCKING, "XA", began, ended, targets=("x",))
    return check_claim(claim, found, coverage_of(votes, began, ended)).answer


def test_a_few_own_probes_that_a_censor_lets_through_hide_nothing_and_are_counted_against_it() -> None:
    votes, found = concluded(replace(crowd(Strategy.MIMIC, liars=0, real=True), own=2))
    (incident,) = confirmed(found)
    seen = {one.source: one for one in who_saw_what(incident, votes, FAMILY_OF)}
    assert (seen["ooni"].sight, seen["edge"].sight) == (Sight.SAW, Sight.DID_NOT_SEE)
    assert claimed(votes, [incident]) is ClaimCheck.SUPPORTED


@pytest.mark.parametrize("own", [8, pytest.param(24, marks=pytest.mark.matrix)])
def test_however_many_there_are_what_users_see_is_suspected_and_told(own: int) -> None:
    votes, found = concluded(replace(crowd(Strategy.MIMIC, liars=0, real=True), own=own))
    (incident,) = found
    assert (incident.status, incident.confirmed_at, incident.scope) == (Status.ENDED, None, Scope.NATION)
    assert shown_by(incident) is Family.OONI
    assert incident.confidence <= UNCONFIRMED
    told = incident.reasons[0].params
    assert (told["families"], len(told["networks"])) == (("edge",), 5)  # type: ignore[arg-type]
    seen = {one.source: one for one in who_saw_what(incident, votes, FAMILY_OF)}
    assert (seen["ooni"].sight, seen["edge"].sight) == (Sight.SAW, Sight.DID_NOT_SEE)
    assert claimed(votes, found) is ClaimCheck.CANNOT_TELL


def test_on_a_quiet_day_they_change_nothing() -> None:
    votes, found = concluded(replace(crowd(Strategy.MIMIC, liars=0), own=8))
    assert found == []
    assert claimed(votes, found) is ClaimCheck.CONTRADICTED


@pytest.mark.parametrize(
    "strategy",
    [one if one is Strategy.FLOOD else pytest.param(one, marks=pytest.mark.matrix) for one in MAKING],
)
def test_liars_who_are_half_of_one_networks_users_raise_nothing_against_them(strategy: Strategy) -> None:
    """Alone, three of six make an incident of their network, by flooding it (docs/methodology-appendix.md)."""
    assert claims_of(replace(crowd(strategy, honest=3, liars=3), own=4), 1) == []


def test_what_a_crowd_of_users_fakes_is_no_more_than_suspected_where_they_are() -> None:
    faked = crowd(Strategy.MIMIC, honest=3, liars=14, spread=2)
    assert confirmed(claims_of(faked, 1))
    (incident,) = claims_of(replace(faked, own=8), 1)
    assert incident.confirmed_at is None
    assert shown_by(incident) is Family.OONI


@pytest.mark.matrix
def test_what_spared_probes_hide_is_counted() -> None:
    few, many = (next(one for one in spared(range(1)) if one.own == own) for own in (2, 16))
    assert (few.confirmed, few.national, few.missed) == (1, 1, 0)
    assert (many.confirmed, many.told, many.missed) == (0, 1, 0)
