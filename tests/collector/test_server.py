"""A server releases its address whatever happens; one that has no descriptor left says so once."""

import asyncio
import errno
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from logging import ERROR

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fanous.collector.limits import ConnectionLimits
from fanous.collector.server import (
    SILENT_SECONDS,
    LoopThread,
    connections_at_most,
    listening_socket,
    raise_descriptors,
    serve,
    serve_apart,
    server_config,
)
from fanous.errors import FanousError

GET = b"GET / HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n"


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


def app() -> Starlette:
    return Starlette(routes=[Route("/", hello)])


@asynccontextmanager
async def failing(app: object) -> AsyncIterator[None]:
    if app is not None:
        raise OSError(errno.EMFILE, "Too many open files")
    yield


async def asked(address: tuple[str, int]) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(GET)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


def test_an_application_that_cannot_begin_leaves_the_address_free() -> None:
    listening = listening_socket("127.0.0.1", 0)
    host, port = listening.getsockname()

    async def main() -> None:
        with pytest.raises(FanousError, match="could not start"):
            await serve(server_config(Starlette(lifespan=failing)), listening, asyncio.Event())

    asyncio.run(main())
    listening_socket(host, port).close()


def test_a_copy_of_a_socket_can_be_served_again_and_again() -> None:
    kept = listening_socket("127.0.0.1", 0)

    async def main() -> None:
        for _ in range(3):
            stop = asyncio.Event()
            copied = kept.dup()
            copied.setblocking(False)
            serving = asyncio.create_task(serve(server_config(app()), copied, stop))
            assert b"hello" in await asked(kept.getsockname())
            stop.set()
            await serving

    asyncio.run(main())
    kept.close()


def test_where_no_descriptor_is_left_one_line_says_so_and_silent_connections_make_room(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = listening_socket("127.0.0.1", 0)
    accept, failures = socket.socket.accept, [200]

    def exhausted(self: socket.socket) -> tuple[socket.socket, object]:
        if failures[0] and len(silent) == 5 and silent_were_accepted[0]:
            failures[0] -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    silent: list[socket.socket] = []
    silent_were_accepted = [False]

    async def main() -> None:
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(server_config(app()), listening, stop))
        silent.extend(socket.create_connection(listening.getsockname()) for _ in range(5))
        await asyncio.sleep(SILENT_SECONDS + 0.5)
        silent_were_accepted[0] = True
        began = time.monotonic()
        assert b"hello" in await asked(listening.getsockname())
        assert time.monotonic() - began < 15
        for one in silent:
            one.settimeout(5)
            assert await asyncio.to_thread(ended, one)
            one.close()
        stop.set()
        await serving

    monkeypatch.setattr(socket.socket, "accept", exhausted)
    with caplog.at_level(ERROR):
        asyncio.run(main())
    lines = [record.getMessage() for record in caplog.records]
    assert 1 <= len([line for line in lines if line.startswith("not_accepted")]) <= 8
    assert not any("out of system resource" in line for line in lines)


def test_what_is_not_ready_when_a_server_stops_is_told_to_come_again_and_said_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def never(_request: Request) -> Response:
        await asyncio.sleep(600)
        raise AssertionError

    async def main() -> bytes:
        listening, stop = listening_socket("127.0.0.1", 0), asyncio.Event()
        config = server_config(Starlette(routes=[Route("/", never)]), timeout_graceful_shutdown=0.2)
        serving = asyncio.create_task(serve(config, listening, stop))
        asking = asyncio.create_task(asked(listening.getsockname()))
        await asyncio.sleep(0.5)
        stop.set()
        await serving
        return await asking

    answer = asyncio.run(main())
    assert answer.startswith(b"HTTP/1.1 503") and b"retry-after: 10" in answer and b"try again" in answer
    assert sum(record.getMessage().startswith("given_up") for record in caplog.records) == 1
    assert not any(record.exc_info for record in caplog.records)


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_what_blocks_one_loop_holds_up_no_other() -> None:
    listening = listening_socket("127.0.0.1", 0)

    async def main() -> None:
        stop = asyncio.Event()

        async def serving(ending: asyncio.Event) -> None:
            await serve(server_config(app(), ConnectionLimits()), listening, ending)

        task = asyncio.create_task(serve_apart("apart", serving, stop))
        await asyncio.sleep(0.5)
        answer = asyncio.create_task(asyncio.to_thread(ask_and_wait, listening.getsockname()))
        await asyncio.sleep(0.05)
        time.sleep(0.5)  # our loop is blocked
        took = await answer
        assert took < 0.5
        stop.set()
        await asyncio.wait_for(task, 10)

    asyncio.run(main())


def ask_and_wait(address: tuple[str, int]) -> float:
    began = time.monotonic()
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(GET)
        while connection.recv(65536):
            pass
    return time.monotonic() - began


def test_what_ends_apart_is_told_here() -> None:
    async def failing(_ending: asyncio.Event) -> None:
        raise FanousError("why")

    async def main() -> None:
        with pytest.raises(FanousError, match="why"):
            await serve_apart("apart", failing, asyncio.Event())

    asyncio.run(main())


def test_work_in_another_loop_is_cancelled_with_it() -> None:
    async def main() -> None:
        apart = LoopThread("apart")
        work = asyncio.create_task(apart.run(asyncio.sleep(60)))
        await asyncio.sleep(0.1)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        apart.end()

    asyncio.run(main())


def test_descriptors_are_raised_as_far_as_the_system_allows(caplog: pytest.LogCaptureFixture) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
        assert raise_descriptors(600) == 600
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 600
        assert connections_at_most(2000) == 300
        assert connections_at_most(20) == 20
        assert not caplog.records
        assert raise_descriptors(before[1] + 1) == before[1]
        assert "few_descriptors" in caplog.text
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
