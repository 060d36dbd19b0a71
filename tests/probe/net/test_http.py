"""One request and what comes back, read from scripts and from real servers."""

import asyncio

import h2.config
import h2.connection
import h2.events
import pytest

from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.http import MALFORMED, STREAM_RESET, HttpResponse, Request, exchange
from fanous.probe.net.sockets import SocketNetwork
from tests.builders import FakeStream
from tests.probe.net import servers

ASK = Request("site.example", "/page?x=1", headers=(("accept", "*/*"),))


def read(*script: bytes | BaseException, most: int = 100) -> tuple[str | None, HttpResponse, FakeStream]:
    """Failure, page and stream of an HTTP/1.1 exchange that reads ``script``."""
    stream, page, failure = FakeStream(list(script)), HttpResponse(most), None
    try:
        asyncio.run(exchange(stream, ASK, page))
    except NETWORK_ERRORS as error:
        failure = failure_of(error)
    return failure, page, stream


def test_the_request_is_asked_as_it_was_meant() -> None:
    _, _, stream = read(servers.response(b"hello"))
    sent = b"".join(stream.written).lower()
    assert sent.startswith(b"get /page?x=1 http/1.1\r\nhost: site.example\r\naccept: */*\r\n")
    assert b"connection: close" in sent


@pytest.mark.parametrize(
    "script",
    [
        [servers.response(b"hello")],
        [bytes([byte]) for byte in servers.response(b"hello")],
        [b"HTTP/1.1 100 Continue\r\n\r\n", servers.response(b"hello")],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"],
        [b"HTTP/1.0 200 OK\r\n\r\nhello"],
    ],
)
def test_a_page_is_whole_however_it_is_cut(script: list[bytes]) -> None:
    failure, page, _ = read(*script)
    assert (failure, page.code, bytes(page.body), page.truncated) == (None, 200, b"hello", False)


@pytest.mark.parametrize(
    ("script", "failure", "code", "body"),
    [
        ([], "eof_error", 0, b""),
        ([ConnectionResetError(104, "")], "connection_reset", 0, b""),
        ([servers.response(b"hello")[:-2]], "eof_error", 200, b"hel"),
        ([servers.response(b"hello")[:-2], ConnectionResetError(104, "")], "connection_reset", 200, b"hel"),
        ([b"SSH-2.0-dropbear\r\n\r\n"], MALFORMED, 0, b""),
    ],
)
def test_what_came_before_it_broke_is_kept(
    script: list[bytes | BaseException], failure: str, code: int, body: bytes
) -> None:
    found, page, _ = read(*script)
    assert (found, page.code, bytes(page.body)) == (failure, code, body)


def test_no_more_than_wanted_is_taken() -> None:
    failure, page, _ = read(servers.response(b"x" * 200), most=100)
    assert failure is None
    assert len(page.body) == 100 and page.truncated


def test_a_page_of_exactly_the_size_is_not_truncated() -> None:
    _, page, _ = read(servers.response(b"x" * 100), most=100)
    assert len(page.body) == 100 and not page.truncated


@pytest.mark.parametrize("body", [b"", b"posted"])
def test_http_2_carries_a_question_and_its_answer(body: bytes) -> None:
    async def play() -> HttpResponse:
        async with servers.tcp_server(servers.h2_pages) as port:
            stream, page = await SocketNetwork().open_tcp("127.0.0.1", port), HttpResponse(10_000)
            await exchange(stream, Request("a.example", method="POST", body=body), page, "h2")
            stream.close()
            return page

    page = asyncio.run(play())
    assert (page.code, bytes(page.body)) == (200, body or servers.PAGE)
    assert page.header("server") == "tiny"


async def _h2_resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    while data := await reader.read(65_536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                connection.reset_stream(1, error_code=1)
        writer.write(connection.data_to_send())
        await writer.drain()


async def _no_status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    config = h2.config.H2Configuration(client_side=False, validate_outbound_headers=False)
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    while data := await reader.read(65_536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                connection.send_headers(1, [(":status", "fine")], end_stream=True)
        writer.write(connection.data_to_send())
        await writer.drain()


async def _no_h2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"\0\0\1\0\0\0\0\0\0x")  # data that belong to no stream (RFC 9113 section 6.1)
    await writer.drain()


@pytest.mark.parametrize(
    ("serve", "failure"),
    [
        (_h2_resets, STREAM_RESET),
        (_no_h2, MALFORMED),
        (_no_status, MALFORMED),
        (servers.close_at_once, "eof_error"),
        (servers.reset_at_once, "connection_reset"),
    ],
)
def test_http_2_that_breaks_is_named(serve: servers.Serve, failure: str) -> None:
    async def play() -> str:
        async with servers.tcp_server(serve) as port:
            stream = await SocketNetwork().open_tcp("127.0.0.1", port)
            try:
                await exchange(stream, ASK, HttpResponse(100), "h2")
            except NETWORK_ERRORS as error:
                return failure_of(error)
            finally:
                stream.close()
            return "ok"

    assert asyncio.run(play()) == failure
