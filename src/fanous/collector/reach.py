"""Reach: addresses that a helper never connects to even though they are on the public internet.

These are the machine's own (a service that listens on its public address may trust the machine itself, and no
firewall is in between), its neighbours', and those that the operator lists.
"""

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from time import monotonic

from fanous.base.text import quoted
from fanous.errors import FanousError
from fanous.probe.net.network import embedded

Network = IPv4Network | IPv6Network

NEAR_V4, NEAR_V6 = 24, 64
"""Prefix lengths of a neighbourhood: the smallest routed on the internet, and a single link (RFC 4291, section 2.5.4).
A provider's other customers are strangers to this machine."""

FRESH = 60.0
"""Seconds for which the machine's addresses are remembered: an interface may get another one at any time."""

_FIB, _INET6 = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as an operator lists them.

    Raises:
        FanousError: one is neither.
    """
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ip_network(text.strip(), strict=False))
        except ValueError:
            raise FanousError(
                f"{quoted(text)} is not an address or a network such as 198.51.100.0/24"
            ) from None
    return tuple(networks)


def reach_of(never: Iterable[str], *, neighbours: bool = False) -> "HelperReach":
    """The reach that an operator sets.

    Args:
        never: see ``networks_of``.
        neighbours: whether the helper may connect to this machine's neighbours.
    """
    listed = networks_of(never)
    return HelperReach(listed, near_v4=32, near_v6=128) if neighbours else HelperReach(listed)


def own_addresses() -> set[str]:
    """Addresses of all interfaces of this machine, as the kernel lists them.

    On systems without such a list (other than Linux), those of its host name and its default routes.
    """
    addresses = _of_fib(_read(_FIB)) | _of_inet6(_read(_INET6))
    return addresses or _of_names() | _of_routes()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _of_fib(table: str) -> set[str]:
    """Own IPv4 addresses from fib_trie: each is in a line before ``/32 host LOCAL``."""
    addresses, last = set(), ""
    for line in table.splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            last = words[1]
        elif words == ["/32", "host", "LOCAL"]:
            addresses.add(last)
    return addresses


def _of_inet6(table: str) -> set[str]:
    """Own IPv6 addresses from if_inet6: 32 hex digits begin each line."""
    return {str(IPv6Address(int(line.split()[0], 16))) for line in table.splitlines() if line.strip()}


def _of_names() -> set[str]:
    try:
        infos = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return set()
    return {str(address[0]).partition("%")[0] for *_, address in infos}


def _of_routes() -> set[str]:
    """The addresses from which a packet to the internet would go; none is sent."""
    addresses = set()
    for family, anywhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.connect((anywhere, 9))
                addresses.add(str(asking.getsockname()[0]))
        except OSError:
            continue
    return addresses


@dataclass(slots=True)
class HelperReach:
    """Decides whether an address is one that the helper never connects to.

    Attributes:
        never: networks that the operator lists.
        near_v4, near_v6: prefix lengths of the neighbourhood of each own address; 32 and 128 = only itself.
        own: the machine's addresses.
        clock: monotonic seconds.
    """

    never: tuple[Network, ...] = ()
    near_v4: int = NEAR_V4
    near_v6: int = NEAR_V6
    own: Callable[[], set[str]] = own_addresses
    clock: Callable[[], float] = monotonic
    _near: tuple[Network, ...] = ()
    _until: float = float("-inf")

    def is_refused(self, address: str) -> bool:
        """Is it listed, this machine's own, or a neighbour's?"""
        return _is_in(address, (*self.never, *self._nearby()))

    def is_listed(self, address: str) -> bool:
        """Does the operator list it?"""
        return _is_in(address, self.never)

    def _nearby(self) -> tuple[Network, ...]:
        now = self.clock()
        if now >= self._until:
            bits = {4: self.near_v4, 6: self.near_v6}
            addresses = map(ip_address, self.own())
            self._near = tuple({ip_network(f"{a}/{bits[a.version]}", strict=False) for a in addresses})
            self._until = now + FRESH
        return self._near


def _is_in(address: str, networks: tuple[Network, ...]) -> bool:
    """Is the address, or the IPv4 address in it, in one of the networks?  An unreadable address counts as being in
    one."""
    try:
        itself = ip_address(address)
    except ValueError:
        return True
    forms = [form for form in (itself, embedded(itself)) if form is not None]
    return any(form in network for form in forms for network in networks if form.version == network.version)
