"""How fast data arrive, compared with a control."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fanous.model.verdict import State
from tests.probe.net import servers
from tests.probe.scene import CONTROL_IP, SITE, SITE_IP, Found, Scene, measured, scene

URL = f"https://{SITE}/"
LARGE = 64_000


def slowly(size: int = LARGE) -> servers.Serve:
    """One page in 20 pieces, some 1.3 Mbit/s."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        whole = servers.response(b"x" * size)
        for begin in range(0, len(whole), 3_300):
            writer.write(whole[begin : begin + 3_300])
            await writer.drain()
            await asyncio.sleep(0.02)

    return serve


def found(folder: Path, build: Callable[[Scene], Any], **changes: Any) -> Found:
    async def play() -> Found:
        async with scene(folder) as place:
            place.routes.names |= {SITE: [SITE_IP], "control.example": [CONTROL_IP]}
            await build(place)
            settings = place.settings(
                page_timeout=2.0, transfer_control="https://control.example/large", **changes
            )
            return await measured(place, URL, settings=settings)

    return asyncio.run(play())


def test_the_control_is_the_same_page_from_the_same_address_under_another_name(tmp_path: Path) -> None:
    """A server for two names, which slows down one of them."""

    async def build(place: Scene) -> None:
        fast = await place.serve(SITE, "198.51.45.98", 443, servers.pages(default=b"x" * LARGE))
        slow = await place.serve(SITE, "198.51.45.99", 443, slowly())
        await place.put(SITE_IP, 443, servers.by_name({SITE.encode(): slow}, fast))

    seen = found(tmp_path, build, transfer_pairs=2)
    transfers = seen.keys["x_transfers"]
    assert [(one["role"], one["pair"]) for one in transfers] == [
        ("target", 0), ("control", 0), ("target", 1), ("control", 1)
    ]  # fmt: skip
    target, control = transfers[:2]
    assert (target["server_name"], control["server_name"]) == (SITE, "example.com")
    assert target["address"] == control["address"] == f"{SITE_IP}:443"
    assert (target["url"], control["url"]) == (URL, "https://example.com/")  # the names that were sent
    assert target["host"] == control["host"] == SITE  # the page that was asked for
    assert control["same_address"] and not target["same_address"]
    assert target["kbps"] < control["kbps"] / 3
    assert target["why"] == "asked"
    assert len(seen.keys["requests"]) == 1  # the downloads are no further pages of the target
    speed = seen.outcome.speed
    assert speed is not None and speed.of == "transfer"
    assert speed.control_kbps is not None and speed.kbps < speed.control_kbps / 3


def test_where_the_server_gives_the_other_name_less_the_control_is_elsewhere(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        tiny = await place.serve(SITE, "198.51.45.98", 443, servers.pages(default=b"no such site"))
        page = await place.serve(SITE, "198.51.45.99", 443, slowly())
        await place.put(SITE_IP, 443, servers.by_name({SITE.encode(): page}, tiny))
        await place.serve("control.example", CONTROL_IP, 443, servers.pages(default=b"x" * LARGE))

    transfers = found(tmp_path, build, transfer_pairs=1).keys["x_transfers"]
    assert [(one["role"], one["same_address"], one["failure"]) for one in transfers] == [
        ("target", False, None), ("control", True, None), ("control", False, None)
    ]  # fmt: skip
    assert transfers[2]["url"] == "https://control.example/large"
    assert transfers[2]["bytes"] > LARGE > transfers[1]["bytes"]
    assert transfers[1]["kbps"] is None and transfers[1]["reads"]


def test_a_small_page_is_asked_for_again_on_the_same_connection(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await place.serve(SITE, SITE_IP, 443, servers.pages_that_stay_open(b"x" * 5_000))

    target = found(tmp_path, build, transfer_pairs=1, transfer_bytes=32_000).keys["x_transfers"][0]
    assert target["requests"] == 7
    assert target["bytes"] > 32_000


def test_a_control_that_cannot_be_reached_is_a_failure_in_the_record(tmp_path: Path) -> None:
    async def build(place: Scene) -> None:
        await place.serve(SITE, SITE_IP, 443, servers.pages())

    transfers = found(tmp_path, build, transfer_pairs=1, control_sni="").keys["x_transfers"]
    assert [one["failure"] for one in transfers] == [None, "connection_refused"]


def test_a_download_that_stalls_says_after_how_many_bytes(tmp_path: Path) -> None:
    async def freeze(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(servers.response(b"x" * LARGE)[:18_000])
        await asyncio.sleep(30)

    async def build(place: Scene) -> None:
        await place.serve(SITE, SITE_IP, 443, freeze)

    seen = found(tmp_path, build, transfer_pairs=1, transfer_timeout=3.2, control_sni="", retries=False).keys[
        "x_transfers"
    ][0]
    assert seen["failure"] == "generic_timeout_error"
    assert 18_000 < seen["stall_offset"] == seen["bytes"] < 20_000


@pytest.mark.parametrize(("share", "why"), [(1.0, ["sample"] * 2), (0.0, [])])
def test_what_looks_sound_is_sampled_in_a_share_of_the_rounds(
    share: float, why: list[str], tmp_path: Path
) -> None:
    async def build(place: Scene) -> None:
        await place.serve(SITE, SITE_IP, 443, servers.pages(default=b"x" * LARGE))

    seen = found(tmp_path, build, transfer_share=share)
    assert [one["why"] for one in seen.keys["x_transfers"]] == why
    assert seen.outcome.state is State.OK


def test_a_small_page_is_not_a_control_of_a_download_that_froze(tmp_path: Path) -> None:
    async def freeze(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(servers.response(b"x" * LARGE)[:18_000])
        await asyncio.sleep(30)

    async def build(place: Scene) -> None:
        frozen = await place.serve(SITE, "198.51.45.99", 443, freeze)
        small = await place.serve(SITE, "198.51.45.98", 443, servers.pages(default=b"x" * 15_000))
        await place.put(SITE_IP, 443, servers.by_name({SITE.encode(): frozen}, small))
        await place.serve("control.example", CONTROL_IP, 443, servers.pages(default=b"x" * 70_000))

    transfers = found(tmp_path, build, transfer_pairs=1, transfer_timeout=0.4, retries=False).keys[
        "x_transfers"
    ]
    assert [(one["role"], one["same_address"]) for one in transfers] == [
        ("target", False), ("control", True), ("control", False)
    ]  # fmt: skip
