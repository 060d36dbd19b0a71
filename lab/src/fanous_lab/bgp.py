"""BGP: providers announce themselves to the gateway with bird (bird2), so that real routes can be withdrawn.

Sessions run over link-local addresses (RFC 8950 carries IPv4 over them), since all links are numbered alike.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fanous.errors import FanousError
from fanous_lab.plan import HOME_V4, Provider
from fanous_lab.registry import Programs
from fanous_lab.space import run_in
from fanous_lab.topology import GATEWAY, NODAD, numbers_of

GATEWAY_ASN = 64_496
"""Reserved for documentation (RFC 5398), so it belongs to no network."""

PATIENCE = 20.0
"""Seconds to wait for all routes; learning them takes about two."""

MARK = "bgp"
"""A file in the lab's folder that says its routes are learned by BGP, not set."""


@dataclass(frozen=True, slots=True)
class Routers:
    """The routers of a lab.

    Attributes:
        folder: the lab's; has their configurations and sockets.
        gateway: namespace of the router that every provider is connected to.
        providers: each has a router of its own.
        programs: runs their daemons.
    """

    folder: Path
    gateway: str
    providers: tuple[Provider, ...]
    is_ipv6: bool
    programs: Programs


def is_routed(routers: Routers) -> bool:
    return (routers.folder / MARK).exists()


def start(routers: Routers) -> None:
    """Let the gateway learn its routes to the providers from now on; removes the static ones.

    Raises:
        FanousError: bird is not installed, or the routes do not arrive.
    """
    if is_routed(routers):
        return
    gateway, v6 = routers.gateway, routers.is_ipv6
    _, _, upper, lower = numbers_of(GATEWAY)
    ports = [f"addr replace {upper}/64 dev {provider.port}{NODAD}" for provider in routers.providers]
    run_in(gateway, ["ip", "-batch", "-"], "\n".join(ports))
    _bird(routers, "gateway", gateway, _of_the_gateway(routers.providers, v6))
    for one in routers.providers:
        uplink = f"addr replace {lower}/64 dev {one.uplink}{NODAD}"
        run_in(one.namespace, ["ip", "-batch", "-"], uplink)
        _bird(routers, _name(one), one.namespace, _of_a_provider(one, v6))
    wait(routers, routers.providers)
    run_in(gateway, ["ip", "-batch", "-"], "\n".join(_set_routes(routers.providers, v6)))
    (routers.folder / MARK).touch()


def announce(routers: Routers, providers: Sequence[Provider], *, on: bool) -> None:
    """Announce the providers' prefixes, or withdraw them, and wait until the gateway knows."""
    for provider in providers:
        for version in (4, 6) if routers.is_ipv6 else (4,):
            words = ["birdc", "-s", str(_control(routers, _name(provider))), "enable" if on else "disable"]
            run_in(provider.namespace, [*words, f"own{version}"])
    wait(routers, providers, there=on)


def _bird(routers: Routers, name: str, namespace: str, text: str) -> None:
    path = routers.folder / f"bird-{name}.conf"
    path.write_text(text, encoding="ascii")
    control = _control(routers, name)
    routers.programs.start(f"bird-{name}", namespace, ["bird", "-f", "-c", str(path), "-s", str(control)])


def _name(provider: Provider) -> str:
    return f"as{provider.planned.asn}"


def _control(routers: Routers, name: str) -> Path:
    return routers.folder / f"bird-{name}.sock"


def wait(routers: Routers, providers: Sequence[Provider], *, there: bool = True) -> None:
    """Wait until the gateway has the providers' routes, or no longer has them.

    Raises:
        FanousError: the routes do not change.
    """
    wanted = {prefix for provider in providers for prefix in (provider.prefix, provider.prefix6) if prefix}
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        known = {
            line.split()[0]
            for version in ("-4", "-6")
            for line in run_in(
                routers.gateway, ["ip", version, "route", "show", "proto", "bird"]
            ).splitlines()
        }
        if (wanted <= known) if there else not (wanted & known):
            return
        time.sleep(0.02)
    raise FanousError(f"BGP: the gateway's routes did not change within {PATIENCE:.0f} s")


def _set_routes(providers: Sequence[Provider], v6: bool) -> list[str]:
    """The routes that ``topology`` set (protocol ``boot``), to be deleted."""
    _, lower4, _, lower6 = numbers_of(GATEWAY)
    lines = [f"route del {p.prefix} via {lower4} dev {p.port} proto boot" for p in providers]
    return lines + [f"route del {p.prefix6} via {lower6} dev {p.port} proto boot" for p in providers if v6]


def _of_the_gateway(providers: Sequence[Provider], v6: bool) -> str:
    parts = [f"router id {HOME_V4}.1;\nprotocol device {{ scan time 1; }}\n"]
    for version in (4, 6) if v6 else (4,):
        learned = "import none; export where source = RTS_BGP;"
        parts.append(f"protocol kernel kernel{version} {{ ipv{version} {{ {learned} }}; }}\n")
    for provider in providers:
        channels = "ipv4 { import all; export none; extended next hop yes; };"
        channels += " ipv6 { import all; export none; };" if v6 else ""
        parts.append(
            _session(
                provider.port, GATEWAY_ASN, provider.planned.asn, provider.port, channels, is_gateway=True
            )
        )
    return "".join(parts)


def _of_a_provider(provider: Provider, v6: bool) -> str:
    own = "import none; export where source = RTS_STATIC; next hop self;"
    channels = f"ipv4 {{ {own} extended next hop yes; }};"
    text = f"router id {provider.address};\nprotocol device {{ scan time 1; }}\n"
    text += f"protocol static own4 {{ ipv4; route {provider.prefix} blackhole; }}\n"
    if v6:
        text += f"protocol static own6 {{ ipv6; route {provider.prefix6} blackhole; }}\n"
        channels += f" ipv6 {{ {own} }};"
    asn = provider.planned.asn
    return text + _session("gateway", asn, GATEWAY_ASN, provider.uplink, channels, is_gateway=False)


def _session(name: str, asn: int, other: int, interface: str, channels: str, *, is_gateway: bool) -> str:
    _, _, upper, lower = numbers_of(GATEWAY)
    here, there = (upper, lower) if is_gateway else (lower, upper)
    return (
        f"protocol bgp {name} {{ local {here} as {asn}; neighbor {there} as {other}; "
        f'interface "{interface}"; connect delay time 1; connect retry time 1; error wait time 1, 1; '
        f"{channels} }}\n"
    )
