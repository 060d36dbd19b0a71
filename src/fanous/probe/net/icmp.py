"""ICMP: one echo request and its reply (RFC 792, RFC 4443), without privileges where the system allows it.

Linux lets the groups in the setting ``ping_group_range`` open such sockets; it then chooses the identifier itself and
delivers only replies to it.  Otherwise a raw socket is tried, which needs CAP_NET_RAW and sees every reply that
arrives.
"""

import asyncio
import os
import socket
import struct
import sys
import time
from dataclasses import dataclass

ECHO, ECHO_REPLY, ECHO6, ECHO6_REPLY = 8, 0, 128, 129
TOKEN_BYTES = 8
IP_RECVTTL = 12
"""From linux/in.h; Python has a name for it from 3.14 on."""
LARGEST = 65_507
"""Most bytes of payload that one datagram can carry."""


@dataclass(frozen=True, slots=True)
class EchoReply:
    """What the reply to one ping shows.

    Attributes:
        seconds: from the request to the reply.
        hops_left: TTL or hop limit of the reply; -1 = the system does not say.
    """

    seconds: float
    hops_left: int


async def ping(ip: str, size: int = 28, ttl: int = 64) -> EchoReply:
    """Send one request and wait for its reply, for as long as the caller does.

    Args:
        size: bytes of payload, at least ``TOKEN_BYTES``, which only this request has.

    Raises:
        OSError: the request cannot be sent; ``PermissionError`` if no socket may be opened.
    """
    is_v6 = ":" in ip
    opened, is_raw = _opened(is_v6)
    identifier, token = os.getpid() & 0xFFFF, os.urandom(TOKEN_BYTES)
    payload = token + bytes(max(0, min(size, LARGEST) - TOKEN_BYTES))
    try:
        _prepare(opened, is_v6, ttl)
        began = time.monotonic()
        opened.sendto(_request(is_v6, identifier, payload), (ip, 0))
        while True:
            data, ancillary, _, _ = await _received(opened)
            body = data[(data[0] & 0x0F) * 4 :] if is_raw and not is_v6 else data
            if len(body) >= 8 and body[0] == (ECHO6_REPLY if is_v6 else ECHO_REPLY) and body[8:] == payload:
                return EchoReply(time.monotonic() - began, _hops(ancillary))
    finally:
        opened.close()


def _opened(is_v6: bool) -> tuple[socket.socket, bool]:
    family = socket.AF_INET6 if is_v6 else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if is_v6 else socket.IPPROTO_ICMP
    try:
        return socket.socket(family, socket.SOCK_DGRAM, protocol), False
    except PermissionError:
        return socket.socket(family, socket.SOCK_RAW, protocol), True


def _prepare(opened: socket.socket, is_v6: bool, ttl: int) -> None:
    opened.setblocking(False)
    if is_v6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    else:
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        opened.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)


def _request(is_v6: bool, identifier: int, payload: bytes) -> bytes:
    kind = ECHO6 if is_v6 else ECHO
    head = struct.pack("!BBHHH", kind, 0, 0, identifier, 1)
    # The kernel computes the checksum of ICMPv6, and of sockets without privileges.
    return struct.pack("!BBHHH", kind, 0, 0 if is_v6 else checksum(head + payload), identifier, 1) + payload


def checksum(data: bytes) -> int:
    """The checksum of RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


async def _received(opened: socket.socket) -> tuple[bytes, list[tuple[int, int, bytes]], int, object]:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(opened, ready.set)
    try:
        while True:
            try:
                return opened.recvmsg(LARGEST + 128, 256)
            except BlockingIOError:
                ready.clear()
                await ready.wait()
    finally:
        loop.remove_reader(opened)


def _hops(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if (level, kind) in ((socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)):
            return int.from_bytes(data[:4], sys.byteorder)
    return -1
