"""Pages: the web's application on its address, until all stops."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from fanous.web.serve import configured


async def serve_until(stop: asyncio.Event, app: Starlette, listening: socket.socket) -> None:
    """Signals are the caller's business."""
    server = _Server(configured(app))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await running


class _Server(uvicorn.Server):
    """uvicorn's own, without its hold on signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
