"""What collectors publish is kept by the servers, comes into the store, or is set aside with the reason."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from nats.js.api import DiscardPolicy, RetentionPolicy

from fanous.cli.collect import drain as drain_command
from fanous.cli.queue import queue, vitals_of
from fanous.collector.request import Refused
from fanous.collector.stream import pull as drain_module
from fanous.collector.stream.address import StreamAddress, StreamPart
from fanous.collector.stream.connection import connected, made, pack
from fanous.collector.stream.publish import QueueStream
from fanous.collector.stream.pull import BATCH, Writer, drain_stream
from fanous.collector.submission import Apart, Submission
from fanous.errors import FanousError
from fanous.pipeline.judge import REJECTS_LISTED
from fanous.pipeline.status import metrics
from fanous.store.local import open_store
from tests.collector.probe import measurement
from tests.jetstream import Cluster, cluster


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Cluster, StreamAddress]]:
    """One: replication and deaths are tried in test_deaths."""
    with cluster(1) as running:
        yield running


@pytest.fixture
def url(server: tuple[Cluster, StreamAddress]) -> str:
    """Of a stream of the test's own."""
    return server[0].url(f"&stream=S{time.monotonic_ns()}&ack_seconds=1&gigabytes=1")


@pytest.fixture
def address(url: str) -> StreamAddress:
    from fanous.collector.stream.address import parse_address

    return parse_address(url)


def submission(number: int, *, apart: bool = False) -> Submission:
    began = f"2023-12-17 14:30:{number:02d}"
    line = json.dumps(
        measurement(number, measurement_uid=f"uid{number}", measurement_start_time=began)
    ).encode()
    return Submission(f"uid{number}", line, Apart.UNKNOWN if apart else None)


def with_stream(address: StreamAddress, use: Callable[[QueueStream], Awaitable[None]]) -> None:
    async def used() -> None:
        stream = QueueStream(address)
        tending = asyncio.create_task(stream.tend())
        async with asyncio.timeout(30):
            while not stream.states:
                await asyncio.sleep(0.02)
        try:
            await use(stream)
        finally:
            tending.cancel()
            await stream.close()

    asyncio.run(used())


def keep(address: StreamAddress, *submissions: Submission) -> None:
    async def use(stream: QueueStream) -> None:
        await asyncio.gather(*(stream.keep(one) for one in submissions))

    with_stream(address, use)


def taken(address: StreamAddress, part: StreamPart = StreamPart.MAIN) -> list[bytes | None]:
    with Writer(address, part) as writer:
        found = writer.fetch(BATCH, 1)
        writer.done(found)
        return [one.line for one in found]


def test_what_was_sent_twice_is_kept_once_and_what_is_apart_stays_apart(address: StreamAddress) -> None:
    keep(address, submission(1), submission(2, apart=True))
    keep(address, submission(1))  # another collector
    assert taken(address) == [submission(1).line]
    assert taken(address) == []
    assert taken(address, StreamPart.APART) == [submission(2).line]


def test_a_full_stream_says_later_and_drops_nothing(address: StreamAddress) -> None:
    async def use(stream: QueueStream) -> None:
        await stream.keep(submission(1))
        with pytest.raises(Refused, match="the queue is full") as refusal:
            for number in range(2, 50):
                await stream.keep(submission(number))
        assert (refusal.value.status, refusal.value.retry_after) == (503, 300)
        assert stream.ailing

    with_stream(replace(address, bytes=4000), use)
    lines = taken(address)
    assert lines[0] == submission(1).line
    keep(address, submission(99))
    assert taken(address) == [submission(99).line]


def refusing(address: StreamAddress) -> None:
    """Create the stream of what is set aside as it was until December 2026: if full, it refuses what is new."""

    async def create() -> None:
        client = await connected(address)
        await client.jetstream().add_stream(
            name=address.stream(StreamPart.APART),
            subjects=[address.subject(StreamPart.APART)],
            retention=RetentionPolicy.WORK_QUEUE,
            max_bytes=2000,
            discard=DiscardPolicy.NEW,
        )
        await client.close()

    asyncio.run(create())


@pytest.mark.parametrize("is_old", [False, True])
def test_what_is_set_aside_drops_its_oldest_and_keeps_no_one_out(
    is_old: bool, address: StreamAddress
) -> None:
    if is_old:
        refusing(address)

    async def use(stream: QueueStream) -> None:
        for number in range(20):
            await stream.keep(submission(number, apart=True))
        assert not stream.ailing

    with_stream(replace(address, bytes=32_000), use)
    lines = taken(address, StreamPart.APART)
    assert 0 < len(lines) < 20 and lines[-1] == submission(19, apart=True).line


def test_a_collector_without_servers_says_later() -> None:
    async def asked() -> None:
        stream = QueueStream(StreamAddress(("nats://127.0.0.1:9",)))
        with pytest.raises(Refused, match="cannot be reached") as refusal:
            await stream.keep(submission(1))
        assert (refusal.value.status, refusal.value.retry_after) == (503, 5)
        await stream.close()

    asyncio.run(asked())


def test_servers_that_are_not_there_are_named_with_the_reason_and_without_a_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    address = StreamAddress(("nats://me:secret@127.0.0.1:9",))
    with pytest.raises(FanousError, match=r"no NATS server answers at nats://127.0.0.1:9/FANOUS") as refusal:
        asyncio.run(connected(address, 0.5))
    assert "Connect call failed" in str(refusal.value)
    assert "secret" not in str(refusal.value)
    assert caplog.records == [], "the reason is said once"


def test_fewer_replicas_than_were_asked_for_are_refused(address: StreamAddress) -> None:
    async def asked() -> None:
        client = await connected(address)
        try:
            await made(client, address)
            await made(client, replace(address, replicas=3))
        finally:
            await client.close()

    with pytest.raises(FanousError, match="keeps 1 replicas, not 3"):
        asyncio.run(asked())


def test_what_a_writer_left_undone_comes_again_at_once(address: StreamAddress) -> None:
    keep(address, submission(1), submission(2))
    with Writer(address) as writer:
        first, second = writer.fetch(10, 1)
        writer.done([first])
        assert writer.left() == 1
    with Writer(address) as writer:
        (again,) = writer.fetch(10, 1)
        assert (again.line, again.deliveries) == (second.line, 2)
        time.sleep(2.5)  # longer than the servers wait, but it is being worked on
        assert writer.fetch(10, 0.3) == []


def test_a_message_that_is_of_no_use_is_set_aside_and_the_others_are_not_kept_waiting(
    address: StreamAddress,
) -> None:
    keep(address, submission(1), submission(2), submission(3))

    async def put_rubbish() -> None:
        client = await connected(address)
        await client.jetstream().publish(address.subject(StreamPart.MAIN), b"not packed")
        await client.jetstream().publish(address.subject(StreamPart.MAIN), pack(b'{"a":1}\n{"b":2}'))
        await client.close()

    asyncio.run(put_rubbish())
    seen: list[bytes] = []

    def bring_in(files: Sequence[Path]) -> Mapping[int, str]:
        seen.extend(files[0].read_bytes().splitlines())
        return {2: "no such thing"}

    with Writer(address) as writer:
        assert drain_stream(writer, bring_in, 1) == 5
        assert writer.left() == 0
    assert seen == [submission(number).line for number in (1, 2, 3)]
    assert len(taken(address, StreamPart.REFUSED)) == 3


def test_a_message_with_which_writers_die_is_tried_alone_and_then_set_aside(
    address: StreamAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain_module, "SUSPECT", 1)
    monkeypatch.setattr(drain_module, "MOST_DELIVERIES", 3)
    keep(address, submission(1), submission(2), submission(3))
    batches: list[int] = []

    def dies(files: Sequence[Path]) -> Mapping[int, str]:
        lines = files[0].read_bytes().splitlines()
        batches.append(len(lines))
        if submission(2).line in lines:
            raise ZeroDivisionError
        return {}

    for _ in range(3):
        with Writer(address) as writer, pytest.raises(ZeroDivisionError):
            drain_stream(writer, dies, 1)
    with Writer(address) as writer:
        assert drain_stream(writer, dies, 1) == 1
        assert writer.left() == 0
    assert batches == [3, 1, 1, 1, 1]  # the first and it, then the third and it
    assert taken(address, StreamPart.REFUSED) == [submission(2).line]


def test_what_the_store_does_not_take_stays(address: StreamAddress) -> None:
    keep(address, submission(1))

    def fails(_files: Sequence[Path]) -> Mapping[int, str]:
        raise FanousError("disk full")

    with Writer(address) as writer, pytest.raises(FanousError, match="disk full"):
        drain_stream(writer, fails, 1)
    assert taken(address) == [submission(1).line]


def test_the_commands_bring_a_stream_into_a_store_and_show_what_is_left(
    url: str, address: StreamAddress, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Submission("uid9", b'{"test_name":"web_connectivity"}')
    keep(address, submission(1), submission(2), bad, submission(3, apart=True))
    drain_command(store=tmp_path / "store", queue=url)
    assert capsys.readouterr().out == "stored 2, repeated 0, rejected 1\n"
    queue(url=url, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert {row["part"]: row["messages"] for row in told["parts"]} == {"main": 0, "apart": 1, "refused": 1}
    (refused,) = told["refused"]
    assert refused["uid"] == "uid9"
    assert refused["why"]
    queue(url=url)
    assert refused["why"] in capsys.readouterr().out

    async def use(stream: QueueStream) -> None:
        figures = {one.name: one.value for one in metrics(vitals_of(stream, 0.0), ())}
        assert (figures["fanous_inbox_refused"], figures["fanous_inbox_apart_files"]) == (1, 1)
        assert stream.ailing == ""

    with_stream(address, use)
    drain_command(store=tmp_path / "store", queue=url, part="apart")
    drain_command(store=tmp_path / "store", queue=url, part="refused")  # of as little use as before
    assert capsys.readouterr().out.splitlines()[0] == "stored 1, repeated 0, rejected 0"
    queue(url=url)
    assert "uid9" in capsys.readouterr().out
    with open_store(tmp_path / "store") as store:
        assert store.facts.known({"uid1", "uid2", "uid3"}) == {"uid1", "uid2", "uid3"}


def test_a_batch_has_no_more_messages_than_rejects_are_named() -> None:
    assert BATCH <= REJECTS_LISTED
