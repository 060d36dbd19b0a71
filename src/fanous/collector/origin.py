"""Origin: who calls, and from which country and network, as seen at the door.

The address stays in memory.  What a probe claims and what its address says are kept apart: a probe may call
through a circumvention tool or a mirror, and then its claim is the better of the two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Protocol

from fanous.errors import FanousError
from fanous.model.entity import UNKNOWN_COUNTRY

Network = IPv4Network | IPv6Network

NOBODY = "127.0.0.1"
"""Stands for a peer without an address (a unix socket)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an address is.

    Attributes:
        country: ISO 3166-1 alpha-2; ``ZZ`` = unknown.
        asn: 0 = unknown.
    """

    country: str = UNKNOWN_COUNTRY
    asn: int = 0

    def contradicts(self, country: str, asn: int) -> bool:
        """Does it say other than this claim?  What is unknown contradicts nothing."""
        other_country = UNKNOWN_COUNTRY not in (self.country, country) and self.country != country
        return other_country or (0 not in (self.asn, asn) and self.asn != asn)


UNKNOWN = Origin()


class Origins(Protocol):
    """Something that knows networks by address."""

    def of(self, address: str, /) -> Origin: ...


class NoOrigins:
    """No table of networks is installed: nothing is derived, and claims stand alone."""

    def of(self, _address: str, /) -> Origin:
        return UNKNOWN


def trusted_proxies(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks whose ``X-Forwarded-For`` is believed.

    Raises:
        FanousError: one of them is no network.
    """
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise FanousError(
            f"--trust-proxy: {error}; give an address or a network, such as 10.0.0.0/8"
        ) from None


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of the client.

    Only proxies of our own are believed, and of a chain only what they added: the last entry that is not
    one of them.  The client can write anything before that.  (ooni/backend's ``extract_probe_ipaddr``
    believes any header, since it always stands behind a proxy.)

    Args:
        peer: the other end of the connection; ``None`` = it has no address.
        forwarded: values of ``X-Forwarded-For``, in order.
    """
    address = _canonical(peer or NOBODY) or NOBODY
    chain = [entry.strip() for value in forwarded for entry in value.split(",")]
    while chain and _is_within(address, trusted):
        before = _canonical(chain.pop())
        if before is None:
            break
        address = before
    return address


def _canonical(text: str) -> str | None:
    """One spelling for an address, IPv4 for one that is mapped into IPv6; ``None`` = it is none."""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def _is_within(address: str, networks: Sequence[Network]) -> bool:
    parsed = ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in networks)
