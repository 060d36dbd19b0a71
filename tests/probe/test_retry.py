"""What chance may have broken is tried again, and every attempt is kept."""

import asyncio
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from fanous.model.verdict import State
from fanous.probe.endpoint import measure_into
from fanous.probe.net.network import Meter
from fanous.probe.net.sockets import SocketStream
from fanous.probe.run import run
from fanous.probe.trace import CUT, LOST, ProbeVantage, Trace, retried
from tests.builders import FakeNetwork
from tests.probe.net import servers
from tests.probe.net.routes import RoutedNetwork, Routes
from tests.probe.scene import SETTINGS, SITE, SITE_IP, Scene, measured, scene

URL = f"https://{SITE}/"


def attempts(*failures: str | None, time: float = 100.0, retries: bool = True) -> list[int]:
    """Numbers of the attempts that are made where they fail so; ``None`` = it works."""
    made = list[int]()

    async def attempt(number: int) -> tuple[str | None, str | None]:
        made.append(number)
        failure = failures[min(number, len(failures)) - 1]
        return (None if failure else "it"), failure

    async def play() -> None:
        network = FakeNetwork()
        trace = Trace(network, until=network.now() + time)
        settings = replace(SETTINGS, retries=retries, retry_delay=0.0)
        await retried(trace, settings, 10.0, attempt)

    asyncio.run(play())
    return made


@pytest.mark.parametrize("failure", sorted(LOST))
def test_what_looks_lost_is_tried_again_at_once_and_after_a_pause(failure: str) -> None:
    assert attempts(failure) == [1, 2, 3]
    assert attempts(failure, None) == [1, 2]


@pytest.mark.parametrize("failure", sorted(CUT))
def test_what_was_cut_is_tried_once_more(failure: str) -> None:
    assert attempts(failure) == [1, 2]


@pytest.mark.parametrize(
    "failure", ["dns_nxdomain_error", "connection_refused", "ssl_invalid_hostname", "ssl_failed_handshake"]
)
def test_an_explicit_refusal_is_not_tried_again(failure: str) -> None:
    assert attempts(failure) == [1]


def test_nothing_is_begun_for_which_no_time_is_left_or_that_is_switched_off() -> None:
    assert attempts("generic_timeout_error", time=9.0) == [1]
    assert attempts("generic_timeout_error", retries=False) == [1]


class LossyNetwork(RoutedNetwork):
    """20 % of packets are lost each way: a look-up of one question and one answer fails with .36, a
    connection of 5 s (SYN at 0, 1 and 3 s) with the third power of that."""

    def __init__(self, routes: Routes, chance: Random, meter: Meter | None = None) -> None:
        super().__init__(routes, meter)
        self._chance = chance

    async def open_tcp(self, ip: str, port: int) -> SocketStream:
        if self._chance.random() < 0.36**3:
            raise TimeoutError
        return await super().open_tcp(ip, port)

    async def look_up(self, hostname: str) -> list[str]:
        if self._chance.random() < 0.36:
            raise TimeoutError
        return await super().look_up(hostname)


def test_loss_of_a_fifth_makes_no_finding(tmp_path: Path) -> None:
    rounds = 60

    async def play() -> tuple[list[State], int]:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.resolvers(SITE_IP)
            await place.serve(SITE, SITE_IP, 443, servers.pages())
            network = LossyNetwork(place.routes, Random(7))
            written = list[bytes]()
            urls = [f"{URL}{number}" for number in range(rounds)]
            report = await run(
                network, place.settings(), ProbeVantage("PK", 17557), urls, written.append, with_health=False
            )
            again = sum(one.count(b'"x_attempt":2') for one in written)
            return [one.state for one in report.outcomes], again

    states, again = asyncio.run(play())
    assert again > rounds / 5
    assert set(states) <= {State.OK, State.INSUFFICIENT}
    # One in twenty look-ups by the system fails thrice; the page then came by another resolver's answer.
    assert states.count(State.OK) >= 0.8 * rounds


def test_every_attempt_is_in_the_record(tmp_path: Path) -> None:
    async def play() -> Trace:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await _silent(place)
            trace = Trace(RoutedNetwork(place.routes))
            await measure_into(trace, place.settings(handshake_timeout=0.2), URL)
            return trace

    handshakes = [one for one in asyncio.run(play()).tls_handshakes if one["server_name"] == SITE]
    assert [one["x_attempt"] for one in handshakes] == [1, 2, 3]
    assert len({one["transaction_id"] for one in handshakes}) == 3


async def _silent(place: Scene) -> None:
    await place.put(SITE_IP, 443, servers.say_nothing)


def test_a_handshake_that_is_slow_compared_with_the_control_is_repeated(tmp_path: Path) -> None:
    async def play() -> list[dict[str, object]]:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            behind = await place.serve(SITE, "198.51.45.99", 443, servers.pages())
            slow = servers.delayed_on_name(SITE.encode(), 0.7, behind)
            await place.put(SITE_IP, 443, slow)
            settings = place.settings(handshake_timeout=2.0, transfer_screened_pairs=0)
            found = await measured(place, URL, settings=settings)
            return list(found.keys["tls_handshakes"])

    handshakes = asyncio.run(play())
    assert [one["server_name"] for one in handshakes] == ["example.com", SITE] * 2
    assert [one["x_attempt"] for one in handshakes] == [1, 1, 1, 2]
