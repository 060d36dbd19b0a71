"""Network: the one seam between a probe and the world - connections, datagrams, lookups, clocks.

Every method may raise one of ``failure.NETWORK_ERRORS``; deadlines are the caller's (``asyncio.timeout``).

A probe must not connect to every address that a resolver returns: a forged answer that points into the
volunteer's own network would turn the probe into a tool against it.

A meter counts the bytes of all connections, so that a data cap applies even in the middle of a page.
"""

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Protocol, runtime_checkable

from fanous.errors import FanousError
from fanous.model.measurement import is_address, is_private_name


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
    """A connection that can limit how many hops its packets travel."""

    def limit_hops(self, hops: int) -> None:
        """Packets sent from now on expire after this many hops; ``read`` then raises ``EHOSTUNREACH``."""
        ...


class Datagrams(Protocol):
    """A datagram socket for one address."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes:
        """The next datagram from that address."""
        ...

    def close(self) -> None: ...


class Network(Protocol):
    """Everything a probe may do to the outside world."""

    def now(self) -> float:
        """Seconds on a monotonic clock."""
        ...

    def wall(self) -> float:
        """Unix seconds, UTC, by the machine's clock."""
        ...

    async def look_up(self, hostname: str) -> list[str]:
        """Addresses returned by the system's resolver, in its order, without duplicates."""
        ...

    async def open_tcp(self, ip: str, port: int) -> Stream: ...

    async def open_udp(self, ip: str, port: int) -> Datagrams: ...

    def own_addresses(self) -> set[str]:
        """Addresses of this machine that its connections came from; never stored, only used for scrubbing."""
        ...


class NetworkWrapper:
    """Another network, of which a subclass changes some methods."""

    def __init__(self, inner: Network) -> None:
        self._inner = inner

    def now(self) -> float:
        return self._inner.now()

    def wall(self) -> float:
        return self._inner.wall()

    async def look_up(self, hostname: str) -> list[str]:
        return await self._inner.look_up(hostname)

    async def open_tcp(self, ip: str, port: int) -> Stream:
        return await self._inner.open_tcp(ip, port)

    async def open_udp(self, ip: str, port: int) -> Datagrams:
        return await self._inner.open_udp(ip, port)

    def own_addresses(self) -> set[str]:
        return self._inner.own_addresses()


_NAT64 = ip_network("64:ff9b::/96")
"""RFC 6052: a gateway maps these to the IPv4 address in their last 32 bits."""

_ISATAP = (0x5EFE, 0x02005EFE)
"""RFC 5214, 6.1: before the IPv4 address, whatever the network."""

_NEVER_SITES = (
    ip_network("::/96"),  # RFC 4291, 2.5.5.1: IPv4-compatible, deprecated; for example ::127.0.0.1
    ip_network("::ffff:0:0:0/96"),  # RFC 2765: IPv4-translated
    ip_network("fec0::/10"),  # RFC 3879: site-local, deprecated and still configured
    ip_network("192.0.0.0/24"),  # RFC 6890; 192.0.0.9 is the nearest router that opens ports (RFC 7723)
    ip_network("2001::/23"),  # RFC 2928: the same, as 2001:1::1, tunnels and identifiers
    ip_network("5f00::/16"),  # RFC 9602: segments of a provider's own network
    ip_network("192.88.99.0/24"),  # RFC 7526: the nearest 6to4 relay, deprecated
    ip_network(
        "168.63.129.16/32"
    ),  # Azure's host, which answers every machine of that cloud with its secrets
)
"""Ranges that Python's registry counts as global but that no site uses.  Other clouds' metadata addresses are
link-local (169.254.169.254), private (fd00:ec2::254) or shared (100.100.100.200), and so not global."""


def is_public(ip: str) -> bool:
    """Can a public site have this address?  False for loopback, private, link-local, shared, multicast and
    reserved ones, also inside IPv6 forms of them, and for those at which clouds answer their own machines.
    """
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    if any(address in network for network in _NEVER_SITES if network.version == address.version):
        return False
    inner = embedded(address)
    if inner is not None and not is_public(str(inner)):
        return False
    return address.is_global and not address.is_multicast


def embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a gateway, a tunnel or the kernel makes of an IPv6 address; ``None`` = none."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


WEB_PORTS = frozenset({80, 443})
FIRST_FREE_PORT = 1024
"""Below it, only web ports: anyone who can make others connect to mail or shell ports has a port scanner."""


def is_web_port(port: int | None) -> bool:
    """May a site be asked for at this port, or at its scheme's own?"""
    return port is None or port in WEB_PORTS or port >= FIRST_FREE_PORT


_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def normal_host(host: str) -> str:
    """A host as a resolver is asked for it: IDNA maps wide digits, circled letters, other dots and invisible marks to
    what they look like; empty = it cannot be asked for."""
    plain = unicodedata.normalize("NFKC", host).lower()
    try:
        return plain.encode("idna").decode("ascii").rstrip(".")
    except UnicodeError:
        return ""


def is_public_host(host: str) -> bool:
    """A public address in its usual form, or a name outside of local networks.

    A name may still resolve to another address, which is checked before each connection.
    """
    name = normal_host(host)
    if is_address(name):
        return is_public(name)
    # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to a resolver; names end in no number (WHATWG URL, "ends in a
    # number").
    is_number = _NUMBER.fullmatch(name.rpartition(".")[2]) is not None
    return _NAME.fullmatch(name) is not None and not is_number and not is_private_name(name)


class OverCap(FanousError):
    """The data cap is reached: measuring stops, and what was measured is kept."""


class Meter:
    """Bytes spent, and the limit.

    Attributes:
        most: bytes that may be sent and received; ``None`` = no cap.
        spent: bytes of payload so far (IP and TCP headers, about 5 % more, are not counted).
    """

    def __init__(self, most: int | None = None, spent: int = 0) -> None:
        self.most = most
        self.spent = spent

    def spend(self, count: int) -> None:
        """Count ``count`` bytes.

        Raises:
            OverCap: the cap is reached.
        """
        self.spent += count
        self.check()

    def check(self) -> None:
        """Raise ``OverCap`` if nothing more may be spent."""
        if self.most is not None and self.spent >= self.most:
            raise OverCap(
                f"the data cap of {self.most / 1e6:.0f} MB a day is reached; measuring continues tomorrow. "
                f"To raise the cap, use --cap-mb"
            )
