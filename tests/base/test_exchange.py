"""Answers of servers that drip, never end, unpack without end, or send us on to a machine inside."""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from fanous.base import exchange
from fanous.base.exchange import HttpClient, TooLarge, is_inside, whole
from fanous.errors import FanousError
from fanous.refdata.update import download
from fanous.sources.fetch import Waits
from fanous.sources.remote.client import RemoteRequest, RemoteServer
from tests.each import each

HEAD = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def saying(say: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[str]:
    """Address of a server that answers each connection's first bytes with ``say``."""
    listening = socket.create_server((host, 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            with suppress(OSError):
                one, _ = listening.accept()
                threading.Thread(target=answer, args=(one,), daemon=True).start()

    def answer(one: socket.socket) -> None:
        with one, suppress(OSError):
            if one.recv(65536):
                say(one)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        stop.set()
        listening.close()


def dripping(start: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    def say(one: socket.socket) -> None:
        one.sendall(start)
        for _ in range(3000):
            time.sleep(0.02)
            one.sendall(drop)

    return say


DRIPS = {
    "head": dripping(HEAD + b"X: ", b"x"),
    "interim": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "status": dripping(b"HTTP/1.1 200 ", b"O"),
    "body": dripping(HEAD + b"Content-Length: 99999\r\n\r\n", b"x"),
    "body until it closes": dripping(HEAD + b"\r\n", b"x"),
    "trailer": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"x"),
    "size of a chunk": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
}


@contextmanager
def client(stall: float = 5.0) -> Iterator[HttpClient]:
    one = HttpClient({}, stall)
    try:
        yield one
    finally:
        one.close()


def got(one: HttpClient, url: str, seconds: float = 5.0, most: int = 1000, sent_by: str = "") -> bytes:
    with one.asked("GET", url, seconds=seconds, sent_by=sent_by) as response:
        return whole(response, most)


@each("part", DRIPS)
def test_an_answer_that_drips_ends_in_its_time(part: str) -> None:
    began = time.monotonic()
    too_slow = pytest.raises(httpx.ReadTimeout, match=r"too slow: no whole answer within 0\.3 s")
    with saying(DRIPS[part]) as address, client() as one, too_slow:
        got(one, address, seconds=0.3, most=1 << 20)
    assert time.monotonic() - began < 3


def test_it_ends_for_fingerprints_and_for_orders_of_measurements_too() -> None:
    with saying(DRIPS["head"]) as address:
        with pytest.raises(FanousError, match="too slow"):
            download(address, deadline=0.3, loopback=True)
        with (
            RemoteServer("globalping", address, waits=Waits(deadline=0.3)) as orders,
            pytest.raises(FanousError, match="too slow"),
        ):
            orders.answer(RemoteRequest("GET", "/v1/limits"))


def test_the_next_answer_may_take_its_time_again() -> None:
    """After one that was ended, and over a connection that stays open."""
    parts = [HEAD + b"Content-Length: 2\r\n\r\nok"]
    with saying(DRIPS["head"]) as slow, saying(lambda one: one.sendall(parts[0])) as quick, client() as one:
        with pytest.raises(httpx.ReadTimeout):
            got(one, slow, seconds=0.2)
        assert got(one, quick) == b"ok"


def answered(content: bytes, packing: str) -> Callable[[socket.socket], None]:
    head = HEAD + f"Content-Encoding: {packing}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    return lambda one: one.sendall(head + content)


PACKED = gzip.compress(b"a document")
BOMB = gzip.compress(bytes(64 << 20))


@pytest.mark.parametrize(
    ("content", "packing", "error"),
    [
        (BOMB, "gzip", TooLarge),
        (gzip.compress(BOMB), "gzip, gzip", httpx.DecodingError),
        (zlib.compress(b"x"), "deflate", httpx.DecodingError),
        (PACKED[:-4], "gzip", httpx.DecodingError),
        (b"text", "gzip", httpx.DecodingError),
        (b"x" * 2000, "identity", TooLarge),
    ],
)
def test_a_body_is_unpacked_within_its_bytes(content: bytes, packing: str, error: type[Exception]) -> None:
    with saying(answered(content, packing)) as address, client() as one, pytest.raises(error):
        got(one, address)


def test_a_packed_body_comes_whole() -> None:
    with saying(answered(PACKED, "GZIP")) as address, client() as one:
        assert got(one, address) == b"a document"


def test_a_server_of_the_internet_sends_us_to_no_machine_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.2 is of the internet here; the other, by whatever name, is asked nothing."""
    monkeypatch.setattr(exchange, "is_inside", lambda address: address == "127.0.0.1")
    asked: list[bytes] = []

    def say(one: socket.socket) -> None:
        asked.append(b"")
        one.sendall(HEAD + b"Content-Length: 2\r\n\r\nok")

    with saying(say) as inside, saying(say, "127.0.0.2") as public, client() as one:
        for name in (inside, inside.replace("127.0.0.1", "localhost")):
            with pytest.raises(FanousError, match="an address inside"):
                got(one, name, sent_by=public)
        assert asked == []
        assert got(one, inside) == b"ok"  # the operator may name it
        with pytest.raises(FanousError, match="an address inside"):  # over the connection that is open
            got(one, inside, sent_by=public)
        assert got(one, public, sent_by=inside) == b"ok"
        assert got(one, inside, sent_by=inside) == b"ok"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        *((one, True) for one in ("127.0.0.1", "::1", "10.1.2.3", "169.254.169.254", "fe80::1%eth0")),
        *((one, True) for one in ("::ffff:192.168.1.1", "100.64.0.1", "224.0.0.1", "fd00::1", "0.0.0.0")),
        *((one, False) for one in ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8")),
    ],
)
def test_addresses_inside_are_known_in_any_form(address: str, expected: bool) -> None:
    assert is_inside(address) is expected


def test_authorities_that_cannot_be_read_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(FanousError, match=r"none\.pem: No such file or directory; set SSL_CERT_FILE"):
        HttpClient({}, 1.0)
