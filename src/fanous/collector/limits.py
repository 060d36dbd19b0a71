"""Limits: how much of a door one address, one network and everyone together may use, and for how long.

They are kept only in memory, and forgotten when the process ends.

Clients that open many connections, send the head of a request byte by byte, or do not read what they asked
for, are disconnected.  uvicorn limits the silence after a response and the requests in progress, but neither
the time for a head or for reading an answer, nor connections that never ask for anything: with
``limit_concurrency`` those are kept, and everyone else is told 503.  (``request.body_of`` limits the time for a
body.)

A connection waits here (``Acceptor``), at almost no cost, until its first byte; only then does uvicorn get it.  A
transport, a parser and a task for each connection cost four tenths of a millisecond, so a few thousand connections
that never ask for anything kept everyone else waiting for seconds.  Here such a connection costs a descriptor and,
including the kernel's work, a seventh of that time.
"""

import asyncio
import errno
import logging
import socket
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from itertools import islice
from threading import Lock
from time import monotonic
from typing import Any, Protocol

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from fanous.collector.request import MOST_BYTES, Refused
from fanous.log import logline

REMEMBERED = 100_000
"""Callers remembered, some 20 MB; the least recent is forgotten first."""

ADDRESS_BITS = {4: 32, 6: 64}
"""A subscriber has one IPv4 address, or any of a /64."""

NETWORK_BITS = {4: 24, 6: 48}
"""The smallest prefix announced separately (IPv4), and what one site is assigned (IPv6)."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A sustained rate per second, and ``burst`` at once after a silence (a probe that was offline)."""

    a_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What the collector allows."""

    address: RateLimit
    network: RateLimit


SUBMISSIONS = RateLimits(address=RateLimit(10, 600), network=RateLimit(100, 6000))
"""One run over a whole test list makes some 600 measurements; many probes share one CGNAT address."""

HELPER = RateLimits(address=RateLimit(1, 120), network=RateLimit(5, 600))
"""A probe asks once per target; and the helper must not be a tool for overloading other people's servers."""


ADDRESS_MB, NETWORK_MB = 256, 1024
"""MiB an hour, unpacked.  A run over a whole test list makes some 60 MB; a body of a kilobyte can unpack to 32
MiB, so counting requests, or bytes as sent, limits nothing."""


def volume_of(address: int, network: int) -> RateLimits:
    """Limits in bytes, from MiB an hour; a single body always fits."""
    return RateLimits(*(RateLimit(amount / 3600, max(amount, MOST_BYTES)) for amount in (address, network)))


VOLUME = volume_of(ADDRESS_MB << 20, NETWORK_MB << 20)

DAY_MB = 2048
"""MiB a day that one network may add to the archive, before compression: thirty runs over a whole test list.  One
address may add a quarter of it, so that no one uses up what his neighbours need."""


def kept_of(day: int) -> RateLimits:
    """Limits of what is kept, in bytes, from the MiB of a network in a day; a single measurement always fits."""
    return RateLimits(*(RateLimit(amount / 86400, max(amount, MOST_BYTES)) for amount in (day / 4, day)))


KEPT = kept_of(DAY_MB << 20)


def submissions_at(a_second: float) -> RateLimits:
    """``SUBMISSIONS`` scaled to what one address may send per second."""
    address, network = SUBMISSIONS.address, SUBMISSIONS.network
    share = a_second / address.a_second
    return RateLimits(
        RateLimit(a_second, max(1, address.burst * share)),
        RateLimit(network.a_second * share, max(1, network.burst * share)),
    )


_MAPPED = bytes(10) + b"\xff\xff"
"""How an IPv6 address begins that stands for an IPv4 one (RFC 4291)."""


@lru_cache(maxsize=4096)
def places_of(address: str) -> tuple[str, str]:
    """The two that an address counts towards: the subscriber and the network.

    Asked for each connection: with ``ipaddress`` it took longer than everything else about one that is closed at once.
    """
    host = address.partition("%")[0]
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    packed = packed[len(_MAPPED) :] if packed.startswith(_MAPPED) else packed
    version = 4 if len(packed) == 4 else 6
    return _prefix(packed, ADDRESS_BITS[version]), _prefix(packed, NETWORK_BITS[version])


def _prefix(packed: bytes, bits: int) -> str:
    """``203.0.113.0/24``; ``bits`` are whole bytes."""
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return f"{socket.inet_ntop(family, packed[: bits // 8].ljust(len(packed), bytes(1)))}/{bits}"


class Limiter:
    """Token buckets, one for each recent address and network; may be used by several threads."""

    def __init__(self, rates: RateLimits, remembered: int = REMEMBERED) -> None:
        self._rates = rates
        self._remembered = remembered
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._guard = Lock()

    def admit(self, address: str, now: float, cost: float = 1.0) -> None:
        """Count one call.

        Args:
            now: seconds of a monotonic clock.
            cost: of the call, in the unit of the rates: calls or bytes.

        Raises:
            Refused: 429, with the seconds until it is allowed; then it does not count.
        """
        with self._guard:
            self._admit(address, now, cost)

    def _admit(self, address: str, now: float, cost: float) -> None:
        rates = (self._rates.address, self._rates.network)
        places = [
            (key, rate, self._tokens(key, rate, now))
            for key, rate in zip(places_of(address), rates, strict=True)
        ]
        for _, rate, tokens in places:
            if tokens < cost:
                wait = (cost - tokens) / rate.a_second
                raise Refused(429, "too many requests from here: slow down", retry_after=wait)
        for key, _, tokens in places:
            self._buckets[key] = (tokens - cost, now)

    def _tokens(self, key: str, rate: RateLimit, now: float) -> float:
        """What is left in a bucket, which is remembered for longest from now on."""
        tokens, since = self._buckets.pop(key, (rate.burst, now))
        tokens = min(rate.burst, tokens + (now - since) * rate.a_second)
        self._buckets[key] = (tokens, now)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        return tokens


SHARE = MOST_BYTES + (1 << 20)
"""Bytes of bodies of one network in memory at once: one of the largest, and what is added to a measurement."""

ROOM = 8 * SHARE
"""The same for all networks together; a decoded measurement takes several times its size."""


class Held:
    """What the body of one request holds of a ``Room``; belongs to one event loop.

    Attributes:
        bytes: taken so far.
    """

    def __init__(self, room: "Room", network: str, patience: asyncio.Timeout) -> None:
        self._room, self.network, self._patience = room, network, patience
        self._began = asyncio.get_running_loop().time()
        self.bytes = 0

    def take(self, count: int) -> None:
        """Raises ``Refused`` (503) if there is not enough room."""
        self._room.take(self, count)

    def arrived(self) -> None:
        """The body is whole: from now on it keeps its place."""
        self._room.arrived(self)

    def cost(self, now: float) -> float:
        """How much it has kept others from, in bytes times seconds."""
        return self.bytes * (now - self._began)

    def give_up(self) -> None:
        """End the wait for its body."""
        self._patience.reschedule(0.0)


class Room:
    """Bytes of bodies that may be in memory at once, of one network and over all of them.

    Where there is no room left for the next piece, a body that is still arriving is given up: one of the same network
    if that has used its share, else one of the network that holds the most; and of these the one that has held the most
    bytes for the longest time.  So a sender that does not finish its large bodies makes room for others.
    """

    def __init__(self, most: int = ROOM, share: int = SHARE) -> None:
        self._most, self._share = most, share
        self._taken = 0
        self._of: Counter[str] = Counter()
        self._arriving: set[Held] = set()

    @asynccontextmanager
    async def holding(self, address: str) -> AsyncIterator[Held]:
        """A context in which memory is reserved for a body from this address, and released at the end.

        Raises:
            Refused: 503, there is not enough room.
        """
        patience = asyncio.timeout(None)
        held = Held(self, places_of(address)[1], patience)
        self._arriving.add(held)
        try:
            async with patience:
                yield held
        except TimeoutError:
            if not patience.expired():
                raise
            raise _no_room() from None
        finally:
            self._release(held)

    def arrived(self, held: Held) -> None:
        self._arriving.discard(held)

    def take(self, held: Held, count: int) -> None:
        while self._of[held.network] + count > self._share:
            self._make_room(held, [other for other in self._arriving if other.network == held.network])
        while self._taken + count > self._most:
            self._make_room(held, self._arriving)
        self._of[held.network] += count
        self._taken += count
        held.bytes += count

    def _make_room(self, newcomer: Held, among: Iterable[Held]) -> None:
        now, least = asyncio.get_running_loop().time(), self._of[newcomer.network]
        others = [o for o in among if o is not newcomer and o.bytes and self._of[o.network] >= least]
        if not others:
            raise _no_room()
        slowest = max(others, key=lambda other: (self._of[other.network], other.cost(now)))
        self._release(slowest)
        slowest.give_up()

    def _release(self, held: Held) -> None:
        self._arriving.discard(held)
        self._taken -= held.bytes
        self._of[held.network] -= held.bytes
        if not self._of[held.network]:
            del self._of[held.network]
        held.bytes = 0


def _no_room() -> Refused:
    return Refused(503, "busy: try again soon", retry_after=5, closes=True)


HEAD_SECONDS = 15.0
MOST_OF_ONE = 64
"""Many probes may share one CGNAT address; each keeps a connection or two."""

MOST_CONNECTIONS = 2000
"""Connections of one door; each takes some 20 kB and a descriptor."""

CONNECTING = RateLimits(address=RateLimit(50, 600), network=RateLimit(500, 6000))
"""New connections.  One that asks for something takes a door 0.1 to 0.5 ms of processor time, one that is closed at
once a tenth of that.  Those that one address may have open, each used until it has been idle for some seconds, make
less than thirty a second."""

STALL_SECONDS = 30.0
"""Seconds after which a reader who takes nothing of an answer has gone, or wants to keep us waiting."""

LINGER_SECONDS = 120.0
"""Seconds for which the rest of the last answer may take to be read once the connection is to be closed."""

LAG_SECONDS = 5.0
"""Seconds after which a full door may close a connection that keeps it waiting: most bodies arrive sooner."""

LOOKED_AT = 32
"""Number of connections from which the one to close is chosen: more would take too long in a flood."""

MOST_HEAD_BYTES = 16 << 10
MOST_HEADERS = 100
"""As for Apache; parsing one takes a microsecond or two, in the event loop."""

LEAST_CHUNK = 512
"""Bytes that chunks of a body must have on average.  One takes some 20 microseconds, however small it is: a single
sender of one-byte chunks kept everyone else waiting for ten seconds."""

SMALL_CHUNKS = 64
"""Smaller chunks at once."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections a door keeps open, and how long it waits for a request.

    Attributes:
        most: open connections in all.
        of_one: open connections of one address (IPv6: of a /64); ``None`` = unlimited.
        head: seconds from the connection, or the first byte of a further request, to the end of its head.
        is_exempt: tells whether an address has no limit of its own, as our own proxy's.
        connecting: new connections.
    """

    most: int = MOST_CONNECTIONS
    of_one: int | None = MOST_OF_ONE
    head: float = HEAD_SECONDS
    is_exempt: Callable[[str], bool] = lambda _address: False
    connecting: RateLimits = CONNECTING


class Abortable(Protocol):
    """A connection that can be closed at once: an asyncio transport, or a silent one."""

    def abort(self) -> None: ...


class Connections:
    """The open connections of one door; belongs to one event loop.

    A connection is *waiting* while it has asked for nothing, and *lagging* while its client has yet to send the rest of
    a request, or to read an answer.  If the door is full, a waiting one is closed in favour of the newcomer (a genuine
    client asks at once), or else one that has lagged for ``LAG_SECONDS``.  If there is none, the newcomer is turned
    away.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.of: Counter[str] = Counter()
        self.open = 0
        self._waiting: OrderedDict[Abortable, str] = OrderedDict()
        self._lagging: OrderedDict[Abortable, tuple[str, float]] = OrderedDict()  # peer, since when
        self._limiter = Limiter(limits.connecting)

    def admit(self, peer: str) -> bool:
        """Count a newcomer; ``False`` = there is no place for it, and it should be closed."""
        self.of.update(places_of(peer))
        self.open += 1
        if not self.limits.is_exempt(peer) and self._is_too_many(peer):
            return False
        return self.open <= self.limits.most or self.shed()

    def _is_too_many(self, peer: str) -> bool:
        of_one = self.limits.of_one
        if of_one is not None and self.of[places_of(peer)[0]] > of_one:
            return True
        try:
            self._limiter.admit(peer, monotonic())
        except Refused:
            return True
        return False

    def leave(self, peer: str) -> None:
        """One of its connections is closed, and waits for nothing any more."""
        self.open -= 1
        for place in places_of(peer):
            self.of[place] -= 1
            if self.of[place] <= 0:
                del self.of[place]

    def wait(self, waiting: Abortable, peer: str) -> None:
        """A connection asks for nothing now."""
        self._lagging.pop(waiting, None)
        self._waiting[waiting] = peer

    def lag(self, lagging: Abortable, peer: str) -> None:
        """A connection has asked for something, and keeps us waiting."""
        self._waiting.pop(lagging, None)
        self._lagging.setdefault(lagging, (peer, monotonic()))

    def work(self, working: Abortable) -> None:
        """A connection has asked for something, and waits for us."""
        self._waiting.pop(working, None)
        self._lagging.pop(working, None)

    def shed(self) -> bool:
        """Close a waiting connection, or one that lags."""
        late = monotonic() - LAG_SECONDS
        lagging = islice(self._lagging.items(), LOOKED_AT)
        return self.shed_waiting() or self._close_one_of(
            [(o, peer) for o, (peer, at) in lagging if at < late]
        )

    def shed_waiting(self) -> bool:
        """Close one of those that have waited longest."""
        return self._close_one_of(list(islice(self._waiting.items(), LOOKED_AT)))

    def _close_one_of(self, oldest: list[tuple[Abortable, str]]) -> bool:
        """Close one, preferably of the address, and the network, with the most connections; ``False`` = there is
        none."""
        if not oldest:
            return False
        waiting, _ = max(oldest, key=lambda waiting: [self.of[place] for place in places_of(waiting[1])])
        self.work(waiting)
        waiting.abort()
        return True


NO_EXPECTATIONS = (
    b"HTTP/1.1 417 Expectation Failed\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n"
    b"Send the body without waiting for a first answer (no Expect header).\n"
)


class FrugalConnection(h11.Connection):
    """Refuses, as invalid, requests that take far more time to parse than bytes to send, or that wait for permission to
    send their body: each of those would cost an answer more, and a proxy in front of us does that by itself.

    Attributes:
        refusal: with which such a request is answered.
    """

    refusal = b""
    _credit = 0

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MOST_HEAD_BYTES)

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """As h11's; a head or a body that is too costly raises ``RemoteProtocolError``."""
        if self.their_state is h11.IDLE:
            self._check_head()
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._credit = SMALL_CHUNKS * LEAST_CHUNK
            if any(name == b"expect" for name, _ in event.headers):
                self.refusal = NO_EXPECTATIONS
                raise h11.RemoteProtocolError("it expects an answer before its body")
        elif isinstance(event, h11.Data):
            self._credit += len(event.data) - LEAST_CHUNK * event.chunk_start
            self._credit = min(self._credit, SMALL_CHUNKS * LEAST_CHUNK)
            if self._credit < 0:
                raise h11.RemoteProtocolError("the body comes in chunks that are too small")
        return event

    def _check_head(self) -> None:
        start = self.trailing_data[0][: MOST_HEAD_BYTES + 1]
        ends = [at for blank in (b"\n\r\n", b"\n\n") if (at := start.find(blank)) >= 0]
        if len(start) > MOST_HEAD_BYTES and not ends:
            raise h11.RemoteProtocolError("the head is too large")
        if start.count(b"\n", 0, min(ends, default=len(start))) > MOST_HEADERS:
            raise h11.RemoteProtocolError("the head has too many lines")


class PatientProtocol(H11Protocol):
    """A connection that was admitted, for uvicorn; it keeps to its door's limits."""

    conn: FrugalConnection
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None
    _is_lost = False

    def __init__(self, connections: Connections, peer: str, config: uvicorn.Config, **more: Any) -> None:
        super().__init__(config, **more)
        self.conn = FrugalConnection()
        self._connections = connections
        self._peer = peer  # a socket that was reset does not know it any more

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self.resume_writing()
        self._stop_waiting()
        if self._lingering is not None:
            self._lingering.cancel()
        self._connections.leave(self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        seen = self.cycle
        super().data_received(data)
        if self.cycle is not seen:
            self._stop_waiting()
        elif seen is None or seen.response_complete:
            self._wait_for_head()
        self._note_lag()

    def send_400_response(self, msg: str) -> None:
        """As uvicorn's, which fails if an answer has begun."""
        if self.conn.refusal:
            self.transport.write(self.conn.refusal)
            self.transport.close()
        elif self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.abort()
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.response_complete:
            self._connections.wait(self.transport, self._peer)
        self._note_lag()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._note_lag()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)
        self._note_lag()

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()
        self._note_lag()

    def _note_lag(self) -> None:
        """Does the client, in the middle of a request or an answer, keep the door waiting?"""
        if self._is_lost:
            return
        if self.transport.is_closing():
            self._connections.lag(self.transport, self._peer)
            if self._lingering is None:
                self._lingering = self.loop.call_later(LINGER_SECONDS, self.transport.abort)
        elif self.cycle is not None and not self.cycle.response_complete:
            if self.cycle.more_body or self._stalled is not None:
                self._connections.lag(self.transport, self._peer)
            else:
                self._connections.work(self.transport)

    def _wait_for_head(self) -> None:
        self._connections.wait(self.transport, self._peer)
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._connections.limits.head, self._give_up)

    def _stop_waiting(self) -> None:
        self._connections.work(self.transport)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()
        self._note_lag()


IN_A_TURN = 256
"""Connections accepted in one turn of the event loop, which takes some ten milliseconds; requests get their turn in
between."""

HANDED_OVER = 8
"""Connections whose first request is read in one turn: so many take some five milliseconds."""

NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of accept(2) that no client causes: the machine has run out of descriptors or memory."""

PAUSE_SECONDS = 0.02
"""Seconds for which nothing is then accepted; new connections wait in the kernel."""

SAID_SECONDS = 1.0
"""Seconds between two log lines about that."""

log = logging.getLogger("fanous.server")


class Silent:
    """A connection of which nothing has been read; belongs to one event loop."""

    __slots__ = ("_acceptor", "closes", "connection", "peer")

    def __init__(self, acceptor: "Acceptor", connection: socket.socket, peer: str, closes: float) -> None:
        self._acceptor = acceptor
        self.connection, self.peer, self.closes = connection, peer, closes

    def abort(self) -> None:
        """Close it."""
        self._acceptor.close_silent(self)


class FirstByte(Enum):
    """What a connection has said before anything of it is read."""

    NOTHING = "nothing"
    SOMETHING = "something"
    OVER = "over"
    """It has ended, or begins as no request does (TLS)."""


def _said(connection: socket.socket) -> FirstByte:
    try:
        first = connection.recv(1, socket.MSG_PEEK)
    except (BlockingIOError, InterruptedError):
        return FirstByte.NOTHING
    except OSError:
        return FirstByte.OVER
    return FirstByte.SOMETHING if first.isalpha() else FirstByte.OVER


class Acceptor:
    """Accepts connections from a listening socket until it is closed.

    Those that have sent something take turns by network: one network's thousands wait for each other, and not in front
    of everyone else.

    Args:
        listening: does not block; its owner closes it.
        made: a protocol for a connection that has sent something, from its peer's address; it keeps the place that
            the connection has.
        places: asked before anything is spent on a connection; its limits say how long the first byte may take.
    """

    def __init__(
        self,
        listening: socket.socket,
        made: Callable[[str], asyncio.Protocol],
        places: Connections,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listening, self._made, self._places = listening, made, places
        self._silent: dict[Silent, None] = {}  # in order of arrival, and so of their deadlines
        self._spoken: OrderedDict[str, deque[Silent]] = (
            OrderedDict()
        )  # by network; the next one's turn is first
        self._is_handing_over = False
        self._deadline: asyncio.TimerHandle | None = None
        self._resuming: asyncio.TimerHandle | None = None
        self._say_next = 0.0  # seconds by the loop's clock
        self._handing_over: set[asyncio.Task[object]] = set()
        self._resume()

    def close(self) -> None:
        """Accept nothing more, and close the connections that never asked for anything."""
        self._loop.remove_reader(self._listening.fileno())
        if self._resuming is not None:
            self._resuming.cancel()
        for silent in list(self._silent):
            self.close_silent(silent)
        if self._deadline is not None:
            self._deadline.cancel()

    def close_silent(self, silent: Silent) -> None:
        """Close a silent connection and free its place."""
        self._forget(silent)
        self._places.work(silent)
        self._places.leave(silent.peer)
        silent.connection.close()

    def _resume(self) -> None:
        self._loop.add_reader(self._listening.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(IN_A_TURN):
            try:
                connection, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                self._pause(error)
                return
            connection.setblocking(False)
            peer, first = str(address[0]), _said(connection)
            if not self._places.admit(peer) or first is FirstByte.OVER:
                connection.close()
                self._places.leave(peer)
                continue
            silent = Silent(self, connection, peer, self._loop.time() + self._places.limits.head)
            self._silent[silent] = None
            self._places.wait(silent, peer)
            if first is FirstByte.NOTHING:
                self._loop.add_reader(connection.fileno(), self._hear, silent)
            else:
                self._take_turn(silent)
            if self._deadline is None:
                self._deadline = self._loop.call_at(silent.closes, self._close_overdue)

    def _pause(self, error: OSError) -> None:
        """Close connections that ask for nothing, so that the next can be accepted."""
        now = self._loop.time()
        if now >= self._say_next:
            self._say_next = now + SAID_SECONDS
            log.error(logline("not_accepted", why=error.strerror))
        while self._places.shed_waiting():
            pass
        self._loop.remove_reader(self._listening.fileno())
        self._resuming = self._loop.call_later(PAUSE_SECONDS, self._resume)

    def _close_overdue(self) -> None:
        now = self._loop.time()
        self._deadline = None
        for silent in list(self._silent):
            if silent.closes > now:
                self._deadline = self._loop.call_at(silent.closes, self._close_overdue)
                return
            self.close_silent(silent)

    def _hear(self, silent: Silent) -> None:
        """A connection has said something, or ended: it waits for its turn, or is closed."""
        first = _said(silent.connection)
        if first is FirstByte.OVER:
            self.close_silent(silent)
        elif first is FirstByte.SOMETHING:
            self._loop.remove_reader(silent.connection.fileno())
            self._take_turn(silent)

    def _take_turn(self, silent: Silent) -> None:
        if not self._is_handing_over:
            self._is_handing_over = True
            self._loop.call_soon(self._hand_over)
        self._spoken.setdefault(places_of(silent.peer)[1], deque()).append(silent)

    def _hand_over(self) -> None:
        """Give some connections to uvicorn."""
        for _ in range(HANDED_OVER):
            if not self._spoken:
                self._is_handing_over = False
                return
            network, waiting = self._spoken.popitem(last=False)
            silent = waiting.popleft()
            if waiting:
                self._spoken[network] = waiting
            if silent not in self._silent:
                continue  # it was closed while it waited
            if _said(silent.connection) is FirstByte.OVER:
                self.close_silent(silent)
            else:
                self._begin(silent)
        self._loop.call_soon(self._hand_over)

    def _begin(self, silent: Silent) -> None:
        self._forget(silent)
        self._places.work(silent)
        task: asyncio.Task[object] = self._loop.create_task(
            self._loop.connect_accepted_socket(partial(self._made, silent.peer), silent.connection)
        )
        self._handing_over.add(task)
        task.add_done_callback(partial(self._handed_over, silent))

    def _handed_over(self, silent: Silent, task: "asyncio.Task[object]") -> None:
        self._handing_over.discard(task)
        if task.cancelled() or task.exception() is not None:
            self._places.leave(silent.peer)
            silent.connection.close()

    def _forget(self, silent: Silent) -> None:
        self._loop.remove_reader(silent.connection.fileno())
        self._silent.pop(silent, None)
