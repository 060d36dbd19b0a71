"""Rehearsals with real packets, end to end: what CI plays of the truth table.  Needs what a lab needs.

Nothing here asserts how long anything took; only that each is found in the end, and rightly.
"""

from dataclasses import replace

import pytest

from fanous.model.incident import Kind, Scope
from fanous.model.place import Access
from fanous_lab.evaluation.rehearsal.report import rehearsal_document
from fanous_lab.evaluation.rehearsal.run import Rehearsal, rehearse
from fanous_lab.evaluation.rehearsal.score import Score, score
from fanous_lab.scenario import Expectation, LabNetwork, Scenario, ScenarioStep
from tests.evaluation.rehearsal.conftest import PLAYED
from tests.lab.conftest import skip_without_a_lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(280)]

LINES = (
    LabNetwork("PK", 45669, "Jazz", Access.MOBILE, 0.4, 3),
    LabNetwork("PK", 59257, "Zong", Access.MOBILE, 0.3, 1),
    LabNetwork("PK", 17557, "PTCL", Access.FIXED, 0.3, 1),
)
ALL = tuple(line.asn for line in LINES)
QUIET = Scenario("t", "PK", 1, 2.0, 30.0, ("x", "youtube"), LINES, (), ())


def played(scenario: Scenario) -> tuple[Rehearsal, Score]:
    skip_without_a_lab()
    rehearsal = rehearse(scenario)
    scored = score(scenario, rehearsal.sightings)
    PLAYED.append(scored)
    return rehearsal, scored


def test_two_platforms_cut_in_two_ways_are_one_confirmed_incident() -> None:
    events = (
        ScenarioStep(5.0, 19.0, "sni_reset", ("x",), ALL),
        ScenarioStep(5.0, 19.0, "dns_nxdomain", ("youtube",), ALL),
    )
    wanted = Expectation(Kind.BLOCKING, None, ("x", "youtube"), ("tls.reset.sni",))
    rehearsal, scored = played(replace(QUIET, duration=20.0, events=events, expects=(wanted,)))
    assert [met.why for met in scored.missed] == []
    assert [one.label for one in scored.found if one.events] == ["exact"]
    document = rehearsal_document(rehearsal, scored)
    assert document["lab"]["stored"] == document["lab"]["measurements"] > 0
    assert document["seconds_to_confirm"]


@pytest.mark.matrix
def test_a_fifth_of_all_packets_lost_is_not_an_incident() -> None:
    _, scored = played(replace(QUIET, duration=26.0, events=(ScenarioStep(8.0, 24.0, "loss_20", (), ALL),)))
    assert scored.false_confirmed == ()


@pytest.mark.matrix
def test_one_network_without_a_way_out_is_seen_by_silence_and_confirmed_by_what_comes_late() -> None:
    events = (ScenarioStep(14.0, 30.0, "outage_isp", (), (45669,)),)
    wanted = Expectation(Kind.OUTAGE, Scope.ISP, (), ("outage.isp", "outage.mobile"))
    _, scored = played(replace(QUIET, duration=42.0, events=events, expects=(wanted,)))
    assert [met.why for met in scored.missed] == []
    assert scored.false_confirmed == ()
