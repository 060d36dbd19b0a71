"""A collector in a thread of the test, where its policy must be another than the command line allows."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from fanous.collector.door import Policy, serving
from fanous.collector.helper import Helper
from fanous.collector.server import SILENT_SECONDS, listening_socket


@contextmanager
def door(inbox: Path, policy: Policy, helper: Helper | None = None) -> Iterator[httpx.Client]:
    """A client of a collector that listens on loopback; it has stopped in order at the end."""
    listening = listening_socket("127.0.0.1", 0)
    port = int(listening.getsockname()[1])
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        loop.run_until_complete(serving(listening, inbox, policy, helper or Helper(), stop))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            yield client
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def connected(client: httpx.Client) -> socket.socket:
    """A bare connection to the same collector."""
    connection = socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=10)
    connection.settimeout(10)
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Until the other side closes; a reset ends it, too."""
    parts = []
    try:
        while data := connection.recv(65536):
            parts.append(data)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def silent(client: httpx.Client, count: int) -> list[socket.socket]:
    """So many connections that say nothing, once the kernel has handed them over."""
    opened = [connected(client) for _ in range(count)]
    time.sleep(SILENT_SECONDS + 0.5)
    return opened
