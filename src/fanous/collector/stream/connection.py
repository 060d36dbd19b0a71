"""Connection: to the servers of a stream, and the streams made there as they have to be.

What JetStream promises with an acknowledgement: a majority of the replicas has the message in its log.
Whether that log is on the disk by then is the servers' setting (``sync_interval``), which no client can see;
the documents say what to write there.
"""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger

from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import APIError, NotFoundError

from fanous.collector.stream.address import StreamAddress, StreamPart
from fanous.errors import FanousError
from fanous.log import logline

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CONNECT_SECONDS = 10.0

LESSER = 16
"""Times as small are the streams of what is apart, or refused: servers reserve what a stream may hold."""

RECONNECT_SECONDS = 0.5
"""Between two tries: the next server may be well while one is not."""

ANSWER_SECONDS = 5.0
"""A new leader is chosen in some four seconds; who waits longer is better told to come again."""

ID, WHY = "Nats-Msg-Id", "Fanous-Why"
"""Headers: the identity, by which the servers drop what was sent twice within their window; and why a
message was set aside."""

LEVEL = 1
"""Of zstd: a measurement of 50 kB shrinks sevenfold, and servers write each of them three times."""

log = getLogger("fanous.stream")


@dataclass(frozen=True, slots=True)
class StreamState:
    """What waits in one stream.

    Attributes:
        since: unix seconds, by the servers' clock: when the oldest came; ``None`` = nothing waits (any more).
        leader: name of the server that takes messages now; empty = there is none, or only one server.
    """

    messages: int
    bytes: int
    since: float | None
    replicas: int
    leader: str


async def connected(address: StreamAddress, seconds: float = CONNECT_SECONDS) -> Client:
    """A client that comes back by itself when a server goes.

    Raises:
        FanousError: none of the servers answers.
    """
    client, trouble = Client(), _Trouble()
    try:
        async with asyncio.timeout(seconds):
            await client.connect(
                servers=list(address.servers),
                name="fanous",
                error_cb=trouble.heard,
                max_reconnect_attempts=-1,
                reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type]  # it sleeps for it
            )
    except (TimeoutError, Error, OSError) as error:
        await client.close()
        raise FanousError(
            f"no NATS server answers at {address} ({trouble.last or reason_of(error)}): see that they run, "
            "and that user and password are right",
            permanent=False,
        ) from None
    trouble.is_open = True
    return client


async def made(client: Client, address: StreamAddress) -> JetStreamContext:
    """The streams, made where they are missing.

    Raises:
        FanousError: the servers have no JetStream, too little room, no leader now, or keep fewer replicas.
    """
    context = client.jetstream(timeout=ANSWER_SECONDS)
    for part in StreamPart:
        try:
            info = await _made(context, address, part)
        except (Error, TimeoutError, OSError) as error:
            raise FanousError(
                f"the stream {address.stream(part)} cannot be made: {reason_of(error)}; if it is the room, "
                "ask for less with ?gigabytes=",
                permanent=False,
            ) from None
        if (info.config.num_replicas or 1) < address.replicas:
            raise FanousError(
                f"the stream {address.stream(part)} keeps {info.config.num_replicas} replicas, not "
                f"{address.replicas}: what is acknowledged would not be as safe as was asked for; raise them "
                "(nats stream edit), or ask for fewer with ?replicas="
            )
    return context


async def _made(context: JetStreamContext, address: StreamAddress, part: StreamPart) -> StreamInfo:
    try:
        return await context.stream_info(address.stream(part))
    except NotFoundError:
        config = StreamConfig(
            name=address.stream(part),
            subjects=[address.subject(part)],
            retention=RetentionPolicy.WORK_QUEUE,  # a message goes when it was stored
            storage=StorageType.FILE,
            num_replicas=address.replicas,
            max_bytes=address.bytes if part is StreamPart.MAIN else address.bytes // LESSER,
            discard=DiscardPolicy.NEW,  # full: say so, and drop nothing that was acknowledged
        )
        return await context.add_stream(config)


async def state_of(context: JetStreamContext, address: StreamAddress, part: StreamPart) -> StreamState:
    """What waits there.

    Raises:
        FanousError: nobody says so now.
    """
    name = address.stream(part)
    try:
        info = await context.stream_info(name)
        oldest = None
        if info.state.messages:
            with suppress(NotFoundError):  # it was taken between the two questions
                first = await context.get_msg(name, seq=info.state.first_seq)
                oldest = first.time.timestamp() if first.time else None
    except APIError as error:
        raise FanousError(
            f"the stream {name} does not answer: {error.description}", permanent=False
        ) from None
    except (Error, TimeoutError, OSError) as error:
        raise FanousError(f"the stream {name} does not answer: {reason_of(error)}", permanent=False) from None
    leader = info.cluster.leader if info.cluster else ""
    return StreamState(
        info.state.messages, info.state.bytes, oldest, info.config.num_replicas or 1, leader or ""
    )


async def reasons(context: JetStreamContext, address: StreamAddress, most: int) -> list[dict[str, str]]:
    """Of what was set aside, the oldest: identity and why.

    Raises:
        FanousError: nobody says so now.
    """
    name = address.stream(StreamPart.REFUSED)
    found: list[dict[str, str]] = []
    try:
        state = (await context.stream_info(name)).state
        for number in range(state.first_seq, state.last_seq + 1):
            if len(found) == most:
                break
            try:
                headers = (await context.get_msg(name, seq=number)).headers or {}
            except NotFoundError:
                continue  # it was brought in
            found.append({"uid": headers.get(ID, ""), "why": headers.get(WHY, "")})
    except (Error, TimeoutError, OSError) as error:
        raise FanousError(f"the stream {name} does not answer: {reason_of(error)}", permanent=False) from None
    return found


def pack(line: bytes) -> bytes:
    """What is sent."""
    return zstd.compress(line, LEVEL)


def unpack(data: bytes) -> bytes | None:
    """What was sent; ``None`` = it is none of ours."""
    try:
        return zstd.decompress(data)
    except zstd.ZstdError:
        return None


def reason_of(error: Exception) -> str:
    """Some have no words."""
    return str(error) or type(error).__name__


class _Trouble:
    """What the client complains of: each a line of the log, and before it is open the reason why not."""

    def __init__(self) -> None:
        self.is_open, self.last = False, ""

    async def heard(self, error: Exception) -> None:
        self.last = reason_of(error)
        if self.is_open:
            log.warning(logline("nats", why=self.last))
