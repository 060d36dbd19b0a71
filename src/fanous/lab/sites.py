"""Sites: which hosts a lab has, under which addresses - the target lists' own names, and what probes rest on.

Each host has an address of its own, so that "the address was blocked" and "the name was blocked" differ.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import urlsplit

from fanous.errors import FanousError
from fanous.refdata.platforms import ROLES, target_of
from fanous.refdata.tables import toml_table
from fanous.refdata.targets import list_names

HOME = "home"

DOMESTIC_HOST = "www.gov.lab-country.net"
"""A site inside the country: it answers where nothing outside does."""

BLOCK_PAGE_HOST = "block.lab-country.net"

HOME_V4, HOME_V6 = "45.15.0", "2a0f:f9"
"""Prefix of what stands inside the country but in no provider's network."""

BLOCK_PAGE_ADDRESS = f"{HOME_V4}.66"
DOMESTIC_ADDRESS = f"{HOME_V4}.80"

PUBLIC_RESOLVER, DOH_RESOLVER, DOT_RESOLVER = "8.8.8.8", "1.1.1.1", "9.9.9.9"
"""As in the real world (and in ``probe.settings``): DNS over UDP, HTTPS and TLS."""

PUBLIC_RESOLVER6 = "2001:4860:4860::8888"

DOH_HOST, DOT_HOST = "cloudflare-dns.com", "dns.quad9.net"

AUTHORITY = "198.41.0.4"
"""Where the lab's recursive resolvers ask: one authority for all names outside the country."""

HOME_AUTHORITY = f"{HOME_V4}.53"
"""And one for those inside, which answers also where nothing outside does."""

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
"""What ``probe.settings.Settings`` rests on by default."""


@dataclass(frozen=True, slots=True)
class LabSite:
    """One host.

    Attributes:
        target: what people call it (``x``).
        addresses: IPv4, in order; likewise ``addresses6``.
        place: ``world`` or ``home``.
    """

    host: str
    target: str
    addresses: tuple[str, ...]
    addresses6: tuple[str, ...]
    place: str = "world"


def sites_of(targets: tuple[str, ...]) -> tuple[LabSite, ...]:
    """The sites of a lab: resolvers, controls, those inside the country, then the targets'.

    Raises:
        FanousError: a target is neither on a list nor a host name.
    """
    wanted = [host for target in targets for host in hosts_of(target)]
    hosts = [host for host in dict.fromkeys([*CONTROL_HOSTS, *wanted]) if host not in (DOH_HOST, DOT_HOST)]
    return (
        LabSite(DOH_HOST, target_of(DOH_HOST), (DOH_RESOLVER,), ("2606:4700:4700::1111",)),
        LabSite(DOT_HOST, target_of(DOT_HOST), (DOT_RESOLVER,), ("2620:fe::fe",)),
        LabSite("dns.google", target_of("dns.google"), (PUBLIC_RESOLVER,), (PUBLIC_RESOLVER6,)),
        LabSite(DOMESTIC_HOST, DOMESTIC_HOST, (DOMESTIC_ADDRESS,), (f"{HOME_V6}::80",), HOME),
        LabSite(BLOCK_PAGE_HOST, BLOCK_PAGE_HOST, (BLOCK_PAGE_ADDRESS,), (f"{HOME_V6}::66",), HOME),
        *(_site(number, host) for number, host in enumerate(hosts)),
    )


def _site(number: int, host: str) -> LabSite:
    """Each on a /24 of its own, two addresses in it; IPv6 as others write it (RFC 5952), so from 1 on."""
    net = f"37.{10 + number // 250}.{number % 250}"
    return LabSite(
        host,
        target_of(host),
        (f"{net}.10", f"{net}.20"),
        (f"2a10:fb:{number + 1:x}::10", f"2a10:fb:{number + 1:x}::20"),
    )


def hosts_of(target: str) -> tuple[str, ...]:
    """Hosts of a target: by the lists that ship, else a host name stands for itself.

    Raises:
        FanousError: it is neither.
    """
    found = _listed().get(target, ())
    if found:
        return found
    if "." in target:
        return (target,)
    near = get_close_matches(target, _listed(), 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise FanousError(f"{target!r} is neither on a list of targets nor a host name{hint}")


def known_targets() -> tuple[str, ...]:
    """All targets of the lists that ship."""
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
