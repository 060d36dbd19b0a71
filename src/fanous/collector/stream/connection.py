"""Connection: connects to the servers of a stream, and creates the streams with the required settings.

With an acknowledgement JetStream promises that a majority of the replicas has the message in its log.  Whether that log
is on disk by then depends on the servers' ``sync_interval``, which no client can see; the documentation says how to set
it.
"""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger

from nats.aio.client import Client
from nats.errors import Error, ProtocolError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import APIError, NotFoundError
from nats.protocol.parser import Parser

from fanous.base.text import printable
from fanous.collector.request import Refused, unpacked_zstd
from fanous.collector.stream.address import StreamAddress, StreamPart
from fanous.errors import FanousError
from fanous.log import logline
from fanous.sources.stream import LINE_LIMIT

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CONNECT_SECONDS = 10.0

LESSER = 16
"""How many times smaller the streams of apart and refused messages are: servers reserve what a stream may
hold.
"""

RECONNECT_SECONDS = 0.5
"""Seconds between two attempts: another server may work while one does not."""

ANSWER_SECONDS = 5.0
"""Seconds.  A new leader is elected in about four; rather than wait longer, a client should be told to try
again.
"""

ID, WHY = "Nats-Msg-Id", "Fanous-Why"
"""Headers: the identity, by which the servers drop duplicates within their window; and why a message was set
aside.
"""

ODD = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What the client's code ends in if an answer has another shape than expected: it checks none."""

UNANSWERED = (Error, TimeoutError, OSError, *ODD)
"""Servers that do not answer, refuse, or answer something else."""

LONGEST_REASON = 300
"""Characters."""

MOST_MESSAGE = 64 << 20
"""Bytes: no NATS server can be told to take larger ones (``max_payload``)."""

LEVEL = 1
"""zstd level: a measurement of 50 kB shrinks sevenfold, and servers write each of them three times."""

log = getLogger("fanous.stream")


@dataclass(frozen=True, slots=True)
class StreamState:
    """What waits in one stream.

    Attributes:
        since: unix seconds, by the servers' clock: when the oldest arrived; ``None`` = nothing waits.
        leader: name of the server that currently takes messages; empty = none, or only one server.
    """

    messages: int
    bytes: int
    since: float | None
    replicas: int
    leader: str


async def connected(address: StreamAddress, seconds: float = CONNECT_SECONDS) -> Client:
    """A client that reconnects by itself when a server goes away.

    Raises:
        FanousError: none of the servers answers.
    """
    client, trouble = Client(), _Trouble()
    client._ps = _Parser(client)  # the client has no limit of its own, and no setting for one
    try:
        async with asyncio.timeout(seconds):
            await client.connect(
                servers=list(address.servers),
                name="fanous",
                error_cb=trouble.heard,
                max_reconnect_attempts=-1,
                reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type]  # it sleeps for it
            )
    except UNANSWERED as error:
        with suppress(*UNANSWERED):
            await client.close()
        raise FanousError(
            f"no NATS server answers at {address} ({trouble.last or reason_of(error)}): check that they are "
            f"running, and that user and password are correct",
            permanent=False,
        ) from None
    trouble.is_open = True
    return client


async def made(client: Client, address: StreamAddress) -> JetStreamContext:
    """Create the streams that are missing.

    Raises:
        FanousError: the servers have no JetStream, too little room, no leader now, or keep fewer replicas.
    """
    context = client.jetstream(timeout=ANSWER_SECONDS)
    for part in StreamPart:
        try:
            info = await _made(context, address, part)
            replicas = int(info.config.num_replicas or 1)
        except UNANSWERED as error:
            raise FanousError(
                f"the stream {address.stream(part)} cannot be created: {reason_of(error)}; if space is "
                f"short, ask for less with ?gigabytes=",
                permanent=False,
            ) from None
        if replicas < address.replicas:
            raise FanousError(
                f"the stream {address.stream(part)} keeps {replicas} replicas, not "
                f"{address.replicas}: acknowledged measurements would be less safe than requested; raise the "
                f"number (nats stream edit), or ask for fewer with ?replicas="
            )
    return context


async def _made(context: JetStreamContext, address: StreamAddress, part: StreamPart) -> StreamInfo:
    # If full, refuse new messages rather than drop acknowledged ones; but what is kept apart anyone can fill.
    discard = DiscardPolicy.OLD if part is StreamPart.APART else DiscardPolicy.NEW
    try:
        info = await context.stream_info(address.stream(part))
        if info.config.discard is discard:
            return info
        return await context.update_stream(info.config.evolve(discard=discard))
    except NotFoundError:
        config = StreamConfig(
            name=address.stream(part),
            subjects=[address.subject(part)],
            retention=RetentionPolicy.WORK_QUEUE,  # a message is deleted once it is stored
            storage=StorageType.FILE,
            num_replicas=address.replicas,
            max_bytes=address.bytes if part is StreamPart.MAIN else address.bytes // LESSER,
            discard=discard,
        )
        return await context.add_stream(config)


async def state_of(context: JetStreamContext, address: StreamAddress, part: StreamPart) -> StreamState:
    """What waits there.

    Raises:
        FanousError: the stream does not answer now.
    """
    name = address.stream(part)
    try:
        info = await context.stream_info(name)
        oldest = None
        if info.state.messages:
            with suppress(NotFoundError):  # it was taken between the two requests
                first = await context.get_msg(name, seq=info.state.first_seq)
                oldest = first.time.timestamp() if first.time else None
        leader = printable(info.cluster.leader or "") if info.cluster else ""
        replicas = int(info.config.num_replicas or 1)
        return StreamState(int(info.state.messages), int(info.state.bytes), oldest, replicas, leader)
    except UNANSWERED as error:
        raise FanousError(f"the stream {name} does not answer: {reason_of(error)}", permanent=False) from None


async def reasons(context: JetStreamContext, address: StreamAddress, most: int) -> list[dict[str, str]]:
    """The oldest messages set aside: identity and reason.

    Raises:
        FanousError: the stream does not answer now.
    """
    name = address.stream(StreamPart.REFUSED)
    found: list[dict[str, str]] = []
    try:
        state = (await context.stream_info(name)).state
        number, subject = int(state.first_seq), address.subject(StreamPart.REFUSED)
        while state.messages and len(found) < most:
            try:
                message = await context.get_msg(name, seq=number, subject=subject, next=True)
            except NotFoundError:  # none is left
                break
            headers = message.headers or {}
            found.append(
                {key: printable(str(headers.get(of, ""))) for key, of in (("uid", ID), ("why", WHY))}
            )
            number = max(number, int(message.seq or 0)) + 1
    except UNANSWERED as error:
        raise FanousError(f"the stream {name} does not answer: {reason_of(error)}", permanent=False) from None
    return found


def pack(line: bytes) -> bytes:
    """What is sent."""
    return zstd.compress(line, LEVEL)


def unpack(data: bytes) -> bytes | None:
    """The decoded measurement; ``None`` = not one of our messages, or larger than any measurement."""
    try:
        line = unpacked_zstd(data, LINE_LIMIT)
    except Refused:
        return None
    return line if len(line) <= LINE_LIMIT else None


def reason_of(error: Exception) -> str:
    """The reason in words; some errors have no message, others quote what a server said."""
    if isinstance(error, ODD):
        return "the server gave an answer of an unexpected shape"
    text = error.description if isinstance(error, APIError) else str(error)
    return printable(str(text or ""))[:LONGEST_REASON] or type(error).__name__


class _Parser(Parser):
    """Ends the connection to a server that announces a larger message than any, before its bytes are collected."""

    async def parse(self, data: bytes = b"") -> None:
        await super().parse(data)
        if self.needed > MOST_MESSAGE:
            raise ProtocolError


class _Trouble:
    """Collects the client's errors: each is logged, and the last one explains why a connection cannot be
    opened.
    """

    def __init__(self) -> None:
        self.is_open, self.last = False, ""

    async def heard(self, error: Exception) -> None:
        self.last = reason_of(error)
        if self.is_open:
            log.warning(logline("nats", why=self.last))
