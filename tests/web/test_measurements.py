"""The measurements behind an incident, and the page of one of them."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from fanous.analysis.rules import RULES_BY_ID
from fanous.model.incident import Interval
from fanous.model.measurement import ParsedMeasurement, Provenance, Record
from fanous.model.verdict import State, Verdict
from fanous.pipeline import judge
from fanous.store.archive import Location, Segment
from fanous.store.facts import StoredMeasurement
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.wording import LANGUAGES
from fanous.wording.reasons import DEFECTS
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot
from tests.builders import measurement, observation
from tests.charts.events import incident, network
from tests.copies import copy_of
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, Reader, reader

HOSTILE = "<script>alert(1)</script>"
ON = Interval(MONDAY + 4 * HOUR, MONDAY + 8 * HOUR)
LIST = "/PK/PK-2023-0042/measurements"
OFTEN = [n / 20 for n in range(20 * 11)]


def listing(**given: Any) -> Reader:
    one = incident(
        onset=ON.start, end=ON.end, intervals=(ON,), networks=(network("AS59257", intervals=(ON,)),)
    )
    ballots = (Ballot(OFTEN, True, asn=59257), Ballot(OFTEN, True, asn=45669))
    fields: dict[str, Any] = {"known": [one], "ballots": ballots}
    return reader(SmallStore(**(fields | given)), Site(clock=lambda: MONDAY + 12 * HOUR))


def test_the_list_names_those_that_saw_it_on_the_networks_and_in_the_times_it_names() -> None:
    text = listing().get(LIST).text
    assert "80 measurements saw it" in text
    assert text.count('href="/measurement/') == 80
    assert "AS45669" not in text


@each("held", ["small_rally_folder", "demo_of_x_folder"])
def test_incident_list_networks_and_api_count_the_same_measurements(
    held: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with open_store(copy_of(request.getfixturevalue(held), tmp_path / held)) as store:
        (one,) = store.ledger.incidents("PK")

        async def ask(question: Callable[[Store], Any]) -> Any:
            return question(store)

        client = Reader(application(ask, Site(clock=lambda: NOW)))
        pages = [client.get(f"/PK/{one.id}/measurements?page={n}").text for n in range(1, 30)]
        told = client.get(f"/api/v1/incidents/{one.id}").json()
    listed = {uid for page in pages for uid in re.findall('href="/measurement/([^"]+)"', page)}
    made = one.evidence.measurements
    assert f"{made} measurements saw it" in pages[0]
    assert len(listed) == made == sum(network.measurements for network in one.networks)
    assert told["evidence"]["measurements"] == made


def test_a_list_that_differs_from_the_figures_says_why() -> None:
    assert "it was decided with what the store held then" in listing().get(LIST).text


@pytest.mark.parametrize(("asked", "shown"), [("", 100), ("?page=1", 100), ("?page=2", 60)])
def test_a_long_list_has_pages(asked: str, shown: int) -> None:
    often = [n / 40 for n in range(40 * 11)]
    text = listing(ballots=(Ballot(often, True, asn=59257),)).get(LIST + asked).text
    assert text.count('href="/measurement/') == shown


@each(("asked", "status"), [("3", 404), ("99999", 404), ("-1", 308), ("x", 308), ("0", 308), ("123456", 308)])
def test_a_page_beyond_the_list_does_not_exist(asked: str, status: int) -> None:
    often = [n / 40 for n in range(40 * 11)]
    answer = listing(ballots=(Ballot(often, True, asn=59257),)).get(f"{LIST}?page={asked}")
    assert answer.status_code == status
    assert answer.headers.get("location", LIST) == LIST


def stored(
    bundle: ParsedMeasurement, verdicts: list[Verdict], raw: bytes, source: str = "ooni"
) -> SmallStore:
    """A store that knows one measurement."""
    location = Location(Segment("2023121700", "PK", "webconnectivity", source, "0" * 16), 0)
    one, facts = bundle.measurement, list(bundle.observations)
    row = StoredMeasurement(one, source, NOW, location, len(facts), None, (), Provenance.REAL)
    return SmallStore(stored={one.uid: (row, verdicts, facts, raw)})


@pytest.mark.parametrize("code", sorted(LANGUAGES.keys() - {"en"}))
def test_the_page_of_a_measurement_gives_the_rules_reason_in_the_readers_language(
    rally: Path, code: str
) -> None:
    record = Record("ooni", rally.read_bytes().splitlines()[0])
    bundle, verdicts = judge.judge_record(record)
    unsound = replace(bundle, measurement=replace(bundle.measurement, defect="vpn"))
    client = reader(stored(unsound, list(verdicts), record.data))
    text = unescape(client.get(f"/measurement/{bundle.measurement.uid}?lang={code}").text)
    assert verdicts
    for verdict in verdicts:
        assert LANGUAGES[code].say(RULES_BY_ID[verdict.rule_id].why) in text
        assert RULES_BY_ID[verdict.rule_id].why not in text
    assert LANGUAGES[code].say(DEFECTS["vpn"]) in text


def test_a_measurement_has_a_page_with_each_conclusion_its_rule_and_its_facts(rally: Path) -> None:
    record = Record("ooni", rally.read_bytes().splitlines()[0])
    bundle, verdicts = judge.judge_record(record)
    client = reader(stored(bundle, list(verdicts), record.data))
    text = client.get(f"/measurement/{bundle.measurement.uid}").text
    assert all(verdict.rule_id in text for verdict in verdicts)
    assert "CC BY-NC-SA 4.0" in text
    assert f"https://explorer.ooni.org/m/{bundle.measurement.uid}" in text
    document = client.get(f"/measurement/{bundle.measurement.uid}.json").json()
    assert document["licence"]["licence"] == "CC BY-NC-SA 4.0"
    assert document["record"]["measurement_start_time"].endswith(":00Z")


def test_hostile_facts_are_text() -> None:
    header = measurement(uid="u1", input=HOSTILE, network_name=HOSTILE, software=HOSTILE, test_name=HOSTILE)
    fact = observation(hostname=HOSTILE, url=f"javascript:{HOSTILE}", failure=HOSTILE, answers=(HOSTILE,))
    verdict = Verdict(HOSTILE, fact.layer, State.BLOCKED, HOSTILE, HOSTILE, HOSTILE)
    answer = reader(stored(ParsedMeasurement(header, (fact,)), [verdict], b"{}")).get("/measurement/u1")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert 'href="javascript:' not in answer.text


def test_what_cannot_be_redacted_never_leaves() -> None:
    store = stored(ParsedMeasurement(measurement(uid="u1"), ()), [], b"no JSON at all")
    assert reader(store).get("/measurement/u1.json").status_code == 404
    unknown = stored(ParsedMeasurement(measurement(uid="u1"), ()), [], b"{}", source="somebody")
    assert reader(unknown).get("/measurement/u1.json").status_code == 404


def test_the_time_of_a_measurement_is_told_to_the_minute() -> None:
    header = measurement(uid="u1", started_at=NOW - 3600 + 42)
    text = reader(stored(ParsedMeasurement(header, ()), [], b"{}")).get("/measurement/u1").text
    assert ":42" not in text


@pytest.mark.parametrize("path", ["/measurement/none", "/measurement/none.json", "/measurement/../x"])
def test_an_unknown_measurement_is_no_page(path: str) -> None:
    assert reader(SmallStore()).get(path).status_code == 404
