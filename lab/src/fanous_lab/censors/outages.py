"""Outages: everything is cut, for a network, for mobile users or for the nation, or all but domestic sites.

Failures of the servers themselves are here too: they are not interference.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from fanous.errors import FanousError
from fanous_lab import bgp, topology
from fanous_lab.censors.by_address import ip_batch
from fanous_lab.censors.cut import Strike, Undo
from fanous_lab.censors.firewall import Rules, address_of, install, of_version, on_routers
from fanous_lab.plan import HOME_V4, HOME_V6, Provider, VantagePoint
from fanous_lab.topology import COUNTRY_V4, COUNTRY_V6


def unplug(strike: Strike) -> Undo:
    """The link between a provider and the gateway goes down; if only some of its vantage points are hit, its router
    drops what they send and receive."""
    whole = [provider for provider in strike.internet.providers if _is_hit_whole(strike, provider)]
    gateway, v6 = strike.internet.names.gateway, strike.internet.plan.is_ipv6
    if whole:
        ip_batch(gateway, [f"link set dev {provider.port} down" for provider in whole])
    partly = on_routers(
        strike,
        lambda points, version: [
            Rules([] if strike.is_whole(points[0].router) else silence(points, version))
        ],
    )

    def plug() -> None:
        partly()
        if whole:
            is_routed = bgp.is_routed(strike.internet.routers)
            lines = [topology.port_of(provider, v6, with_routes=not is_routed) for provider in whole]
            ip_batch(gateway, [line for of_one in lines for line in of_one])
            if is_routed:
                bgp.wait(strike.internet.routers, whole)

    return plug


def _is_hit_whole(strike: Strike, provider: Provider) -> bool:
    return provider.namespace in strike.by_router() and strike.is_whole(provider.namespace)


def silence(points: list[VantagePoint], version: int) -> list[str]:
    """Rules that drop all packets from and to the vantage points."""
    return [f"{way} {address_of(point, version)} -j DROP" for point in points for way in ("-s", "-d")]


def withdraw(strike: Strike) -> Undo:
    """A provider withdraws the routes to itself: its packets leave, but no reply finds the way back.

    Raises:
        FanousError: no provider has all of its vantage points hit, so none can vanish.
    """
    whole = [provider for provider in strike.internet.providers if _is_hit_whole(strike, provider)]
    if not whole:
        raise FanousError(f"{strike.cut.technique} acts on whole networks, and none is hit completely")
    bgp.start(strike.internet.routers)
    bgp.announce(strike.internet.routers, whole, on=False)
    return lambda: bgp.announce(strike.internet.routers, whole, on=True)


def mobile_only(strike: Strike) -> Undo:
    """The mobile core forwards nothing; its link stays up."""
    return on_routers(strike, lambda points, version: [Rules(silence(points, version))])


def break_ipv6(strike: Strike) -> Undo:
    """The line has IPv6 addresses, but nothing comes back over them."""
    return on_routers(
        strike, lambda points, version: [Rules(silence(points, version) if version == 6 else [])]
    )


def intranet(strike: Strike) -> Undo:
    """The way out of the country is a black hole; domestic sites work."""

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        inside = [*of_version([COUNTRY_V4, COUNTRY_V6], version)]
        lines = [line for point in points for line in _only_to(inside, address_of(point, version))]
        own_questions = _of_the_router(strike, points, version, inside)
        return [Rules(lines), Rules(own_questions, "OUTPUT")]

    return on_routers(strike, rules)


def _of_the_router(strike: Strike, points: list[VantagePoint], version: int, inside: list[str]) -> list[str]:
    """Rules that cut the provider's resolver off too, if all its clients are cut off."""
    if not strike.is_whole(points[0].router):
        return []
    first = points[0]
    resolver = first.resolver if version == 4 else first.resolver6
    return _only_to(inside, resolver)


def _only_to(allowed: Iterable[str], resolver: str) -> list[str]:
    """Rules that let nothing from an address through but to what is allowed."""
    return [*(f"-s {resolver} -d {place} -j RETURN" for place in allowed), f"-s {resolver} -j DROP"]


def allow_list(strike: Strike) -> Undo:
    """Only packets of listed sites (by address) and of domestic ones are forwarded."""
    kept = strike.internet.addresses_of(strike.cut.keep)

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        allowed = [*of_version([f"{HOME_V4}.0/24", f"{HOME_V6}::/48"], version), *of_version(kept, version)]
        return [Rules([line for point in points for line in _only_to(allowed, address_of(point, version))])]

    return on_routers(strike, rules)


def lose(share: float) -> Callable[[Strike], Undo]:
    """A technique that drops a share of all packets in both directions, those to the provider's resolver included."""
    chance = f"-m statistic --mode random --probability {share}"

    def strike_it(strike: Strike) -> Undo:
        def rules(points: list[VantagePoint], version: int) -> list[Rules]:
            addresses = [address_of(point, version) for point in points]
            there = [f"-s {address} {chance} -j DROP" for address in addresses]
            back = [f"-d {address} {chance} -j DROP" for address in addresses]
            return [Rules([*there, *back]), Rules(there, "INPUT"), Rules(back, "OUTPUT")]

        return on_routers(strike, rules)

    return strike_it


def take_down(strike: Strike) -> Undo:
    """The targets' servers refuse everyone, including the outside helper."""

    def rules(version: int) -> list[Rules]:
        lines = []
        for address in of_version(strike.addresses, version):
            lines.append(f"-d {address} -p tcp -j REJECT --reject-with tcp-reset")
            lines.append(f"-d {address} -p udp -j REJECT")
        return [Rules(lines, "INPUT")]

    world = strike.internet.names.world
    return install(strike, [(world, version, rules(version)) for version in strike.versions])


def refuse_country(strike: Strike) -> Undo:
    """The targets' servers answer 451 (RFC 7725) to the vantage points hit, with a valid certificate."""
    files = [
        strike.internet.folder / "451" / host / address
        for host in strike.hosts
        for point in strike.points
        for address in (point.address, point.address6)
        if address
    ]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return lambda: _remove(files)


def _remove(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def rotate(strike: Strike) -> Undo:
    """Resolvers of different networks get different addresses of the targets, all of them good."""
    strike.internet.tell_dns({"do": "rotate", "hosts": strike.hosts})
    return lambda: strike.internet.tell_dns({"do": "fix", "hosts": strike.hosts})
