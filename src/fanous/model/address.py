"""Address: is a text one, where a name could stand?  Asked of every hostname by probes, readers and rules."""

from functools import lru_cache
from ipaddress import ip_address

LONGEST = 45
"""Characters of an IPv6 address that ends in an IPv4 one (INET6_ADDRSTRLEN, RFC 3493)."""


@lru_cache(maxsize=65_536)
def is_address(text: str) -> bool:
    """Is it an IPv4 or IPv6 address, without brackets?"""
    if not text or len(text) > LONGEST or (text[-1] not in "0123456789." and ":" not in text):
        return False  # most names, told without an exception
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
