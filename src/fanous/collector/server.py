"""HTTP servers: an ASGI application on a listening socket, until it is asked to stop.

The collector, the pages and the status page all run on uvicorn as configured here.  Nothing that identifies a
client is logged: there is no access log, and uvicorn's own log lines carry no address.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from fanous.errors import FanousError

STOP_SECONDS = 2
"""Seconds allowed for requests in progress when the server is asked to stop.  The event stream of an open
page would never end by itself."""

STOPPING = (signal.SIGINT, signal.SIGTERM)


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
        listening.listen(1024)
    except OSError as error:
        raise FanousError(f"cannot listen on {host}:{port}: {error}; choose another with {option}") from error
    listening.setblocking(False)
    return listening


def server_config(app: ASGIApp, **limits: Any) -> uvicorn.Config:
    """The configuration that all our servers share.

    Args:
        limits: further settings for uvicorn (``timeout_keep_alive`` and so on).
    """
    settings: dict[str, Any] = {
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        # uvicorn would trust the headers of any client on this machine; ``collector.origin`` decides instead.
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": STOP_SECONDS,
    }
    return uvicorn.Config(app, **settings | limits)


async def serve(
    config: uvicorn.Config,
    listening: socket.socket,
    stop: asyncio.Event | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve until stopped; requests in progress are finished.

    Args:
        stop: ends it, leaving signals to the caller; ``None`` = SIGINT and SIGTERM end it.
        ready: called once, when requests are answered and signals are handled.
    """
    server = _Server(config, ready, heeds_signals=stop is None)
    if stop is None:
        await server.serve(sockets=[listening])
        return
    running = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await running


class _Server(uvicorn.Server):
    """uvicorn's own server ends by raising the signal again, which kills the process.  This one returns,
    since a store or an inbox has to be closed afterwards."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None] | None, *, heeds_signals: bool
    ) -> None:
        super().__init__(config)
        self._ready, self._heeds_signals = ready, heeds_signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._ready is not None:
            self._ready()

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
