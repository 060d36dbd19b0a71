"""Inspection: censors that read traffic: a name in a DNS query, a ClientHello or a QUIC packet, or a plain
request.

The keys of a QUIC connection's first packet can be derived by anyone (RFC 9001 section 5.2).  DNS answers are
forged on path (a race) or in path (the query never arrives); a ClientHello is answered with a reset before
the server answers, a plain HTTP request with a block page.
"""

from aioquic._buffer import Buffer, BufferReadError
from aioquic._crypto import CryptoError
from aioquic.quic.crypto import CryptoPair
from aioquic.quic.packet import QuicPacketType, pull_quic_header

from fanous.lab.boxes.box import BoxPlace, Injector, PacketQueue, Tap
from fanous.lab.netqueue import ACCEPT, DROP, Packet
from fanous.lab.packets import (
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
    question_of,
    segment_of,
)
from fanous.lab.webservers import BLOCK_PAGE

FORGED_TTL = 300
"""TTL of the forged record, in seconds: it differs from the true one's, so the two answers can be told
apart.
"""

PORT = 53


def forged(seen: TcpSegment, hosts: frozenset[str], answer: list[str]) -> bytes | None:
    """The packet that answers a question about one of ``hosts``, or a name below; ``None`` = it is about
    none."""
    if seen.protocol != UDP or seen.target_port != PORT:
        return None
    question = question_of(seen.payload)
    if question is None:
        return None
    parts = question.name.split(".")
    if not any(".".join(parts[depth:]) in hosts for depth in range(len(parts))):
        return None
    return forged_datagram(seen, answer_of(question, answer, ttl=FORGED_TTL))


class Racing:
    """Sees queries pass and answers first; the true answer arrives later.

    Args:
        clients: whose queries; those of a provider's own resolver come from its router.
    """

    def __init__(self, place: BoxPlace, hosts: list[str], clients: list[str], answer: list[str]) -> None:
        self._hosts, self._clients, self._answer = frozenset(hosts), frozenset(clients), answer
        self._injector = Injector(place.namespace)
        self._tap = Tap(place, self._seen)

    def _seen(self, segment: TcpSegment) -> None:
        if segment.source in self._clients:
            packet = forged(segment, self._hosts, self._answer)
            if packet:
                self._injector.send(packet, segment.source)

    def close(self) -> None:
        self._tap.close()
        self._injector.close()


class Answering:
    """Removes queries from the path and answers them itself."""

    def __init__(self, place: BoxPlace, hosts: list[str], answer: list[str]) -> None:
        self._hosts, self._answer = frozenset(hosts), answer
        self._injector = Injector(place.namespace)
        self._queue = PacketQueue(place, self._received)

    def _received(self, packet: Packet) -> None:
        segment = segment_of(packet.payload)
        answer = forged(segment, self._hosts, self._answer) if segment else None
        self._queue.queue.settle(packet.number, DROP if answer else ACCEPT)
        if segment and answer:
            self._injector.send(answer, segment.source)

    def close(self) -> None:
        self._queue.close()
        self._injector.close()


RESETS = 3
"""Resets sent for one handshake, like China's censor: one may be lost or come too late."""


def name_in_hello(host: str) -> bytes:
    """The server_name extension's content (RFC 6066 section 3)."""
    return b"\0" + len(host).to_bytes(2, "big") + host.encode()


class Resetting:
    """Args:
    clients: whose handshakes.
    """

    def __init__(self, place: BoxPlace, hosts: list[str], clients: list[str]) -> None:
        self._names, self._clients = [name_in_hello(host) for host in hosts], frozenset(clients)
        self._injector = Injector(place.namespace)
        self._tap = Tap(place, self._seen)

    def _seen(self, segment: TcpSegment) -> None:
        if segment.protocol != TCP or segment.target_port != 443 or segment.source not in self._clients:
            return
        if any(name in segment.payload for name in self._names):
            packet = forged_answer(segment, RST | ACK)
            for _ in range(RESETS):
                self._injector.send(packet, segment.source)

    def close(self) -> None:
        self._tap.close()
        self._injector.close()


PADDING, PING, CRYPTO = 0x00, 0x01, 0x06
"""Frame types (RFC 9000 section 19)."""


class ReadingQuic:
    """Args:
    hosts: names whose connections are dropped; all later packets of such a flow, too.
    """

    def __init__(self, place: BoxPlace, hosts: list[str]) -> None:
        self._names = [name_in_hello(host) for host in hosts]
        self._dropped: set[tuple[str, int, str, int]] = set()
        self._queue = PacketQueue(place, self._received)

    def _received(self, packet: Packet) -> None:
        segment = segment_of(packet.payload)
        if segment and segment.flow not in self._dropped:
            hello = crypto_of(segment.payload)
            if any(name in hello for name in self._names):
                self._dropped.add(segment.flow)
        is_dropped = segment is not None and segment.flow in self._dropped
        self._queue.queue.settle(packet.number, DROP if is_dropped else ACCEPT)

    def close(self) -> None:
        self._queue.close()


def crypto_of(datagram: bytes) -> bytes:
    """What the CRYPTO frames of a client's Initial packet carry; empty = it is none, or unreadable."""
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


class ForgingPages:
    """Every packet that a rule hands over is a request: it is dropped, answered, and the server reset."""

    def __init__(self, place: BoxPlace) -> None:
        self._injector = Injector(place.namespace)
        self._queue = PacketQueue(place, self._received)

    def _received(self, packet: Packet) -> None:
        self._queue.queue.settle(packet.number, DROP)
        request = segment_of(packet.payload)
        if request is None:
            return
        response = block_response()
        self._injector.send(forged_answer(request, PSH | ACK, response), request.source)
        self._injector.send(forged_answer(request, FIN | ACK, ahead=len(response)), request.source)
        self._injector.send(forged_reset_to_target(request), request.target)

    def close(self) -> None:
        self._queue.close()
        self._injector.close()
