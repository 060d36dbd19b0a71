"""The API: what programs ask."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
import schemathesis
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from fanous.model.incident import Incident, Status
from fanous.model.measurement import Provenance
from fanous.model.place import Place
from fanous.model.reason import Reason
from fanous.model.series import Series, SeriesKey
from fanous.sources.publishers import SOURCES
from fanous.store.coverage import Heard
from fanous.web.answers import Site
from fanous.web.application import application
from tests.charts.events import NATION, ONGOING, START, SUSPECTED, incident
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.test_explore import BALLOTS
from tests.web.visits import NOW, Reader, reader

API = "/api/v1"


def known(n: int) -> list[Incident]:
    return [
        replace(incident(**ONGOING | NATION), id=f"PK-2023-{k:04}", onset=START + k * 60.0)
        for k in range(1, n + 1)
    ]


def visiting(*incidents: Incident) -> Reader:
    return reader(SmallStore(list(incidents)), Site(url="https://fanous.example", clock=lambda: NOW))


def listed(visitor: Reader, query: str) -> list[str]:
    return [one["id"] for one in visitor.get(f"{API}/incidents{query}").json()["incidents"]]


MIXED = (
    replace(incident(**ONGOING), id="PK-2023-0001"),
    replace(incident(**SUSPECTED, targets=("youtube",)), id="PK-2023-0002", onset=START + 60),
    replace(incident(), id="IR-2023-0001", country="IR", onset=START + 120, entities=("AS197207",)),
)


@each(
    ("query", "found"),
    [
        ("", ["IR-2023-0001", "PK-2023-0002", "PK-2023-0001"]),
        ("?country=PK", ["PK-2023-0002", "PK-2023-0001"]),
        ("?country=pk", ["PK-2023-0002", "PK-2023-0001"]),
        ("?status=suspected", ["PK-2023-0002"]),
        ("?target=youtube", ["PK-2023-0002"]),
        ("?network=197207", ["IR-2023-0001"]),
        ("?kind=outage", []),
        ("?until=2023-12-17T14:45Z", []),
        ("?since=2023-12-18", ["PK-2023-0002", "PK-2023-0001"]),
        ("?limit=1", ["IR-2023-0001"]),
    ],
)
def test_incidents_are_found_by_what_they_are(query: str, found: list[str]) -> None:
    assert listed(visiting(*MIXED), query) == found


def test_pages_follow_each_other_whatever_comes_in_meanwhile() -> None:
    store = SmallStore(known(5))
    visitor = reader(store)
    first = visitor.get(f"{API}/incidents?limit=2").json()
    store.facts.known = [
        *store.facts.known,
        replace(incident(**ONGOING), id="PK-2023-0009", onset=START + 9000),
    ]
    second = visitor.get(f"{API}/incidents?limit=2&cursor={first['next']}").json()
    third = visitor.get(f"{API}/incidents?limit=2&cursor={second['next']}").json()
    ids = [one["id"][-1] for page in (first, second, third) for one in page["incidents"]]
    assert ids == ["5", "4", "3", "2", "1"]
    assert third["next"] is None


def test_one_incident_is_told_with_its_revisions_and_its_address() -> None:
    document = visiting(MIXED[0]).get(f"{API}/incidents/PK-2023-0001").json()
    assert document["url"] == "https://fanous.example/PK/PK-2023-0001"
    assert document["sentence"].startswith("Confirmed: X (Twitter) has been blocked")
    assert [one["n"] for one in document["revisions"]] == [1]
    assert document["networks"][0]["entity"] == "AS59257"
    assert document["synthetic"] is False


def test_the_cost_is_there_by_method() -> None:
    document = visiting(MIXED[0]).get(f"{API}/incidents/PK-2023-0001/cost").json()
    assert document["methods"][0]["inputs"][0]["source"] == "World Bank, World Development Indicators"


@each(
    ("path", "status", "detail"),
    [
        ("/incidents?limit=0", 400, "limit"),
        ("/incidents?limit=many", 400, "limit: 'many' does not fit; expected: a whole number from 1 to 200"),
        (
            "/incidents?country=Pakistan",
            400,
            "country: 'Pakistan' does not fit; expected: ISO 3166-1, such as PK",
        ),
        ("/incidents?status=null", 400, "status: 'null' does not fit; expected: one of confirmed,"),
        ("/incidents?contry=PK", 400, "did you mean country?"),
        ("/incidents?country=PK&country=IR", 400, "given twice"),
        ("/incidents?since=2023-99-99", 400, "not a date or time"),
        ("/incidents?cursor=AAAA", 400, "cursor"),
        ("/incidents/PK-2023-0099", 404, "no incident PK-2023-0099"),
        ("/nothing", 404, "/api/v1/nothing"),
        ("/countries?x=1", 400, "unknown parameter x"),
        ("/countries?x%C2%9B31m%E2%80%AE=1", 400, "unknown parameter x31m: "),
        ("/aggregate?axis_x=color", 400, "axis_x"),
        ("/aggregate?step=60", 400, "step"),
        ("/aggregate?country=PK,", 400, "country"),
        ("/aggregate?network=ASX", 400, "network"),
        ("/measurements?cursor=x", 400, "cursor"),
        ("/series", 400, "country: needed, but not given"),
        ("/series?country=PK&signal=nothing", 400, "signal"),
    ],
)
def test_a_wrong_question_is_answered_with_its_problem(path: str, status: int, detail: str) -> None:
    answer = visiting(*MIXED).get(f"{API}{path}")
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in problem["detail"]


def test_an_answer_that_is_known_is_not_sent_again() -> None:
    visitor = visiting(*MIXED)
    tag = visitor.get(f"{API}/incidents").headers["etag"]
    again = visitor.get(f"{API}/incidents", if_none_match=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["access-control-allow-origin"] == "*"


def test_nothing_can_be_written() -> None:
    answer = visiting(*MIXED).ask("POST", f"{API}/incidents")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json()["status"] == 405


def test_countries_tell_what_is_open_there() -> None:
    (iran, pakistan) = visiting(*MIXED).get(f"{API}/countries").json()["countries"]
    assert (iran["country"], iran["confirmed"], iran["last_heard"]) == ("IR", 0, None)
    assert (pakistan["confirmed"], pakistan["suspected"]) == (1, 1)


def test_what_was_taken_back_is_listed() -> None:
    class Corrected(SmallStore):
        def revisions(self, incident_id: str) -> list[Any]:
            (first,) = super().revisions(incident_id)
            gone = replace(first.incident, status=Status.RETRACTED)
            return [first, replace(first, n=2, incident=gone, reasons=(Reason("not_supported"),))]

    (one,) = reader(Corrected([MIXED[0]])).get(f"{API}/corrections").json()["corrections"]
    assert (one["incident"], one["taken_back"]) == ("PK-2023-0001", ["the whole claim"])


def test_a_recorded_event_says_so() -> None:
    staged = replace(MIXED[0], provenance=Provenance.SYNTHETIC)
    visitor = reader(SmallStore([staged, *MIXED[1:]]))
    told = visitor.get(f"{API}/incidents").json()["incidents"]
    assert {one["id"]: one["synthetic"] for one in told} == {one.id: one is MIXED[0] for one in MIXED}
    (one,) = [one for one in told if one["synthetic"]]
    assert one["provenance"] == "synthetic"
    assert one["sentence"].startswith("Synthetic: a staged event.")


def test_metrics_count_what_is_open() -> None:
    text = visiting(*MIXED).get("/metrics").text
    assert 'fanous_incidents_open{country="PK",kind="blocking",status="confirmed"} 1' in text
    assert 'fanous_incidents_open{country="PK",kind="blocking",status="suspected"} 1' in text
    assert 'country="IR"' not in text
    assert 'fanous_alerts{state="dead"} 0' in text


def test_a_country_that_has_been_silent_for_weeks_keeps_its_series() -> None:
    store = SmallStore(heard_networks=[Heard("KE", 36926, NOW - 60, 5, 1)])
    last = NOW - 40 * 86_400
    store.countries = lambda: ["KE", "PK"]  # type: ignore[method-assign]
    store.measured = lambda country: (last - 5, last)  # type: ignore[method-assign]  # noqa: ARG005
    text = reader(store).get("/metrics").text
    assert 'fanous_last_measurement_age_seconds{country="KE"} 60' in text
    assert f'fanous_last_measurement_age_seconds{{country="PK"}} {40 * 86_400}' in text


def quantity(source: str, signal: str, subtype: str = "") -> Series:
    times = np.arange(int(NOW) - 7200, int(NOW), 600, dtype=np.int64)
    key = SeriesKey(Place("PK"), "", signal, source=source, subtype=subtype)
    ones = np.ones(len(times), np.int64)
    return Series(key, 600, times, times / 1e9, ones, 0 * ones, 0 * ones)


QUANTITIES = [
    quantity("tor", "tor_relay"),
    quantity("ioda", "bgp"),
    quantity("google", "google_traffic", "youtube"),
    quantity("radar", "radar_netflows"),
]


def counting() -> Reader:
    return reader(SmallStore([MIXED[0]], ballots=BALLOTS, quantity_series=QUANTITIES))


def test_measurements_are_counted_along_the_axes_that_are_asked_for() -> None:
    answer = (
        counting().get(f"{API}/aggregate?country=PK&axis_x=network&axis_y=target&since=2023-12-17").json()
    )
    rows = {(row["network"], row["target"]): row for row in answer["rows"]}
    assert rows[59257, "x"] | {} == {
        "time": None,
        "end": None,
        "country": None,
        "network": 59257,
        "target": "x",
        "mechanism": None,
        "source": None,
        "measurements": 6,
        "ok": 3,
        "blocked": 3,
        "throttled": 0,
        "unclear": 0,
    }
    assert answer["sources"][0]["licence"] == "CC BY-NC-SA 4.0"
    assert (answer["clock"], answer["step"]) == ("Asia/Karachi", None)


@pytest.mark.parametrize("axes", ["axis_x=time", "axis_x=mechanism", "axis_x=country&axis_y=source"])
def test_page_and_api_give_the_same_numbers(axes: str) -> None:
    visitor = counting()
    answer = visitor.get(
        f"{API}/aggregate?country=PK&since=2023-12-16T19:00Z&until=2023-12-17T19:00Z&{axes}"
    ).json()
    page = visitor.get("/explore.json?country=PK&since=2023-12-17&until=2023-12-17").json()
    for field, total in page["total"].items():
        assert sum(row[field] for row in answer["rows"]) == total
    assert answer["url"] == page["url"].partition("&step")[0]


def test_bins_of_the_api_are_those_of_the_page() -> None:
    visitor = counting()
    span = "since=2023-12-16T19:00Z&until=2023-12-17T19:00Z&step=3600"
    answer = visitor.get(f"{API}/aggregate?country=PK&axis_x=time&axis_y=network&{span}").json()
    page = visitor.get("/explore.json?country=PK&since=2023-12-17&until=2023-12-17&step=3600").json()
    names = ("time", "end", "network", "measurements", "blocked", "throttled", "ok")
    assert sorted(tuple(row[name] for name in names) for row in answer["rows"]) == sorted(
        tuple(row[name] for name in names) for row in page["rows"]
    )


def test_single_measurements_follow_each_other_and_are_those_that_are_counted() -> None:
    visitor = counting()
    asked = f"{API}/measurements?country=PK&target=x,youtube&since=2023-12-17&limit=4"
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = visitor.get(f"{asked}{cursor}").json()
        found += answer["measurements"]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert len(found) == 9
    assert [one["time"] for one in found] == sorted((one["time"] for one in found), reverse=True)
    assert all(one["time"].endswith(":00Z") for one in found)
    assert sum(one["outcome"] == "blocked" for one in found) == 3
    assert found[0]["licence"] == "CC BY-NC-SA 4.0"


def test_series_come_with_values_only_where_the_terms_allow_it() -> None:
    series = counting().get(f"{API}/series?country=PK").json()["series"]
    by_source = {one["source"]: one for one in series}
    assert set(by_source) == {"tor", "ioda", "google", "radar"}
    for name, one in by_source.items():
        assert one["may_be_passed_on"] is SOURCES[name].is_open
        assert (one["values"] is None) is (one["times"] is None) is (not SOURCES[name].is_open)
    assert len(by_source["tor"]["values"]) == 12
    assert by_source["google"]["target"] == "youtube"
    (alone,) = counting().get(f"{API}/series?country=PK&signal=bgp").json()["series"]
    assert alone["signal"] == "bgp"


@pytest.fixture(scope="module")
def description() -> Any:
    return schemathesis.openapi.from_asgi(
        f"{API}/openapi.json",
        application(
            SmallStore(list(MIXED), ballots=BALLOTS, quantity_series=QUANTITIES).ask,
            Site(url="https://fanous.example", clock=lambda: NOW),
        ),
    )


def test_it_answers_as_it_is_described(description: Any) -> None:
    """Called within the test: the questions that a decorator makes up are made up by every process that collects."""
    description.config.seed = 0
    description.config.generation.update(max_examples=25)
    asked, wrong = set[str](), list[str]()
    for event in from_schema(description).execute():
        if isinstance(event, NonFatalError | FatalError):
            wrong.append(str(event))
        if isinstance(event, ScenarioFinished):
            asked |= {one.value.operation.label for one in event.recorder.cases.values()}
            wrong += [
                f"{check.name}: {check.failure_info.failure}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.failure_info
            ]
    assert wrong == []
    assert len(asked) == 8


def test_the_description_names_every_address(description: Any) -> None:
    document = json.loads(msgspec.json.encode(description.raw_schema))
    assert document["openapi"] == "3.1.0"
    assert len(document["paths"]) == 8
    (status,) = [
        one for one in document["paths"][f"{API}/incidents"]["get"]["parameters"] if one["name"] == "status"
    ]
    assert set(status["schema"]["enum"]) == {str(one) for one in Status}
