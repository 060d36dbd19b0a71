"""Proxy: servers in a router to which connections are redirected: TLS interception, and a login page."""

import asyncio
import socket
import ssl
import struct
from pathlib import Path

from fanous.lab.boxes.box import BoxPlace
from fanous.lab.space import entered
from fanous.lab.webservers import Authority

SO_ORIGINAL_DST = 80
"""Of linux/netfilter_ipv4.h and its IPv6 twin: where a connection was going before it was redirected."""

CHUNK = 65_536

ROGUE = "National Gateway Interception CA"

LOGIN_PAGE = (
    b"<html><head><title>Welcome to Cafe Wi-Fi</title></head><body><form action=/login>"
    b"Room <input name=room> <button>Log in</button></form></body></html>\n"
)


def listening_in(namespace: str, port: int) -> socket.socket:
    """On all addresses, of both IP versions."""
    with entered(namespace):
        made = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256)
    made.setblocking(False)
    return made


class Serving:
    """A server in a router that takes whatever is redirected to it."""

    def __init__(self, place: BoxPlace, port: int, context: ssl.SSLContext | None) -> None:
        listening = listening_in(place.namespace, port)
        self._open: set[asyncio.StreamWriter] = set()
        loop = asyncio.get_running_loop()
        self._starting = loop.create_task(asyncio.start_server(self._connected, sock=listening, ssl=context))

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self.serve(reader, writer)
        except (OSError, EOFError):
            pass  # either side went away
        finally:
            self._open.discard(writer)
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    def close(self) -> None:
        if self._starting.done() and not self._starting.cancelled():
            self._starting.result().close()
        self._starting.cancel()
        for writer in list(self._open):
            writer.transport.abort()


class Portal(Serving):
    """Answers every request with a login page."""

    def __init__(self, place: BoxPlace, port: int) -> None:
        super().__init__(place, port, None)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(LOGIN_PAGE)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + LOGIN_PAGE)
        await writer.drain()


class Intercepting(Serving):
    """Terminates TLS with a certificate from its own authority, and relays what it reads to the true server.

    Args:
        folder: for the certificates.
    """

    def __init__(self, place: BoxPlace, port: int, folder: str) -> None:
        self._authority = Authority(Path(folder), ROGUE)
        self._place = place
        self._contexts: dict[str, ssl.SSLContext] = {}
        context = self._context_for("unnamed.invalid")
        context.sni_callback = self._named
        super().__init__(place, port, context)

    def _named(self, tls: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        tls.context = self._context_for(name or "unnamed.invalid")

    def _context_for(self, name: str) -> ssl.SSLContext:
        if name not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._authority.sign(name))
            context.set_alpn_protocols(["http/1.1"])
            self._contexts[name] = context
        return self._contexts[name]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        used = writer.get_extra_info("ssl_object").context
        name = next((name for name, context in self._contexts.items() if context is used), "")
        there, onward = await self._to_server(writer.get_extra_info("socket"), name)
        try:
            await asyncio.gather(_relay(reader, onward), _relay(there, writer))
        finally:
            onward.close()

    async def _to_server(
        self, connected: socket.socket, name: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address, port = original_target(connected)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with entered(self._place.namespace):
            outgoing = socket.socket(family, socket.SOCK_STREAM)
        outgoing.setblocking(False)
        await asyncio.get_running_loop().sock_connect(outgoing, (address, port))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return await asyncio.open_connection(sock=outgoing, ssl=context, server_hostname=name)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    writer.close()


def original_target(connected: socket.socket) -> tuple[str, int]:
    """Where the client wanted to connect; the socket is IPv6 even if the client is not."""
    if str(connected.getpeername()[0]).startswith("::ffff:"):
        raw = connected.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
        port, address = struct.unpack_from(">H4s", raw, 2)
        return socket.inet_ntop(socket.AF_INET, address), port
    raw = connected.getsockopt(socket.IPPROTO_IPV6, SO_ORIGINAL_DST, 28)
    port = struct.unpack_from(">H", raw, 2)[0]
    return socket.inet_ntop(socket.AF_INET6, raw[8:24]), port
