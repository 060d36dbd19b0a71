"""Platforms: the name that people use for a host, so that ``pbs.twimg.com`` and ``x.com`` are one target.

A host that belongs to no platform is its own target.  ``platforms.toml`` has the facts.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import idna

from fanous.base.text import printable
from fanous.model.measurement import Role
from fanous.refdata import toml_table

ROLES = tuple(map(str, dict.fromkeys((Role.WEB, Role.CLIENT, Role.SITE, *Role))))
"""In the order in which a probe tries them: what a browser opens first."""
KEYS = frozenset(
    (*("name", "title", "source", "ranges", "ranges_source"), *ROLES, *(f"{role}_title" for role in ROLES))
)
"""Of an entry in the file."""

SECOND_LEVEL = frozenset({"com", "co", "net", "org"})
"""Labels between a name and its country's domain: ``google.com.pk``, ``google.co.uk``."""

CACHED_HOSTS = 65_536
"""A test list has about 30,000 hosts; each entry takes about 200 bytes."""


@dataclass(frozen=True, slots=True)
class _Directory:
    """The file, arranged for lookups.

    Attributes:
        hosts: domain suffix -> (platform, role).
        labels: name under any country's domain -> (platform, role).
        titles: platform -> the name for people.
        role_titles: (platform, role) -> the name for people of a part that has a name of its own.
        ranges: (IP version, first address, last address, platform).
    """

    hosts: dict[str, tuple[str, str]] = field(default_factory=dict)
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    role_titles: dict[tuple[str, str], str] = field(default_factory=dict)
    ranges: list[tuple[int, int, int, str]] = field(default_factory=list)

    def add(self, entry: dict[str, Any]) -> None:
        name = entry["name"]
        if unknown := entry.keys() - KEYS:
            raise ValueError(
                f"platforms.toml: {name} has {', '.join(sorted(unknown))}, which no entry can have"
            )
        self.titles.setdefault(name, entry.get("title", name))
        for role in ROLES:
            for domain in entry.get(role, ()):
                label, star, _ = domain.partition(".*")
                (self.labels if star else self.hosts)[label] = (name, role)
            if f"{role}_title" in entry:
                self.role_titles[name, role] = entry[f"{role}_title"]
        for text in entry.get("ranges", ()):
            network = ip_network(text)
            first, last = int(network.network_address), int(network.broadcast_address)
            self.ranges.append((network.version, first, last, name))


@lru_cache(maxsize=1)
def _directory() -> _Directory:
    table = toml_table("platforms.toml")
    directory = _Directory()
    for entry in [*table["platform"], *table["shared_range"]]:
        directory.add(entry)
    return directory


@lru_cache(maxsize=CACHED_HOSTS)
def target_of(hostname: str) -> str:
    """``pbs.twimg.com`` -> ``x``; ``www.Example.org.`` -> ``example.org``; an IP literal stays as it is."""
    host = normal_host(hostname)
    found = _find(host)
    if found:
        return found[0]
    return host.removeprefix("www.") if "." in host.removeprefix("www.") else host


@lru_cache(maxsize=CACHED_HOSTS)
def role_of(hostname: str) -> str:
    """A name of ``model.measurement.Role``; a host of no platform is ``web``."""
    found = _find(normal_host(hostname))
    return found[1] if found else "web"


@lru_cache(maxsize=CACHED_HOSTS)
def platform_of_ip(ip: str) -> str | None:
    """The platform that owns the address, by its published ranges; ``None`` = not known."""
    address = _address(ip.strip("[]"))
    if address is None:
        return None
    number, version = int(address), address.version
    for of_version, first, last, name in _directory().ranges:
        if of_version == version and first <= number <= last:
            return name
    return None


def title(target: str) -> str:
    """The name for people: ``x`` -> ``X (Twitter)``; a host name is returned unchanged."""
    return _directory().titles.get(target, target)


def role_title(target: str, role: str) -> str:
    """``facebook``, ``messenger`` -> ``Facebook Messenger``; empty = the part has no name of its own."""
    return _directory().role_titles.get((target, role), "")


def platforms() -> tuple[str, ...]:
    """All platform names, in the order of the file."""
    return tuple(_directory().titles)


def domains_of(target: str) -> dict[str, list[str]]:
    """Role -> domains of a platform, as the file has them; a host of no platform is its own ``web``."""
    own = [entry for entry in toml_table("platforms.toml")["platform"] if entry["name"] == target]
    found = {role: [d for entry in own for d in entry.get(role, ())] for role in ROLES}
    return {role: domains for role, domains in found.items() if domains} or {"web": [target]}


def has_app(target: str) -> bool:
    """Is it known to have an app, which talks to hosts or addresses other than its websites?"""
    return not {"api", "chat", "client", "site"}.isdisjoint(domains_of(target))


def normal_host(hostname: str) -> str:
    """Lower case, punycode, without port, brackets and trailing dot; ``""`` stays empty."""
    host = hostname.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    if host.count(":") == 1:
        host = host.partition(":")[0]
    host = host.rstrip(".")
    if host.isascii():
        return _visible(host)
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return _visible(host)  # not a valid name; kept, since it is what was measured


def _visible(host: str) -> str:
    """The host, with escapes if some of its characters are unseen: ``x.com`` and an unseen character would be shown as
    ``x.com``, and is another name."""
    return host if printable(host) == host else host.encode("unicode_escape").decode("ascii")


def _find(host: str) -> tuple[str, str] | None:
    directory = _directory()
    suffix = host
    while suffix:
        found = directory.hosts.get(suffix)
        if found:
            return found
        suffix = suffix.partition(".")[2]
    return _under_a_country(host.split("."), directory.labels)


def _under_a_country(parts: list[str], labels: dict[str, tuple[str, str]]) -> tuple[str, str] | None:
    if len(parts) < 2 or len(parts[-1]) != 2 or not parts[-1].isalpha():
        return None
    if len(parts) > 2 and parts[-2] in SECOND_LEVEL:
        return labels.get(parts[-3])
    return labels.get(parts[-2])


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
