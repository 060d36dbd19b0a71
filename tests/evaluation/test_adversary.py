"""Lying probes, and how many of them it takes."""

from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.claims import check_claim
from fanous.analysis.coverage import coverage_of, who_saw_what
from fanous.analysis.incidents.assemble import UNCONFIRMED
from fanous.analysis.incidents.disputes import shown_by
from fanous.evaluation.adversary import (
    AFTER,
    BEFORE,
    HONEST,
    MAKING,
    UNMAKING,
    claims_of,
    fifths,
    price_of,
    price_of_lie,
    price_of_name,
    price_of_past,
    prices,
    spared,
    succeeds,
)
from fanous.evaluation.simulate.lines import LURE, Prelude, Raid, raid_attempts
from fanous.evaluation.simulate.votes import START, Crowd, Strategy, attempts, votes_of
from fanous.evaluation.votes import incidents_of
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.incident import Incident, Scope, Sight, Status
from fanous.model.instant import HOUR
from fanous.model.place import Family
from fanous.model.score import Price
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


# --- what an attack costs ---------------------------------------------------------------------------------


def laptop(networks: int, hours: float, honest: int) -> Price:
    return price_of("T7", Raid(1, networks, hours, honest, "ooni"), 2)


@pytest.mark.parametrize("hours", [3.0, 72.0])
def test_one_line_confirms_nothing_by_a_collectors_door(hours: float) -> None:
    assert price_of("T1", Raid(1, 1, hours, 0, "edge"), 2).worked == 0


def test_one_patient_laptop_succeeds_where_nobody_watches_after_as_long_as_the_page_says() -> None:
    assert [laptop(2, hours, 0).worked for hours in (1.0, 2.0, 4.0)] == [0, 0, 2]
    assert [laptop(1, hours, 0).worked for hours in (3.0, 27.0)] == [0, 2]
    assert laptop(2, 4.0, max(HONEST)).worked == 0


def test_no_crowd_of_strangers_takes_back_what_own_probes_see() -> None:
    assert price_of("T2", Raid(8, 2, 12.0, 0, "edge", denies=True), 1).worked == 0


def past(attack: str, lines: int, honest: int, own: int) -> Price:
    share = 0.5 if attack == "T3" else 1.0
    hours = 72.0 if attack == "T3" else 20.0
    return price_of_past(attack, Prelude(lines, 1, hours, honest, own, share), 1)


def test_one_line_neither_hides_nor_moves_what_own_probes_see() -> None:
    assert (past("T3", 1, 0, 3).reported, past("T4", 1, 0, 3).reported) == (0, 0)


def test_two_lines_move_the_onset_and_one_moves_none() -> None:
    """What the page admits."""
    assert past("T4", 2, 3, 3).worked == 1
    assert past("T4", 1, 8, 0).worked == 0, "where volunteers alone see the event"


def test_no_line_makes_an_event_of_a_month_ago() -> None:
    dated_back = Raid(2, 2, 12.0, 0, "edge", back=720.0)
    made = price_of("T5", dated_back, 2)
    assert (made.worked, made.reported) == (0, 0)
    assert price_of("T5", replace(dated_back, back=0.0), 2).reported == 2, "as it goes on, it is a suspicion"


def test_a_name_on_no_list_is_seen_by_no_reader() -> None:
    made = votes_of(raid_attempts(Raid(2, 1, 3.0, 0, "edge"), 1), target=LURE)
    found = incidents_of(made, made.where(np.zeros(len(made), np.bool_)), "XA", None)
    assert {target for one in found for target in one.targets} == {LURE}, "the desk sees it"
    named = price_of_name(Raid(2, 1, 3.0, 0, "edge"), 2)
    assert (named.worked, named.reported) == (0, 2)


def test_one_line_reports_nothing() -> None:
    one, two = (price_of("T1", Raid(lines, 1, 72.0, 0, "edge"), 3) for lines in (1, 2))
    assert (one.worked, one.reported) == (0, 0)
    assert two.reported == 3, "two are a suspicion"


def test_a_second_publisher_must_lie_too() -> None:
    alone, together = (price_of_lie(others, 2) for others in ((), ("gtr",)))
    assert (alone.worked, alone.reported, together.worked) == (0, 2, 2)


@pytest.mark.matrix
def test_every_price_is_asked_of_one_line_and_none_is_low_enough() -> None:
    alone = [one for one in prices(1) if one.lines == 1 and one.attack != "T7"]
    assert {one.attack for one in alone} == {"T1", "T2", "T3", "T4", "T5", "T6", "T8"}
    assert {one.honest for one in alone} == {*HONEST}
    assert [one for one in alone if one.worked] == []
    assert {one.attack for one in alone if one.reported} <= {"T2", "T8"}
