"""Small floods of the probes' door: bodies that unpack to much, and questions about names that never answer."""

import asyncio
import json
import random
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from fanous.base.threads import Threads
from fanous.collector import door as door_module
from fanous.collector import helper
from fanous.collector.door import Policy
from fanous.collector.helper import Helper, HelperPolicy, asked_of
from fanous.collector.limits import kept_of, volume_of
from fanous.collector.request import MOST_BYTES, Refused, plain
from tests.collector.probe import OPEN, REPORT_ID, body
from tests.collector.threads import door

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGE = 20 << 20


def packed(number: int) -> bytes:
    """Half a megabyte that unpacks to 20 MiB: less than the hundredfold that a door takes."""
    whole = body(number)
    whole["content"]["test_keys"]["pad"] = random.Random(1).randbytes(LARGE // 100).hex() + "a" * (
        LARGE * 49 // 50
    )
    return zstd.compress(json.dumps(whole).encode())


def test_what_one_address_sends_is_counted_as_it_unpacks(tmp_path: Path) -> None:
    with door(tmp_path, Policy(volume=volume_of(50 << 20, 1 << 30))) as client:
        answers = [
            client.post(f"/report/{REPORT_ID}", content=packed(n), headers={"Content-Encoding": "zstd"})
            for n in range(4)
        ]
        assert [one.status_code for one in answers] == [200, 200, 429, 429]
        assert int(answers[2].headers["retry-after"]) > 60
        assert client.post(f"/report/{REPORT_ID}", json=body(9)).status_code == 200, "small ones still fit"


def held_back(client: httpx.Client, number: int) -> socket.socket:
    """A connection with one of the largest bodies, of which the last byte is missing.

    Args:
        number: of a network of loopback.
    """
    one = socket.create_connection(
        ("127.0.0.1", client.base_url.port or 0), 10, source_address=(f"127.0.{number}.1", 0)
    )
    head = f"POST /report/{REPORT_ID} HTTP/1.1\r\nHost: c\r\nContent-Length: {MOST_BYTES}\r\n\r\n"
    with suppress(ConnectionError):  # it may be refused before all of it is sent
        one.sendall(head.encode() + bytes(MOST_BYTES - 1))
    return one


@pytest.mark.parametrize("networks", [1, 8], ids=["of one network", "of eight"])
def test_bodies_that_lack_their_last_byte_keep_no_one_else_out(networks: int, tmp_path: Path) -> None:
    """Eight of them, 256 MiB sent once, took all the room there is for as long as they were held."""
    with door(tmp_path, Policy()) as client:
        held = [held_back(client, 1 + number % networks) for number in range(8)]
        for number in range(20):
            answer = client.post(f"/report/{REPORT_ID}", json=body(number))
            assert answer.status_code == 200, answer.text
        for one in held:
            one.close()


def test_a_body_that_is_whole_is_not_given_up_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(body: bytes, *more: Any) -> bytes:
        time.sleep(1.5)
        return plain(body, *more)

    monkeypatch.setattr(door_module, "plain", slow)
    large = body(1, test_keys={"requests": [{"response": {"body": "x" * (20 << 20)}}]})
    with door(tmp_path, Policy()) as client, ThreadPoolExecutor(1) as sending:
        first = sending.submit(client.post, f"/report/{REPORT_ID}", json=large)
        time.sleep(0.7)
        second = client.post(f"/report/{REPORT_ID}", json=large | {"format": "xml"})
        assert (first.result().status_code, second.status_code) == (200, 503)


def test_bytes_count_as_they_arrive(tmp_path: Path) -> None:
    """A body that was never ended cost its sender nothing."""
    with door(tmp_path, Policy(volume=volume_of(40 << 20, 1 << 30))) as client:
        held_back(client, 0).close()
        time.sleep(0.5)
        answer = client.post(f"/report/{REPORT_ID}", content=packed(1), headers={"Content-Encoding": "zstd"})
        assert answer.status_code == 429


def test_what_one_network_adds_to_the_archive_is_limited(tmp_path: Path) -> None:
    def filled(number: int) -> dict[str, Any]:
        return body(number, test_keys={"requests": [{"response": {"body": "x" * (12 << 20)}}]})

    with door(tmp_path, Policy(kept=kept_of(40 << 20))) as client:
        answers = [client.post(f"/report/{REPORT_ID}", json=filled(n)).status_code for n in range(4)]
        assert answers == [200, 200, 429, 429]
        assert client.post(f"/report/{REPORT_ID}", json=body(9)).status_code == 200, "small ones still fit"


QUESTION = {"http_request": "https://n1.silent.example/", "http_request_headers": {}, "tcp_connect": []}


def test_names_that_never_answer_hold_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helper, "DNS_SECONDS", 0.5)

    async def silent(_name: str) -> list[str]:
        await asyncio.get_running_loop().run_in_executor(helper.LOOKUPS, time.sleep, 3)
        raise OSError("nothing")

    with door(tmp_path, Policy(), Helper(HelperPolicy(resolve=silent))) as client:

        async def main() -> float:
            asyncio.get_running_loop().set_default_executor(Threads(20, "asking"))

            async def ask() -> None:
                await asyncio.to_thread(client.post, "/", json=QUESTION)

            asking = [asyncio.create_task(ask()) for _ in range(12)]
            await asyncio.sleep(0.2)
            began = time.monotonic()
            assert (await asyncio.to_thread(client.post, "/report", json=OPEN)).status_code == 200
            took = time.monotonic() - began
            await asyncio.gather(*asking)
            return took

        assert asyncio.run(main()) < 2


def test_a_helper_without_a_thread_to_spare_says_later_and_calls_no_name_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck = Threads(4, "stuck")
    monkeypatch.setattr(helper, "LOOKUPS", stuck)
    monkeypatch.setattr(helper, "MOST_LOOKUPS", 2)
    for _ in range(2):
        stuck.submit(time.sleep, 1)
    with pytest.raises(Refused) as refusal:
        asyncio.run(Helper().answer(asked_of(json.dumps(QUESTION).encode()), "ooniprobe-x"))
    assert (refusal.value.status, refusal.value.retry_after) == (503, 5)


def test_what_blocks_the_helper_holds_up_no_measurement(tmp_path: Path) -> None:
    async def blocking(_name: str) -> list[str]:
        time.sleep(1.5)  # as a page that takes long to unpack would
        return []

    with door(tmp_path, Policy(), Helper(HelperPolicy(resolve=blocking))) as client:

        async def main() -> float:
            asking = asyncio.create_task(asyncio.to_thread(client.post, "/", json=QUESTION))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            assert (await asyncio.to_thread(client.post, "/report", json=OPEN)).status_code == 200
            took = time.monotonic() - began
            await asking
            return took

        assert asyncio.run(main()) < 1.0
