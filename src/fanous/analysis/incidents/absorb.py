"""Absorb: platforms cut within a confirmed outage are parts of it - one real event is one incident."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

from fanous.analysis.incidents.group import TOGETHER
from fanous.model.incident import Evidence, Incident, Kind, Scope
from fanous.model.place import Family


def absorb(outages: Sequence[Incident], others: Sequence[Incident]) -> list[Incident]:
    """All incidents, those within a confirmed outage as its parts.

    A blocking that was over before the outage or goes on after it, or that nobody knows to be of the same
    networks, stays an incident of its own; so does everything beside an outage that is only suspected.
    """
    taken: set[int] = set()
    merged = []
    for outage in outages:
        own = [i for i, other in enumerate(others) if i not in taken and _within(outage, other)]
        taken.update(own)
        for index in own:
            outage = _with(outage, others[index])
        merged.append(outage)
    return merged + [other for i, other in enumerate(others) if i not in taken]


def _within(outage: Incident, other: Incident) -> bool:
    if outage.kind is not Kind.OUTAGE or outage.confirmed_at is None or other.country != outage.country:
        return False
    if outage.scope is not Scope.NATION and not set(outage.entities) & set(other.entities):
        return False
    end = inf if outage.end is None else outage.end
    over = inf if other.end is None else other.end
    began, ended = outage.onset - TOGETHER <= other.onset < end, end == inf or over <= end + TOGETHER
    return began and ended and over > outage.onset


def _with(outage: Incident, other: Incident) -> Incident:
    one, two = outage.evidence, other.evidence
    families = {*one.families, *two.families}
    return replace(
        outage,
        parts=outage.parts + other.parts,
        networks=outage.networks + other.networks,
        kbps=outage.kbps or other.kbps,
        evidence=Evidence(
            measurements=one.measurements + two.measurements,
            probes=one.probes + two.probes,
            networks=max(one.networks, two.networks),
            controls=one.controls + two.controls,
            families=tuple(str(f) for f in Family if f in families),
        ),
    )
