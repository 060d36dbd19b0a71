"""Boxes: programs in the path of the lab's traffic, for what firewall rules alone cannot do.

One process (``python -m fanous_lab.boxes FOLDER``) runs them all, each with sockets in its router; orders over a unix
socket say where to put them.  To add one, write a ``Box`` whose constructor takes a ``BoxPlace`` and options, and add a
line to ``BOXES``.

Some congest or delay a line; some read traffic (a name in a DNS query, a ClientHello or a QUIC packet, a plain request)
and forge an answer, on path (a race) or in path (the query never arrives); some are servers in a router to which
connections are redirected: TLS interception, and a login page.  The keys of a QUIC connection's first packet can be
derived by anyone (RFC 9001 section 5.2).
"""

import asyncio
import ctypes
import random
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aioquic._buffer import Buffer, BufferReadError
from aioquic._crypto import CryptoError
from aioquic.quic.crypto import CryptoPair
from aioquic.quic.packet import QuicPacketType, pull_quic_header

from fanous_lab.netqueue import ACCEPT, DROP, Netqueue, Packet
from fanous_lab.packets import (
    ACK,
    FIN,
    PSH,
    RST,
    TCP,
    UDP,
    TcpSegment,
    answer_of,
    forged_answer,
    forged_datagram,
    forged_reset_to_target,
    is_below,
    question_of,
    segment_of,
)
from fanous_lab.registry import listen
from fanous_lab.space import allow_many_files, entered, socket_in
from fanous_lab.webservers import BLOCK_PAGE, Authority

ETH_P_ALL = 3
OUTGOING = 4
"""PACKET_OUTGOING of packet(7)."""

LARGEST = 70_000
SO_ATTACH_FILTER = 26
BUFFER = 8 << 20


class Closable(Protocol):
    def close(self) -> None: ...


class Box:
    """Runs where it was placed until it is closed.

    Attributes:
        parts: what is closed with it, in this order.
    """

    parts: tuple[Closable, ...] = ()

    def close(self) -> None:
        for part in self.parts:
            part.close()


@dataclass(frozen=True, slots=True)
class BoxPlace:
    """Where a box runs.

    Attributes:
        namespace: the router's.
        uplink: its interface towards the gateway.
        queue: number of its NFQUEUE, unique in that router.
    """

    namespace: str
    uplink: str
    queue: int


class Injector:
    """Sends packets with any source out of a router."""

    def __init__(self, namespace: str) -> None:
        self._v4 = socket_in(namespace, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._v6 = socket_in(namespace, socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, packet: bytes, target: str) -> None:
        with suppress(OSError):  # a cut has taken the route away
            if ":" in target:
                self._v6.sendto(packet, (target, 0, 0, 0))
            else:
                self._v4.sendto(packet, (target, 0))

    def close(self) -> None:
        self._v4.close()
        self._v6.close()


class Tap:
    """A copy of every packet that leaves through the uplink; the packets themselves go on."""

    def __init__(self, place: BoxPlace, seen: Callable[[TcpSegment], None]) -> None:
        self._socket = socket_in(place.namespace, socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _outgoing_only())
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        with entered(place.namespace):
            self._socket.bind((place.uplink, ETH_P_ALL))
        self._socket.setblocking(False)
        self._seen = seen
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def _read(self) -> None:
        while True:
            try:
                packet = self._socket.recv(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                return  # the interface is down; this is reported once
            segment = segment_of(packet)
            if segment is not None and segment.payload:
                self._seen(segment)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


_program: list[object] = []
"""The filter's memory, which the kernel reads while it is attached."""


def _outgoing_only() -> bytes:
    """A classic BPF program: packets that leave pass, others are not even copied (linux/filter.h)."""
    packet_type = (-0x1000 + 4) & 0xFFFFFFFF  # SKF_AD_OFF + SKF_AD_PKTTYPE
    lines = [(0x20, 0, 0, packet_type), (0x15, 0, 1, OUTGOING), (0x06, 0, 0, LARGEST), (0x06, 0, 0, 0)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    _program[:] = [code]
    return struct.pack("@HP", len(lines), ctypes.addressof(code))


class PacketQueue:
    """Packets that a firewall rule hands over; each waits for a verdict."""

    def __init__(
        self, place: BoxPlace, received: Callable[[Packet], None], *, with_payload: bool = True
    ) -> None:
        with entered(place.namespace):
            self.queue = Netqueue(place.queue, with_payload=with_payload)
        self._received = received
        asyncio.get_running_loop().add_reader(self.queue, self._read)

    def _read(self) -> None:
        for packet in self.queue.received():
            self._received(packet)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.queue)
        self.queue.close()


PACKET = bytes(1200)
DISCARD = 9
"""The discard port (RFC 863): nothing listens there."""

STEP = 0.01
WANTED = (0.2, 1.1)
"""Share of the line that neighbours want: two thirds on average, at times more than there is."""

MOOD = 0.5
"""Seconds, on average, before they want more or less."""


class Neighbours(Box):
    """Other people's traffic on users' pipes, which swells and ebbs by chance.

    Args:
        clients: addresses (IPv4) of the users whose pipes are crowded; each has its own neighbours.
        rate_kbps: rate of each pipe.
        seed: decides what they want, and when.
    """

    def __init__(self, place: BoxPlace, clients: Sequence[str], rate_kbps: float, seed: int) -> None:
        self._socket = socket_in(place.namespace, socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._rate = rate_kbps
        self._tasks = [
            asyncio.get_running_loop().create_task(self._crowd(client, random.Random(f"{seed} {client}")))
            for client in clients
            if ":" not in client
        ]

    async def _crowd(self, client: str, chance: random.Random) -> None:
        loop = asyncio.get_running_loop()
        wanted, until, owed, before = 0.0, 0.0, 0.0, loop.time()
        while True:
            now = loop.time()
            if now >= until:
                wanted, until = self._rate * chance.uniform(*WANTED), now + chance.expovariate(1 / MOOD)
            owed += wanted * 1000 / 8 * min(now - before, 10 * STEP)
            before = now
            while owed >= len(PACKET):
                owed -= len(PACKET)
                with suppress(OSError):  # a full queue, or a refusal that came back: people ask again
                    self._socket.sendto(PACKET, (client, DISCARD))
            await asyncio.sleep(STEP)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._socket.close()


class Delaying(Box):
    """Holds every packet back for a time.

    Args:
        seconds: delay of each packet.
    """

    def __init__(self, place: BoxPlace, seconds: float) -> None:
        self._seconds = seconds
        self._queue = PacketQueue(place, self._hold, with_payload=False)
        self.parts = (self._queue,)

    def _hold(self, packet: Packet) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._seconds, self._release, packet.number)

    def _release(self, number: int) -> None:
        if self._queue.queue.socket.fileno() >= 0:
            self._queue.queue.decide(number, ACCEPT)


FORGED_TTL = 300
"""TTL of the forged record, in seconds: it differs from the true one's, so the two answers can be told apart."""

PORT = 53


def forged(seen: TcpSegment, hosts: frozenset[str], answer: list[str]) -> bytes | None:
    """The packet that answers a question about one of ``hosts`` or a subdomain; ``None`` = it asks about
    none."""
    if seen.protocol != UDP or seen.target_port != PORT:
        return None
    question = question_of(seen.payload)
    if question is None or not is_below(question.name, hosts):
        return None
    return forged_datagram(seen, answer_of(question, answer, ttl=FORGED_TTL))


class Racing(Box):
    """Sees queries pass and answers first; the true answer arrives later.

    Args:
        clients: whose queries; those of a provider's own resolver come from its router.
    """

    def __init__(self, place: BoxPlace, hosts: list[str], clients: list[str], answer: list[str]) -> None:
        self._hosts, self._clients, self._answer = frozenset(hosts), frozenset(clients), answer
        self._injector = Injector(place.namespace)
        self.parts = (Tap(place, self._seen), self._injector)

    def _seen(self, segment: TcpSegment) -> None:
        if segment.source in self._clients:
            packet = forged(segment, self._hosts, self._answer)
            if packet:
                self._injector.send(packet, segment.source)


class Answering(Box):
    """Removes queries from the path and answers them itself."""

    def __init__(self, place: BoxPlace, hosts: list[str], answer: list[str]) -> None:
        self._hosts, self._answer = frozenset(hosts), answer
        self._injector = Injector(place.namespace)
        self._queue = PacketQueue(place, self._received)
        self.parts = (self._queue, self._injector)

    def _received(self, packet: Packet) -> None:
        segment = segment_of(packet.payload)
        answer = forged(segment, self._hosts, self._answer) if segment else None
        self._queue.queue.decide(packet.number, DROP if answer else ACCEPT)
        if segment and answer:
            self._injector.send(answer, segment.source)


RESETS = 3
"""Resets sent for one handshake, as China's censor does: one may be lost or come too late."""


def name_in_hello(host: str) -> bytes:
    """The server_name extension's content (RFC 6066 section 3)."""
    return b"\0" + len(host).to_bytes(2, "big") + host.encode()


class Resetting(Box):
    """Answers a handshake that names one of the hosts with forged resets.

    Args:
        clients: whose handshakes.
    """

    def __init__(self, place: BoxPlace, hosts: list[str], clients: list[str]) -> None:
        self._names, self._clients = [name_in_hello(host) for host in hosts], frozenset(clients)
        self._injector = Injector(place.namespace)
        self.parts = (Tap(place, self._seen), self._injector)

    def _seen(self, segment: TcpSegment) -> None:
        if segment.protocol != TCP or segment.target_port != 443 or segment.source not in self._clients:
            return
        if any(name in segment.payload for name in self._names):
            packet = forged_answer(segment, RST | ACK)
            for _ in range(RESETS):
                self._injector.send(packet, segment.source)


PADDING, PING, CRYPTO = 0x00, 0x01, 0x06
"""Frame types (RFC 9000 section 19)."""


class ReadingQuic(Box):
    """Drops QUIC connections whose first packet names one of the hosts.

    Args:
        hosts: names whose connections are dropped, along with all later packets of the flow.
    """

    def __init__(self, place: BoxPlace, hosts: list[str]) -> None:
        self._names = [name_in_hello(host) for host in hosts]
        self._dropped: set[tuple[str, int, str, int]] = set()
        self._queue = PacketQueue(place, self._received)
        self.parts = (self._queue,)

    def _received(self, packet: Packet) -> None:
        segment = segment_of(packet.payload)
        if segment and segment.flow not in self._dropped:
            hello = crypto_of(segment.payload)
            if any(name in hello for name in self._names):
                self._dropped.add(segment.flow)
        is_dropped = segment is not None and segment.flow in self._dropped
        self._queue.queue.decide(packet.number, DROP if is_dropped else ACCEPT)


def crypto_of(datagram: bytes) -> bytes:
    """Contents of the CRYPTO frames of a client's Initial packet; empty = another packet, or unreadable."""
    try:
        buffer = Buffer(data=datagram)
        header = pull_quic_header(buffer, host_cid_length=8)
        if header.packet_type != QuicPacketType.INITIAL or header.version is None:
            return b""
        pair = CryptoPair()
        pair.setup_initial(cid=header.destination_cid, is_client=False, version=header.version)
        _, plain, _ = pair.decrypt_packet(datagram[: header.packet_length], buffer.tell(), 0)
    except (ValueError, BufferReadError, CryptoError):
        return b""
    return _crypto_frames(plain)


def _crypto_frames(plain: bytes) -> bytes:
    parts: dict[int, bytes] = {}
    buffer = Buffer(data=plain)
    try:
        while not buffer.eof():
            kind = buffer.pull_uint_var()
            if kind == CRYPTO:
                offset = buffer.pull_uint_var()
                parts[offset] = buffer.pull_bytes(buffer.pull_uint_var())
            elif kind not in (PADDING, PING):
                break
    except BufferReadError:
        pass
    return b"".join(parts[offset] for offset in sorted(parts))


def block_response() -> bytes:
    """A whole response; it fits into one segment."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(BLOCK_PAGE)}\r\n"
    return f"{head}Connection: close\r\n\r\n{BLOCK_PAGE}".encode()


class ForgingPages(Box):
    """Every packet that a rule hands over is a request: it is dropped, answered, and the server reset."""

    def __init__(self, place: BoxPlace) -> None:
        self._injector = Injector(place.namespace)
        self._queue = PacketQueue(place, self._received)
        self.parts = (self._queue, self._injector)

    def _received(self, packet: Packet) -> None:
        self._queue.queue.decide(packet.number, DROP)
        request = segment_of(packet.payload)
        if request is None:
            return
        response = block_response()
        self._injector.send(forged_answer(request, PSH | ACK, response), request.source)
        self._injector.send(forged_answer(request, FIN | ACK, ahead=len(response)), request.source)
        self._injector.send(forged_reset_to_target(request), request.target)


SO_ORIGINAL_DST = 80
"""From linux/netfilter_ipv4.h and its IPv6 counterpart: where a connection was going before it was redirected."""

CHUNK = 65_536

ROGUE = "National Gateway Interception CA"

LOGIN_PAGE = (
    b"<html><head><title>Welcome to Cafe Wi-Fi</title></head><body><form action=/login>"
    b"Room <input name=room> <button>Log in</button></form></body></html>\n"
)


def listening_in(namespace: str, port: int) -> socket.socket:
    """A socket that listens on all addresses, IPv4 and IPv6."""
    with entered(namespace):
        listening = socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256
        )
    listening.setblocking(False)
    return listening


class Serving(Box):
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
            pass  # one side closed the connection
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
        folder: where the certificates go.
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


BOXES: dict[str, Callable[..., Box]] = {
    "answering": Answering,
    "delaying": Delaying,
    "forging_pages": ForgingPages,
    "intercepting": Intercepting,
    "neighbours": Neighbours,
    "portal": Portal,
    "racing": Racing,
    "reading_quic": ReadingQuic,
    "resetting": Resetting,
}


# --- the program that runs them ---------------------------------------------------------------------------

CONTROL = "middlebox.sock"


class Middlebox:
    """The boxes in place, by cut."""

    def __init__(self) -> None:
        self._standing: dict[str, list[Box]] = {}

    def obey(self, order: dict[str, Any]) -> None:
        """Obey ``put`` (boxes of one kind, for a cut) or ``take`` (remove a cut's boxes)."""
        if order["do"] == "put":
            make = BOXES[order["kind"]]
            standing = self._standing.setdefault(order["cut"], [])
            for one in order["places"]:
                place = BoxPlace(one["namespace"], one["uplink"], one["queue"])
                standing.append(make(place, **one["options"]))
        elif order["do"] == "take":
            for box in self._standing.pop(order["cut"], []):
                box.close()


async def serve(folder: Path) -> None:
    """Run until the process is ended."""
    server = await listen(folder / CONTROL, Middlebox().obey)
    await server.serve_forever()


if __name__ == "__main__":
    allow_many_files()
    asyncio.run(serve(Path(sys.argv[1])))
