"""Addresses: which ones a probe must not connect to because a resolver said so.

A forged answer that points into the volunteer's own network would turn the probe into a tool against it.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NAT64 = ip_network("64:ff9b::/96")
"""RFC 6052: a gateway turns these into the IPv4 address in their last 32 bits."""


def is_public(ip: str) -> bool:
    """Can a public site have this address?  False for loopback, private, link-local, multicast, reserved."""
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    inner = _embedded(address)
    if inner is not None and not inner.is_global:
        return False
    return address.is_global and not address.is_multicast


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that one of IPv6 stands for; ``None`` = for none."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def endpoint(ip: str, port: int) -> str:
    """``192.0.2.1:443`` or ``[2001:db8::1]:443``."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
