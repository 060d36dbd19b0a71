"""Origin: who calls, and from which country and network, as seen at the door.

The address stays in memory.  What a probe claims and what its address says are kept apart: a probe may call
through a circumvention tool or a mirror, and then its claim is the better of the two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Protocol

from fanous.errors import FanousError
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.refdata.networks import is_same_operator

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
        """Does it say other than this claim?  What is unknown contradicts nothing.

        The network decides where both are known: the country of an address is where it was registered, and
        one operator has several networks.
        """
        if 0 not in (self.asn, asn):
            return self.asn != asn and not is_same_operator(self.asn, asn)
        return UNKNOWN_COUNTRY not in (self.country, country) and self.country != country


UNKNOWN = Origin()


class Origins(Protocol):
    """Something that knows networks by address."""

    def of(self, address: str, /) -> Origin: ...


class NoOrigins:
    """Nothing is derived from an address, and claims stand alone."""

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
            f"{error}: to believe X-Forwarded-For, give an address or a network, such as 10.0.0.0/8"
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
