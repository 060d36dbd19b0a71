"""Addresses: addresses that mean something by themselves, without any control.

- Bogons can never be the public address of a site.  Source: IANA's special-purpose address registries (RFC 6890 and its
  updates), which also cover what national resolvers hand out for blocked names, such as 10.10.34.34-36.
- Platforms' addresses are handed out for names that do not live there: injectors on China's border answer any blocked
  name with them (Hoang et al., How Great is the Great Firewall?, USENIX Security 2021).
- Filters are public resolvers whose service is to refuse names, and which people, families and schools choose for that:
  they deny the name, give an address of the user's own machine, or that of a page of their own.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# --- bogons ---------------------------------------------------------------------------------------------

_SHARED = ip_network("100.64.0.0/10")
_OWN_MACHINE = tuple(ip_network(p) for p in ("0.0.0.0/8", "127.0.0.0/8", "::1/128", "::/128"))
_BENCHMARK = ip_network("198.18.0.0/15")
_LOCAL = tuple(ip_network(p) for p in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
# Iran's resolvers answer AAAA from outside it; China's injectors with Teredo, which is not global either.
_GLOBAL_UNICAST = ip_network("2000::/3")


@lru_cache(maxsize=65536)
def is_bogon(address: str) -> bool:
    """Can this never be the public address of a site?  An unreadable address counts as one that can."""
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


@lru_cache(maxsize=65536)
def is_local(address: str) -> bool:
    """Can it be a machine on the user's own network or the operator's (RFC 1918, RFC 6598)?"""
    return _is_in(address, _LOCAL)


@lru_cache(maxsize=65536)
def is_own_machine(address: str) -> bool:
    """Does it mean the machine that asks (RFC 1122, RFC 4291), as for many parked names?"""
    return _is_in(address, _OWN_MACHINE)


def _is_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in networks)


def is_ipv6(address: str) -> bool:
    return ":" in address


# --- filters that people choose -------------------------------------------------------------------------

FILTERS = frozenset({19281, 34939, 36692, 57926, 64089, 205157, 212772, 398962})
"""Networks that originate the published addresses of Quad9, NextDNS, OpenDNS, SafeDNS, DNSFilter, CleanBrowsing,
AdGuard and Control D in the routing table of 17 June 2026.  Resolvers that filter on some addresses only and share a
network with others that do not (Cloudflare, Yandex) are not among them.
"""

MAY_FILTER = FILTERS | {12008, 13238, 13335, 19905}
"""Those, and by the same table UltraDNS, Yandex, Cloudflare and Vercara, which filter on some of their addresses."""

PUBLIC_RESOLVERS = MAY_FILTER | {15169}
"""Those, and Google, which filters nothing: if an answer that came through it is wrong, it was changed on the way."""


# --- platforms ------------------------------------------------------------------------------------------

_FACEBOOK = (
    "accountkit.com",
    "cdninstagram.com",
    "facebook.com",
    "facebook.net",
    "facebookmail.com",
    "fb.com",
    "fb.gg",
    "fb.me",
    "fb.watch",
    "fbcdn.com",
    "fbcdn.net",
    "fbpigeon.com",
    "fbsbx.com",
    "fburl.com",
    "freebasics.com",
    "ig.me",
    "instagram.com",
    "internet.org",
    "m.me",
    "messenger.com",
    "meta.ai",
    "meta.com",
    "oculus.com",
    "oculuscdn.com",
    "tfbnw.net",
    "thefacebook.com",
    "threads.com",
    "threads.net",
    "wa.me",
    "whatsapp.com",
    "whatsapp.net",
    "workplace.com",
)
_X = (
    "ads-twitter.com",
    "periscope.tv",
    "pscp.tv",
    "t.co",
    "tweetdeck.com",
    "twimg.com",
    "twitter.com",
    "twttr.com",
    "vine.co",
    "x.com",
)
_DROPBOX = (
    "db.tt",
    "dropbox-dns.com",
    "dropbox.com",
    "dropbox.tech",
    "dropboxapi.com",
    "dropboxstatic.com",
    "dropboxusercontent.com",
    "getdropbox.com",
)
_LIVE_THERE = {32934: _FACEBOOK, 13414: _X, 19679: _DROPBOX}
_PLATFORMS = {
    32934: frozenset({"facebook", "instagram", "messenger", "oculus", "threads", "whatsapp"}),
    13414: frozenset({"x", "twitter", "periscope"}),
    19679: frozenset({"dropbox"}),
}


def is_foreign(asn: int, hostname: str, target: str) -> bool:
    """Is it the network of a platform to which neither the name nor the target belongs?

    Args:
        hostname: compared by its ending, since ``reddit.com`` contains ``t.co`` too.
        target: the platform under which the name is listed; it may own more names than are listed here.
    """
    if asn not in _LIVE_THERE or target in _PLATFORMS[asn]:
        return False
    name = hostname.rstrip(".").lower()
    return not any(name == own or name.endswith(f".{own}") for own in _LIVE_THERE[asn])


# --- hosts ----------------------------------------------------------------------------------------------

_ALSO = {
    8075: (8068, 8069, 12076),
    13335: (14789, 202623, 209242, 395747),
    15169: (19527, 36040, 36492, 43515, 396982),
    16509: (7224, 8987, 14618),
    20940: (12222, 16625, 18680, 21342, 33905, 35994),
    45102: (37963,),
}
"""Microsoft, Cloudflare, Google, Amazon, Akamai and Alibaba announce the addresses of customers' sites under several AS
numbers.  Source: their names in the registries (June 2026)."""

_HOSTS = {other: first for first, others in _ALSO.items() for other in others}


def host_of(asn: int) -> int:
    """One AS number for all networks of a host whose sites share its faults and its pages."""
    return _HOSTS.get(asn, asn)
