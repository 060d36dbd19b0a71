"""Addresses: which of them can never be the public address of a site (bogons).

Source: IANA's special-purpose address registries (RFC 6890 and its updates), which also cover the
addresses that national resolvers hand out for blocked names, such as 10.10.34.34-36.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_SHARED = ip_network("100.64.0.0/10")
_OWN_MACHINE = tuple(ip_network(p) for p in ("0.0.0.0/8", "127.0.0.0/8", "::1/128", "::/128"))
_BENCHMARK = ip_network("198.18.0.0/15")
_LOCAL = tuple(ip_network(p) for p in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
# Iran's resolvers answer AAAA from outside it; China's injectors with Teredo, which is not global either.
_GLOBAL_UNICAST = ip_network("2000::/3")


@lru_cache(maxsize=65536)
def is_bogon(address: str) -> bool:
    """Can this not be the public address of any site?  An unreadable address counts as one that can."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        inner = _embedded(ip)
        if inner is None:
            return ip not in _GLOBAL_UNICAST or not ip.is_global
        ip = inner
    return not ip.is_global or ip.is_multicast or ip in _SHARED or ip in _BENCHMARK


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside a mapped or NAT64 one (RFC 6052, 8215): DNS64 is not tampering."""
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if any(ip in prefix for prefix in _NAT64):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def is_local(address: str) -> bool:
    """Can it be a machine on the user's own network or the operator's (RFC 1918, RFC 6598)?"""
    return _is_in(address, _LOCAL)


def is_own_machine(address: str) -> bool:
    """Does it mean the very machine that asks (RFC 1122, RFC 4291), as many parked names do?"""
    return _is_in(address, _OWN_MACHINE)


@lru_cache(maxsize=65536)
def _is_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in networks)


def is_ipv6(address: str) -> bool:
    return ":" in address
