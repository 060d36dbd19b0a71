"""Small real servers on loopback, each a context manager that gives its port."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import h2.config
import h2.connection
import h2.events

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PAGE = b"<html><title>A page</title><body>" + b"hello " * 50 + b"</body></html>"


@asynccontextmanager
async def tcp_server(
    serve: Serve, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """Any server; a connection that breaks is the test's business."""
    open_now: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now[task] = writer
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        with suppress(OSError):
            writer.close()
        del open_now[task]

    server = await asyncio.start_server(guarded, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        tasks = list(open_now)
        for task in tasks:
            open_now[task].transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # what was aborted closes in the next rounds of the loop


def pages(
    answers: dict[str, bytes] | None = None, *, seen: list[str] | None = None, default: bytes = PAGE
) -> Serve:
    """HTTP/1.1: path -> a whole response, or ``default`` as the body of a 200."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        path = head.split(" ")[1]
        if seen is not None:
            seen.append(head)
        whole = (answers or {}).get(path) or response(default)
        writer.write(whole)
        await writer.drain()

    return serve


def pages_that_stay_open(body: bytes) -> Serve:
    """Every request on a connection is answered alike."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(response(body))
            await writer.drain()

    return serve


def response(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    extra = headers + ("\r\n" if headers else "")
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def redirect(location: str) -> bytes:
    return response(b"", "302 Found", f"Location: {location}")


async def h2_pages(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP/2: every path is answered with PAGE, posts with what was posted."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    writer.write(connection.data_to_send())
    posted = b""
    while data := await reader.read(65_536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                posted += event.data or b""
            if isinstance(event, h2.events.StreamEnded):
                stream = event.stream_id or 1
                connection.send_headers(stream, [(":status", "200"), ("server", "tiny")])
                connection.send_data(stream, posted or PAGE, end_stream=True)
        writer.write(connection.data_to_send())
        await writer.drain()


async def reset_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read something, then send a reset, as a middlebox does."""
    await reader.read(100)
    reset(writer)


async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(65_536):
        pass


def reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def reset_unless_greased(name: bytes, port_behind: int) -> Serve:
    """A censor who cuts a ClientHello with ``name`` in it whose first cipher is no GREASE."""

    def is_cut(hello: bytes) -> bool:
        first = hello[44 + hello[43] + 2 :][:2]  # after record and message heads, random, session, length
        return name in hello and (len(first) < 2 or first[0] != first[1] or first[0] & 15 != 10)

    return reset_where(is_cut, port_behind)


def reset_on_name(name: bytes, port_behind: int) -> Serve:
    """A censor in the path: it passes everything on to a server but a ClientHello with ``name`` in it."""
    return reset_where(lambda hello: name in hello, port_behind)


def by_name(ports: dict[bytes, int], otherwise: int) -> Serve:
    """Leads a connection by the name in its ClientHello, as a front for several sites does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.read(4096)
        port = next((port for name, port in ports.items() if name in hello), otherwise)
        await _pass_on(hello, reader, writer, port)

    return serve


def delayed_on_name(name: bytes, seconds: float, port_behind: int) -> Serve:
    """A censor who lets a ClientHello with ``name`` in it wait."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.read(4096)
        await asyncio.sleep(seconds if name in hello else 0)
        await _pass_on(hello, reader, writer, port_behind)

    return serve


def reset_where(is_cut: Callable[[bytes], bool], port_behind: int) -> Serve:
    """A censor in the path, by what it makes of a ClientHello."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.read(4096)
        if is_cut(hello):
            reset(writer)
            return
        await _pass_on(hello, reader, writer, port_behind)

    return serve


async def _pass_on(
    first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
) -> None:
    behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        behind_writer.write(first)
        await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))
    finally:
        behind_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


class _Resolver(asyncio.DatagramProtocol):
    def __init__(self, answer: "Answerer") -> None:
        self._answer = answer

    def connection_made(self, transport: Any) -> None:  # a DatagramTransport only since Python 3.12
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for wire in self._answer(data):
            self._transport.sendto(wire, addr)


Answerer = Callable[[bytes], list[bytes]]


@asynccontextmanager
async def udp_server(answer: Answerer) -> AsyncIterator[int]:
    """Sends all of ``answer(question)`` back, in order."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Resolver(answer), ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def dns_answer(
    question: bytes, address: str = "", *, ttl: int = 300, rcode: dns.rcode.Rcode = dns.rcode.NOERROR
) -> bytes:
    """A response to ``question``: ``address`` if it asks for A, else nothing."""
    asked = dns.message.from_wire(question)
    answer = dns.message.make_response(asked)
    answer.flags |= dns.flags.RA
    answer.set_rcode(rcode)
    if address and asked.question[0].rdtype == dns.rdatatype.A:
        answer.answer.append(dns.rrset.from_text(asked.question[0].name, ttl, "IN", "A", address))
    return answer.to_wire()


def resolver_over_tls(address: str) -> Serve:
    """DNS over TLS (RFC 7858)."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        wire = dns_answer(question, address)
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()

    return serve


def resolver_over_https(address: str) -> Serve:
    """DNS over HTTPS (RFC 8484), by HTTP/1.1."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length: ")[2].split("\r\n")[0])
        writer.write(response(dns_answer(await reader.readexactly(size), address)))
        await writer.drain()

    return serve
