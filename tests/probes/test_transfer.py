"""How fast data come, beside a control."""

import asyncio
from pathlib import Path

import pytest

from fanous.probes.transfer import MOST_POINTS, rates
from tests.net import servers
from tests.probes.scene import CONTROL_IP, SITE, SITE_IP, Found, scene
from tests.probes.scene import measured as measure


def test_a_steady_flow_has_one_rate() -> None:
    found = rates([(second, 12_500) for second in range(1, 10)], 0.0, 9.0)
    assert (found["kbps"], found["kbps_late"], found["largest_gap"]) == (100.0, 100.0, 1.0)


def test_a_burst_in_front_does_not_hide_the_rate_behind_it() -> None:
    policed = [(number / 100, 10_000) for number in range(1, 6)] + [
        (float(second), 12_500) for second in range(1, 9)
    ]
    found = rates(policed, 0.0, 8.0)
    assert found["kbps"] == 150.0
    assert found["kbps_late"] == pytest.approx(100.0, rel=0.01)


def test_silence_at_the_end_is_a_gap() -> None:
    frozen = rates([(0.1, 8_000), (0.2, 8_000)], 0.0, 10.2)
    assert frozen["largest_gap"] == 10.0
    assert frozen["bytes"] == 16_000


@pytest.mark.parametrize("reads", [[], [(0.0, 100)]])
def test_what_cannot_have_a_rate_has_none(reads: list[tuple[float, int]]) -> None:
    assert rates(reads, 0.0, 1.0)["kbps"] is None


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    curve = rates([(number / 100, 1) for number in range(1, 1001)], 0.0, 10.0)["reads"]
    assert len(curve) <= MOST_POINTS + 1
    assert curve[-1] == [10.0, 1000]


async def _slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One page in 20 pieces, some 1.3 Mbit/s."""
    await reader.readuntil(b"\r\n\r\n")
    whole = servers.response(b"x" * 64_000)
    for begin in range(0, len(whole), 3_300):
        writer.write(whole[begin : begin + 3_300])
        await writer.drain()
        await asyncio.sleep(0.02)


def test_target_and_control_are_measured_in_turn(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names |= {SITE: [SITE_IP], "control.example": [CONTROL_IP]}
            await place.serve(SITE, SITE_IP, 443, _slowly)
            await place.serve("control.example", CONTROL_IP, 443, servers.pages(default=b"x" * 64_000))
            settings = place.settings(
                transfer_pairs=2, page_timeout=2.0, transfer_control="https://control.example/large"
            )
            return await measure(place, f"https://{SITE}/", settings=settings)

    keys = asyncio.run(play()).keys
    transfers = keys["x_transfers"]
    assert [one["role"] for one in transfers] == ["target", "control"] * 2
    assert all(one["failure"] is None and one["bytes"] > 64_000 for one in transfers)
    assert transfers[0]["kbps"] < transfers[1]["kbps"] / 3
    assert len(keys["requests"]) == 1  # the downloads are no further pages of the target


def test_a_control_that_cannot_be_reached_is_a_failure_in_the_record(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names |= {SITE: [SITE_IP], "control.example": [CONTROL_IP]}
            await place.serve(SITE, SITE_IP, 443, servers.pages())
            settings = place.settings(transfer_pairs=1, transfer_control="https://control.example/large")
            return await measure(place, f"https://{SITE}/", settings=settings)

    assert [one["failure"] for one in asyncio.run(play()).keys["x_transfers"]] == [None, "connection_refused"]
