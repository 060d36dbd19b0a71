"""Seam: the probe's network at a vantage point of the lab, for many vantage points in one process.

Each socket is made inside the vantage point's namespace and stays there; all else is ``probe.net.sockets``.
"""

import asyncio
import secrets
import socket
from collections.abc import Awaitable, Callable

from fanous.lab.dnswire import AAAA, NXDOMAIN, A, name_wire
from fanous.lab.plan import VantagePoint
from fanous.lab.space import socket_in
from fanous.probe.dns_wire import read_answer
from fanous.probe.net.meter import Meter
from fanous.probe.net.sockets import SocketNetwork

LOOKUP_PATIENCE = (1.0, 2.0)
"""Seconds for each of two questions to the provider's resolver; glibc's 5 s are no use at a lab's tick."""


class NamespacedNetwork(SocketNetwork):
    """What a probe at ``point`` may do outside itself.

    Args:
        clock_offset: seconds by which this probe's clock is ahead: a broken one.
    """

    def __init__(self, point: VantagePoint, meter: Meter | None = None, clock_offset: float = 0.0) -> None:
        super().__init__(meter)
        self.point = point
        self._clock_offset = clock_offset

    def wall(self) -> float:
        return super().wall() + self._clock_offset

    async def look_up(self, hostname: str) -> list[str]:
        """As getaddrinfo would: IPv6 and IPv4 by the provider's resolver, and its errors."""
        self.meter.check()
        kinds = (A, AAAA) if self.point.address6 else (A,)
        answers = await asyncio.gather(*(self._ask(hostname, kind) for kind in kinds))
        addresses = [address for found, _ in answers for address in found]
        if addresses:
            return list(dict.fromkeys(addresses))
        codes = {code for _, code in answers}
        if NXDOMAIN in codes:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if codes == {0}:
            raise socket.gaierror(socket.EAI_NODATA, "No address associated with hostname")
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async def _ask(self, hostname: str, kind: int) -> tuple[list[str], int | None]:
        """Addresses and the response code; ``None`` = silence."""
        identity = secrets.randbelow(1 << 16)
        wire = identity.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0"
        wire += name_wire(hostname.encode("idna").decode()) + kind.to_bytes(2, "big") + b"\0\1"
        datagrams = await self.open_udp(self.point.resolver, 53)
        try:
            for patience in LOOKUP_PATIENCE:
                try:
                    async with asyncio.timeout(patience):
                        await datagrams.send(wire)
                        return await _read(datagrams.receive, identity)
                except (TimeoutError, OSError):
                    continue
        finally:
            datagrams.close()
        return [], None

    def _socket(self, ip: str, kind: socket.SocketKind) -> socket.socket:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        opened = socket_in(self.point.namespace, family, kind)
        opened.setblocking(False)
        return opened


async def _read(receive: Callable[[], Awaitable[bytes]], identity: int) -> tuple[list[str], int]:
    message = await receive()
    while message[:2] != identity.to_bytes(2, "big"):
        message = await receive()
    return read_answer(message, identity).addresses, message[3] & 0x0F
