"""Pages: the web's application on its address, until all stops."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from logging import LogRecord, getLogger

import uvicorn
from starlette.applications import Starlette

from fanous.web.serve import configured


async def serve_until(stop: asyncio.Event, app: Starlette, listening: socket.socket) -> None:
    """Signals are the caller's business."""
    server = _Server(configured(app))
    server_log = getLogger("uvicorn.error")
    server_log.addFilter(is_news)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await running
        server_log.removeFilter(is_news)


def is_news(record: LogRecord) -> bool:
    """Streams of open pages never end by themselves: that they are cut at the end is no error."""
    kind = record.exc_info[0] if record.exc_info else None
    cut = kind is not None and issubclass(kind, asyncio.CancelledError)
    return not cut and not str(record.msg).startswith("Cancel %s running task(s)")


class _Server(uvicorn.Server):
    """uvicorn's own, without its hold on signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
