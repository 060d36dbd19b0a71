"""Each messenger against servers that stand in for its own, read back by our own connector."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fanous.model.measurement import ParsedMeasurement, Record
from fanous.model.verdict import State
from fanous.probe.messengers import (
    FACEBOOK_HOSTS,
    FACEBOOK_STUN,
    MESSENGERS,
    TELEGRAM_CENTRES,
    TELEGRAM_PORTS,
    WHATSAPP_HOSTS,
    WHATSAPP_PORTS,
    record_of,
)
from fanous.probe.outcome import Outcome, outcome_of
from fanous.probe.run import run
from fanous.probe.trace import ProbeVantage, line
from fanous.sources.measurements import MEASUREMENT_SOURCES
from tests.probe.net import servers
from tests.probe.net.routes import RoutedNetwork
from tests.probe.scene import Scene, scene

META_IP, WEB_IP, SIGNAL_IP = "157.240.1.1", "198.51.45.31", "198.51.45.32"
Build = Callable[[Scene], Awaitable[None]]


def found(
    folder: Path, name: str, build: Build, **changes: Any
) -> tuple[dict[str, Any], ParsedMeasurement, Outcome]:
    """Test keys, what the connector makes of the record, and the words for people."""

    async def play() -> bytes:
        async with scene(folder) as place:
            await build(place)
            written = list[bytes]()
            await run(
                RoutedNetwork(place.routes),
                place.settings(**changes),
                ProbeVantage("PK", 17557),
                (),
                written.append,
                with_health=False,
                messengers=(name,),
            )
            return written[0]

    data = asyncio.run(play())
    bundle = MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", data))
    assert bundle.bogus == ()
    record = json.loads(data)
    assert (record["test_name"], record["input"]) == (name, None)
    return record["test_keys"], bundle, outcome_of(f"{name} (app)", data)


async def whatsapp_works(place: Scene) -> None:
    place.routes.names |= {host: [META_IP] for host in WHATSAPP_HOSTS}
    for port in WHATSAPP_PORTS:
        await place.put(META_IP, port, servers.say_nothing)
    place.routes.names |= {"v.whatsapp.net": [WEB_IP], "web.whatsapp.com": [SIGNAL_IP]}
    await place.serve("v.whatsapp.net", WEB_IP, 443, servers.pages())
    await place.serve("web.whatsapp.com", SIGNAL_IP, 443, servers.pages())


async def telegram_works(place: Scene) -> None:
    for ip in TELEGRAM_CENTRES:
        for port in TELEGRAM_PORTS:
            await place.put(ip, port, servers.pages(default=b"no"))
    place.routes.names["web.telegram.org"] = [WEB_IP]
    await place.serve("web.telegram.org", WEB_IP, 443, servers.pages())


async def facebook_works(place: Scene) -> None:
    place.routes.names |= {host: [META_IP] for host in (*FACEBOOK_HOSTS.values(), FACEBOOK_STUN)}
    await place.put(META_IP, 443, servers.say_nothing)


async def signal_works(place: Scene) -> None:
    hosts = ("cdsi.signal.org", "chat.signal.org", "sfu.voip.signal.org", "storage.signal.org")
    place.routes.names |= {host: [SIGNAL_IP] for host in (*hosts, "uptime.signal.org")}
    await place.serve("chat.signal.org", SIGNAL_IP, 443, servers.pages())


WORKING = {
    "whatsapp": whatsapp_works,
    "telegram": telegram_works,
    "facebook_messenger": facebook_works,
    "signal": signal_works,
}

FINE: dict[str, dict[str, Any]] = {
    "whatsapp": {
        "whatsapp_endpoints_status": "ok",
        "whatsapp_endpoints_blocked": [],
        "whatsapp_endpoints_dns_inconsistent": [],
        "registration_server_status": "ok",
        "registration_server_failure": None,
        "whatsapp_web_status": "ok",
        "whatsapp_web_failure": None,
    },
    "telegram": {
        "telegram_tcp_blocking": False,
        "telegram_http_blocking": False,
        "telegram_web_status": "ok",
        "telegram_web_failure": None,
    },
    "facebook_messenger": {
        "facebook_dns_blocking": False,
        "facebook_tcp_blocking": False,
        "facebook_b_api_dns_consistent": True,
        "facebook_edge_reachable": True,
        "facebook_stun_dns_consistent": True,
        "facebook_stun_reachable": None,
    },
    "signal": {"signal_backend_status": "ok", "signal_backend_failure": None},
}
"""The keys that ts-018, ts-020, ts-019 and ts-029 document, where all is well."""


@pytest.mark.parametrize("name", MESSENGERS)
def test_where_all_is_well_the_documented_keys_say_so_and_the_rules_too(name: str, tmp_path: Path) -> None:
    keys, bundle, outcome = found(tmp_path, name, WORKING[name])
    assert {key: keys[key] for key in FINE[name]} == FINE[name]
    assert outcome.state is State.OK
    assert {o.target for o in bundle.observations} == {outcome.target}
    assert outcome.target == name.removesuffix("_messenger")


async def _nothing(_place: Scene) -> None:
    return


@pytest.mark.parametrize("name", MESSENGERS)
def test_where_nothing_answers_it_is_a_symptom_and_no_finding(name: str, tmp_path: Path) -> None:
    keys, _, outcome = found(tmp_path, name, _nothing)
    assert (outcome.state, outcome.symptom) == (State.INSUFFICIENT, True)
    blocked = [value for key, value in keys.items() if key.endswith(("_status", "_blocking"))]
    assert blocked and set(blocked) <= {"blocked", True, False} and (set(blocked) & {"blocked", True})


def test_a_chat_host_is_blocked_where_both_its_ports_are(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await whatsapp_works(place)
        place.routes.names["e3.whatsapp.net"] = ["198.51.45.77"]
        place.routes.names["e4.whatsapp.net"] = ["198.51.45.78"]
        await place.put("198.51.45.78", 5222, servers.say_nothing)

    keys, _, outcome = found(tmp_path, "whatsapp", build)
    assert keys["whatsapp_endpoints_blocked"] == ["e3.whatsapp.net"]
    assert outcome.state is State.OK


def test_telegrams_centres_are_tried_by_post_on_both_ports(tmp_path: Path) -> None:
    keys, bundle, _ = found(tmp_path, "telegram", telegram_works)
    posts = [one for one in keys["requests"] if one["request"]["method"] == "POST"]
    assert len(posts) == 12
    assert {o.port for o in bundle.observations if o.ip in TELEGRAM_CENTRES} == {80, 443}


def test_a_name_that_leads_elsewhere_is_no_blocking_yet(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await facebook_works(place)
        place.routes.names["scontent.xx.fbcdn.net"] = ["198.51.45.80"]  # a cache of the provider's
        await place.put("198.51.45.80", 443, servers.say_nothing)

    keys, _, _ = found(tmp_path, "facebook_messenger", build)
    assert keys["facebook_scontent_cdn_dns_consistent"] is None
    assert keys["facebook_dns_blocking"] is False


def test_signals_certificates_are_verified_where_its_authority_is_named(tmp_path: Path) -> None:
    keys, _, _ = found(tmp_path, "signal", signal_works)
    assert all(one["no_tls_verify"] and one["peer_certificates"] for one in keys["tls_handshakes"])
    keys, _, _ = found(tmp_path, "signal", signal_works, signal_ca_file=str(tmp_path / "ca.pem"))
    failures = {one["server_name"]: one["failure"] for one in keys["tls_handshakes"]}
    assert failures["chat.signal.org"] is None
    assert failures["cdsi.signal.org"] == "ssl_invalid_hostname"
    assert keys["signal_backend_status"] == "blocked"


def test_an_app_that_takes_too_long_keeps_what_it_saw(tmp_path: Path) -> None:
    async def play() -> dict[str, Any]:
        async with scene(tmp_path) as place:
            await signal_works(place)
            await place.put(SIGNAL_IP, 443, servers.say_nothing)
            settings = place.settings(handshake_timeout=30.0, endpoint_seconds=0.3)
            network = RoutedNetwork(place.routes)
            record = await record_of(network, settings, MESSENGERS["signal"], ProbeVantage())
            return dict(json.loads(line(record, set()))["test_keys"])

    keys = asyncio.run(play())
    assert {one["failure"] for one in keys["tls_handshakes"]} == {"interrupted"}
    assert "signal_backend_status" not in keys
