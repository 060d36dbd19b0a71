"""Plan: what a lab is made of - networks with their vantage points, and the sites outside.

Addresses follow from the plan alone, so two labs of one plan are alike.  They look public, since a probe
rightly refuses private ones; they never leave the lab.
"""

from collections import Counter
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from fanous.errors import FanousError
from fanous.lab.sites import HOME, LabSite, sites_of
from fanous.model.place import Access

MOST_NETWORKS = 4000
"""Of one lab: the second and third byte of an address count them."""

MOST_VANTAGE_POINTS = 100
"""Of one network."""


@dataclass(frozen=True, slots=True)
class PlannedNetwork:
    """One provider.

    Attributes:
        access: ``fixed`` or ``mobile``.
        users_share: of the country's users of that access, 0..1.
        vantage_points: how many probes stand in it.
    """

    asn: int
    name: str = ""
    access: Access = Access.FIXED
    users_share: float = 0.0
    vantage_points: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A country, and the sites that its people use.

    Attributes:
        targets: names of platforms (``x``) or host names; each becomes real servers under its real names.
        delay_ms: one way between the country and the world.
        is_ipv6: does everybody have IPv6, too?
        is_routed_by_bgp: do providers announce themselves to the gateway by BGP from the beginning?
            Otherwise the first ``bgp_withdraw`` makes them, which takes seconds.
    """

    country: str
    networks: tuple[PlannedNetwork, ...]
    targets: tuple[str, ...] = ("x", "youtube")
    delay_ms: float = 25.0
    is_ipv6: bool = True
    is_routed_by_bgp: bool = False

    def __post_init__(self) -> None:
        """Raises:
        FanousError: more than addresses can count, or a network that stands twice.
        """
        asns = [network.asn for network in self.networks]
        twice = next(iter(asn for asn, count in Counter(asns).items() if count > 1), None)
        if twice is not None:
            raise FanousError(f"AS{twice} stands twice in the plan: a network has one router and one access")
        if not 0 < len(asns) <= MOST_NETWORKS:
            raise FanousError(f"a lab has 1 to {MOST_NETWORKS} networks, not {len(asns)}")
        for network in self.networks:
            if not 0 < network.vantage_points <= MOST_VANTAGE_POINTS:
                count = network.vantage_points
                raise FanousError(
                    f"AS{network.asn}: a network has 1 to {MOST_VANTAGE_POINTS} vantage points, not {count}"
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
        address, address6: its own; empty = it has none.
        resolver: address of its provider's resolver.
        router: namespace of its provider's router, where censors stand.
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
        address: of its router towards the gateway, and of its resolver; likewise ``address6``.
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
    """Names of the namespaces of one lab; all begin with its prefix."""

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
