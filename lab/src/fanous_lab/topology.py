"""Topology: a plan as the iproute2 commands that build it; pure text, one batch per namespace.

vantage point -> its provider's router -> national gateway -> core -> sites; sites inside the country are
connected to the gateway, so they work when the way out is cut.  Every interface is made inside its namespace:
the machine's own network never sees them.
"""

from collections.abc import Iterable

from fanous_lab.plan import (
    AUTHORITY,
    COLLECTOR_ADDRESS,
    HELPER_ADDRESS,
    HOME,
    HOME_AUTHORITY,
    HOME_V4,
    HOME_V6,
    OUTSIDE_V4,
    OUTSIDE_V6,
    Namespaces,
    Plan,
    Provider,
)

Batches = dict[str, list[str]]
"""Namespace -> lines for ``ip -batch``."""

COUNTRY_V4, COUNTRY_V6 = "45.0.0.0/8", "2a0f::/16"
"""Prefixes of everything inside the country."""

ONE_SEGMENT = "gso_max_segs 1 gso_max_size 1514"
"""Every packet is one segment of Ethernet's size, as on a real line: a policer that dropped a bundle of 64 KB
would drop far more than the rate calls for."""

CORE, GATEWAY, ROUTER = 0, 1, 2
"""Levels of links, by who holds their upper end."""


def numbers_of(level: int) -> tuple[str, str, str, str]:
    """Addresses of both ends of a link, upper and lower, IPv4 and IPv6; the hosts reached over it are on the
    loopback interface.  They differ by level, since a router must not be its own next hop."""
    first = 2 * level + 1
    return f"169.254.0.{first}", f"169.254.0.{first + 1}", f"fe80::{first}", f"fe80::{first + 1}"


NODAD = " nodad"
"""Skip duplicate address detection: there are no duplicates, and it would delay the start."""

SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv6/icmp/ratelimit": "0",
    "net/netfilter/nf_conntrack_acct": "1",
}
"""Settings of routers.  No route leads back to the source of a forged answer, so reverse paths are not checked."""


def namespaces_of(names: Namespaces, providers: Iterable[Provider]) -> list[str]:
    """All of them, the shared ones first."""
    namespaces = list(names.shared)
    for provider in providers:
        namespaces += [provider.namespace, *(point.namespace for point in provider.vantage_points)]
    return namespaces


def links_of(names: Namespaces, providers: Iterable[Provider]) -> list[str]:
    """Pairs of interfaces, each end made in its own namespace; one batch, to be run in any namespace."""
    lines = [
        _pair("uplink", names.gateway, "country", names.core),
        _pair("uplink", names.world, "world", names.core),
        _pair("uplink", names.outside, "outside", names.core),
        _pair("uplink", names.home, "home", names.gateway),
    ]
    for provider in providers:
        lines.append(_pair(provider.uplink, provider.namespace, provider.port, names.gateway))
        lines += [
            _pair("uplink", point.namespace, point.link, provider.namespace)
            for point in provider.vantage_points
        ]
    return lines


def _pair(name: str, namespace: str, peer: str, peer_namespace: str) -> str:
    return (
        f"link add {name} netns {namespace} {ONE_SEGMENT} type veth "
        f"peer name {peer} netns {peer_namespace} {ONE_SEGMENT}"
    )


def settings_of(plan: Plan, names: Namespaces, providers: tuple[Provider, ...]) -> Batches:
    """Addresses and routes, namespace by namespace."""
    v6 = plan.is_ipv6
    outside = [COLLECTOR_ADDRESS, HELPER_ADDRESS, f"{OUTSIDE_V6}::10", f"{OUTSIDE_V6}::11"]
    batches = {
        names.core: _core(v6),
        names.gateway: _gateway(providers, v6),
        names.world: _end([AUTHORITY, *_addresses(plan, "world")], v6, CORE),
        names.home: _end([HOME_AUTHORITY, *_addresses(plan, HOME)], v6, GATEWAY),
        names.outside: _end(outside, v6, CORE),
    }
    for provider in providers:
        batches[provider.namespace] = _router(provider, v6)
        for point in provider.vantage_points:
            batches[point.namespace] = _end([point.address, point.address6], v6, ROUTER)
    return batches


def _addresses(plan: Plan, place: str) -> list[str]:
    return [
        address
        for site in plan.sites
        if site.place == place
        for address in (*site.addresses, *site.addresses6)
    ]


def _end(addresses: list[str], v6: bool, level: int) -> list[str]:
    """Settings of a host at the end of a line: its addresses, and a default route over ``uplink``."""
    lower = [address for address in addresses if address and (v6 or ":" not in address)]
    return ["link set lo up", *_lower("uplink", lower, v6, level)]


def _lower(interface: str, addresses: list[str], v6: bool, level: int) -> list[str]:
    """The end of a link that is farther from the core, and its default route."""
    upper4, lower4, upper6, lower6 = numbers_of(level)
    lines = [
        f"link set dev {interface} up",
        f"addr add {lower4}/32 dev {interface}",
        *(
            f"addr add {address}/{128 if ':' in address else 32} dev lo{NODAD if ':' in address else ''}"
            for address in addresses
        ),
        f"route add default via {upper4} dev {interface} onlink src {addresses[0]}",
    ]
    if v6:
        first = next(address for address in addresses if ":" in address)
        lines.append(f"addr add {lower6}/64 dev {interface}{NODAD}")
        lines.append(f"route add default via {upper6} dev {interface} onlink src {first}")
    return lines


def upper(
    interface: str, prefixes: Iterable[str], v6: bool, level: int, source: str = "", source6: str = ""
) -> list[str]:
    """The end of a link that is nearer to the core, and the routes to what is behind the link."""
    upper4, lower4, upper6, lower6 = numbers_of(level)
    lines = [f"link set dev {interface} up", f"addr replace {upper4}/32 dev {interface}"]
    if v6:
        lines.append(f"addr replace {upper6}/64 dev {interface}{NODAD}")
    for prefix in filter(None, prefixes):
        if ":" not in prefix:
            src = f" src {source}" if source else ""
            lines.append(f"route replace {prefix} via {lower4} dev {interface} onlink{src}")
        elif v6:
            src = f" src {source6}" if source6 else ""
            lines.append(f"route replace {prefix} via {lower6} dev {interface} onlink{src}")
    return lines


def _core(v6: bool) -> list[str]:
    return [
        "link set lo up",
        *upper("country", [COUNTRY_V4, COUNTRY_V6], v6, CORE),
        *upper("outside", [f"{OUTSIDE_V4}.0/24", f"{OUTSIDE_V6}::/32"], v6, CORE),
        *upper("world", ["default", "::/0"], v6, CORE),
    ]


def _gateway(providers: tuple[Provider, ...], v6: bool) -> list[str]:
    addresses = [f"{HOME_V4}.1", f"{HOME_V6}::1"]
    lines = ["link set lo up", *_lower("uplink", addresses if v6 else addresses[:1], v6, CORE)]
    lines += upper("home", [f"{HOME_V4}.0/24", f"{HOME_V6}::/48"], v6, GATEWAY)
    for provider in providers:
        lines += port_of(provider, v6)
    return lines


def port_of(provider: Provider, v6: bool, *, with_routes: bool = True) -> list[str]:
    """The gateway's side of a provider's uplink; set again after it was down."""
    prefixes = [provider.prefix, provider.prefix6] if with_routes else []
    return upper(provider.port, prefixes, v6, GATEWAY)


def _router(provider: Provider, v6: bool) -> list[str]:
    addresses = [provider.address, *([provider.address6] if v6 else [])]
    lines = ["link set lo up", *_lower(provider.uplink, addresses, v6, GATEWAY)]
    for point in provider.vantage_points:
        behind = [f"{point.address}/32", f"{point.address6}/128"]
        lines += upper(
            point.link, behind if v6 else behind[:1], v6, ROUTER, provider.address, provider.address6
        )
    return lines
