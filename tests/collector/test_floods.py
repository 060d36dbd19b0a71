"""Small floods of the probes' door: bodies that unpack to much, and questions about names that never answer."""

import asyncio
import json
import random
import sys
import time
from pathlib import Path

import pytest

from fanous.base.threads import Threads
from fanous.collector import helper
from fanous.collector.door import Policy
from fanous.collector.helper import Helper, HelperPolicy
from fanous.collector.limits import volume_of
from fanous.collector.request import Refused
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
        asyncio.run(Helper().answer(json.dumps(QUESTION).encode(), "ooniprobe-x"))
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
