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
from tests.collector.threads import connected, door, read_all, silent

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


def test_one_address_gets_so_many_connections(tmp_path: Path) -> None:
    with door(tmp_path, Policy()) as client:
        many = silent(client, MOST_OF_ONE)
        with connected(client) as another:
            assert read_all(another) == b""
        assert greeted(many[0])
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
            again.sendall(GET)
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
        many = silent(client, MOST_OF_ONE)
        with connected(client) as another:
            assert read_all(another) == b""
        for connection in many:
            connection.close()


def test_a_full_door_lets_go_of_one_that_asks_for_nothing(tmp_path: Path) -> None:
    with door(tmp_path, Policy(connections=20)) as client:
        waiting = silent(client, 20)
        with connected(client) as newcomer:
            assert greeted(newcomer)
        closed = [one for one in waiting if is_closed(one)]
        assert len(closed) == 1
        for connection in waiting:
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


@pytest.mark.parametrize("first", [b"", GET], ids=["at once", "pipelined"])
def test_a_full_door_lets_go_of_one_that_keeps_it_waiting(
    first: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few thousand half bodies, sent anew every twenty seconds, kept everyone else out."""
    monkeypatch.setattr(limits, "LAG_SECONDS", 0.2)
    with door(tmp_path, Policy(connections=16)) as client:
        sending = [connected(client) for _ in range(16)]
        for one in sending:
            one.sendall(first + b"POST /report HTTP/1.1\r\nHost: c\r\nContent-Length: 9\r\n\r\n{")
            while first and one.recv(1) != b"}":
                pass
        time.sleep(0.5)
        with connected(client) as newcomer:
            assert greeted(newcomer)
        assert sum(map(is_closed, sending)) == 1
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


def test_who_reads_no_last_answer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into the kernel was kept for as long as the client liked, and so was the connection."""
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.3)

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b"x" * 60_000})

    async def main() -> bytes:
        listening, stop = listening_socket("127.0.0.1", 0), asyncio.Event()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        serving = asyncio.create_task(serve(server_config(answer, lifespan="off"), listening, stop))
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            connection.connect(listening.getsockname())
            connection.sendall(GET)
            await asyncio.sleep(1)
            connection.settimeout(10)
            read = await asyncio.to_thread(read_all, connection)
        stop.set()
        await serving
        return read

    assert 0 < len(asyncio.run(main())) < 60_000, "cut"


REPORT = b"/report/20260101T000000Z_webconnectivity_PK_17557_n1_0123456789abcdef"
CHUNKED = b"POST " + REPORT + b" HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n"
TINY = 100 * b"1\r\n \r\n"


@pytest.mark.parametrize(
    "sent",
    [
        CHUNKED + TINY,
        CHUNKED + b"FFFF\r\n%s\r\n" % (b" " * 0xFFFF) + TINY,
        b"GET / HTTP/1.1\r\nHost: c\r\n" + 100 * b"a:\r\n" + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: c\r\nX: %s\r\n\r\n" % (b"a" * (16 << 10)),
    ],
    ids=["chunks", "chunks after a large one", "lines of a head", "a large head"],
)
def test_what_takes_far_longer_to_parse_than_to_send_is_not_parsed(sent: bytes, client: httpx.Client) -> None:
    """A hundred one-byte chunks take two milliseconds, so one sender of 250 kB a second stopped the event loop."""
    with connected(client) as connection:
        connection.sendall(sent)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 Bad Request")


def test_a_request_that_waits_for_permission_to_send_its_body_is_refused(client: httpx.Client) -> None:
    """Each cost as much as three requests; curl sends again without the header."""
    with connected(client) as connection:
        connection.sendall(
            b"POST /report HTTP/1.1\r\nHost: c\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
        )
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 417 ") and answer.count(b"HTTP/1.1") == 1


def test_nor_is_a_body_that_is_not_asked_for(tmp_path: Path) -> None:
    with door(tmp_path, Policy(head=30)) as client, connected(client) as connection:
        connection.sendall(CHUNKED.replace(b"POST " + REPORT, b"GET /"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
        began = time.monotonic()
        connection.sendall(TINY)
        with suppress(ConnectionError):
            read_all(connection)
        assert time.monotonic() - began < 5


def test_usual_chunks_are_read(client: httpx.Client) -> None:
    body = b'{"data_format_version": "0.2.0"' + b" " * 50_000 + b"}"
    pieces = [body[at : at + 600] for at in range(0, len(body), 600)]
    answer = client.post("/report", content=iter(pieces))
    assert "chunk" not in answer.text and answer.status_code in (200, 400, 422), answer.text
    assert answer.headers["content-type"] == "application/json", "the door answers, not the parser"


def test_nonsense_in_the_middle_of_an_answer_ends_the_connection_without_a_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def answer(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async def main() -> None:
        listening, stop = listening_socket("127.0.0.1", 0), asyncio.Event()
        serving = asyncio.create_task(serve(server_config(answer, lifespan="off"), listening, stop))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(CHUNKED)
        await reader.readuntil(b"x")
        writer.write(b"no size of a chunk\r\n")
        with suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()
        stop.set()
        await serving

    asyncio.run(main())
    assert not [one for one in caplog.records if one.exc_info], caplog.text


def test_thousands_from_one_network_wait_for_each_other_and_not_in_front_of_another(tmp_path: Path) -> None:
    """Each waits for its turn by network, so that a reader does not stand behind all of them."""

    async def main() -> None:
        listening, stop = listening_socket("127.0.0.1", 0), asyncio.Event()
        turns: list[str] = []

        async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
            turns.append(scope["client"][0])
            await _nothing(scope, _receive, send)

        def ask(source: str) -> socket.socket:
            one = socket.create_connection(listening.getsockname(), source_address=(source, 0))
            one.sendall(GET)
            return one

        asked = [ask("127.0.1.1") for _ in range(200)] + [ask("127.0.2.1")]
        serving = asyncio.create_task(serve(server_config(answer, lifespan="off"), listening, stop))
        while len(turns) < len(asked):
            await asyncio.sleep(0.01)
        assert turns.index("127.0.2.1") <= 2 * limits.HANDED_OVER
        for one in asked:
            one.close()
        stop.set()
        await serving

    asyncio.run(main())


def test_who_is_let_go_while_waiting_for_a_turn_frees_one_place() -> None:
    async def main() -> None:
        listening, stop = listening_socket("127.0.0.1", 0), asyncio.Event()
        asked = [socket.create_connection(listening.getsockname()) for _ in range(100)]
        for one in asked:
            one.sendall(GET)
        config = server_config(_nothing, ConnectionLimits(most=20, of_one=None), lifespan="off")
        serving = asyncio.create_task(serve(config, listening, stop))
        await asyncio.sleep(1)
        for one in asked:
            one.close()
        await asyncio.sleep(0.5)
        assert (config.connections.open, dict(config.connections.of)) == (0, {})
        stop.set()
        await serving

    asyncio.run(main())


async def _nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_a_full_door_lets_go_of_one_of_the_network_with_the_most() -> None:
    class Closable:
        closed = False

        def abort(self) -> None:
            self.closed = True

    places = Connections(ConnectionLimits(most=4))
    opened = {peer: Closable() for peer in ("198.51.100.1", "192.0.2.1", "192.0.2.2", "192.0.2.3")}
    for peer, one in opened.items():
        assert places.admit(peer)
        places.wait(one, peer)
    assert places.admit("203.0.113.1")
    assert [peer for peer, one in opened.items() if one.closed] == ["192.0.2.1"]


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
