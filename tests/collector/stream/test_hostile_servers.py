"""Servers that answer oddly or not at all end a command with a sentence, and no message of theirs fills the memory."""

import asyncio
import base64
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from fanous.collector.stream import connection, publish, pull
from fanous.collector.stream.address import StreamAddress
from fanous.collector.stream.connection import connected, pack, unpack
from fanous.collector.stream.pull import Writer, drain_stream
from fanous.collector.submission import Submission
from tests.commands import fanous
from tests.each import each
from tests.hostile import HOSTILE, planted

INFO = {"server_id": "x", "version": "2.10.0", "headers": True, "max_payload": 33_554_432, "jetstream": True}
HELLO = b"INFO %s\r\n" % json.dumps(INFO).encode()
DEEP = b"[" * 30_000 + b"]" * 30_000

Answer = Callable[[str], bytes]
"""A subject -> what the server answers to it."""


class Server:
    """A NATS server as far as these tests need one: it greets, and answers each request with what it is told to.

    Args:
        offered: messages for a writer, each the subject to acknowledge it on and its payload.

    Attributes:
        error: said once, at the next request of a writer or collector.
    """

    def __init__(self, answer: Answer, hello: bytes, offered: "list[tuple[bytes, bytes]]") -> None:
        self._answer, self._hello, self._offered = answer, hello, offered
        self.error = b""
        self.requests: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inboxes: dict[bytes, bytes] = {}
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(self._hello)
            while words := (await reader.readline()).split():
                if words[0] == b"PING":
                    writer.write(b"PONG\r\n")
                elif words[0] == b"SUB":
                    inboxes[words[1].removesuffix(b"*")] = words[-1]
                elif words[0] in (b"PUB", b"HPUB"):
                    await reader.readexactly(int(words[-1]) + 2)
                    reply = words[2] if len(words) > (3 if words[0] == b"PUB" else 4) else b""
                    number = next((n for inbox, n in inboxes.items() if reply.startswith(inbox)), b"1")
                    self._reply(writer, words[1].decode(), reply, number)

    def _reply(self, writer: asyncio.StreamWriter, subject: str, reply: bytes, number: bytes) -> None:
        self.requests.append(subject)
        if self.error:
            writer.write(b"-ERR '%s'\r\n" % self.error)
            self.error = b""
            return
        if "CONSUMER.MSG.NEXT" in subject:
            for acknowledged, payload in self._offered:
                head = b"MSG %s %s %s %d\r\n" % (reply, number, acknowledged, len(payload))
                writer.write(head + payload + b"\r\n")
            self._offered = []
        elif reply:
            body = self._answer(subject)
            writer.write(b"MSG %s %s %d\r\n%s\r\n" % (reply, number, len(body), body))


@contextmanager
def serving(
    answer: Answer, *, hello: bytes = HELLO, offered: "list[tuple[bytes, bytes]] | None" = None
) -> Iterator[tuple[str, Server]]:
    """Its URL."""
    server, loop = Server(answer, hello, offered or []), asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(server.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"nats://me:s3cret@127.0.0.1:{listening.sockets[0].getsockname()[1]}", server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listening.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


STREAM = {
    "config": {"name": "FANOUS", "num_replicas": 3},
    "created": "2026-01-01T00:00:00Z",
    "state": {
        "messages": 3,
        "bytes": 10,
        "first_seq": 1,
        "last_seq": 10**12,
        "consumer_count": 0,
        "first_ts": "2026-01-01T00:00:00Z",
        "last_ts": "2026-01-01T00:00:00Z",
    },
}
CONSUMER = {
    "stream_name": "FANOUS",
    "name": "store",
    "created": "2026-01-01T00:00:00Z",
    "config": {"durable_name": "store", "ack_policy": "explicit"},
    "num_pending": 0,
    "num_ack_pending": 0,
    "delivered": {"consumer_seq": 1, "stream_seq": 1},
    "ack_floor": {"consumer_seq": 1, "stream_seq": 1},
}


def with_message(message: bytes) -> Answer:
    return lambda subject: message if "MSG.GET" in subject else json.dumps(STREAM).encode()


def queue(url: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """``fanous queue`` on an address that has a password, which no command line may have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FANOUS_QUEUE", url)
        return fanous("queue", code=code)


@each("hello", [b"INFO [1, 2]\r\n", b"INFO " + DEEP + b"\r\n", HELLO + b"A" * 200_000])
def test_a_greeting_of_another_shape_is_said_in_a_sentence(
    hello: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 2.0)
    with serving(lambda _subject: b"{}", hello=hello) as (url, _):
        ended = queue(url, code=1)
    assert "no NATS server answers at nats://127.0.0.1" in ended.stderr
    assert "s3cret" not in ended.stderr


@each(
    "answer",
    [
        *(b"{{{", b"[]", b"{}", b"", DEEP, b'{"config":null,"state":null}', b'{"error":"boom"}'),
        b'{"config":{"num_replicas":"many"},"state":{"messages":"x","first_seq":1e999}}',
        json.dumps({"error": {"code": "x", "err_code": None, "description": HOSTILE}}).encode(),
    ],
)
def test_an_answer_of_another_shape_is_said_in_a_sentence(answer: bytes) -> None:
    with serving(lambda _subject: answer) as (url, _):
        ended = queue(url, code=1)
    assert "the stream FANOUS cannot be created: " in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not planted(ended.stderr)


@each(
    "message",
    [b'{"message":null}', b'{"message":{"seq":1,"time":"0000-99-01T00:00:00Z","hdrs":"@","data":"!"}}'],
)
def test_a_message_of_another_shape_is_too(message: bytes) -> None:
    with serving(with_message(message)) as (url, _):
        assert "does not answer" in queue(url, code=1).stderr


def test_why_a_message_was_set_aside_acts_on_no_terminal() -> None:
    words = HOSTILE.replace("\r", "").replace("\n", "")  # a header is one line
    headers = base64.b64encode(f"NATS/1.0\r\nNats-Msg-Id: {words}\r\nFanous-Why: {words}\r\n\r\n".encode())
    message = {"seq": 1, "subject": "x", "time": "2026-01-01T00:00:00Z", "data": "", "hdrs": headers.decode()}
    with serving(with_message(json.dumps({"message": message}).encode())) as (url, _):
        ended = queue(url)
    assert ended.stdout.count("refused") > 1
    assert not planted(ended.stdout)


def test_a_stream_of_a_million_millions_of_gaps_is_not_asked_for_each_of_them() -> None:
    gone = b'{"error":{"code":404,"err_code":10037,"description":"no message found"}}'
    with serving(with_message(gone)) as (url, server):
        queue(url)
    assert len(server.requests) < 20


def for_a_writer(subject: str) -> bytes:
    if "CONSUMER" in subject:
        return json.dumps(CONSUMER).encode()
    empty = STREAM["state"] | {"messages": 0}  # type: ignore[operator]
    return json.dumps(STREAM | {"state": empty, "stream": "FANOUS", "seq": 1}).encode()


ACK = b"$JS.ACK.FANOUS.store.1.%d.%d.1700000000000000000.0"


def test_messages_that_came_from_no_stream_are_left_and_the_others_stored() -> None:
    offered = [(reply, pack(b"{}")) for reply in (b"", b"hello.world", b"$JS.ACK.a.b.x.y.z.q.w")]
    offered.append((ACK % (1, 1), pack(b'{"own": 1}')))
    stored: list[bytes] = []

    def bring_in(files: "list[Path]") -> dict[int, str]:
        stored.extend(files[0].read_bytes().splitlines())
        return {}

    with serving(for_a_writer, offered=offered) as (url, _), Writer(StreamAddress((url,))) as writer:
        assert drain_stream(writer, bring_in, 0.2) == 1  # type: ignore[arg-type]
    assert stored == [b'{"own": 1}']


def test_a_batch_takes_no_more_memory_than_an_ingest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand messages of 32 MiB each would be 32 GB: anyone may send such to a collector."""
    monkeypatch.setattr(pull, "BATCH_BYTES", 100)
    monkeypatch.setattr(pull, "PIECE", 2)
    offered = [(ACK % (n, n), pack(b'{"n": "%s"}' % (b"%d" % n * 60))) for n in range(1, 6)]
    sizes: list[int] = []

    def bring_in(files: "list[Path]") -> dict[int, str]:
        sizes.append(files[0].stat().st_size)
        return {}

    with serving(for_a_writer, offered=offered) as (url, _), Writer(StreamAddress((url,))) as writer:
        while drain_stream(writer, bring_in, 0.2):  # type: ignore[arg-type]
            pass
    assert len(sizes) >= 3
    assert max(sizes) < 300


def test_a_message_that_unpacks_to_more_than_a_measurement_is_not_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "LINE_LIMIT", 1000)
    assert unpack(pack(b"x" * 1000)) == b"x" * 1000
    assert unpack(pack(b"x" * 1001)) is None
    assert unpack(pack(b"x" * 100)[:-2]) is None


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.02)


def test_after_an_error_that_a_server_reported_a_writer_and_a_collector_connect_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publish, "LOOK", 0.05)
    monkeypatch.setattr(publish, "AGAIN", 0.05)
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.5)

    async def kept(url: str, server: Server) -> None:
        stream = publish.QueueStream(StreamAddress((url,)))
        tending = asyncio.create_task(stream.tend())
        async with asyncio.timeout(20):
            await until(lambda: not stream.ailing)
            server.error = b"maximum connections exceeded"
            await until(lambda: bool(stream.ailing))
            await until(lambda: not stream.ailing)
            await stream.keep(Submission("uid", b"{}", None))
        tending.cancel()
        await stream.close()

    with serving(for_a_writer) as (url, server):
        asyncio.run(kept(url, server))
    with (
        serving(for_a_writer, offered=[(ACK % (1, 1), pack(b"{}"))]) as (url, server),
        Writer(StreamAddress((url,))) as writer,
    ):
        server.error = b"user authentication expired"
        assert writer.fetch(1, 0.2) == []
        assert [one.line for one in writer.fetch(1, 0.2)] == [b"{}"]


def test_a_message_of_gigabytes_ends_the_connection_before_it_is_collected() -> None:
    """The client collected all of it."""
    taken = list[int]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        with closing(writer), suppress(ConnectionError):
            while words := (await reader.readline()).split():
                if words[0] == b"PING":
                    writer.write(b"PONG\r\n")
                elif words[0] == b"SUB":
                    writer.write(b"MSG a %s 3000000000\r\n" % words[-1])
                    taken.append(0)
                    place = len(taken) - 1
                    while taken[place] < 200 << 20:
                        writer.write(bytes(1 << 20))
                        await writer.drain()
                        taken[place] += 1 << 20

    async def connect_twice() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            client = await connected(StreamAddress((f"nats://127.0.0.1:{port}",)))
            await client.subscribe("a")
            async with asyncio.timeout(20):
                await until(lambda: len(taken) > 1)  # it connects again, as after any error of a server
            await client.close()

    asyncio.run(connect_twice())
    assert taken[0] < 32 << 20
