"""Network: the one seam between a probe and the world - connections, datagrams, lookups, clocks.

Every method may raise one of ``failure.NETWORK_ERRORS``; deadlines are the caller's (``asyncio.timeout``).
"""

from typing import Protocol, runtime_checkable


class Stream(Protocol):
    """A connection."""

    async def read(self, most: int) -> bytes:
        """The next bytes, at most ``most``; empty = the other side closed."""
        ...

    async def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class HopLimited(Stream, Protocol):
    """A connection of which it can be said how far what is sent may go."""

    def limit_hops(self, hops: int) -> None:
        """What is sent from now on dies after so many machines; ``read`` then raises ``EHOSTUNREACH``."""
        ...


class Datagrams(Protocol):
    """A socket for datagrams to one address."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes:
        """The next datagram from that address."""
        ...

    def close(self) -> None: ...


class Network(Protocol):
    """What a probe may do outside itself."""

    def now(self) -> float:
        """Seconds of a clock that never goes back."""
        ...

    def wall(self) -> float:
        """Unix seconds, UTC, as the machine's clock has them."""
        ...

    async def look_up(self, hostname: str) -> list[str]:
        """Addresses that the system's resolver gives, in its order, each once."""
        ...

    async def open_tcp(self, ip: str, port: int) -> Stream: ...

    async def open_udp(self, ip: str, port: int) -> Datagrams: ...

    def own_addresses(self) -> set[str]:
        """Addresses of this machine that its connections came from; never stored, only scrubbed."""
        ...
