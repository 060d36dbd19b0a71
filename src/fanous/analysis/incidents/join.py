"""Join: an outage that levels show and one that our own probes tell are one event, and one incident."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

from fanous.analysis.incidents.group import TOGETHER
from fanous.model.incident import Evidence, FamilyView, Incident, Part, Says, Scope, Status
from fanous.model.place import Family

WIDTH = (Scope.NATION, Scope.REGION, Scope.MULTI_ISP, Scope.ISP, Scope.INSUFFICIENT)
"""From the widest to the narrowest."""


def join(levels: Sequence[Incident], probes: Sequence[Incident]) -> list[Incident]:
    """All incidents; of lines (not of platforms), what is of one kind, place and time as one.

    Args:
        levels: what ready-made series show.
        probes: what measurements show, platforms among it.
    """
    found, taken = [], set[int]()
    for level in levels:
        for index, probe in enumerate(probes):
            if index not in taken and _one_event(level, probe):
                taken.add(index)
                level = _joined(level, probe)
        found.append(level)
    return found + [probe for index, probe in enumerate(probes) if index not in taken]


def is_of_lines(incident: Incident) -> bool:
    """It is about the line itself, whatever platforms besides."""
    return any(not part.target for part in incident.parts)


def _one_event(level: Incident, probe: Incident) -> bool:
    if level.kind is not probe.kind or any(part.target for part in (*level.parts, *probe.parts)):
        return False
    if Status.RETRACTED in (level.status, probe.status) or not _one_place(level, probe):
        return False
    first, second = sorted((level, probe), key=lambda one: one.onset)
    over = inf if first.end is None else first.end
    return second.onset < over and (second.onset - first.onset <= TOGETHER or _share_most(first, second))


def _one_place(level: Incident, probe: Incident) -> bool:
    """A line of the whole country, or a place in common."""
    whole = {level.country}
    return bool(
        whole & {*level.entities, *probe.entities}
        or set(level.entities) & set(probe.entities)
        or Scope.NATION in (level.scope, probe.scope)
    )


def _share_most(first: Incident, second: Incident) -> bool:
    """The later one lies mostly in the time of the earlier one."""
    if first.end is None or second.end is None:
        return first.end is None
    return min(first.end, second.end) - second.onset >= (second.end - second.onset) / 2


def _joined(level: Incident, probe: Incident) -> Incident:
    """The one that was confirmed first leads, else the levels'; the other's evidence and words come along."""
    moments = [inf if one.confirmed_at is None else one.confirmed_at for one in (level, probe)]
    lead = probe if moments[1] < moments[0] else level
    scope = min(level.scope, probe.scope, key=WIDTH.index) if inf not in moments else lead.scope
    entities = tuple(dict.fromkeys((*lead.entities, *level.entities, *probe.entities)))
    mechanisms = tuple(dict.fromkeys((*lead.mechanisms, *level.mechanisms, *probe.mechanisms)))
    return replace(
        lead,
        scope=scope,
        entities=entities,
        parts=(Part("", lead.kind, mechanisms, entities),),
        networks=(*level.networks, *probe.networks),
        confidence=max(level.confidence, probe.confidence),
        users=probe.users or level.users,
        kbps=probe.kbps,
        level=level.level or probe.level,
        evidence=_evidence(level.evidence, probe.evidence),
        opinions=(_told(probe), *(o for o in level.opinions if o.family != Family.EDGE)),
        hints=level.hints,
    )


def _told(probe: Incident) -> FamilyView:
    return FamilyView(
        family=str(Family.EDGE),
        says=Says.DOWN,
        sources=("our own probes",),
        entities=tuple(network.entity for network in probe.networks),
        left=probe.level,
        onset=probe.onset,
        raised_at=probe.confirmed_at,
    )


def _evidence(one: Evidence, two: Evidence) -> Evidence:
    families = {*one.families, *two.families}
    return Evidence(
        measurements=one.measurements + two.measurements,
        probes=one.probes + two.probes,
        networks=max(one.networks, two.networks),
        controls=one.controls + two.controls,
        families=tuple(str(family) for family in Family if family in families),
    )
