"""Packets: IP, TCP and UDP as bytes: read off the wire, and forged as if someone else had sent them.

For DNS it has the few parts of RFC 1035 that the resolvers and injectors need.
"""

import socket
import struct
from dataclasses import dataclass

TCP, UDP = 6, 17

FIN, RST, PSH, ACK = 1, 4, 8, 16

FORGED_TTL = 57
"""Of forged packets: an injector stands closer than the server (64), or farther; either shows."""

WINDOW = 64_240


@dataclass(frozen=True, slots=True)
class TcpSegment:
    """A TCP segment or a datagram.

    Attributes:
        protocol: ``TCP`` or ``UDP``.
        sequence, acknowledged: of TCP; 0 of UDP.
    """

    protocol: int
    source: str
    target: str
    source_port: int
    target_port: int
    sequence: int
    acknowledged: int
    payload: bytes

    @property
    def flow(self) -> tuple[str, int, str, int]:
        return self.source, self.source_port, self.target, self.target_port


def segment_of(packet: bytes) -> TcpSegment | None:
    """``None`` where it is neither TCP nor UDP, or is cut short.  IPv6 extension headers are not followed."""
    try:
        if packet[0] >> 4 == 4:
            head, protocol = (packet[0] & 15) * 4, packet[9]
            source, target = (socket.inet_ntop(socket.AF_INET, packet[at : at + 4]) for at in (12, 16))
            packet = packet[: int.from_bytes(packet[2:4], "big")]
        else:
            head, protocol = 40, packet[6]
            source, target = (socket.inet_ntop(socket.AF_INET6, packet[at : at + 16]) for at in (8, 24))
        source_port, target_port = struct.unpack_from(">HH", packet, head)
        if protocol == UDP:
            return TcpSegment(UDP, source, target, source_port, target_port, 0, 0, packet[head + 8 :])
        if protocol != TCP:
            return None
        sequence, acknowledged, offset = struct.unpack_from(">IIB", packet, head + 4)
        payload = packet[head + (offset >> 4) * 4 :]
        return TcpSegment(TCP, source, target, source_port, target_port, sequence, acknowledged, payload)
    except (IndexError, struct.error, ValueError):
        return None


def forged_datagram(answered: TcpSegment, payload: bytes) -> bytes:
    """An answer to ``answered`` as if its target had sent it."""
    head = struct.pack(">HHHH", answered.target_port, answered.source_port, 8 + len(payload), 0)
    return _packet(answered.target, answered.source, UDP, head + payload, 6)


def forged_answer(answered: TcpSegment, flags: int, payload: bytes = b"", ahead: int = 0) -> bytes:
    """A segment to the sender of ``answered`` as if its target had sent it.

    Args:
        ahead: bytes that were forged before on this connection.
    """
    return _packet(
        answered.target,
        answered.source,
        TCP,
        _tcp_head(
            answered.target_port,
            answered.source_port,
            answered.acknowledged + ahead,
            answered.sequence + len(answered.payload),
            flags,
        )
        + payload,
        16,
    )


def forged_reset_to_target(seen: TcpSegment) -> bytes:
    """A reset to the target of ``seen`` as if its sender had given up instead of sending it."""
    head = _tcp_head(seen.source_port, seen.target_port, seen.sequence, 0, RST)
    return _packet(seen.source, seen.target, TCP, head, 16)


def _tcp_head(source: int, target: int, sequence: int, acknowledged: int, flags: int) -> bytes:
    return struct.pack(
        ">HHIIBBHHH",
        source,
        target,
        sequence & 0xFFFFFFFF,
        acknowledged & 0xFFFFFFFF,
        5 << 4,
        flags,
        WINDOW,
        0,
        0,
    )


def _packet(source: str, target: str, protocol: int, body: bytes, checksum_at: int) -> bytes:
    """IP header, and ``body`` with its checksum in place (RFC 1071 over RFC 9293's pseudo-header)."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    pseudo = ends + struct.pack(">II", len(body), protocol)
    computed = checksum(pseudo + body) or (0xFFFF if protocol == UDP else 0)
    body = body[:checksum_at] + computed.to_bytes(2, "big") + body[checksum_at + 2 :]
    if family == socket.AF_INET6:
        return struct.pack(">IHBB", 6 << 28, len(body), protocol, FORGED_TTL) + ends + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, FORGED_TTL, protocol, 0) + ends
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + body


def checksum(data: bytes) -> int:
    """RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


A, AAAA = 1, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5

RECURSION_ASKED, RECURSION_HERE, IS_ANSWER = 0x0100, 0x0080, 0x8000


@dataclass(frozen=True, slots=True)
class Question:
    """What a message asks.

    Attributes:
        name: lower case, without the last dot.
        wire: the question section as it stands in the message.
    """

    identity: int
    name: str
    kind: int
    wire: bytes


def question_of(message: bytes) -> Question | None:
    """``None`` where it is no question with exactly one name."""
    if len(message) < 17 or message[2] & 0x80 or message[4:6] != b"\0\1":
        return None
    labels, at = [], 12
    while at < len(message) and message[at]:
        size = message[at]
        if size > 63 or at + 1 + size >= len(message):
            return None
        labels.append(message[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    end = at + 5
    if end > len(message):
        return None
    kind = int.from_bytes(message[at + 1 : at + 3], "big")
    identity = int.from_bytes(message[:2], "big")
    return Question(identity, ".".join(labels).lower(), kind, message[12:end])


def answer_of(question: Question, addresses: list[str], code: int = NOERROR, ttl: int = 60) -> bytes:
    """An answer with those of the addresses that the question is about."""
    family = {A: socket.AF_INET, AAAA: socket.AF_INET6}.get(question.kind)
    chosen = [a for a in addresses if (":" in a) == (question.kind == AAAA)] if family else []
    flags = IS_ANSWER | RECURSION_ASKED | RECURSION_HERE | code
    head = b"".join(n.to_bytes(2, "big") for n in (question.identity, flags, 1, len(chosen), 0, 0))
    records = b""
    for address in chosen:
        value = socket.inet_pton(family or socket.AF_INET, address)
        records += b"\xc0\x0c" + question.kind.to_bytes(2, "big") + b"\0\1" + ttl.to_bytes(4, "big")
        records += len(value).to_bytes(2, "big") + value
    return head + question.wire + records


def is_below(name: str, hosts: frozenset[str]) -> bool:
    """Is it one of these hosts, or a subdomain of one?"""
    parts = name.split(".")
    return any(".".join(parts[depth:]) in hosts for depth in range(len(parts)))


def name_wire(name: str) -> bytes:
    """``x.com`` as it stands in a question."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
