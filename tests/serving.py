"""Serving: an application behind our own server, in a thread."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from fanous.collector.server import listening_socket, serve, server_config


@contextmanager
def served(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """The application's address on loopback; it has stopped in order at the end.

    Args:
        port: 0 = any.
    """
    listening = listening_socket("127.0.0.1", port)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    stop, ready, loop = asyncio.Event(), threading.Event(), asyncio.new_event_loop()

    def run() -> None:
        loop.run_until_complete(serve(server_config(app), listening, stop, ready.set))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(30), "the server did not start"
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
