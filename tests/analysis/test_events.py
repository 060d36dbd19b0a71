"""Announced events and what was seen around them."""

from dataclasses import replace

import pytest

from fanous.analysis.events import LEAD, OTHER_DAYS, EventOutcome, EventReport, Timing, report_event
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.model.reason import Reason
from fanous.wording.reasons import reasons_text
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes
from tests.each import each
from tests.store.cases import incident

DAY = 24 * HOUR
START = MONDAY + 16 * HOUR
RALLY = AnnouncedEvent("PK", START, START + 3 * HOUR, "A rally", ("x",), "PK-watch-1", START - DAY)
LONG = (MONDAY - 60 * DAY, MONDAY + 60 * DAY)
CALM = votes(Ballot([16, 17, 18], False), Ballot([16, 17, 18], False, asn=2))


def cut(earliest: float | None, latest: float, end: float | None = 20.0) -> Incident:
    """X is cut; hours from Monday's beginning."""
    onset = latest if earliest is None else (earliest + latest) / 2
    return incident(
        id="PK-2023-0001",
        onset=MONDAY + onset * HOUR,
        onset_earliest=None if earliest is None else MONDAY + earliest * HOUR,
        onset_latest=MONDAY + latest * HOUR,
        end=None if end is None else MONDAY + end * HOUR,
    )


def report(*incidents: Incident, event: AnnouncedEvent = RALLY) -> EventReport:
    found = report_event(event, incidents, CALM, LONG)
    told = (
        *found.reasons,
        found.comparison,
        found.coincidence.reason,
        *(one.reason for one in found.relations),
    )
    assert all(reasons_text([reason]) for reason in told)  # all have words
    return found


@each(
    ("found", "timing"),
    [
        (cut(14, 15), Timing.BEFORE),
        (cut(16, 17), Timing.DURING),
        (cut(15, 17), Timing.BEFORE_OR_DURING),
        (cut(14, 17), Timing.BEFORE_OR_DURING),  # likelier before: not enough to say so
        (cut(14, 15, end=15.5), Timing.OVER_BEFORE),
        (cut(-20, 14, end=15.5), Timing.OVER_BEFORE),
        (cut(None, 14, end=15.5), Timing.OVER_BEFORE),
        (cut(-20, -19), Timing.ALREADY_ON),
        (cut(None, 15), Timing.ALREADY_ON),
        (cut(14, 15, end=None), Timing.BEFORE),
    ],
)
def test_the_bounds_of_an_onset_give_its_relation_to_the_event(found: Incident, timing: Timing) -> None:
    (relation,) = report(found).relations
    assert relation.timing is timing
    assert relation.is_preemptive is (timing is Timing.BEFORE)
    assert relation.reason.code == f"event.{timing}"
    assert relation.reason.params["incident"] == relation.incident.id


@pytest.mark.parametrize(
    "elsewhere",
    [
        cut(20, 21, end=None),  # after it
        cut(1, 2, end=3),  # over long before it
        replace(cut(14, 15), parts=(replace(cut(14, 15).parts[0], target="y"),)),
        replace(cut(14, 15), status=Status.RETRACTED),
    ],
)
def test_what_has_nothing_to_do_with_it_is_left_out(elsewhere: Incident) -> None:
    assert report(elsewhere).relations == ()


@pytest.mark.parametrize(
    ("incidents", "outcome"),
    [
        ([cut(14, 15)], EventOutcome.DISRUPTED),
        ([replace(cut(14, 15), status=Status.SUSPECTED, confirmed_at=None)], EventOutcome.SUSPECTED),
        ([cut(-20, -19)], EventOutcome.ALREADY_ON),
        ([cut(-20, -19), cut(14, 15)], EventOutcome.DISRUPTED),
        ([replace(cut(-20, -19), confirmed_at=None)], EventOutcome.SUSPECTED),
        ([cut(14, 15, end=15.5)], EventOutcome.NONE_SEEN),
        ([], EventOutcome.NONE_SEEN),
    ],
)
def test_the_outcome_is_reported(incidents: list[Incident], outcome: EventOutcome) -> None:
    assert report(*incidents).outcome is outcome


def test_nothing_seen_is_a_result_only_with_its_coverage() -> None:
    seen, covered = report().reasons
    assert seen == Reason("none_seen")
    assert [covered.params[name] for name in ("measurements", "runs", "networks")] == [6, 6, 2]
    blind = report_event(RALLY, [], votes(), LONG)
    assert blind.outcome is EventOutcome.CANNOT_TELL
    assert blind.reasons == (Reason("event.cannot_tell"), Reason("coverage.none"))


def test_an_event_of_one_evening_is_compared_with_the_same_hours_of_other_days() -> None:
    given = votes(
        Ballot([16, 17], True),
        Ballot([16 + 24, 17 + 24], False),
        Ballot([16 - 24, 17 - 24], False),
        Ballot([20 + 24], True),  # other hours
        Ballot([16 + 24 * 40], True),  # too far
    )
    done = report_event(RALLY, [], given, LONG)
    assert [(start - START) / DAY for start, _ in done.other_days] == [-1, 1]
    assert done.comparison == Reason(
        "compare.days", {"n": 2, "own": 1.0, "usual": 0.0, "worst": 0.0, "as_bad": 0}
    )
    assert reasons_text([done.comparison]) == (
        "100.0% of the measurements failed during the event. In the same hours of 2 other days the median was 0.0% and "
        "the highest 0.0%; days at least as bad: 0."
    )


def test_an_event_of_several_days_is_compared_with_other_weeks() -> None:
    given = votes(Ballot([16 + 24 * day for day in range(-21, 22)], False))
    exams = replace(RALLY, end=START + 3 * DAY)
    done = report_event(exams, [], given, LONG)
    assert [(start - START) / DAY for start, _ in done.other_days] == [-21, -14, -7, 7, 14, 21]


def test_days_that_were_not_recorded_are_no_comparison() -> None:
    assert report_event(RALLY, [], CALM, (START, START + DAY)).comparison == Reason("compare.nothing")
    assert report_event(RALLY, [], CALM, None).other_days == ()


def test_the_chance_of_a_coincidence_grows_with_other_onsets() -> None:
    others = [cut(24 * day, 24 * day + 1, end=24 * day + 2) for day in (-40, -30, 10)]
    rare, often = report(cut(14, 15)).coincidence, report(cut(14, 15), *others).coincidence
    assert (rare.onsets, often.onsets) == (0, 3)
    assert rare.chance is not None and often.chance is not None
    assert rare.chance == pytest.approx((LEAD + 3 * HOUR) / (119.4 * DAY), rel=0.01)
    assert often.chance == pytest.approx(4 * rare.chance, rel=0.02)
    assert often.reason == Reason(
        "chance.rate", {"others_began": 3, "days": 119, "window": LEAD + 3 * HOUR, "lead": LEAD}
    )


def test_a_short_record_gives_no_chance() -> None:
    done = report_event(RALLY, [cut(14, 15)], CALM, (START - 2 * DAY, START + 2 * DAY)).coincidence
    assert done.chance is None
    assert (done.reason.code, done.reason.params["needed"]) == ("chance.short", 28)


def test_an_event_registered_when_it_had_begun_is_late() -> None:
    assert not RALLY.is_late
    assert replace(RALLY, registered_at=START).is_late


def test_the_digest_is_of_what_was_announced_alone() -> None:
    assert replace(RALLY, id="PK-watch-9", registered_at=0.0).digest == RALLY.digest
    assert replace(RALLY, title="Another").digest != RALLY.digest
    assert replace(RALLY, targets=()).digest != RALLY.digest


def test_other_days_reach_four_weeks() -> None:
    assert OTHER_DAYS == 28 * DAY
