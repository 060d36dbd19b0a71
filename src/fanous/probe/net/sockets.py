"""Sockets: the real network over asyncio's socket calls, which show every read as it came.

asyncio's streams are not used: they hide when bytes arrived and partial TLS records, and with them where a
transfer stalled.
"""

import asyncio
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from typing import TypeVar

from fanous.probe.net.network import Meter

T = TypeVar("T")

LARGEST_DATAGRAM = 65_535

UNHEARD = 1.0
"""Seconds after which what was sent and not acknowledged was lost; a round trip takes a third at the most."""

AT_ONCE = struct.pack("ii", 1, 0)
"""Of SO_LINGER: closing resets the connection (socket(7))."""

IP_RECVERR, IPV6_RECVERR = 11, 25
"""Of linux/in.h and linux/in6.h; Python has no names for them everywhere."""


class SocketStream:
    """One TCP connection."""

    def __init__(self, connected: socket.socket, meter: Meter) -> None:
        self._socket = connected
        self._meter = meter
        self._loop = asyncio.get_running_loop()
        self._sent_at = 0.0

    async def read(self, most: int) -> bytes:
        data = await self._loop.sock_recv(self._socket, most)
        self._meter.spend(len(data))
        return data

    async def write(self, data: bytes) -> None:
        self._meter.spend(len(data))
        self._sent_at = self._loop.time()
        await self._loop.sock_sendall(self._socket, data)

    def limit_hops(self, hops: int) -> None:
        """From now on what is sent dies after so many machines, and ``read`` says so (``EHOSTUNREACH``).

        Linux tells a TCP socket that a packet died, but not where: no address of a router is learnt.
        """
        if self._socket.family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
            self._socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
            self._socket.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)

    def close(self) -> None:
        """Close it, and let nothing go on that is not getting through.

        The kernel sends what was not acknowledged again for minutes, also of a closed socket: a name that a
        censor reads would block the address anew each time, and be seen to be asked for again and again.
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
    """One connected UDP socket: the kernel drops what comes from another address."""

    def __init__(self, connected: socket.socket, meter: Meter) -> None:
        self._socket = connected
        self._meter = meter
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        self._meter.spend(len(data))
        await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
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
        found = await in_thread(lambda: socket.getaddrinfo(hostname, None, type=socket.SOCK_STREAM))
        return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))

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
            opened.connect((ip, port))  # does not wait: UDP has no handshake
            self._remember(opened)
        except BaseException:
            opened.close()
            raise
        return SocketDatagrams(opened, self.meter)

    def _socket(self, ip: str, kind: socket.SocketKind) -> socket.socket:
        """A new one; the lab makes it at one of its vantage points instead."""
        opened = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, kind)
        opened.setblocking(False)
        return opened

    def _remember(self, opened: socket.socket) -> None:
        self._own.add(str(opened.getsockname()[0]).partition("%")[0])


async def in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a daemon thread of its own.

    A pool would be full of look-ups that hang, and would hold up the end of the program until the last
    one gave up.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: OSError | UnicodeError | None) -> None:
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
        with suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=work, daemon=True).start()
    return await done
