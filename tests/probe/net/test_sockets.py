"""What a connection leaves behind when it is closed."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fanous.probe.net import sockets
from fanous.probe.net.sockets import SocketNetwork, SocketStream


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[SocketStream, socket.socket]]:
    """A stream, and the server's end of it, which takes in a few kilobytes and then no more."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream = await SocketNetwork().open_tcp("127.0.0.1", listening.getsockname()[1])
        there, _ = listening.accept()
        with there:
            there.settimeout(5)
            yield stream, there


async def stuck(stream: SocketStream) -> None:
    """Send more than the other end takes in, and give up."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await stream.write(bytes(16 << 20))


def all_of(there: socket.socket) -> int:
    """Bytes until the end of the stream.

    Raises:
        ConnectionResetError: it was reset.
    """
    size = 0
    while data := there.recv(1 << 16):
        size += len(data)
    return size


def test_what_was_not_acknowledged_is_not_sent_again_once_it_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sockets, "UNHEARD", 0.2)

    async def scene() -> None:
        async with connected() as (stream, there):
            await stuck(stream)
            stream.close()
            with pytest.raises(ConnectionResetError):
                all_of(there)

    asyncio.run(scene())


def test_what_may_still_be_on_its_way_arrives() -> None:
    """An alert that is sent just before closing, say."""

    async def scene() -> None:
        async with connected() as (stream, there):
            await stuck(stream)
            stream.close()
            assert all_of(there) > 4096

    asyncio.run(scene())


def test_closing_twice_is_no_fault() -> None:
    async def scene() -> None:
        async with connected() as (stream, there):
            await stream.write(b"hello")
            assert there.recv(5) == b"hello"
            stream.close()
            stream.close()
            assert all_of(there) == 0

    asyncio.run(scene())
