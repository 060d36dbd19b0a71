"""Pull: a writer's side of a stream, for code without an event loop.

Fetched messages belong to this writer until they are done, released, or not heard of for a minute; a separate
thread tells the servers that they are being worked on, however long the store takes.

The owner of the store drains a stream: it stores messages, then acknowledges them.  If it is killed in
between, the same messages are delivered again, and the store recognises each measurement by its identity.  A
message that cannot be used is set aside with the reason.  One that repeatedly kills its writer is tried
alone, and then set aside too, so that it does not hold up the rest.
"""

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NotJSMessageError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from fanous.base.text import printable
from fanous.collector.stream.address import StreamAddress, StreamPart
from fanous.collector.stream.connection import (
    ANSWER_SECONDS,
    ID,
    ODD,
    UNANSWERED,
    WHY,
    connected,
    made,
    reason_of,
    unpack,
)
from fanous.errors import FanousError
from fanous.log import logline

CONSUMER = "store"
"""Name of the durable consumer: the servers know what was stored, no matter which process asks next."""

OPEN_SECONDS = 30.0
"""Seconds.  Servers that have just started, or lost one, elect the leaders of three streams one after the
other.
"""

MOST_OUT = 20_000
"""Most messages that writers may hold at once."""

log = getLogger("fanous.stream")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A message.

    Attributes:
        deliveries: how often it was given to a writer, including this time.
    """

    deliveries: int
    uid: str
    message: Msg = field(repr=False)

    @property
    def line(self) -> bytes | None:
        """The measurement, unpacked each time, since a thousand may not fit into memory; ``None`` = it has none."""
        line = unpack(self.message.data)
        return line if line and b"\n" not in line else None


class Writer:
    """A context manager that is connected inside its block.

    Args:
        patience: seconds for which servers that do not answer are retried.

    Raises:
        FanousError: the servers cannot be reached.
    """

    def __init__(
        self, address: StreamAddress, part: StreamPart = StreamPart.MAIN, patience: float = OPEN_SECONDS
    ) -> None:
        self.address, self.part, self._patience = address, part, patience
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stream", daemon=True)
        self._client: Client | None = None
        self._context: JetStreamContext
        self._pulling: JetStreamContext.PullSubscription
        self._out: set[Waiting] = set()

    def __enter__(self) -> "Writer":
        self._thread.start()
        try:
            self._run(self._open())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def fetch(self, most: int, seconds: float) -> list[Waiting]:
        """What waits, oldest first; if nothing does, waits up to this many seconds."""
        return self._run(self._fetch(most, seconds))

    def done(self, waiting: Iterable[Waiting]) -> None:
        """The messages are stored: the servers may delete them.  If they do not hear of it, they deliver them
        again.
        """
        self._run(self._answer(list(waiting), None))

    def leave(self, waiting: Iterable[Waiting], seconds: float) -> None:
        """Have them delivered again after this many seconds."""
        self._run(self._answer(list(waiting), seconds))

    def set_aside(self, waiting: Waiting, why: str) -> None:
        """Set aside a message that cannot be used, with the reason.

        Raises:
            FanousError: the servers do not answer; it stays where it is.
        """
        self._run(self._set_aside(waiting, why))

    def left(self) -> int:
        """The number of messages not yet done."""
        return self._run(self._left())

    def _run(self, doing: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result()

    async def _open(self) -> None:
        until = self._loop.time() + self._patience
        while True:
            try:
                return await self._try_to_open()
            except FanousError as error:
                if error.permanent or self._loop.time() > until:
                    raise
                log.warning(logline("not_open", again=True, why=str(error)))
                if self._client is not None:
                    await self._client.close()
                await asyncio.sleep(1)

    async def _try_to_open(self) -> None:
        self._client = await connected(self.address)
        self._context = await made(self._client, self.address)
        config = ConsumerConfig(
            durable_name=CONSUMER,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self.address.ack_seconds,
            max_ack_pending=MOST_OUT,
        )
        try:
            self._pulling = await self._context.pull_subscribe(
                self.address.subject(self.part), CONSUMER, self.address.stream(self.part), config
            )
        except UNANSWERED as error:
            raise FanousError(
                f"cannot read the queue {self.address}: {reason_of(error)}", permanent=False
            ) from None
        self._working = asyncio.create_task(self._say_working())

    async def _close(self) -> None:
        """Release what was fetched and not stored to the next writer at once."""
        if self._client is None:
            return
        with contextlib.suppress(AttributeError):  # the connection failed before there was one
            self._working.cancel()
        with contextlib.suppress(*UNANSWERED):
            await self._answer(list(self._out), 0.0)
            await self._client.flush(int(ANSWER_SECONDS))
        await self._client.close()

    async def _fetch(self, most: int, seconds: float) -> list[Waiting]:
        if (
            self._client is None or self._client.is_closed
        ):  # an error that a server reported ends a client for good
            self._working.cancel()
            self._out.clear()  # the servers deliver them again
            await self._open()
        found: list[Waiting] = []
        size, patience, messages = 0, seconds, list[Msg]()
        while len(found) < most and size < BATCH_BYTES and (not found or len(messages) == PIECE):
            try:
                messages = await self._pulling.fetch(min(PIECE, most - len(found)), timeout=patience)
            except TimeoutError:
                break
            except UNANSWERED as error:
                log.warning(logline("not_fetched", why=reason_of(error)))
                await asyncio.sleep(seconds)
                break
            fresh = [message for message in map(_waiting, messages) if message is not None]
            self._out.update(fresh)
            found += fresh
            size += sum(len(message.data) for message in messages)
            patience = AT_ONCE
            if not fresh:
                break
        return found

    async def _answer(self, waiting: list[Waiting], again: float | None) -> None:
        self._out.difference_update(waiting)
        with contextlib.suppress(*UNANSWERED):
            for message in waiting[:-1] if again is None else waiting:
                await (message.message.ack() if again is None else message.message.nak(delay=again or None))
            if waiting and again is None:  # in order: if the last is confirmed, all are
                await waiting[-1].message.ack_sync(ANSWER_SECONDS)

    async def _set_aside(self, waiting: Waiting, why: str) -> None:
        headers = {ID: waiting.uid, WHY: printable(why).encode("ascii", "backslashreplace").decode()[:500]}
        try:
            await self._context.publish(
                self.address.subject(StreamPart.REFUSED),
                waiting.message.data,
                ANSWER_SECONDS,
                headers=headers,
            )
        except UNANSWERED as error:
            raise FanousError(f"cannot set a message aside: {reason_of(error)}", permanent=False) from None
        await self._answer([waiting], None)

    async def _left(self) -> int:
        try:
            info = await self._context.consumer_info(self.address.stream(self.part), CONSUMER)
        except UNANSWERED as error:
            raise FanousError(
                f"the queue {self.address} does not answer: {reason_of(error)}", permanent=False
            ) from None
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def _say_working(self) -> None:
        while True:
            await asyncio.sleep(self.address.ack_seconds / 3)
            for message in list(self._out):
                with contextlib.suppress(*UNANSWERED):
                    await message.message.in_progress()


def _waiting(message: Msg) -> Waiting | None:
    """``None`` = a message that did not come from a stream, so that no server would hear what became of it."""
    uid = printable(str((message.headers or {}).get(ID, "")))
    try:
        return Waiting(message.metadata.num_delivered, uid, message)
    except (NotJSMessageError, *ODD) as error:
        log.warning(logline("not_fetched", why=reason_of(error)))
        return None


BATCH = 1000
"""Messages fetched at once: what a store takes in one batch, and no more than the rejects that are named
(``fanous.pipeline.judge``).
"""

BATCH_BYTES = 128 << 20
"""Bytes, packed and unpacked, after which a batch has enough messages: what an ingest takes at once."""

PIECE = 50
"""Messages of one request to the servers, which can be told no number of bytes."""

AT_ONCE = 0.2
"""Seconds to wait for the next piece, which is sent at once if there is one."""

SUSPECT = 3
"""Deliveries after which a message is tried alone, since something ended the writers that had it."""

MOST_DELIVERIES = 6
"""Deliveries after which it is set aside.  If writers were killed that often by chance, nothing is lost:
messages set aside can still be stored."""

LATER = 3600.0
"""Seconds until a message set aside that still cannot be used is offered again."""

FETCH_SECONDS = 1.0
"""Seconds a writer waits for messages before its caller can check whether to end."""

BringIn = Callable[[Sequence[Path]], Mapping[int, str]]
"""Files -> the lines that cannot be used (from 1), and why; the others are on disk when it returns."""


def drain_stream(writer: Writer, bring_in: BringIn, seconds: float = FETCH_SECONDS) -> int:
    """Store what waits.

    Args:
        seconds: to wait if nothing does.

    Returns:
        How many messages there were.
    """
    waiting = writer.fetch(BATCH, seconds)
    _bring(writer, bring_in, [message for message in waiting if message.deliveries <= SUSPECT])
    for one in _suspects(waiting):
        if one.deliveries > MOST_DELIVERIES:
            _refuse(writer, one, f"{one.deliveries - 1} writers died while working on it")
        else:
            _bring(writer, bring_in, [one])
    return len(waiting)


def _suspects(waiting: Sequence[Waiting]) -> list[Waiting]:
    """The messages to be tried alone: alternately from either end, so that those on both sides of the one
    that kills the writer get done first."""
    suspects = sorted((m for m in waiting if m.deliveries > SUSPECT), key=lambda m: m.uid)
    return suspects[::-1] if suspects and suspects[0].deliveries % 2 else suspects


def _bring(writer: Writer, bring_in: BringIn, waiting: Sequence[Waiting]) -> None:
    rest = iter(waiting)
    while True:
        with tempfile.TemporaryDirectory(prefix="fanous-drain-") as folder:
            file = Path(folder) / "stream.jsonl"
            written = _write(writer, file, rest)
            if not written:
                return
            why = bring_in([file])
        for line, message in enumerate(written, 1):
            if line in why:
                _refuse(writer, message, why[line])
        writer.done(message for line, message in enumerate(written, 1) if line not in why)


def _write(writer: Writer, file: Path, rest: Iterator[Waiting]) -> list[Waiting]:
    """The messages whose measurements it wrote: as many as make one batch."""
    written = []
    with file.open("wb") as out:
        for message in rest:
            line = message.line
            if line is None:
                _refuse(writer, message, "it has no measurement")
                continue
            out.write(line + b"\n")
            written.append(message)
            if out.tell() > BATCH_BYTES:
                break
    return written


def _refuse(writer: Writer, waiting: Waiting, why: str) -> None:
    if writer.part is StreamPart.REFUSED:
        writer.leave([waiting], LATER)
    else:
        writer.set_aside(waiting, why)
