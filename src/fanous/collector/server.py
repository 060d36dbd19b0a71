"""HTTP servers: an ASGI application on a listening socket, until it is asked to stop.

The collector, the pages and the status page all run on uvicorn as configured here.  Nothing that identifies a
client is logged: there is no access log, and uvicorn's own log lines carry no address.
"""

import asyncio
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from functools import partial
from logging import getLogger
from types import FrameType
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fanous.base.threads import Threads
from fanous.collector.limits import Acceptor, ConnectionLimits, Connections, PatientProtocol
from fanous.errors import FanousError
from fanous.log import logline

T = TypeVar("T")

STOP_SECONDS = 2
"""Seconds allowed for requests in progress when the server is asked to stop.  The event stream of an open
page would never end by itself, and a slow sender sends again; a supervisor kills a process that lingers."""

BACKLOG = 2048
"""Connections that the kernel completes while we are busy; to accept so many takes some tenths of a second, which the
next one waits.  One more is dropped, and its client tries again after a second: with 256 or 1,024, thousands of
connections at once had so many readers dropped that they waited for longer."""

SILENT_SECONDS = 1
"""Seconds for which the kernel keeps to itself a connection that says nothing, where it can (Linux)."""

DESCRIPTORS = 8192
"""What a monitor asks for: two doors of 2,000 connections, the engine's files, and as many again."""

ADDED = 4
"""Threads of a door next to its event loop, for blocking calls."""

log = getLogger("fanous.server")


def raise_descriptors(wanted: int = DESCRIPTORS) -> int:
    """Let this process open as many files and connections as the system allows; returns how many.

    Linux starts a process with 1,024 unless told otherwise, and lets it have more on request.  If even the maximum is
    low, that is logged: the doors then serve fewer connections.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):  # a sandbox may forbid it; then what there is must do
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft != resource.RLIM_INFINITY and soft < wanted:
        why = f"fewer connections are served; raise it with LimitNOFILE={wanted} or `ulimit -n`"
        log.warning(logline("few_descriptors", limit=soft, wanted=wanted, why=why))
    return wanted if soft == resource.RLIM_INFINITY else soft


LEAST_ADDRESS_SPACE = 2 << 30
"""Bytes.  With bodies of 30 MB at both decoders and four that wait, a collector reserves 1.1 GB; where it may not,
libraries end it with a segmentation fault."""


def connections_at_most(wanted: int) -> int:
    """This many, or half of what this process may open: the rest is for the store, its files, and its own calls."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else max(16, min(wanted, soft // 2))


STOPPING = (signal.SIGINT, signal.SIGTERM)


def stopped_by_signals(stop: asyncio.Event) -> None:
    """Set it at the first SIGINT or SIGTERM; a second one ends the process at once, as usual."""
    loop = asyncio.get_running_loop()

    def heed() -> None:
        stop.set()
        for number in STOPPING:
            loop.remove_signal_handler(number)

    for number in STOPPING:
        loop.add_signal_handler(number, heed)


def listening_socket(host: str, port: int, option: str = "--listen") -> socket.socket:
    """A bound, listening socket; port 0 = any free port.

    Args:
        option: the option with which the user can choose another address.

    Raises:
        FanousError: the address is taken, or does not belong to this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        # asyncio turns off Nagle's algorithm only if the protocol is named; with Nagle, each answer waits 40
        # ms for the client's delayed acknowledgement.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        if hasattr(socket, "TCP_DEFER_ACCEPT"):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENT_SECONDS)
        listening.listen(BACKLOG)
    except OSError as error:
        why = error.strerror or str(error)
        raise FanousError(f"cannot listen on {host}:{port}: {why}; choose another with {option}") from error
    listening.setblocking(False)
    return listening


def server_config(app: ASGIApp, limits: ConnectionLimits | None = None, **more: Any) -> "DoorConfig":
    """The configuration that all our servers share.

    Args:
        limits: of connections.
        more: further settings for uvicorn (``timeout_keep_alive`` and so on).
    """
    connections = Connections(limits or ConnectionLimits(most=connections_at_most(MOST_UNSAID), of_one=None))
    settings: dict[str, Any] = {
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        # uvicorn would trust the headers of any client on this machine; ``collector.origin`` decides instead.
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": STOP_SECONDS,
        "http": PatientProtocol,
    }
    return DoorConfig(LastAnswers(app), connections, **settings | more)


class DoorConfig(uvicorn.Config):
    """uvicorn's configuration, and the connections it counts."""

    def __init__(self, app: ASGIApp, connections: Connections, **settings: Any) -> None:
        super().__init__(app, **settings)
        self.connections = connections


class LastAnswers:
    """Middleware: a request abandoned because the server stops is answered with 503, and logged.

    uvicorn cancels it after ``STOP_SECONDS``, and would answer 500, as it does for a bug.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_begun = False

        async def sending(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            if is_begun:  # an open page's event stream, or an answer that is read slowly
                raise
            log.warning(logline("given_up", why="the server stops, and the answer was not ready"))
            headers = [(b"retry-after", b"10"), (b"connection", b"close"), (b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": b"This server is stopping: try again soon.\n"})


MOST_UNSAID = 500
"""Default number of connections of a server, such as the pages or the status page."""


async def serve(
    config: "DoorConfig",
    listening: socket.socket,
    stop: asyncio.Event | None = None,
    ready: Callable[[], None] | None = None,
) -> float:
    """Serve until stopped; requests in progress are finished.

    Args:
        stop: ends it, leaving signals to the caller; ``None`` = SIGINT and SIGTERM end it.
        ready: called once, when requests are answered and signals are handled.

    Returns:
        Seconds since the signal that ended it; 0 if none did.
    """
    server = _Server(config, ready, heeds_signals=stop is None)
    try:
        if stop is None:
            await server.serve(sockets=[listening])
        else:
            await _serve_until(stop, server, listening)
        return time.monotonic() - server.told_to_stop if server.told_to_stop else 0.0
    finally:
        listening.close()  # uvicorn leaves it open if it fails, and then the address stays taken


async def _serve_until(stop: asyncio.Event, server: "_Server", listening: socket.socket) -> None:
    running = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await running


END_SECONDS = 1.0
"""Seconds for cancelled work in a separate loop to end."""


class LoopThread:
    """An event loop in a separate thread, with its own threads for blocking calls: for one kind of work, which then
    holds up no other work.

    Args:
        name: the threads' name.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(Threads(ADDED, name))
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work done in that loop; cancelling this call cancels the work."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def call(self, function: Callable[[], object]) -> None:
        """Call a function in that loop."""
        self._loop.call_soon_threadsafe(function)

    def end(self) -> None:
        """Cancel what is under way."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(END_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            if tasks:
                self._loop.run_until_complete(asyncio.wait(tasks, timeout=END_SECONDS / 2))
        finally:
            self._loop.close()


async def serve_apart(
    name: str, serving: Callable[[asyncio.Event], Coroutine[Any, Any, object]], stop: asyncio.Event
) -> None:
    """Serve in a separate thread until ``stop`` is set here.

    Args:
        serving: called with the event that ends it, in that thread.
    """

    async def over_there(ending: "asyncio.Future[asyncio.Event]", home: asyncio.AbstractEventLoop) -> None:
        event = asyncio.Event()
        home.call_soon_threadsafe(ending.set_result, event)
        await serving(event)

    apart = LoopThread(name)
    ending = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(apart.run(over_there(ending, asyncio.get_running_loop())))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            event = await ending
            apart.call(event.set)
        await running
    finally:
        stopping.cancel()
        running.cancel()
        apart.end()


class _Server(uvicorn.Server):
    """uvicorn's own server ends by raising the signal again, which kills the process.  This one returns,
    since a store or an inbox has to be closed afterwards."""

    def __init__(
        self, config: "DoorConfig", ready: Callable[[], None] | None, *, heeds_signals: bool
    ) -> None:
        super().__init__(config)
        self._door = config
        self._ready, self._heeds_signals = ready, heeds_signals
        self.told_to_stop = 0.0  # by a signal; monotonic seconds
        self._acceptors: list[Acceptor] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but connections reach it through an ``Acceptor``."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise FanousError("the server could not start; the lines above say why")
        protocol = partial(
            PatientProtocol,
            self._door.connections,
            config=self._door,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        places = self._door.connections
        self.servers = []
        self._acceptors = [Acceptor(listening, protocol, places) for listening in sockets or ()]
        self.started = True
        if self._ready is not None:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for acceptor in self._acceptors:
            acceptor.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.told_to_stop = self.told_to_stop or time.monotonic()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if not self._heeds_signals:
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
