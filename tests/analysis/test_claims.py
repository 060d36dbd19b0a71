"""What others say, point by point, on hand-made incidents; the rally itself is in test_statements."""

from dataclasses import replace
from typing import Any

import pytest

from fanous.analysis.claims import Checked, check_claim
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.coverage import Coverage
from fanous.model.incident import (
    Estimate,
    FamilyView,
    Incident,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Says,
    Scope,
    Status,
    UsersShare,
)
from fanous.model.instant import DAY
from fanous.model.reason import Reason
from fanous.wording.reasons import reasons_text
from tests.each import each
from tests.store.cases import NOON, incident

HOUR = 3600.0
GOOD = Coverage(400, 4, 20, (1, 2, 3), 12, 12, ("x",))
NONE = Coverage(0, 0, 0, (), 12, 0, ())
S, C, T = ClaimCheck.SUPPORTED, ClaimCheck.CONTRADICTED, ClaimCheck.CANNOT_TELL

CUT = incident(
    id="PK-2023-0001",
    parts=(
        Part("x", Kind.BLOCKING, ("tls.reset.sni",), ("AS17557",)),
        Part("youtube", Kind.BLOCKING, ("tls.throttle.sni",), ("AS17557",)),
    ),
    onset_earliest=NOON - HOUR,
    onset=NOON,
    onset_latest=NOON + 600,
    end=NOON + 8 * HOUR,
    intervals=(Interval(NOON, NOON + 8 * HOUR),),
    networks=(NetworkPart("AS17557", ("x",), (Interval(NOON, NOON + 8 * HOUR),), 12, 3, 0.999),),
    scope=Scope.NATION,
)


def claim(said: Said = Said.DISRUPTED, **given: Any) -> Claim:
    return Claim("somebody", said, "PK", NOON - 2 * HOUR, NOON + 10 * HOUR, **given)


def answer(of: Claim, *incidents: Incident, coverage: Coverage = GOOD) -> ClaimCheck:
    return checked(of, *incidents, coverage=coverage).answer


def checked(of: Claim, *incidents: Incident, coverage: Coverage = GOOD) -> Checked:
    found = check_claim(of, incidents, coverage)
    assert all(reasons_text(point.reasons) for point in found.points)  # all have words
    return found


@each(
    ("of", "expected"),
    [
        (claim(), S),
        (claim(Said.BLOCKING), S),
        (claim(Said.THROTTLING), S),  # by its mechanism
        (claim(Said.SLOWDOWN), T),  # that everything was slow is another claim
        (claim(Said.OUTAGE), T),
        (claim(Said.NORMAL), C),
        (claim(targets=("x", "youtube")), S),
        (claim(targets=("x", "facebook")), T),
        (claim(scope=Scope.NATION), S),
        (claim(scope=Scope.ISP), C),
        (claim(scope=Scope.REGION), T),
        (claim(networks=(17557,)), S),
        (claim(networks=(17557, 45669)), T),
        (claim(began_before=NOON + HOUR), S),
        (claim(began_before=NOON), T),
        (claim(began_before=NOON - HOUR), C),
        (claim(hours=7), S),
        (claim(hours=10.5), T),
        (claim(hours=20), C),
        (claim(hours=1), C),
        (claim(level=0.2), S),
        (claim(level=0.9), C),
        (claim(targets=("x",), hours=20), C),  # one contradiction is enough
        (claim(targets=("x",), hours=10.5), T),
    ],
)
def test_a_claim_is_held_against_a_confirmed_incident(of: Claim, expected: ClaimCheck) -> None:
    assert answer(of, CUT) is expected


def test_an_incident_that_reached_few_contradicts_a_national_claim() -> None:
    local = replace(CUT, scope=Scope.ISP, users=UsersShare(0.1, 0.05, 0.2, 0.9))
    unsure = replace(CUT, scope=Scope.ISP, users=UsersShare(0.4, 0.1, 0.8, 0.3))
    assert answer(claim(scope=Scope.NATION), local) is C
    assert answer(claim(scope=Scope.NATION), unsure) is T


def test_only_probes_in_every_hour_contradict_a_nation_wide_outage() -> None:
    national = claim(Said.OUTAGE, scope=Scope.NATION)
    assert answer(national, coverage=GOOD) is C
    assert answer(national, coverage=replace(GOOD, hours_measured=11)) is T


OUTAGE = replace(
    CUT,
    kind=Kind.OUTAGE,
    parts=(Part("", Kind.OUTAGE, ("outage.national",), ("PK",)),),
    intervals=tuple(Interval(NOON + n * DAY, NOON + n * DAY + 6 * HOUR) for n in range(5)),
    end=NOON + 4 * DAY + 6 * HOUR,
    networks=(),
    level=Estimate(0.3, 0.28, 0.33, worst=0.2),
    opinions=(
        FamilyView("routing", Says.DOWN, (), ("PK",), Estimate(0.6, 0.6, 0.6), NOON, NOON),
        FamilyView("usage", Says.DOWN, (), ("PK",), Estimate(0.1, 0.1, 0.1), NOON, NOON),
    ),
)
"""Five evenings, of which different sources show different shares."""


@each(
    ("of", "expected"),
    [
        (claim(level=0.36), S),  # others round, or measure something else
        (claim(level=0.55), T),
        (claim(level=0.06), T),
        (claim(level=0.75), C),
        (claim(hours=30), S),
        (claim(hours=102), T),  # from the first to the last
        (claim(hours=60), C),
    ],
)
def test_a_level_and_a_duration_may_be_counted_in_several_ways(of: Claim, expected: ClaimCheck) -> None:
    assert answer(of, OUTAGE) is expected


def test_an_outage_is_no_slowdown_of_single_targets() -> None:
    (what,) = checked(claim(Said.SLOWDOWN), OUTAGE).points
    assert what.reasons == (Reason("claim.other_kind", {"kinds": ("outage",)}),)


def test_a_network_that_was_not_measured_is_not_said_to_be_spared() -> None:
    *_, point = checked(claim(networks=(1, 9)), CUT).points
    assert [(one.code, one.params["networks"]) for one in point.reasons] == [
        ("claim.networks_missing", ("AS1",)),
        ("claim.networks_unmeasured", ("AS9",)),
    ]


def test_an_open_onset_or_end_leaves_a_duration_open() -> None:
    assert answer(claim(hours=7), replace(CUT, onset_earliest=None)) is T
    assert answer(claim(hours=7), replace(CUT, end=None)) is T


@pytest.mark.parametrize(
    ("said", "coverage", "expected"),
    [
        (Said.NORMAL, GOOD, S),
        (Said.NORMAL, NONE, T),
        (Said.BLOCKING, GOOD, C),
        (Said.BLOCKING, NONE, T),
        (Said.OUTAGE, GOOD, T),  # probes on lines that work
        (Said.NORMAL, replace(GOOD, failing=100), T),
    ],
)
def test_without_an_incident_the_coverage_decides(
    said: Said, coverage: Coverage, expected: ClaimCheck
) -> None:
    assert answer(claim(said), coverage=coverage) is expected


@pytest.mark.parametrize("said", [Said.NORMAL, Said.BLOCKING])
def test_a_suspicion_supports_and_contradicts_nothing(said: Said) -> None:
    assert answer(claim(said), replace(CUT, status=Status.SUSPECTED, confirmed_at=None)) is T


def test_what_was_taken_back_does_not_count() -> None:
    assert answer(claim(Said.NORMAL), replace(CUT, status=Status.RETRACTED)) is S


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(CUT, country="IR"),
        replace(CUT, onset=NOON + 11 * HOUR, end=None),
        replace(CUT, end=NOON - 3 * HOUR),
    ],
)
def test_another_place_or_time_does_not_count(elsewhere: Incident) -> None:
    assert answer(claim(Said.NORMAL), elsewhere) is S


def test_that_one_network_was_normal_is_not_contradicted_by_another() -> None:
    there = replace(CUT, networks=(NetworkPart("AS17557", ("x",), CUT.intervals, 3, 3, 0.999),))
    assert answer(claim(Said.NORMAL, networks=(45669,)), there) is S
    assert answer(claim(Said.NORMAL, networks=(17557,)), there) is C


def test_every_answer_says_why_and_of_which_incident() -> None:
    done = checked(claim(hours=20), CUT)
    assert done.incidents == ("PK-2023-0001",)
    assert [(reason.code, reason.params["stated_hours"]) for reason in done.reasons] == [
        ("claim.length_other", 20)
    ]
    assert all(point.reasons for point in done.points)
