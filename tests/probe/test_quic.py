"""QUIC against a real server on loopback."""

import asyncio
import socket
from pathlib import Path

import pytest
from aioquic.asyncio.server import serve
from aioquic.quic.configuration import QuicConfiguration

from tests.probe.net import servers
from tests.probe.scene import SITE, SITE_IP, Found, Scene, measured, scene


async def _quic_server(place: Scene, name: str) -> None:
    """An HTTP/3 server for ``name`` at the site's address."""
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    configuration.load_cert_chain(*place.authority.files(name))
    server = await serve("127.0.0.1", 0, configuration=configuration)
    place.stack.callback(server.close)
    transport = server._transport
    assert transport is not None
    place.routes.udp[SITE_IP, 443] = transport.get_extra_info("sockname")[1]


def probe(folder: Path, *, quic: str = "", answers: dict[str, bytes] | None = None) -> Found:
    """What is found at a site that also speaks QUIC for the name ``quic`` (empty = does not)."""

    async def play() -> Found:
        async with scene(folder) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.serve(SITE, SITE_IP, 443, servers.pages(answers))
            if quic:
                await _quic_server(place, quic)
            return await measured(place, f"https://{SITE}/")

    return asyncio.run(play())


def test_a_server_that_answers_the_ping_gets_both_handshakes_the_innocuous_first(tmp_path: Path) -> None:
    keys = probe(tmp_path, quic=SITE).keys
    assert "0x00000001" in keys["x_quic_pings"][0]["versions"]
    assert [(one["server_name"], one["failure"]) for one in keys["quic_handshakes"]] == [
        ("example.com", None),
        (SITE, None),
    ]
    assert keys["quic_handshakes"][1]["negotiated_protocol"] == "h3"
    assert keys["quic_handshakes"][1]["peer_certificates"]


def test_another_ones_certificate_over_quic_is_named_and_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handshake = probe(tmp_path, quic="other.example").keys["quic_handshakes"][1]
    assert handshake["failure"] == "ssl_invalid_hostname"
    assert handshake["peer_certificates"]
    assert caplog.text == ""  # nor does the library write over the table that the user is reading


def test_a_server_without_quic_is_not_a_failure(tmp_path: Path) -> None:
    found = probe(tmp_path)
    assert found.keys["x_quic_pings"][0]["failure"] == "network_unreachable"
    assert found.keys["quic_handshakes"] == []
    assert "quic" not in found.outcome.layers


@pytest.mark.parametrize("offered", ['h3=":443"; ma=86400'])
def test_a_site_that_offers_http_3_is_tried_even_where_the_ping_is_lost(offered: str, tmp_path: Path) -> None:
    answers = {"/": servers.response(servers.PAGE, headers=f"Alt-Svc: {offered}")}
    found = probe(tmp_path, answers=answers)
    assert [one["failure"] for one in found.keys["quic_handshakes"]] == ["network_unreachable"] * 2
    assert found.outcome.layers["quic"] == "network_unreachable"
    assert found.outcome.state == "ok"  # the page came: QUIC alone is no disruption of the target


def test_a_handshake_for_which_no_time_was_left_is_recorded_as_interrupted(tmp_path: Path) -> None:
    """As over TCP: otherwise the record looks as if QUIC had not been tried."""

    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            page = servers.response(servers.PAGE, headers='Alt-Svc: h3=":443"')
            await place.serve(SITE, SITE_IP, 443, servers.pages({"/": page}))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
                silent.bind(("127.0.0.1", 0))
                place.routes.udp[SITE_IP, 443] = silent.getsockname()[1]
                settings = place.settings(endpoint_seconds=1.0, quic_timeout=0.1, handshake_timeout=60.0)
                return await measured(place, f"https://{SITE}/", settings=settings)

    found = asyncio.run(play())
    assert [one["failure"] for one in found.keys["quic_handshakes"]] == ["interrupted"]
    assert found.outcome.state == "ok" and not found.outcome.symptom
