"""A client that opens many connections, or sends a head byte by byte, is let go."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fanous.collector.door import Policy
from fanous.collector.limits import MOST_OF_ONE
from fanous.collector.origin import trusted_proxies
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


def test_a_proxy_of_our_own_gets_as_many_as_it_likes(tmp_path: Path) -> None:
    with door(tmp_path, Policy(trusted=trusted_proxies(["127.0.0.1"]))) as client:
        many = [connected(client) for _ in range(MOST_OF_ONE + 5)]
        assert greeted(many[-1])
        for connection in many:
            connection.close()
