"""Serve: the pages of one store as a process, until it is asked to stop."""

import asyncio
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

STOP_SECONDS = 2
"""Open event streams would otherwise keep the process for ever."""

STOPPING = (signal.SIGINT, signal.SIGTERM)


def configured(app: ASGIApp) -> uvicorn.Config:
    """uvicorn without access log: who reads about an outage is nobody's business."""
    return uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def serve(app: ASGIApp, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Until SIGINT or SIGTERM.

    Args:
        ready: called once, when the first request would be answered.
    """
    asyncio.run(_Server(configured(app), ready).serve(sockets=[listening]))


class _Server(uvicorn.Server):
    """uvicorn's own, but stopping it does not kill the process: a store has to be closed after it."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        before = {number: signal.signal(number, self.handle_exit) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
