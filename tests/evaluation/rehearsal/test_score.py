"""Score: what was found against what was done."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from fanous.model.incident import Kind, Scope
from fanous.model.place import Access
from fanous_lab.evaluation.rehearsal.score import Sighting, Sightings, score
from fanous_lab.scenario import Expectation, LabNetwork, Scenario, ScenarioStep
from tests.each import each
from tests.evaluation.rehearsal.claims import claim, sighting

LINES = tuple(LabNetwork("PK", asn, "", Access.FIXED, 0.3, 2) for asn in (1, 2, 3))
EVENT = ScenarioStep(10.0, 40.0, "sni_reset", ("x",), (1, 2))
WANTED = Expectation(Kind.BLOCKING, Scope.NATION, ("x",), ("tls.reset.sni",))
SCENARIO = Scenario("t", "PK", 7, 2.0, 60.0, ("x", "youtube"), LINES, (EVENT,), (WANTED,))


def test_what_was_done_and_found_is_neither_missed_nor_false() -> None:
    scored = score(SCENARIO, [sighting(22.5)])
    assert (scored.missed, scored.false) == ((), ())
    (found,) = scored.found
    assert (found.label, found.seconds_to_confirm, found.seconds_to_end) == ("exact", 12.5, None)


@each(
    ("said", "lacks"),
    [
        ({"scope": "isp"}, "its scope is isp, not nation"),
        ({"confirmed_at": None, "status": "suspected"}, "never confirmed"),
        ({"mechanisms": ["tls"]}, "mechanisms tls, not tls.reset.sni"),
        ({"kind": "throttling"}, "nothing was found"),  # not of a kind that a reset explains
        ({"targets": ["youtube"]}, "nothing was found"),
        ({"entities": ["AS1", "AS3"]}, "networks on which nothing was done: 3"),
    ],
)
def test_what_an_expectation_lacks_is_reported(said: dict[str, Any], lacks: str) -> None:
    (missed,) = score(SCENARIO, [sighting(**said)]).missed
    assert lacks in missed.why


@pytest.mark.parametrize(
    "said",
    [
        {"targets": ["youtube"]},  # another target
        {"entities": ["AS3"]},  # another network
        {"kind": "outage", "targets": [""]},  # another kind
    ],
)
def test_what_nothing_explains_is_false(said: dict[str, Any]) -> None:
    scored = score(SCENARIO, [sighting(**said)])
    assert len(scored.false) == len(scored.false_confirmed) == 1


def test_a_claim_from_before_the_event_is_false() -> None:
    assert len(score(SCENARIO, [sighting(at=5.0)]).false) == 1


def test_a_suspicion_that_was_taken_back_was_false_but_never_confirmed() -> None:
    taken_back = sighting(targets=["youtube"], status="retracted", confirmed_at=None)
    scored = score(SCENARIO, [taken_back])
    assert (len(scored.false), len(scored.false_confirmed)) == (1, 0)


def test_without_an_expectation_nothing_is_missed() -> None:
    assert score(replace(SCENARIO, expects=()), []).missed == ()


def test_two_techniques_in_one_incident_may_each_name_their_own() -> None:
    both = replace(SCENARIO, events=(EVENT, replace(EVENT, technique="dns_nxdomain", targets=("youtube",))))
    named = sighting(targets=["x", "youtube"], mechanisms=["tls.reset.sni", "dns.nxdomain"])
    assert score(both, [named]).found[0].label == "exact"
    wrong = sighting(targets=["x", "youtube"], mechanisms=["tls.reset.sni", "http.blockpage"])
    assert score(both, [wrong]).found[0].label == "wrong"


def test_a_host_of_a_known_platform_is_found_under_the_name_of_the_platform() -> None:
    hosts = replace(
        SCENARIO,
        events=(replace(EVENT, targets=("azattyq.org",)),),
        expects=(structs.replace(WANTED, targets=("azattyq.org",)),),
    )
    scored = score(hosts, [sighting(22.5, targets=["rferl"])])
    assert (scored.missed, scored.false) == ((), ())


def test_what_joins_an_incident_later_explains_its_mechanism_too() -> None:
    later = replace(EVENT, at=30.0, technique="dns_nxdomain", targets=("youtube",))
    named = sighting(22.5, targets=["x", "youtube"], mechanisms=["tls.reset.sni", "dns.nxdomain"])
    (found,) = score(replace(SCENARIO, events=(EVENT, later)), [named]).found
    assert (found.events, found.label) == ((0, 1), "exact")


def test_a_sighting_remembers_when_each_thing_was_first_known() -> None:
    all_of_them = Sightings()
    all_of_them.see(claim(status="suspected", confirmed_at=None, scope="isp"), 11.0)
    all_of_them.see(claim(scope="multi_isp"), 14.0)
    all_of_them.see(claim(targets=["x", "youtube"]), 16.0)
    all_of_them.see(claim(end="2023-12-17T16:00:00Z"), 30.0)
    (seen,) = all_of_them.all()
    assert (seen.suspected, seen.confirmed, seen.nation, seen.ended) == (11.0, 14.0, 16.0, 30.0)
    assert seen.by_target == {"x": 14.0, "youtube": 16.0}
    seen.see(claim(), 31.0)
    assert seen.ended is None  # it goes on after all


def test_networks_are_those_of_the_entities() -> None:
    assert Sighting(claim(entities=["PK", "AS17557"]), 0.0).networks == frozenset({17557})
