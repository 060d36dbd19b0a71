"""Merge: one real event is one incident, however many ways it was seen.

What series and probes show of one event is joined, platforms cut within a confirmed outage become parts of it
(``merged``), and what is found now continues the incident that is already known (``match``): late measurements move
onsets and add networks, while the event keeps its id.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from math import inf

from fanous.analysis.incidents.assemble import SAME_NETWORK_GAP, TOGETHER
from fanous.analysis.incidents.networks import united_roles
from fanous.base.groups import grouped
from fanous.model.incident import (
    EvidenceCounts,
    FamilyView,
    Incident,
    Kind,
    NetworkPart,
    Part,
    Says,
    Scope,
    Status,
    union,
)
from fanous.model.instant import DAY
from fanous.model.measurement import weakest
from fanous.model.place import Access, Family
from fanous.model.threshold import threshold

# --- what quantities and probes saw ---------------------------------------------------------------------

WIDTH = (Scope.NATION, Scope.REGION, Scope.MULTI_ISP, Scope.ISP, Scope.INSUFFICIENT)
"""From the widest to the narrowest."""


Recount = Callable[[Incident, Sequence[Incident]], Incident]
"""Recounts the figures of an incident made of the given ones: added up, what is in two of them would count twice."""


def merged(
    in_series: Sequence[Incident], in_votes: Sequence[Incident], recount: Recount = lambda whole, _: whole
) -> list[Incident]:
    """All incidents of a country, each event once, whatever showed it.

    Lines that both show cut or slow become one; a loss of a platform's traffic joins what measurements of the platform
    show; and a platform that was cut within a confirmed outage is a part of it.

    Args:
        in_series: what series of sources show.
        in_votes: what votes of probes show.
    """
    traffic = [one for one in in_series if one.is_of_traffic]
    lines = [one for one in in_series if not one.is_of_traffic]
    of_targets = _taken_in(in_votes, traffic, _of_one_target, _with_loss, recount)
    found = _taken_in(lines, of_targets, _one_event, _joined, recount)
    lost = [one for one in found if one.kind is Kind.OUTAGE and one.is_of_line]
    return absorb(lost, [one for one in found if one not in lost], recount)


def _taken_in(
    leads: Sequence[Incident],
    others: Sequence[Incident],
    belongs: Callable[[Incident, Incident], bool],
    unite: Callable[[Incident, Incident], Incident],
    recount: Recount,
) -> list[Incident]:
    """Each lead with the others that belong to it, then those that belong to none; each is used once."""
    found, rest = list[Incident](), list(others)
    for lead in leads:
        left = list[Incident]()
        for other in rest:
            if belongs(lead, other):
                lead = recount(unite(lead, other), (lead, other))
            else:
                left.append(other)
        rest = left
        found.append(lead)
    return found + rest


def _one_event(level: Incident, probe: Incident) -> bool:
    if level.kind is not probe.kind or any(part.target for part in (*level.parts, *probe.parts)):
        return False
    return _one_place(level, probe) and _at_one_time(level, probe)


def _at_one_time(level: Incident, probe: Incident) -> bool:
    if Status.RETRACTED in (level.status, probe.status):
        return False
    first, second = sorted((level, probe), key=lambda one: one.onset)
    return second.onset < first.until and (
        second.onset - first.onset <= TOGETHER or _share_most(first, second)
    )


# --- what measurements of a platform and its traffic saw --------------------------------------------------

SAME_ACT = threshold(
    "incidents.same_act_seconds",
    7 * DAY,
    "Measurements of a platform and its traffic may show one act so far apart: few networks are measured every "
    "day.",
)


def _of_one_target(one: Incident, loss: Incident) -> bool:
    """Measurements say how it is done and on which networks, so theirs leads, with its own ruling: whether their
    failures and the fall of the whole country's traffic are one act is not known well enough to confirm either by the
    other."""
    if one.is_of_traffic or one.country != loss.country or not set(loss.targets) & set(one.targets):
        return False
    return abs(one.onset - loss.onset) <= SAME_ACT and _at_one_time(loss, one)


def _with_loss(one: Incident, loss: Incident) -> Incident:
    return replace(
        one,
        level=one.level or loss.level,
        levels=one.levels or loss.levels,
        lasting_since=one.lasting_since or loss.lasting_since,
        evidence=_evidence(one.evidence, loss.evidence),
        opinions=(*one.opinions, *loss.opinions),
        reasons=(*one.reasons, *(r for r in loss.reasons if r.code.startswith("products."))),
    )


def _one_place(level: Incident, probe: Incident) -> bool:
    """Is one of them about the whole country, or do they have a place in common?"""
    whole = {level.country}
    return bool(
        whole & {*level.entities, *probe.entities}
        or set(level.entities) & set(probe.entities)
        or Scope.NATION in (level.scope, probe.scope)
    )


def _share_most(first: Incident, second: Incident) -> bool:
    """Is the later one mostly within the time of the earlier one?"""
    if first.end is None or second.end is None:
        return first.end is None
    return min(first.end, second.end) - second.onset >= (second.end - second.onset) / 2


def _joined(level: Incident, probe: Incident) -> Incident:
    """The one confirmed first, otherwise the one from quantities, with the evidence and remarks of both."""
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
        levels=level.levels,
        lasting_since=level.lasting_since if lead.end is None else None,
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


def _evidence(one: EvidenceCounts, two: EvidenceCounts) -> EvidenceCounts:
    families = {*one.families, *two.families}
    return EvidenceCounts(
        measurements=one.measurements + two.measurements,
        probes=one.probes + two.probes,
        networks=max(one.networks, two.networks),
        controls=one.controls + two.controls,
        families=tuple(str(family) for family in Family if family in families),
    )


# --- platforms within an outage -------------------------------------------------------------------------


def absorb(
    outages: Sequence[Incident], others: Sequence[Incident], recount: Recount = lambda whole, _: whole
) -> list[Incident]:
    """All incidents, those within a confirmed outage as its parts.

    A blocking that ended before the outage or outlasts it, or is not known to be on the same networks, stays an
    separate incident; so does everything next to an outage that is only suspected.
    """
    return _taken_in(outages, others, _within, _with, recount)


def _within(outage: Incident, other: Incident) -> bool:
    if outage.kind is not Kind.OUTAGE or not outage.is_of_line or outage.confirmed_at is None:
        return False
    if other.country != outage.country:
        return False
    if outage.scope is not Scope.NATION and not set(outage.entities) & set(other.entities):
        return False
    began = outage.onset - TOGETHER <= other.onset < outage.until
    return began and outage.onset < other.until <= outage.until + TOGETHER


def _with(outage: Incident, other: Incident) -> Incident:
    return replace(
        outage,
        parts=outage.parts + other.parts,
        networks=outage.networks + other.networks,
        kbps=outage.kbps or other.kbps,
        evidence=_evidence(outage.evidence, other.evidence),
    )


# --- merged by a person --------------------------------------------------------------------------


def united(whole: Incident, part: Incident) -> Incident:
    """Two incidents of one country as one: a person found that they are the same event.

    The whole keeps its id, note and sentences of evidence; each place, target and time of the part joins it.  Figures
    are added up (``Recount``).
    """
    ends = [one.end for one in (whole, part)]
    sure = [one for one in (whole, part) if one.confirmed_at is not None]
    first = min(sure, key=lambda one: one.confirmed_at or 0.0, default=whole)
    end = None if None in ends else max(end for end in ends if end is not None)
    last = max((whole, part), key=lambda one: one.until)
    begun = min((whole, part), key=lambda one: one.onset)
    is_open = Status.CONFIRMED if sure else Status.SUSPECTED
    return replace(
        whole,
        kind=min(whole.kind, part.kind, key=list(Kind).index),
        status=is_open if end is None else Status.ENDED,
        scope=min(whole.scope, part.scope, key=WIDTH.index),
        access=whole.access if whole.access is part.access else Access.ANY,
        entities=_each_once([whole.entities, part.entities]),
        parts=tuple(
            map(
                _as_one_part,
                grouped(whole.parts + part.parts, lambda cut: (cut.target, cut.kind)).values(),
            )
        ),
        networks=tuple(
            map(
                _as_one_network,
                grouped(whole.networks + part.networks, lambda network: network.entity).values(),
            )
        ),
        onset=begun.onset,
        onset_earliest=begun.onset_earliest,
        onset_latest=begun.onset_latest,
        end=end,
        end_earliest=last.end_earliest,
        end_latest=last.end_latest,
        intervals=union([*whole.intervals, *part.intervals]),
        confirmed_at=first.confirmed_at,
        rule=first.rule,
        confidence=max(whole.confidence, part.confidence),
        users=max((one.users for one in (whole, part) if one.users), key=lambda one: one.mean, default=None),
        kbps=whole.kbps or part.kbps,
        level=whole.level or part.level,
        levels=whole.levels or part.levels,
        evidence=_evidence(whole.evidence, part.evidence),
        reasons=first.reasons,
        opinions=whole.opinions or part.opinions,
        provenance=weakest({whole.provenance, part.provenance}),
    )


def _each_once(names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


def _as_one_part(alike: Sequence[Part]) -> Part:
    """Parts about one target and kind of restriction as one."""
    spans = [part.intervals for part in alike]
    return replace(
        alike[0],
        mechanisms=_each_once(part.mechanisms for part in alike),
        entities=_each_once(part.entities for part in alike),
        roles=united_roles(role for part in alike for role in part.roles),
        intervals=union(chain.from_iterable(spans)) if all(spans) else (),
    )


def _as_one_network(alike: Sequence[NetworkPart]) -> NetworkPart:
    return NetworkPart(
        alike[0].entity,
        _each_once(network.targets for network in alike),
        union(interval for network in alike for interval in network.intervals),
        sum(network.measurements for network in alike),
        max(network.probes for network in alike),
        max(network.probability for network in alike),
    )


# --- matched with known incidents ------------------------------------------------------------------------------

SAME_KIND = threshold(
    "incidents.match_same_kind",
    2.0,
    "Similarity credited for the same kind, as much as for two targets: platforms that were part of an outage "
    "do not take its id along when they become a separate incident.",
)

TOLD = threshold(
    "incidents.match_told",
    4.0,
    "Similarity credited to a confirmed incident, which people have already heard about: if two that overlap "
    "become one, its id continues, whatever the kind.",
)


def match(found: Sequence[Incident], known: Sequence[Incident]) -> list[tuple[Incident, Incident | None]]:
    """Each found incident with the known one that it continues; None = new.

    A known incident continues at most once, in the found one with most targets, networks and time in common.  One that
    was retracted comes back only if none that stands fits, since that would take back two claims for one event; what a
    person withdrew stays withdrawn.
    """
    pairs = sorted(
        (k.status is Status.RETRACTED and not k.withdrawn_by, -_likeness(f, k), i, j)
        for i, f in enumerate(found)
        for j, k in enumerate(known)
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, unlike, i, j in pairs:
        if unlike < 0 and i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    return [(f, known[partner[i]] if i in partner else None) for i, f in enumerate(found)]


def _likeness(found: Incident, known: Incident) -> float:
    """How much they have in common; 0 = they cannot be the same event."""
    targets = set(found.targets) & set(known.targets)
    lines = found.is_of_line and known.is_of_line and found.kind is known.kind
    if not (targets or lines) or _apart(found, known) > SAME_NETWORK_GAP:
        return 0.0
    networks = set(found.entities) & set(known.entities)
    near = 1 / (1 + abs(found.onset - known.onset) / 3600)
    kind = SAME_KIND * (found.kind is known.kind)
    told = TOLD * (known.confirmed_at is not None and _apart(found, known) == 0)
    return len(targets) + lines + 0.5 * len(networks) + near + kind + told


def _apart(one: Incident, other: Incident) -> float:
    """Seconds between the two; 0 if they overlap."""
    first, second = sorted((one, other), key=lambda incident: incident.onset)
    return max(0.0, second.onset - first.until)
