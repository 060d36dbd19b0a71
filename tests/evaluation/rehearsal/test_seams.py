"""The layer between a probe of the lab and its network."""

import asyncio
import random

import httpx
import pytest

from fanous_lab.evaluation.rehearsal.score import LabClock
from fanous_lab.evaluation.rehearsal.vantage_point import (
    LOGIN_PAGE,
    BrokenNetwork,
    LyingNetwork,
    PortalNetwork,
    RoundNetwork,
    SeamTransport,
)
from tests.builders import FakeNetwork

PLACE = ("192.0.2.1", 443)


def test_a_moment_of_the_lab_is_an_instant_of_the_monitor() -> None:
    clock = LabClock(began=100.0, begins=6000.0, stretch=300.0)
    assert clock.monitor(2.0) == 6600.0


def test_the_wall_clock_of_a_round_begins_at_its_instant_and_is_not_stretched() -> None:
    async def look() -> tuple[float, float]:
        network = RoundNetwork(FakeNetwork(), 1_700_000_000.0)
        first = network.wall()
        await asyncio.sleep(0.05)
        return first, network.wall() - first

    first, passed = asyncio.run(look())
    assert first == pytest.approx(1_700_000_000.0, abs=1.0)
    assert 0.0 < passed < 2.0


def test_a_lying_probe_claims_resets_on_its_names_and_on_no_others() -> None:
    async def ask(sent: bytes) -> bytes:
        inner = FakeNetwork(tcp={PLACE: [b"hello"]})
        stream = await LyingNetwork(inner, 0.0, ["x.com"]).open_tcp(*PLACE)
        await stream.write(sent)
        return await stream.read(10)

    assert asyncio.run(ask(b"..example.com..")) == b"hello"
    with pytest.raises(ConnectionResetError):
        asyncio.run(ask(b"..x.com.."))


def test_a_broken_line_loses_most_of_what_is_begun() -> None:
    async def tries() -> int:
        inner = FakeNetwork(tcp={PLACE: [b""]}, names={"x.com": ["192.0.2.1"]})
        network, lost = BrokenNetwork(inner, 0.0, random.Random(1)), 0
        for _ in range(200):
            try:
                await network.open_tcp(*PLACE)
                await network.look_up("x.com")
            except TimeoutError:
                lost += 1
        return lost

    assert 140 < asyncio.run(tries()) < 195


def test_behind_a_login_page_every_site_is_that_page_and_all_else_is_silent() -> None:
    async def browse() -> bytes:
        network = PortalNetwork(FakeNetwork(), 0.0)
        with pytest.raises(TimeoutError):
            await network.open_tcp("192.0.2.1", 443)
        with pytest.raises(TimeoutError):
            await network.open_udp("192.0.2.1", 53)
        stream = await network.open_tcp("192.0.2.1", 80)
        await stream.write(b"GET / HTTP/1.1\r\n\r\n")
        return await stream.read(1000)

    assert asyncio.run(browse()) == LOGIN_PAGE
    head, _, body = LOGIN_PAGE.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head


def test_uploads_go_over_the_probes_own_network() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    inner = FakeNetwork(tcp={("192.0.2.1", 80): [answer]})

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=SeamTransport(inner, 1.0)) as client:
            return await client.post("http://192.0.2.1/report", content=b"{}")

    response = asyncio.run(post())
    assert (response.status_code, response.json()) == (200, {})
    sent = b"".join(inner.opened[0][2].written)
    assert sent.startswith(b"POST /report HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n{}")
    assert inner.opened[0][2].closed


def test_a_collector_that_is_not_reached_is_a_failure_of_the_client() -> None:
    async def post() -> None:
        async with httpx.AsyncClient(transport=SeamTransport(FakeNetwork(), 1.0)) as client:
            await client.post("http://192.0.2.1/report", content=b"{}")

    with pytest.raises(httpx.ConnectError):
        asyncio.run(post())
