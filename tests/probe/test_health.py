"""Is there a network, and one that measurements may rest on?"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fanous.model.measurement import Record
from fanous.model.verdict import State
from fanous.probe.output import report_document
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.keep import kept_own
from tests.probe.net import servers
from tests.probe.scene import CONTROL_IP, SITE, SITE_IP, Found, Scene, measured, scene

Build = Callable[[Scene], Awaitable[None]]


def run(folder: Path, build: Build, url: str = f"https://{SITE}/", **changes: object) -> Found:
    async def play() -> Found:
        async with scene(folder) as place:
            await build(place)
            return await measured(place, url, with_health=True, settings=place.settings(**changes))

    return asyncio.run(play())


async def _healthy(place: Scene) -> None:
    place.routes.names[SITE] = [SITE_IP]
    await place.control()
    await place.serve(SITE, SITE_IP, 443, servers.pages())


async def _nothing(_place: Scene) -> None:
    return


def test_a_sound_line_is_measured(tmp_path: Path) -> None:
    found = run(tmp_path, _healthy)
    health = found.report.health
    assert health is not None and health.online and not health.portal and health.defect == ""
    assert health.controls == {"https://control.example/": True}
    assert [record["test_name"] for record in found.records] == ["fanous_health", "web_connectivity"]
    assert found.outcome.state is State.OK


def test_no_network_is_kept_as_evidence_and_nothing_is_called_blocked(tmp_path: Path) -> None:
    found = run(tmp_path, _nothing)
    assert found.report.outcomes == []
    assert found.report.not_tried == {f"https://{SITE}/": "no network"}
    (record,) = found.records
    assert record["test_name"] == "fanous_health"
    assert record["annotations"]["network_type"] == "no_internet"
    text = str(report_document(found.report, None))
    assert "insufficient" in text and "no network" in text
    assert "blocked" not in text and "throttled" not in text


def test_an_address_of_this_network_needs_no_network(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await place.serve("127.0.0.1", "127.0.0.1", 8443, servers.pages())

    assert run(tmp_path, build, "https://127.0.0.1:8443/").outcome.state is State.OK


def test_a_login_page_stops_the_run(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        place.routes.names |= {name: [CONTROL_IP] for name in (SITE, "control.example", "portal.example")}
        login = servers.pages(default=b"<title>Log in</title>")
        await place.put(CONTROL_IP, 80, login)

    found = run(tmp_path, build)
    assert found.report.health is not None and found.report.health.defect == "captive portal"
    assert found.report.not_tried == {f"https://{SITE}/": "captive portal"}


def test_a_changed_page_is_no_login_page_where_controls_come_over_tls(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await _healthy(place)
        await place.put(CONTROL_IP, 80, servers.pages(default=b"an injected page"))

    found = run(tmp_path, build)
    assert found.report.health is not None and not found.report.health.portal
    assert found.outcome.state is State.OK


@pytest.mark.parametrize(
    ("date", "ahead"),
    [("Mon, 01 Jan 2024 00:00:00 GMT", True), ("Fri, 01 Jan 2100 00:00:00 GMT", False), ("nonsense", None)],
)
def test_the_clock_is_compared_with_the_controls_date(date: str, ahead: bool | None, tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await place.control()
        dated = servers.pages({"/": servers.response(b"hello", headers=f"Date: {date}")})
        await place.serve("control.example", CONTROL_IP, 443, dated)

    health = run(tmp_path, build).report.health
    assert health is not None
    assert (None if health.clock_offset is None else health.clock_offset > 0) == ahead


def test_only_sites_inside_the_country_answering_is_told_apart(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        place.routes.names["home.example"] = ["198.51.45.77"]
        await place.serve("home.example", "198.51.45.77", 443, servers.pages())

    found = run(tmp_path, build, domestic="https://home.example/")
    assert found.report.health is not None and found.report.health.intranet_only
    assert found.report.not_tried == {f"https://{SITE}/": "nothing outside the country answers"}
    assert {one["hostname"] for one in found.keys["queries"]} >= {"home.example", "control.example"}


@pytest.mark.parametrize("valid", [True, False])
def test_a_line_on_which_only_sites_of_a_list_answer_is_told_apart(valid: bool, tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        place.routes.names |= {"home.example": ["198.51.45.77"], "spared.example": ["198.51.45.78"]}
        await place.serve("home.example", "198.51.45.77", 443, servers.pages())
        name = "spared.example" if valid else "other.example"
        await place.serve(name, "198.51.45.78", 443, servers.pages())

    spared = ("https://spared.example/", "https://lost.example/", "http://home.example/")
    found = run(tmp_path, build, domestic="https://home.example/", spared=spared)
    health = found.report.health
    assert health is not None
    if not valid:  # a forged page inside the country is no site outside
        assert health.intranet_only and health.spared == ()
        return
    assert health.spared == ("https://spared.example/",) and not health.intranet_only
    assert found.report.not_tried == {f"https://{SITE}/": "outside the country only sites of a list answer"}
    (record,) = found.records
    written = json.dumps(record).encode()
    for data in (written, kept_own(written)):
        parsed = MEASUREMENT_SOURCES["edge"].parse(Record("edge", data))
        assert parsed.measurement.defect == "outside the country only sites of a list answer"
    assert record["test_keys"]["x_health"]["spared"] == ["https://spared.example/"]


def test_a_line_that_comes_back_while_it_is_looked_at_is_no_list(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _healthy(place)
            await servers.pages()(reader, writer)

        place.routes.names |= {"home.example": ["198.51.45.77"], "spared.example": ["198.51.45.78"]}
        await place.serve("home.example", "198.51.45.77", 443, servers.pages())
        await place.serve("spared.example", "198.51.45.78", 443, back)

    found = run(tmp_path, build, domestic="https://home.example/", spared=("https://spared.example/",))
    health = found.report.health
    assert health is not None and health.online and health.defect == ""
    assert health.spared == () and not health.intranet_only
    assert health.controls == {"https://control.example/": True}
    assert found.outcome.state is State.OK


def test_spared_sites_are_left_alone_on_a_sound_line(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await _healthy(place)
        place.routes.names["spared.example"] = [CONTROL_IP]

    found = run(tmp_path, build, spared=("https://spared.example/",))
    assert "spared.example" not in {one["hostname"] for one in found.records[0]["test_keys"]["queries"]}


def test_a_domestic_site_next_to_a_sound_line_changes_nothing(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await _healthy(place)
        place.routes.names["home.example"] = [CONTROL_IP]

    found = run(tmp_path, build, domestic="https://home.example/")
    assert found.report.health is not None and not found.report.health.intranet_only
    assert found.outcome.state is State.OK


def test_an_answer_of_the_systems_resolver_alone_is_not_a_network(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        place.routes.names |= {name: [SITE_IP] for name in (SITE, "control.example", "portal.example")}

    assert run(tmp_path, build).report.not_tried == {f"https://{SITE}/": "no network"}


def test_the_record_of_the_line_is_one_that_the_connector_takes(tmp_path: Path) -> None:
    (record,) = run(tmp_path, _nothing).records
    bundle = MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", json.dumps(record).encode()))
    assert bundle.measurement.defect == "no network"
    assert bundle.bogus == ()
