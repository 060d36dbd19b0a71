"""Lying probes, and how many of them it takes."""

import pytest

from fanous.evaluation.adversary import AFTER, BEFORE, UNMAKING, claims_of, fifths, succeeds
from fanous.evaluation.simulate.crowd import Crowd, Strategy
from fanous.model.incident import Incident, Scope

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
