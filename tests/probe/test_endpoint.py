"""One URL from the name to the page, against real servers on loopback."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fanous.model.verdict import State
from fanous.probe.endpoint import measure
from tests.each import each
from tests.probe.net import servers
from tests.probe.net.routes import RoutedNetwork
from tests.probe.scene import CONTROL_IP, SITE, SITE_IP, Found, Scene, measured, scene

URL = f"https://{SITE}/"
Build = Callable[[Scene], Awaitable[None]]


def probe(folder: Path, build: Build, url: str = URL) -> Found:
    """What the probe finds at ``url`` in the scene that ``build`` makes."""

    async def play() -> Found:
        async with scene(folder) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.resolvers(SITE_IP)
            await build(place)
            return await measured(place, url)

    return asyncio.run(play())


async def _works(place: Scene) -> None:
    await place.serve(SITE, SITE_IP, 443, servers.pages())


def test_a_site_that_works_is_ok_at_every_layer(tmp_path: Path) -> None:
    found = probe(tmp_path, _works)
    assert found.outcome.state is State.OK
    assert found.outcome.layers == {"dns": "ok", "tcp": "ok", "tls": "ok", "http": "ok"}
    keys = found.keys
    assert sorted({query["engine"] for query in keys["queries"]}) == ["doh", "dot", "getaddrinfo", "udp"]
    assert keys["requests"][0]["response"]["code"] == 200
    assert keys["control"] is None and keys["control_failure"] == "no_helper"


def test_the_control_name_is_tried_at_the_same_address_before_the_trigger(tmp_path: Path) -> None:
    handshakes = probe(tmp_path, _works).keys["tls_handshakes"]
    assert [(one["server_name"], one["address"]) for one in handshakes] == [
        ("example.com", f"{SITE_IP}:443"),
        (SITE, f"{SITE_IP}:443"),
    ]
    assert [one["no_tls_verify"] for one in handshakes] == [True, False]
    assert all(one["x_client_hello_bytes"] > 200 for one in handshakes)
    assert all(one["peer_certificates"] for one in handshakes)


def test_the_page_comes_over_http_2_where_the_server_speaks_it(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await place.serve(SITE, SITE_IP, 443, servers.h2_pages, alpn=("h2",))

    found = probe(tmp_path, build)
    assert found.keys["requests"][0]["request"]["x_protocol"] == "h2"
    assert found.keys["requests"][0]["response"]["headers"] == {"server": "tiny"}
    assert found.outcome.state is State.OK


def test_a_reset_on_the_name_is_blocking_while_an_innocuous_name_passes_at_the_same_address(
    tmp_path: Path,
) -> None:
    async def build(place: Scene) -> None:
        behind = await place.serve(SITE, "198.51.45.99", 443, servers.pages())
        await place.put(SITE_IP, 443, servers.reset_on_name(SITE.encode(), behind))

    found = probe(tmp_path, build)
    handshakes = found.keys["tls_handshakes"]
    assert [one["failure"] for one in handshakes] == [None, "connection_reset", "connection_reset"]
    assert found.outcome.state is State.BLOCKED  # though no one outside was asked
    assert found.outcome.mechanism == "tls.reset.sni"
    assert found.outcome.layers["tls"] == "connection_reset"


@pytest.mark.parametrize(
    ("serve", "failure"),
    [
        (servers.say_nothing, "generic_timeout_error"),
        (servers.close_at_once, "eof_error"),
        (servers.reset_at_once, "connection_reset"),
    ],
)
def test_a_handshake_that_fails_is_recorded_by_its_name(
    serve: servers.Serve, failure: str, tmp_path: Path
) -> None:
    async def build(place: Scene) -> None:
        await place.put(SITE_IP, 443, serve)

    found = probe(tmp_path, build)
    assert {one["failure"] for one in found.keys["tls_handshakes"]} == {failure}
    assert found.keys["requests"] == []


def test_a_refused_connection_ends_the_attempt(tmp_path: Path) -> None:
    async def build(_place: Scene) -> None:
        return

    keys = probe(tmp_path, build).keys
    assert [one["status"]["failure"] for one in keys["tcp_connect"]] == ["connection_refused"]
    assert keys["tls_handshakes"] == []


def test_another_ones_certificate_is_recorded_whole(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await place.serve("other.example", SITE_IP, 443, servers.pages())

    handshake = probe(tmp_path, build).keys["tls_handshakes"][-1]
    assert handshake["failure"] == "ssl_invalid_hostname"
    assert len(handshake["peer_certificates"]) == 1


def test_redirects_are_followed_and_stand_newest_first(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        answers = {"/": servers.redirect("/second"), "/second": servers.redirect("https://control.example/3")}
        await place.serve(SITE, SITE_IP, 443, servers.pages(answers))
        await place.control()

    found = probe(tmp_path, build)
    assert [one["request"]["url"] for one in found.keys["requests"]] == [
        "https://control.example/3",
        f"https://{SITE}/second",
        f"https://{SITE}/",
    ]
    assert found.outcome.state is State.OK


@each(
    "target",
    [
        *(
            "https://127.0.0.1/secret",
            "http://10.0.0.1/",
            "http://[::1]/",
            "http://2130706433/",
            "http://0x7f.1/",
        ),
        *(
            "http://localhost/",
            "http://nas.lo\u00adcal/",
            "http://127.0\u30020\u30021/",
            f"http://{SITE}:22/",
        ),
        *("http://router/", "http://rebound.example/"),
    ],
)
def test_a_page_does_not_lead_the_probe_into_the_users_own_network(target: str, tmp_path: Path) -> None:
    async def play() -> list[tuple[str, int]]:
        async with scene(tmp_path) as place:
            place.routes.names |= {SITE: [SITE_IP], "localhost": ["127.0.0.1"], "router": ["10.0.0.1"]}
            place.routes.names |= {"2130706433": ["127.0.0.1"], "rebound.example": ["127.0.0.1"]}
            await place.serve(SITE, SITE_IP, 443, servers.pages({"/": servers.redirect(target)}))
            await measured(place, URL)
            return place.routes.connected

    connected = asyncio.run(play())
    assert {ip for ip, _ in connected} & {"127.0.0.1", "10.0.0.1", "::1"} == set()
    assert 22 not in {port for _, port in connected}


@each("answer", ["127.0.0.1", "10.1.2.3", "169.254.1.1", "::1", "fe80::1", "::ffff:10.0.0.1"])
def test_a_private_address_from_a_resolver_is_recorded_but_never_connected_to(
    answer: str, tmp_path: Path
) -> None:
    async def play() -> tuple[Found, list[tuple[str, int]]]:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [answer]
            found = await measured(place, URL)
            return found, place.routes.connected

    found, connected = asyncio.run(play())
    assert answer not in {ip for ip, _ in connected}
    kept = "fe80::" if answer.startswith("fe80:") else answer  # the rest names a network card
    assert found.keys["x_not_tried"] == [{"hostname": SITE, "ip": kept, "why": "not a public address"}]
    assert found.keys["tcp_connect"] == []


def test_a_lab_may_allow_private_addresses(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = ["10.1.2.3"]
            await place.serve(SITE, "10.1.2.3", 443, servers.pages())
            return await measured(place, URL, settings=place.settings(allow_private=True))

    assert asyncio.run(play()).outcome.state is State.OK


def test_a_page_is_taken_up_to_the_cap_and_no_further(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.serve(SITE, SITE_IP, 443, servers.pages(default=b"x" * 300_000))
            return await measured(place, URL, settings=place.settings(most_body=70_000))

    response = asyncio.run(play()).keys["requests"][0]["response"]
    assert len(response["body"]) == 70_000
    assert response["body_is_truncated"]


def test_a_measurement_that_is_cut_short_keeps_what_it_saw_and_closes_what_it_opened(tmp_path: Path) -> None:
    closed = list[bool]()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        closed.append(True)

    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.put(SITE_IP, 443, listen)
            settings = place.settings(endpoint_seconds=0.3, handshake_timeout=60.0)
            found = await measured(place, URL, settings=settings)
            await asyncio.sleep(0.05)
            return found

    found = asyncio.run(play())
    assert [one["status"]["failure"] for one in found.keys["tcp_connect"]] == [None]
    assert [one["failure"] for one in found.keys["tls_handshakes"]] == ["interrupted"]
    assert found.outcome.state is State.INSUFFICIENT and not found.outcome.symptom
    assert closed == [True]


def test_a_page_that_is_given_up_is_recorded_with_what_had_come(tmp_path: Path) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(servers.response(b"x" * 60_000)[:20_000])
        await asyncio.sleep(5)

    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.serve(SITE, SITE_IP, 443, trickle)
            return await measured(
                place, URL, settings=place.settings(endpoint_seconds=0.4, page_timeout=60.0)
            )

    (request,) = asyncio.run(play()).keys["requests"]
    assert request["failure"] == "interrupted"
    assert len(request["response"]["body"]) > 19_000


def test_what_came_before_a_stall_is_kept(tmp_path: Path) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(servers.response(b"x" * 60_000)[:20_000])
        await writer.drain()
        await asyncio.sleep(2)

    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.resolvers(SITE_IP)
            await place.serve(SITE, SITE_IP, 443, stall)
            quick = place.settings(transfer_pairs=1, transfer_timeout=0.5)  # its download stalls too
            return await measured(place, URL, settings=quick)

    found = asyncio.run(play())
    request = found.keys["requests"][0]
    assert request["failure"] == "generic_timeout_error"  # of the page, not of the whole measurement
    assert 19_000 < len(request["response"]["body"]) < 20_000
    reads = [e for e in found.keys["network_events"] if e["operation"] == "read"]
    assert sum(event["num_bytes"] for event in reads) > 20_000


@pytest.mark.parametrize(
    ("given", "state", "why"),
    [
        (None, State.BLOCKED, "This resolver says that the name does not exist"),
        (["10.10.34.34"], State.BLOCKED, "an address that no public site can have"),
        ([CONTROL_IP], State.INSUFFICIENT, "your own resolver's answer did not lead to it"),
    ],
)
def test_a_site_that_only_an_encrypted_resolver_finds_is_not_said_to_work(
    given: list[str] | None, state: State, why: str, tmp_path: Path
) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names |= {SITE: given} if given else {}
            await place.resolvers(SITE_IP)
            await place.serve(SITE, SITE_IP, 443, servers.pages())
            return await measured(place, URL)

    outcome = asyncio.run(play()).outcome
    assert (outcome.state, outcome.symptom) == (state, state is State.INSUFFICIENT)
    assert why in outcome.why
    cells = {State.BLOCKED: "forged" if given else "dns_nxdomain_error", State.INSUFFICIENT: "ok"}
    assert outcome.layers["dns"] == cells[state]


@pytest.mark.parametrize("ipv6", [True, False])
def test_a_few_addresses_of_each_ip_version_are_tried(ipv6: bool, tmp_path: Path) -> None:
    old, new = [f"198.51.45.{n}" for n in (10, 11, 12)], [f"2606:4700::{n}" for n in (1, 2, 3)]

    async def play() -> set[str]:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [*new, *old]
            await place.resolvers(old[2])
            trace = await measure(RoutedNetwork(place.routes), place.settings(), URL, ipv6=ipv6)
            return {one["ip"] for one in trace.tcp_connect}

    assert asyncio.run(play()) == {*old[:2], *(new[:2] if ipv6 else [])}


def test_an_address_that_only_encrypted_dns_gives_is_tried_too(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [CONTROL_IP]  # a forged answer
            await place.resolvers(SITE_IP)
            await place.serve(SITE, SITE_IP, 443, servers.pages())
            return await measured(place, URL)

    found = asyncio.run(play())
    assert {one["ip"] for one in found.keys["tcp_connect"]} == {CONTROL_IP, SITE_IP}
    assert found.outcome.state is State.INSUFFICIENT
    assert found.keys["requests"][0]["address"] == f"{SITE_IP}:443"


@each(
    ("answer", "pages"),
    [
        (servers.response(b"created", headers="Location: /elsewhere"), 1),  # 200: a header, no redirect
        (servers.response(b"", "304 Not Modified", "Location: /elsewhere"), 1),
        (servers.response(b"", "302 Found"), 1),
        (servers.redirect("mailto:somebody@site.example"), 1),
        (servers.redirect("https://[broken/"), 1),
        (servers.redirect("/"), 5),  # without end: four redirects are enough
    ],
)
def test_only_a_redirect_is_followed_and_not_forever(answer: bytes, pages: int, tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await place.serve(SITE, SITE_IP, 443, servers.pages({"/": answer}))

    assert len(probe(tmp_path, build).keys["requests"]) == pages
