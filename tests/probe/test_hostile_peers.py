"""Servers and resolvers that never come to an end: each costs a measurement its time and some bytes, and says so."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.http import OVERGROWN, HttpResponse, Request, exchange
from fanous.probe.net.sockets import SocketNetwork
from fanous.probe.net.tls import UNREADABLE, TLSStream, client_context
from fanous.probe.trace import FINE_READS, Trace, TracedStream
from tests.builders import FakeStream
from tests.each import each
from tests.probe.net import servers
from tests.probe.net.authority import Authority
from tests.probe.scene import SITE, SITE_IP, Found, measured, scene

FLOOD_SECONDS = 3.0
"""A flood ends by itself, so that this test fails, and does not hang, where no time-out comes due."""


@contextmanager
def flooding(kind: socket.SocketKind, data: bytes) -> Iterator[int]:
    """A port at which a thread sends ``data`` again and again, as fast as it is taken, once it is spoken to."""
    with socket.socket(socket.AF_INET, kind) as listening:
        listening.bind(("127.0.0.1", 0))
        is_stream = kind is socket.SOCK_STREAM
        if is_stream:
            listening.listen()
        listening.settimeout(5)

        def flood() -> None:
            peer = listening
            with suppress(OSError):
                if is_stream:
                    peer, _ = listening.accept()
                with peer:
                    _, sender = peer.recvfrom(65_536)
                    if not is_stream:
                        peer.connect(sender)
                    until = time.monotonic() + FLOOD_SECONDS
                    while time.monotonic() < until:
                        peer.send(data)

        thread = threading.Thread(target=flood, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(FLOOD_SECONDS + 5)


@each("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_peer_that_sends_faster_than_it_is_read_is_left_in_time(kind: socket.SocketKind) -> None:
    """Reads returned at once, so the loop never ran: no time-out came due, of any measurement."""

    async def play(port: int) -> float:
        network = SocketNetwork()
        began = time.monotonic()
        stream: Any
        if kind is socket.SOCK_STREAM:
            stream = await network.open_tcp("127.0.0.1", port)
            say, read = stream.write, partial(stream.read, 100)
        else:
            stream = await network.open_udp("127.0.0.1", port)
            say, read = stream.send, stream.receive
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(0.3):
                await say(b"x")
                while await read():
                    pass
        stream.close()
        return time.monotonic() - began

    with flooding(kind, bytes(1000)) as port:
        assert asyncio.run(play(port)) < FLOOD_SECONDS / 2


def frame(kind: int, stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    """HTTP/2 (RFC 9113 section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


SETTINGS_FRAME, OK_HEADERS = frame(4, 0), frame(1, 1, b"\x88", 4)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Endless(FakeStream):
    """Says ``first``, then ``more`` without end."""

    def __init__(self, first: bytes, more: bytes) -> None:
        super().__init__([first] if first else [])
        self.more = more

    async def read(self, most: int) -> bytes:
        await asyncio.sleep(0)  # as a real one does
        self.script = self.script or [self.more]
        return await super().read(most)


@each(
    ("protocol", "first", "more"),
    [
        ("", b"", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
        ("", CHUNKED, b"1;" + b"a" * 250 + b"\r\nx\r\n"),
        ("h2", SETTINGS_FRAME, frame(6, 0, b"12345678")),
        ("h2", b"", SETTINGS_FRAME),
        ("h2", SETTINGS_FRAME, frame(8, 0, b"\0\0\0\1")),
        ("h2", SETTINGS_FRAME, frame(0xEE, 0, bytes(100))),
        ("h2", SETTINGS_FRAME + OK_HEADERS, frame(0, 1)),
        ("h2", SETTINGS_FRAME + OK_HEADERS, frame(0, 1, b"\xff" + bytes(255), 8)),
    ],
)
def test_an_answer_that_is_hardly_a_page_is_given_up_after_some_bytes(
    protocol: str, first: bytes, more: bytes
) -> None:
    async def play() -> str:
        page = HttpResponse(1000)
        async with asyncio.timeout(5):
            try:
                await exchange(Endless(first, more * 20), Request("site.example"), page, protocol)
            except NETWORK_ERRORS as error:
                return failure_of(error)
        return ""

    assert asyncio.run(play()) == OVERGROWN


def test_a_server_may_push_nothing() -> None:
    """What it pushes would be taken for the page."""
    stream = FakeStream([])
    with pytest.raises(EOFError):
        asyncio.run(exchange(stream, Request("site.example"), HttpResponse(10), "h2"))
    sent = b"".join(stream.written)
    assert b"\x00\x02\x00\x00\x00\x00" in sent  # SETTINGS_ENABLE_PUSH = 0


def test_tickets_without_end_are_no_answer(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = authority.context(SITE)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 5000

    async def play() -> str:
        async with servers.tcp_server(servers.say_nothing, context) as port:
            stream = TLSStream(
                await SocketNetwork().open_tcp("127.0.0.1", port),
                SITE,
                client_context((), str(authority.ca_file)),
            )
            try:
                async with asyncio.timeout(10):
                    await stream.handshake()
                    await stream.read()
            except NETWORK_ERRORS as error:
                return failure_of(error)
            finally:
                stream.close()
            return ""

    assert asyncio.run(play()) == UNREADABLE


def test_a_server_that_sends_byte_by_byte_makes_no_giant_of_a_record() -> None:
    count = 20_000

    async def play() -> Trace:
        trace = Trace(SocketNetwork())
        stream = TracedStream(FakeStream([bytes(1)] * count), trace, SITE_IP, 443, 1)
        while await stream.read(100):
            pass
        return trace

    events = asyncio.run(play()).network_events
    assert sum(event["num_bytes"] for event in events) == count
    assert events[-1]["failure"] == "eof_error"
    seconds = events[-1]["t"] - events[0]["t0"]
    assert len(events) <= FINE_READS + 3 + seconds / 0.01


def asked(tmp_path: Path, location: str) -> tuple[list[str], Found]:
    """Heads of the requests that the redirect led to, and what was measured."""
    heads: list[str] = []

    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names |= {SITE: [SITE_IP], "xn--exmple-cua.example": [SITE_IP]}
            leads = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n".encode()
            await place.serve(SITE, SITE_IP, 443, servers.pages({"/": leads}, seen=heads))
            await place.put(SITE_IP, 80, servers.pages(seen=heads))
            return await measured(place, f"https://{SITE}/")

    found = asyncio.run(play())
    return heads[1:], found


@each(
    ("location", "path", "host"),
    [
        ("/a b", "/a%20b", SITE),
        ("/\u0645\u0633\u062f\u0648\u062f?q=\u00e9", "/%D9%85%D8%B3%D8%AF%D9%88%D8%AF?q=%C3%A9", SITE),
        ("?\x7f", "/?%7F", SITE),
        ("/%41%zz", "/%41%zz", SITE),
        ("http://ex\u00e4mple.example/", "/", "xn--exmple-cua.example"),
        (f"http://someone:secret@{SITE}/#me", "/", SITE),
    ],
)
def test_a_redirect_in_any_letters_is_asked_for_as_browsers_do(
    location: str, path: str, host: str, tmp_path: Path
) -> None:
    """A space or a letter beyond ASCII in ``Location`` ended the whole run, and none of it was kept."""
    heads, found = asked(tmp_path, location)
    assert len(heads) == 1, found.keys["requests"]
    assert heads[0].startswith(f"GET {path} HTTP/1.1\r\n")
    assert f"host: {host}\r\n" in heads[0].lower()
    url = found.keys["requests"][0]["request"]["url"]
    assert url.isascii() and url.endswith(f"{host}{path}")


def test_thousands_of_addresses_for_a_name_make_no_giant_of_a_record(tmp_path: Path) -> None:
    async def play() -> Found:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [f"10.1.{n // 256}.{n % 256}" for n in range(4000)]
            return await measured(place, f"https://{SITE}/")

    keys = asyncio.run(play()).keys
    assert len(keys["x_not_tried"]) == 100
    assert [len(query["answers"]) for query in keys["queries"] if query["engine"] == "getaddrinfo"] == [100]
