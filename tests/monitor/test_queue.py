"""``fanous run`` takes what other collectors keep in a stream."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.collector.stream.address import StreamAddress, StreamPart
from fanous.collector.stream.connection import connected, state_of
from fanous.collector.stream.publish import QueueStream
from fanous.collector.submission import Submission
from fanous.errors import FanousError
from fanous.monitor.intake import Streamed
from fanous.store.local import open_store
from fanous.store.protocol import OneThread
from tests.collector.probe import measurement
from tests.jetstream import cluster


@pytest.fixture(scope="module")
def address() -> Iterator[StreamAddress]:
    with cluster(1) as (_, running):
        yield running


def submission(number: int) -> Submission:
    began = f"2023-12-17 14:30:{number:02d}"
    line = json.dumps(
        measurement(number, measurement_uid=f"uid{number}", measurement_start_time=began)
    ).encode()
    return Submission(f"uid{number}", line)


async def waiting(address: StreamAddress, part: StreamPart) -> int:
    client = await connected(address)
    try:
        return (await state_of(client.jetstream(), address, part)).messages
    finally:
        await client.close()


def test_what_a_stream_holds_is_stored_and_what_is_of_no_use_is_set_aside(
    address: StreamAddress, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fanous.monitor")

    async def main() -> None:
        stream = QueueStream(address)
        tending = asyncio.create_task(stream.tend())
        while not stream.states:
            await asyncio.sleep(0.02)
        bad = Submission("bad", b'{"test_name":"web_connectivity"}')
        for one in (submission(1), submission(2), bad):
            await stream.keep(one)
        tending.cancel()
        await stream.close()
        with OneThread(lambda: open_store(tmp_path / "store")) as owner:
            stop = asyncio.Event()
            taking = asyncio.create_task(Streamed(owner.ask, address, "edge").take(stop))
            async with asyncio.timeout(60):
                while await waiting(address, StreamPart.MAIN):
                    await asyncio.sleep(0.05)
            stop.set()
            await taking
        assert await waiting(address, StreamPart.REFUSED) == 1

    asyncio.run(main())
    with open_store(tmp_path / "store") as store:
        assert store.facts.known({"uid1", "uid2", "bad"}) == {"uid1", "uid2"}
    (taken,) = (one.message for one in caplog.records if one.message.startswith("taken "))
    assert f"folder={address} files=1 stored=2 duplicate=0 rejected=1" in taken


def test_a_store_that_does_not_take_it_leaves_it_in_the_stream(address: StreamAddress) -> None:
    async def refuses(question: object) -> None:
        raise FanousError("the disk is full")

    async def main() -> None:
        stream = QueueStream(address)
        tending = asyncio.create_task(stream.tend())
        while not stream.states:
            await asyncio.sleep(0.02)
        await stream.keep(submission(3))
        tending.cancel()
        await stream.close()
        streamed = Streamed(refuses, address, "edge")  # type: ignore[arg-type]  # it gives no answer
        with pytest.raises(FanousError, match="the disk is full"):
            await streamed.take(asyncio.Event())
        assert await waiting(address, StreamPart.MAIN) == 1

    asyncio.run(main())
