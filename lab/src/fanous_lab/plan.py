"""Plan: what a lab is made of: networks with their vantage points, and the sites outside.

Addresses follow from the plan alone, so two labs with the same plan are identical.  They look public, since a
probe rightly refuses private ones, but they never leave the lab.

Sites are the hosts of the target lists and those that probes rely on.  Each host has an address of its own,
so that "the address was blocked" and "the name was blocked" differ.
"""

from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from fanous.errors import FanousError
from fanous.model.place import Access
from fanous.refdata import toml_table
from fanous.refdata.platforms import ROLES, target_of
from fanous.refdata.targets import list_names

HOME = "home"

DOMESTIC_HOST = "www.gov.lab-country.net"
"""A site inside the country: it still answers when nothing outside does."""

BLOCK_PAGE_HOST = "block.lab-country.net"

HOME_V4, HOME_V6 = "45.15.0", "2a0f:f9"
"""Prefix of hosts inside the country but outside all providers' networks."""

BLOCK_PAGE_ADDRESS = f"{HOME_V4}.66"
DOMESTIC_ADDRESS = f"{HOME_V4}.80"

PUBLIC_RESOLVER, DOH_RESOLVER, DOT_RESOLVER = "8.8.8.8", "1.1.1.1", "9.9.9.9"
"""As in the real world (and in ``probe.settings``): DNS over UDP, HTTPS and TLS."""

PUBLIC_RESOLVER6 = "2001:4860:4860::8888"

DOH_HOST, DOT_HOST = "cloudflare-dns.com", "dns.quad9.net"

DOH_HOSTS = (DOH_HOST, "mozilla.cloudflare-dns.com", "dns.nextdns.io", "dns.google", DOT_HOST)
"""Hosts that answer DNS over HTTPS; OONI's engine asks all of them (ooni/probe-cli at 7cb22410,
internal/sessionresolver/resolvermaker.go)."""

AUTHORITY = "198.41.0.4"
"""Where the lab's recursive resolvers ask: one authority for all names outside the country."""

HOME_AUTHORITY = f"{HOME_V4}.53"
"""One for the names inside, which still answers when nothing outside does."""

COLLECTOR_HOST, HELPER_HOST = "collector.fanous.net", "helper.fanous.net"
OUTSIDE_V4, OUTSIDE_V6 = "192.36.148", "2a10:fa"
COLLECTOR_ADDRESS, HELPER_ADDRESS = f"{OUTSIDE_V4}.10", f"{OUTSIDE_V4}.11"

CONTROL_HOSTS = (
    "www.example.com",
    "example.com",
    "www.wikipedia.org",
    "speed.cloudflare.com",
    "detectportal.firefox.com",
    "captive.apple.com",
)
"""Hosts that ``probe.settings.Settings`` relies on by default."""


@dataclass(frozen=True, slots=True)
class LabSite:
    """One host.

    Attributes:
        target: what people call it (``x``).
        addresses, addresses6: IPv4 and IPv6, in order.
        place: ``world`` or ``home``.
    """

    host: str
    target: str
    addresses: tuple[str, ...]
    addresses6: tuple[str, ...]
    place: str = "world"


PUBLIC_RESOLVERS = tuple(
    LabSite(host, target_of(host), addresses, addresses6)
    for host, addresses, addresses6 in (
        (DOH_HOST, (DOH_RESOLVER, "1.0.0.1"), ("2606:4700:4700::1111", "2606:4700:4700::1001")),
        (DOT_HOST, (DOT_RESOLVER, "149.112.112.112"), ("2620:fe::fe", "2620:fe::9")),
        ("dns.google", (PUBLIC_RESOLVER, "8.8.4.4"), (PUBLIC_RESOLVER6, "2001:4860:4860::8844")),
        ("dns.opendns.com", ("208.67.222.222", "208.67.220.220"), ("2620:119:35::35", "2620:119:53::53")),
        ("mozilla.cloudflare-dns.com", ("162.159.61.4", "172.64.41.4"), ("2803:f800:53::4",)),
        ("dns.nextdns.io", ("45.90.28.0", "45.90.30.0"), ("2a07:a8c0::", "2a07:a8c1::")),
    )
)
"""Public resolvers, with their real addresses; each answers over UDP, and those of ``DOH_HOSTS`` over HTTPS."""


def sites_of(targets: tuple[str, ...]) -> tuple[LabSite, ...]:
    """The sites of a lab: public resolvers, controls, those inside the country, then the targets'.

    Raises:
        FanousError: a target is neither on a list nor a host name.
    """
    wanted = [host for target in targets for host in hosts_of(target)]
    taken = {site.host for site in PUBLIC_RESOLVERS}
    hosts = [host for host in dict.fromkeys([*CONTROL_HOSTS, *wanted]) if host not in taken]
    return (
        *PUBLIC_RESOLVERS,
        LabSite(DOMESTIC_HOST, DOMESTIC_HOST, (DOMESTIC_ADDRESS,), (f"{HOME_V6}::80",), HOME),
        LabSite(BLOCK_PAGE_HOST, BLOCK_PAGE_HOST, (BLOCK_PAGE_ADDRESS,), (f"{HOME_V6}::66",), HOME),
        *(_site(number, host) for number, host in enumerate(hosts)),
    )


def _site(number: int, host: str) -> LabSite:
    """Each on its own /24, with two addresses in it; IPv6 counts from 1, so it is in canonical form (RFC 5952)."""
    net = f"37.{10 + number // 250}.{number % 250}"
    return LabSite(
        host,
        target_of(host),
        (f"{net}.10", f"{net}.20"),
        (f"2a10:fb:{number + 1:x}::10", f"2a10:fb:{number + 1:x}::20"),
    )


def hosts_of(target: str) -> tuple[str, ...]:
    """Hosts of a target from the shipped lists; a host name is its own host.

    Raises:
        FanousError: it is neither.
    """
    hosts = _listed().get(target, ())
    if hosts:
        return hosts
    if "." in target:
        return (target,)
    near = get_close_matches(target, _listed(), 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise FanousError(f"{target!r} is neither in a target list nor a host name{hint}")


def known_targets() -> tuple[str, ...]:
    """All targets of the shipped lists."""
    return tuple(_listed())


def urls_of(target: str) -> tuple[str, ...]:
    """What a probe tries for a target, the web page first."""
    return tuple(f"https://{host}/" for host in hosts_of(target))


def _listed() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name in list_names():
        for entry in toml_table(f"targets/{name}.toml").get("target", ()):
            urls = [url for role in ROLES for url in entry.get(role, ())]
            hosts = tuple(urlsplit(url).hostname or "" for url in urls)
            found[entry["name"]] = tuple(dict.fromkeys((*found.get(entry["name"], ()), *hosts)))
    return found


MOST_NETWORKS = 4000
"""Most networks of one lab: the second and third byte of an address number them."""

MOST_VANTAGE_POINTS = 100
"""Most vantage points of one network."""


@dataclass(frozen=True, slots=True)
class PlannedNetwork:
    """One provider.

    Attributes:
        access: ``fixed`` or ``mobile``.
        users_share: share of the country's users of that access, 0..1.
        vantage_points: how many probes are in it.
    """

    asn: int
    name: str = ""
    access: Access = Access.FIXED
    users_share: float = 0.0
    vantage_points: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A country and the sites that its people use.

    Attributes:
        targets: names of platforms (``x``) or host names; each becomes real servers under its real names.
        delay_ms: one way between the country and the world.
        is_ipv6: whether everyone also has IPv6.
        is_routed_by_bgp: do providers announce themselves to the gateway by BGP from the beginning?  Otherwise the
            first ``bgp_withdraw`` makes them, which takes seconds.
    """

    country: str
    networks: tuple[PlannedNetwork, ...]
    targets: tuple[str, ...] = ("x", "youtube")
    delay_ms: float = 25.0
    is_ipv6: bool = True
    is_routed_by_bgp: bool = False

    def __post_init__(self) -> None:
        """Raises:
        FanousError: too many networks or vantage points to number, or a network listed twice.
        """
        asns = [network.asn for network in self.networks]
        twice = next(iter(asn for asn, count in Counter(asns).items() if count > 1), None)
        if twice is not None:
            raise FanousError(
                f"AS{twice} occurs twice in the plan: a network has one router and one kind of access"
            )
        if not 0 < len(asns) <= MOST_NETWORKS:
            raise FanousError(f"a lab can have 1 to {MOST_NETWORKS} networks, not {len(asns)}")
        for network in self.networks:
            if not 0 < network.vantage_points <= MOST_VANTAGE_POINTS:
                count = network.vantage_points
                raise FanousError(
                    f"AS{network.asn}: a network can have 1 to {MOST_VANTAGE_POINTS} vantage points, not "
                    f"{count}"
                )

    @property
    def sites(self) -> tuple[LabSite, ...]:
        """All sites of the lab: the targets', the controls', and one inside the country."""
        return sites_of(self.targets)


@dataclass(frozen=True, slots=True)
class VantagePoint:
    """Where a probe stands.

    Attributes:
        name: ``as17557-1``.
        namespace: as ``ip netns`` knows it.
        address, address6: its own; empty = none.
        resolver: address of its provider's resolver.
        router: namespace of its provider's router, where censors act.
        link: the router's interface that leads to it.
    """

    name: str
    asn: int
    network_name: str
    access: Access
    namespace: str
    address: str
    address6: str
    resolver: str
    resolver6: str
    router: str
    link: str


@dataclass(frozen=True, slots=True)
class Provider:
    """One network as it is built.

    Attributes:
        address, address6: of its router towards the gateway, and of its resolver.
        prefix: of its customers, with a router's address.
        uplink: the router's interface to the gateway; ``port``: the gateway's to it.
    """

    planned: PlannedNetwork
    index: int
    namespace: str
    address: str
    address6: str
    prefix: str
    prefix6: str
    uplink: str
    port: str
    vantage_points: tuple[VantagePoint, ...]


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Names of one lab's namespaces; all begin with its prefix."""

    prefix: str

    def of(self, place: str) -> str:
        return f"{self.prefix}{place}"

    @property
    def gateway(self) -> str:
        """The national one; ``core``: the internet outside; ``world``: its sites; ``outside``: the helper and
        the collector; ``home``: sites inside the country."""
        return self.of("gateway")

    @property
    def core(self) -> str:
        return self.of("core")

    @property
    def world(self) -> str:
        return self.of("world")

    @property
    def outside(self) -> str:
        return self.of("outside")

    @property
    def home(self) -> str:
        return self.of(HOME)

    @property
    def shared(self) -> tuple[str, ...]:
        return (self.gateway, self.core, self.world, self.outside, self.home)


def providers_of(plan: Plan, names: Namespaces) -> tuple[Provider, ...]:
    """The networks of ``plan`` with names and addresses, in its order."""
    return tuple(_provider(plan, index, planned, names) for index, planned in enumerate(plan.networks))


def _provider(plan: Plan, index: int, planned: PlannedNetwork, names: Namespaces) -> Provider:
    v4, v6 = f"45.{16 + index // 250}.{index % 250}", f"2a0f:fa:{index:x}"
    place = f"as{planned.asn}"
    address, address6 = f"{v4}.1", str(ip_address(f"{v6}::1")) if plan.is_ipv6 else ""
    router = names.of(place)
    points = tuple(
        VantagePoint(
            name=f"{place}-{nth}",
            asn=planned.asn,
            network_name=planned.name,
            access=planned.access,
            namespace=names.of(f"{place}-{nth}"),
            address=f"{v4}.{100 + nth}",
            address6=str(ip_address(f"{v6}::{100 + nth}")) if plan.is_ipv6 else "",
            resolver=address,
            resolver6=address6,
            router=router,
            link=f"vp{nth}",
        )
        for nth in range(1, planned.vantage_points + 1)
    )
    return Provider(
        planned=planned,
        index=index,
        namespace=router,
        address=address,
        address6=address6,
        prefix=f"{v4}.0/24",
        prefix6=str(ip_network(f"{v6}::/48")) if plan.is_ipv6 else "",
        uplink="uplink",
        port=f"n{index}",
        vantage_points=points,
    )


def plan_of(networks: int, country: str = "ZZ", vantage_points: int = 1) -> Plan:
    """A plain country: every third network is mobile, all have the same share of users."""
    return Plan(
        country,
        tuple(
            PlannedNetwork(
                asn=64_512 + nth,
                name=f"Provider {nth + 1}",
                access=Access.MOBILE if nth % 3 == 2 else Access.FIXED,
                users_share=1 / networks,
                vantage_points=vantage_points,
            )
            for nth in range(networks)
        ),
    )
