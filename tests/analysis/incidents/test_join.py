"""What levels and our own probes show of one event is one incident."""

from dataclasses import replace

import pytest

from fanous.analysis.incidents.merge import merged
from fanous.model.incident import (
    Estimate,
    EvidenceCounts,
    Incident,
    Kind,
    NetworkPart,
    Part,
    Scope,
    Stage,
    Status,
)
from fanous.model.reason import Reason
from fanous.model.series import Anomaly
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import claim, drop

AP, GTR = "ping-slash24", "gtr"


def made(*group: Anomaly) -> Incident:
    incident = claim(*group)
    assert incident is not None
    return incident


LEVELS = made(drop(AP, 0, 5), drop(GTR, 0, 5))
LONE = made(drop(AP, 0, 5))
PROBES = replace(
    LEVELS,
    scope=Scope.MULTI_ISP,
    entities=("AS1", "AS2"),
    parts=(Part("", Kind.OUTAGE, ("outage.intranet",), ("AS1", "AS2")),),
    networks=(NetworkPart("AS1", ("",), (), 9, 3, 0.999),),
    onset=MONDAY + 0.2 * HOUR,
    end=MONDAY + 5.2 * HOUR,
    confirmed_at=MONDAY + HOUR,
    rule="C2",
    reasons=(Reason("rule.c2", {"probes": 3, "networks": 1, "control": "helper"}),),
    level=None,
    evidence=EvidenceCounts(40, 6, 2, 12, ("edge",)),
    opinions=(),
    hints=(),
)


def test_an_outage_that_both_confirm_is_one_and_the_first_to_confirm_leads() -> None:
    (one,) = merged([LEVELS], [PROBES])
    assert (one.rule, one.confirmed_at, one.scope) == ("C3", LEVELS.confirmed_at, Scope.NATION)
    assert one.mechanisms == ("outage.national", "outage.intranet")
    assert one.entities == ("XA", "AS1", "AS2")
    assert one.evidence.families == ("edge", "probing", "usage") and one.evidence.probes == 6
    assert one.opinions[0].family == "edge"
    assert one.level == LEVELS.level


def test_probes_confirm_what_one_family_of_levels_leaves_suspected() -> None:
    assert LONE.confirmed_at is None
    (one,) = merged([LONE], [PROBES])
    assert (one.rule, one.confirmed_at, one.status) == ("C2", PROBES.confirmed_at, Status.ENDED)
    assert (one.scope, one.onset) == (Scope.MULTI_ISP, PROBES.onset), "what is confirmed sets the scope"
    assert one.level == LONE.level


@pytest.mark.parametrize(
    "other",
    [
        replace(PROBES, onset=MONDAY + 30 * HOUR, end=MONDAY + 40 * HOUR),
        replace(PROBES, status=Status.RETRACTED),
    ],
    ids=["later", "taken back"],
)
def test_what_is_another_event_stays_apart(other: Incident) -> None:
    assert merged([LEVELS], [other]) == [LEVELS, other]


@pytest.mark.parametrize(
    "other",
    [replace(PROBES, kind=Kind.SLOWDOWN), replace(PROBES, parts=(Part("x", Kind.OUTAGE, (), ()),))],
    ids=["another kind", "a platform"],
)
def test_what_is_not_the_line_cut_off_is_a_part_of_it(other: Incident) -> None:
    (one,) = merged([LEVELS], [other])
    assert (one.onset, one.confidence, one.parts) == (
        LEVELS.onset,
        LEVELS.confidence,
        LEVELS.parts + other.parts,
    )


def test_another_place_stays_apart() -> None:
    region = replace(LEVELS, scope=Scope.REGION, entities=("XA-AB",))
    assert merged([region], [PROBES]) == [region, PROBES]
    assert len(merged([replace(region, entities=("XA-AB", "AS1"))], [PROBES])) == 1


def test_what_begins_hours_later_within_it_is_the_same() -> None:
    late = replace(PROBES, onset=MONDAY + 20 * HOUR, end=MONDAY + 30 * HOUR)
    long = made(drop(AP, 0, 40), drop(GTR, 0, 40))
    assert len(merged([long], [late])) == 1
    assert len(merged([long], [replace(late, end=MONDAY + 90 * HOUR)])) == 2


def test_the_levels_of_series_stay_where_probes_lead() -> None:
    levels = (Stage(MONDAY, MONDAY + HOUR, 0.3), Stage(MONDAY + HOUR, None, 0.1))
    lower = replace(LONE, levels=levels, end=None, lasting_since=MONDAY + 2 * HOUR)
    (one,) = merged([lower], [replace(PROBES, end=None, levels=())])
    assert (one.rule, one.levels, one.lasting_since) == ("C2", levels, MONDAY + 2 * HOUR)
    (ended,) = merged([lower], [replace(PROBES, levels=())])
    assert ended.lasting_since is None, "what is over does not last"


def test_a_share_left_by_probes_is_used_if_levels_have_none() -> None:
    slow = replace(PROBES, level=Estimate(0.3, 0.2, 0.4))
    (one,) = merged([replace(LEVELS, level=None)], [slow])
    assert one.level == slow.level
