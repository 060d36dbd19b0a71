"""Sockets: the real network over asyncio's socket calls, which show every read as it happened.

asyncio's streams are not used: they hide partial TLS records and when bytes arrived, and with that where a
transfer stalled.

Those calls return at once where data wait already.  So each read first lets the loop run: at a peer that sends faster
than we take it, no time-out would ever come due, in this measurement or any other.

``ping`` sends one echo request (RFC 792, RFC 4443), without privileges where the system allows it: Linux lets the
groups in the setting ``ping_group_range`` open such sockets; it then chooses the identifier itself and delivers only
replies to it.  Otherwise a raw socket is tried, which needs CAP_NET_RAW and sees every reply that arrives.
"""

import asyncio
import os
import socket
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fcntl import ioctl
from typing import TypeVar

from fanous.probe.net.network import Meter

T = TypeVar("T")

LARGEST_DATAGRAM = 65_535

UNHEARD = 1.0
"""Seconds after which unacknowledged data count as lost; a round trip takes at most a third of this."""

AT_ONCE = struct.pack("ii", 1, 0)
"""A value of SO_LINGER: closing resets the connection (socket(7))."""

IP_RECVERR, IPV6_RECVERR = 11, 25
"""From linux/in.h and linux/in6.h; not every Python has names for them."""


class SocketStream:
    """One TCP connection."""

    def __init__(self, connected: socket.socket, meter: Meter) -> None:
        self._socket = connected
        self._meter = meter
        self._loop = asyncio.get_running_loop()
        self._sent_at = 0.0

    async def read(self, most: int) -> bytes:
        await asyncio.sleep(0)
        data = await self._loop.sock_recv(self._socket, most)
        self._meter.spend(len(data))
        return data

    async def write(self, data: bytes) -> None:
        self._meter.spend(len(data))
        self._sent_at = self._loop.time()
        await self._loop.sock_sendall(self._socket, data)

    def limit_hops(self, hops: int) -> None:
        """From now on packets expire after this many hops, and ``read`` reports it (``EHOSTUNREACH``).

        Linux tells a TCP socket that a packet expired, but not where: no router's address is learnt.
        """
        if self._socket.family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
            self._socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
            self._socket.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)

    def close(self) -> None:
        """Close it, and stop the kernel from resending what is not getting through.

        The kernel retransmits unacknowledged data for minutes, even of a closed socket: a name that a censor
        reads would trigger blocking again each time, and would be seen to be requested again and again.
        """
        if self._is_unheard():
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self._socket.close()

    def _is_unheard(self) -> bool:
        if self._loop.time() < self._sent_at + UNHEARD or self._socket.fileno() < 0:
            return False
        (waiting,) = struct.unpack("i", ioctl(self._socket, termios.TIOCOUTQ, bytes(4)))
        return bool(waiting)


class SocketDatagrams:
    """One connected UDP socket: the kernel drops packets from other addresses."""

    def __init__(self, connected: socket.socket, meter: Meter) -> None:
        self._socket = connected
        self._meter = meter
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        self._meter.spend(len(data))
        await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        await asyncio.sleep(0)
        data = await self._loop.sock_recv(self._socket, LARGEST_DATAGRAM)
        self._meter.spend(len(data))
        return data

    def close(self) -> None:
        self._socket.close()


class SocketNetwork:
    """The machine's own network."""

    def __init__(self, meter: Meter | None = None) -> None:
        self.meter = meter or Meter()
        self._own: set[str] = set()

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def own_addresses(self) -> set[str]:
        return self._own

    async def look_up(self, hostname: str) -> list[str]:
        self.meter.check()
        infos = await in_thread(lambda: socket.getaddrinfo(hostname, None, type=socket.SOCK_STREAM))
        return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in infos))

    async def open_tcp(self, ip: str, port: int) -> SocketStream:
        self.meter.check()
        opened = self._socket(ip, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(opened, (ip, port))
            self._remember(opened)
        except BaseException:
            opened.close()
            raise
        return SocketStream(opened, self.meter)

    async def open_udp(self, ip: str, port: int) -> SocketDatagrams:
        self.meter.check()
        opened = self._socket(ip, socket.SOCK_DGRAM)
        try:
            opened.connect((ip, port))  # does not block: UDP has no handshake
            self._remember(opened)
        except BaseException:
            opened.close()
            raise
        return SocketDatagrams(opened, self.meter)

    def _socket(self, ip: str, kind: socket.SocketKind) -> socket.socket:
        """A new socket; the lab overrides this to open it at one of its vantage points."""
        opened = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, kind)
        opened.setblocking(False)
        return opened

    def _remember(self, opened: socket.socket) -> None:
        self._own.add(str(opened.getsockname()[0]).partition("%")[0])


async def in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a separate daemon thread.

    A pool would fill up with hanging look-ups, and the program could not end until the last of them gave up.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: OSError | UnicodeError | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def work() -> None:
        result, failed = None, None
        try:
            result = call()
        except (OSError, UnicodeError) as error:
            failed = error
        with suppress(RuntimeError):  # no one is waiting any more: the loop is closed
            loop.call_soon_threadsafe(finish, result, failed)

    threading.Thread(target=work, daemon=True).start()
    return await done


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
        opened.setblocking(False)
        if is_v6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            opened.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
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
