"""Reach: how far an outage goes, from the finest cell up to the nation, and of which class that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fanous.analysis.incidents.fusion import family_of, left
from fanous.analysis.incidents.outage_group import is_country
from fanous.analysis.incidents.scope import NATION_SHARE, extent
from fanous.model.anomaly import Anomaly
from fanous.model.incident import FamilyView, Says, Scope, UsersShare
from fanous.model.place import Access, Family
from fanous.model.series import Series
from fanous.model.weights import UserWeights

STEALTH_LEFT = 0.5
"""Traffic or answers lost while routes stay up: a stealth outage only where more than half is gone."""

IPV6_LEFT = 0.5
IPV4_LEFT = 0.9
"""IPv6 is withdrawn alone where more than half of its prefixes are gone and nine tenths of IPv4's are not."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far it goes.

    Attributes:
        lead: the anomalies that the claim is about: the country's own lines where they fell.
        classes: ``outage.*``, the likeliest first.
        wording: a remark that belongs to the claim, empty = none.
    """

    scope: Scope
    access: Access
    users: UsersShare | None
    lead: tuple[Anomaly, ...]
    classes: tuple[str, ...]
    wording: str = ""


def reach(
    group: Sequence[Anomaly],
    series: Sequence[Series],
    opinions: Sequence[FamilyView],
    weights: UserWeights | None,
) -> Reach:
    """How far an outage goes.

    Args:
        series: all level series of the country that can show one.
    """
    national = [a for a in group if is_country(a.key.place)]
    lost = [1 - left(a) for a in national if family_of(a) is not Family.ROUTING]
    if national and max(lost or [1 - left(a) for a in national]) >= NATION_SHARE:
        return Reach(Scope.NATION, Access.ANY, None, tuple(national), _classes("national", group, opinions))
    asns = {a.key.place.asn for a in group if a.key.place.asn}
    if asns:
        return _of_networks(group, asns, series, opinions, weights)
    if any(a.key.place.region for a in group):
        return Reach(Scope.REGION, Access.ANY, None, tuple(group), _classes("region", group, opinions))
    return Reach(
        Scope.INSUFFICIENT,
        Access.ANY,
        None,
        tuple(group),
        _classes("partial", group, opinions),
        "which regions or networks are cut is not known",
    )


def _of_networks(
    group: Sequence[Anomaly],
    asns: set[int],
    series: Sequence[Series],
    opinions: Sequence[FamilyView],
    weights: UserWeights | None,
) -> Reach:
    start, end = min(a.start for a in group), max(a.last_seen for a in group)
    lines = [s for s in series if s.key.place.asn]
    observed = {s.key.place.asn for s in lines if ((s.times >= start) & (s.times < end)).any()} | asns
    far = extent(asns, observed, weights)
    name = {Scope.NATION: "national"}.get(far.scope, "mobile" if far.access is Access.MOBILE else "isp")
    lead = tuple(a for a in group if a.key.place.asn)
    return Reach(far.scope, far.access, far.users, lead, _classes(name, group, opinions), far.wording)


def _classes(name: str, group: Sequence[Anomaly], opinions: Sequence[FamilyView]) -> tuple[str, ...]:
    if _only_ipv6(group):
        return ("outage.ipv6",)
    found = [f"outage.{name}"]
    says = {opinion.family: opinion for opinion in opinions}
    routing = says.get(Family.ROUTING)
    gone = [
        o for f in (Family.USAGE, Family.PROBING) if (o := says.get(f)) is not None and o.left is not None
    ]
    if routing is not None and routing.says is Says.ORDINARY:
        if any(o.left is not None and o.left.mean <= STEALTH_LEFT for o in gone):
            found.append("outage.stealth")
    elif _ipv6_withdrawn(group):
        found.append("outage.ipv6")
    return tuple(found)


def _only_ipv6(group: Sequence[Anomaly]) -> bool:
    return _ipv6_withdrawn(group) and all(a.key.signal == "prefixes_v6" for a in group)


def _ipv6_withdrawn(group: Sequence[Anomaly]) -> bool:
    gone = any(a.key.signal == "prefixes_v6" and left(a) <= IPV6_LEFT for a in group)
    return gone and all(left(a) >= IPV4_LEFT for a in group if a.key.signal in ("prefixes_v4", "bgp"))
