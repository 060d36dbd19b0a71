"""OONI's own summary of what the probe found, which OONI's scorer reads: against real servers and a control."""

import asyncio
import json
from pathlib import Path
from typing import Any

from fanous.probe.endpoint import measure
from fanous.probe.trace import Trace
from fanous.probe.web_connectivity import summary
from fanous.sources.ooni.keep import kept
from tests.each import each
from tests.probe.net import servers
from tests.probe.net.routes import RoutedNetwork
from tests.probe.scene import SITE, SITE_IP, Found, measured, scene

URL, PLAIN = f"https://{SITE}/", f"http://{SITE}/"
CAME: dict[str, Any] = {
    "failure": None,
    "status_code": 200,
    "body_length": len(servers.PAGE),
    "title": "A page",
    "headers": {},
}
DNS = {"failure": None, "addrs": [SITE_IP], "ASNs": []}


def control(**changes: Any) -> dict[str, Any]:
    """What a helper sees of the site that works (ts-017)."""
    seen: dict[str, Any] = {
        "tcp_connect": {f"{SITE_IP}:{port}": {"status": True, "failure": None} for port in (80, 443)},
        "tls_handshake": {f"{SITE_IP}:443": {"server_name": SITE, "status": True, "failure": None}},
        "http_request": CAME,
        "dns": DNS,
        "ip_info": {},
    }
    return seen | changes


DOWN = control(
    tcp_connect={f"{SITE_IP}:443": {"status": False, "failure": "connection_refused"}},
    tls_handshake={},
    http_request={"failure": "connection_refused", "status_code": -1, "body_length": -1},
)


def told(trace: Trace, url: str, seen: dict[str, Any] | None) -> tuple[Any, Any, Any, Any]:
    keys = summary(trace, url, seen)
    return keys["blocking"], keys["accessible"], keys["dns_consistency"], keys["http_experiment_failure"]


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.transport.abort()


def trace_of(folder: Path, case: str) -> Trace:
    """What the probe sees of the site in each case."""

    async def play() -> Trace:
        async with scene(folder) as place:
            place.routes.names[SITE] = [SITE_IP]
            match case:
                case "works":
                    await place.serve(SITE, SITE_IP, 443, servers.pages())
                case "handshake cut":
                    await place.put(SITE_IP, 443, cut)
                case "plain":
                    await place.put(SITE_IP, 80, servers.pages())
                case "other page":
                    other = servers.response(b"<title>Blocked by order of somebody</title>", "403 Forbidden")
                    await place.put(SITE_IP, 80, servers.pages({"/": other}))
                case "page cut":
                    await place.put(SITE_IP, 80, cut)
                case "no name":
                    del place.routes.names[SITE]
                case "redirected away":
                    away = {"/": servers.redirect("https://gone.example/")}
                    await place.put(SITE_IP, 80, servers.pages(away))
            url = PLAIN if case in ("plain", "other page", "page cut", "redirected away") else URL
            return await measure(RoutedNetwork(place.routes), place.settings(), url)

    return asyncio.run(play())


@each(
    ("case", "url", "seen", "expected"),
    [
        ("works", URL, control(), (False, True, "consistent", None)),
        ("works", URL, None, (False, True, None, None)),
        ("plain", PLAIN, control(), (False, True, "consistent", None)),
        ("plain", PLAIN, None, (None, None, None, None)),
        ("other page", PLAIN, control(), ("http-diff", False, "consistent", None)),
        ("page cut", PLAIN, control(), ("http-failure", False, "consistent", "eof_error")),
        ("page cut", PLAIN, DOWN, (False, False, "consistent", "eof_error")),
        ("page cut", PLAIN, None, (None, None, None, "eof_error")),
        ("handshake cut", URL, control(), ("http-failure", False, "consistent", "eof_error")),
        ("handshake cut", URL, None, (None, None, None, "eof_error")),
        ("refused", URL, control(), ("tcp_ip", False, "consistent", "connection_refused")),
        ("refused", URL, DOWN, (False, False, "consistent", "connection_refused")),
        (
            "refused",
            URL,
            control(dns=DNS | {"addrs": ["198.51.100.9"]}),
            ("dns", False, "inconsistent", "connection_refused"),
        ),
        ("no name", URL, control(), ("dns", False, "inconsistent", "dns_nxdomain_error")),
        (
            *("no name", URL, control(dns={"failure": "dns_name_error", "addrs": []})),
            (False, False, "consistent", "dns_nxdomain_error"),
        ),
        ("no name", URL, None, (None, None, None, "dns_nxdomain_error")),
        ("redirected away", PLAIN, control(), ("http-failure", False, "consistent", "dns_nxdomain_error")),
        ("redirected away", PLAIN, None, (None, None, None, "dns_nxdomain_error")),
    ],
)
def test_what_oonis_scorer_reads_is_there(
    case: str, url: str, seen: dict[str, Any] | None, expected: tuple[Any, ...], tmp_path: Path
) -> None:
    assert told(trace_of(tmp_path, case), url, seen) == expected


def test_an_address_of_the_same_network_is_consistent(tmp_path: Path) -> None:
    elsewhere: dict[str, Any] = {
        "dns": DNS | {"addrs": ["8.8.8.8"]},
        "ip_info": {"8.8.8.8": {"asn": 7}, SITE_IP: {"asn": 7}},
    }
    trace = trace_of(tmp_path, "works")
    assert told(trace, URL, control(**elsewhere))[2] == "consistent"
    elsewhere["ip_info"][SITE_IP]["asn"] = 8
    assert told(trace, URL, control(**elsewhere))[:3] == (False, True, "inconsistent")


@each(
    "odd",
    [
        {"http_request": 7, "dns": [], "tcp_connect": {f"{SITE_IP}:443": 1}, "tls_handshake": None},
        {"http_request": {"status_code": "200", "headers": [1], "title": 7, "body_length": None}},
        {"dns": {"addrs": [[1], None, 7]}, "ip_info": {SITE_IP: 7}},
    ],
)
@each("case", ["works", "plain", "refused"])
def test_a_control_of_an_odd_shape_breaks_no_measurement(
    case: str, odd: dict[str, Any], tmp_path: Path
) -> None:
    summary(trace_of(tmp_path, case), PLAIN if case == "plain" else URL, odd)


def test_a_record_has_the_summary_and_the_archive_leaves_it_out(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.serve(SITE, SITE_IP, 443, servers.pages())
            return await measured(place, URL)

    found = asyncio.run(play())
    assert (found.keys["blocking"], found.keys["accessible"]) == (False, True)
    stored = json.loads(kept(json.dumps(found.records[-1]).encode()))["test_keys"]
    assert not stored.keys() & summary(Trace(None, 1.0), URL, None).keys()  # type: ignore[arg-type]
