"""A client that opens many connections, or sends a head byte by byte, is let go."""

import asyncio
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http import h11_impl

from fanous.collector import limits
from fanous.collector.door import Policy
from fanous.collector.limits import CONNECTING, MOST_OF_ONE, ConnectionLimits, Connections
from fanous.collector.origin import trusted_proxies
from fanous.collector.server import listening_socket, serve, server_config
from tests.collector.probe import OPEN
from tests.collector.threads import connected, door, read_all

GET = b"GET / HTTP/1.1\r\nHost: c\r\n\r\n"


def greeted(connection: socket.socket) -> bool:
    """Is it still served?"""
    connection.sendall(GET)
    answer = b""
    while not answer.endswith(b"}"):
        data = connection.recv(65536)
        if not data:
            return False
        answer += data
    return answer.startswith(b"HTTP/1.1 200")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with door(tmp_path, Policy(head=0.5)) as client:
        yield client


@pytest.mark.parametrize("sent", [b"", b"POST /report HTTP/1.1\r\nHost: "])
def test_a_head_that_does_not_come_ends_the_connection(sent: bytes, client: httpx.Client) -> None:
    with connected(client) as connection:
        connection.sendall(sent)
        began = time.monotonic()
        assert read_all(connection) == b""
        assert 0.2 < time.monotonic() - began < 5


def test_a_head_that_drips_ends_the_connection(client: httpx.Client) -> None:
    with connected(client) as connection, pytest.raises(ConnectionError):
        for byte in GET * 20:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)


def test_a_second_head_that_does_not_come_ends_the_connection(client: httpx.Client) -> None:
    with connected(client) as connection:
        assert greeted(connection)
        connection.sendall(GET[:9])
        began = time.monotonic()
        read_all(connection)
        assert time.monotonic() - began < 5


def test_a_connection_that_is_used_stays(client: httpx.Client) -> None:
    with connected(client) as connection:
        for _ in range(4):
            assert greeted(connection)
            time.sleep(0.3)


def test_one_address_gets_so_many_connections(client: httpx.Client) -> None:
    many = [connected(client) for _ in range(MOST_OF_ONE)]
    try:
        with connected(client) as another:
            assert read_all(another) == b""
        assert greeted(many[0])
    finally:
        for connection in many:
            connection.close()
    time.sleep(0.2)
    assert client.post("/report", json=OPEN).status_code == 200


def test_who_connects_again_and_again_is_closed_unread_and_others_are_served(tmp_path: Path) -> None:
    with door(tmp_path, Policy()) as client:
        address = "127.0.0.1", client.base_url.port or 0
        for _ in range(int(CONNECTING.address.burst * 3)):  # on a busy machine, many are allowed anew by then
            socket.create_connection(address).close()
        with connected(client) as again:
            assert read_all(again) == b""
        with socket.create_connection(address, 10, source_address=("127.0.1.1", 0)) as another:
            assert greeted(another)


def test_the_place_of_a_connection_that_was_reset_at_once_is_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its socket does not know its peer any more, and each kept a place of that address until the process ended."""
    monkeypatch.setattr(h11_impl, "get_remote_addr", lambda _transport: None)
    with door(tmp_path, Policy()) as client:
        for _ in range(MOST_OF_ONE + 1):
            with connected(client) as connection:
                assert greeted(connection)


def test_the_addresses_of_a_subscriber_share_its_connections() -> None:
    places = Connections(ConnectionLimits(of_one=2))
    assert [places.admit(f"2001:db8::{n}") for n in range(3)] == [True, True, False]
    assert places.admit("2001:db8:0:1::1")
    assert [places.admit(f"::ffff:192.0.2.{n}") for n in range(3)] == [True] * 3, "each has IPv4"
    for n in range(3):
        places.leave(f"2001:db8::{n}")
    assert places.admit("fe80::1%lo")
    assert places.admit("2001:db8::7")


def test_a_proxy_of_our_own_gets_as_many_as_it_likes(tmp_path: Path) -> None:
    with door(tmp_path, Policy(trusted=trusted_proxies(["127.0.0.1"]))) as client:
        many = [connected(client) for _ in range(MOST_OF_ONE + 5)]
        assert greeted(many[-1])
        for connection in many:
            connection.close()


def test_only_the_proxy_gets_as_many_as_it_likes(tmp_path: Path) -> None:
    with door(tmp_path, Policy(trusted=trusted_proxies(["127.0.0.9"]))) as client:
        many = [connected(client) for _ in range(MOST_OF_ONE)]
        with connected(client) as another:
            assert read_all(another) == b""
        for connection in many:
            connection.close()


def test_a_full_door_lets_go_of_one_that_asks_for_nothing(tmp_path: Path) -> None:
    with door(tmp_path, Policy(connections=20)) as client:
        silent = [connected(client) for _ in range(20)]
        time.sleep(0.2)
        with connected(client) as newcomer:
            assert greeted(newcomer)
        closed = [one for one in silent if is_closed(one)]
        assert len(closed) == 1
        for connection in silent:
            connection.close()


def test_a_door_at_which_all_are_served_turns_the_next_away(tmp_path: Path) -> None:
    with door(tmp_path, Policy(connections=16)) as client:
        sending = [connected(client) for _ in range(16)]
        for one in sending:
            one.sendall(b"POST /report HTTP/1.1\r\nHost: c\r\nContent-Length: 9\r\n\r\n{")
        time.sleep(0.3)
        with connected(client) as newcomer:
            assert read_all(newcomer) == b""
        assert not any(is_closed(one) for one in sending)
        for one in sending:
            one.close()


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


async def _largest(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(400):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})


def test_who_does_not_read_the_answer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STALL_SECONDS", 0.3)

    async def main() -> float:
        listening, stop = listening_socket("127.0.0.1", 0), asyncio.Event()
        address = listening.getsockname()
        serving = asyncio.create_task(serve(server_config(_largest, lifespan="off"), listening, stop))
        with socket.create_connection(address) as connection:
            connection.sendall(GET)
            began = time.monotonic()
            await asyncio.sleep(1.5)
            connection.settimeout(10)
            read = await asyncio.to_thread(read_all, connection)
            assert len(read) < 40_000_000, "cut"
        stop.set()
        await serving
        return time.monotonic() - began

    assert asyncio.run(main()) < 20


IDLE = 5000


def test_thousands_of_silent_connections_leave_the_door_as_quick(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3 * IDLE:
        pytest.skip(f"needs {3 * IDLE} descriptors, and {hard} can be had here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3 * IDLE, hard))
    silent: list[socket.socket] = []
    try:
        with door(tmp_path, Policy()) as client:
            for number in range(IDLE):
                one = socket.socket()
                one.setblocking(False)
                one.bind((f"127.0.0.{2 + number % 200}", 0))
                with suppress(BlockingIOError):
                    one.connect(("127.0.0.1", client.base_url.port or 0))
                silent.append(one)
            time.sleep(1)
            took = []
            for _ in range(100):
                began = time.monotonic()
                with connected(client) as connection:
                    assert greeted(connection)
                took.append(time.monotonic() - began)
            assert sorted(took)[98] < 1.0, "the second slowest of a hundred"
            for one in silent:
                one.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
