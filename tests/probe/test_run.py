"""A list of URLs: written as they are done, capped, and without an address of the probe."""

import asyncio
import json
import time
from functools import cache
from pathlib import Path

import pytest

from fanous.model.measurement import Record
from fanous.model.verdict import State
from fanous.probe import outcome, run
from fanous.probe.net.network import Meter
from fanous.probe.trace import line
from fanous.probe.words import round_line
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES
from tests.probe.net import servers
from tests.probe.scene import SITE, SITE_IP, Found, measured, scene

URL = f"https://{SITE}/"


def test_every_url_has_a_record_and_all_of_a_run_share_its_report(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names |= {SITE: [SITE_IP], "second.example": [SITE_IP]}
            await place.serve(SITE, SITE_IP, 443, servers.pages())
            return await measured(place, URL, "https://second.example/", "https://gone.example/")

    found = asyncio.run(play())
    assert sorted(record["input"] for record in found.records) == [
        "https://gone.example/",
        "https://second.example/",
        URL,
    ]
    assert len({record["report_id"] for record in found.records}) == 1
    assert len(found.records[0]["report_id"].split("_")) == 6


def test_the_connector_reads_our_own_records_whole(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.resolvers(SITE_IP)
            await place.serve(SITE, SITE_IP, 443, servers.pages())
            return await measured(place, URL)

    (record,) = asyncio.run(play()).records
    bundle = MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", json.dumps(record).encode()))
    assert bundle.bogus == ()
    assert (bundle.measurement.country, bundle.measurement.asn) == ("PK", 17557)
    assert bundle.measurement.software.startswith("fanous ")
    layers = {str(o.layer) for o in bundle.observations}
    assert {"dns", "tcp", "tls", "http"} <= layers


def test_the_data_cap_holds_also_in_the_middle_of_a_page(tmp_path: Path) -> None:
    meter = Meter(60_000)

    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.serve(SITE, SITE_IP, 443, servers.pages(default=b"x" * 500_000))
            settings = place.settings(most_body=400_000)
            return await measured(place, URL, URL + "again", settings=settings, meter=meter)

    found = asyncio.run(play())
    assert found.report.outcomes == []
    assert set(found.report.not_tried) == {URL, URL + "again"}
    assert "data cap" in found.report.not_tried[URL]
    assert meter.spent < 60_000 + 2 * 17_000  # one read more on each of the two connections at most


def test_a_round_that_begins_with_the_cap_reached_says_so_and_ends_no_rounds(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            await place.control()
            return await measured(place, URL, meter=Meter(9, spent=9), with_health=True)

    report = asyncio.run(play()).report
    assert (report.health, report.outcomes) == (None, [])
    assert set(report.not_tried) == {URL}
    assert "the data cap" in round_line(report)


def test_no_spelling_of_an_own_address_leaves_the_machine() -> None:
    own = {"192.0.2.77", "2001:db8::77", "127.0.0.1"}
    record = {
        "test_name": "web_connectivity",
        "test_keys": {
            "requests": [
                {
                    "response": {
                        "body": "you are 192.0.2.77, also 2001:db8:0:0::77 and 192-0-2-77.dsl.example"
                    }
                },
                {"response": {"headers": {"x-client-ip": "203.0.113.9"}}},
            ]
        },
    }
    written = line(record, own).decode()
    for address in ("192.0.2.77", "192-0-2-77", "2001:db8::77", "203.0.113.9"):
        assert address not in written
    assert json.loads(written)["test_name"] == "web_connectivity"


def test_what_a_server_calls_our_address_is_scrubbed_also_where_we_do_not_know_it() -> None:
    record = {"test_keys": {"requests": [{"response": {"headers": {"X-Client-IP": "203.0.113.9"}}}]}}
    assert b"203.0.113.9" not in line(record, set())


def test_a_helper_makes_a_symptom_a_finding(tmp_path: Path) -> None:
    asked: list[dict[str, object]] = []

    async def helper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length: ")[2].split("\r\n")[0])
        asked.append(json.loads(await reader.readexactly(size)))
        fine = {"status": True, "failure": None}
        answer = {
            "tcp_connect": {f"{SITE_IP}:443": fine},
            "tls_handshake": {f"{SITE_IP}:443": fine | {"server_name": SITE}},
            "dns": {"failure": None, "addrs": [SITE_IP]},
            "http_request": {"failure": None, "status_code": 200, "title": "A page", "body_length": 300},
        }
        writer.write(servers.response(json.dumps(answer).encode()))
        await writer.drain()

    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names |= {SITE: [SITE_IP], "helper.example": ["198.51.45.9"]}
            behind = await place.serve(SITE, "198.51.45.99", 443, servers.pages())
            await place.put(SITE_IP, 443, servers.reset_on_name(SITE.encode(), behind))
            await place.serve("helper.example", "198.51.45.9", 443, helper)
            return await measured(place, URL, settings=place.settings(helper="https://helper.example/"))

    found = asyncio.run(play())
    assert found.keys["control_failure"] is None
    assert asked[0]["http_request"] == URL
    assert asked[0]["tcp_connect"] == [f"{SITE_IP}:443"]
    assert found.outcome.state is State.BLOCKED
    assert found.outcome.mechanism == "tls.reset.sni"


def test_a_helper_that_cannot_be_asked_is_named_in_the_record(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names |= {SITE: [SITE_IP], "helper.example": ["198.51.45.9"]}
            await place.serve(SITE, SITE_IP, 443, servers.pages())
            return await measured(place, URL, settings=place.settings(helper="https://helper.example/"))

    assert asyncio.run(play()).keys["control_failure"] == "connection_refused"


def test_getting_the_rules_ready_holds_up_no_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @cache
    def compiled() -> object:
        time.sleep(1.5)  # longer than a handshake may take here
        return fingerprints()

    monkeypatch.setattr(run, "fingerprints", compiled)
    monkeypatch.setattr(outcome, "fingerprints", compiled)

    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            behind = await place.serve(SITE, "198.51.45.99", 443, servers.pages())
            await place.put(SITE_IP, 443, servers.delayed_on_name(SITE.encode(), 0.3, behind))
            return await measured(place, "https://198.51.45.77/", URL)  # refused, and judged, at once

    found = asyncio.run(play())
    assert {one.url: one.state for one in found.report.outcomes}[URL] is State.OK
    assert [one["failure"] for one in found.keys["tls_handshakes"]] == [None, None]
