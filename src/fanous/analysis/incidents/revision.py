"""Revision: one real event is one incident, however many ways it was seen, and what happens to it after it was claimed.

What series and probes show of one event is joined, and platforms cut within a confirmed outage become parts of it
(``merged``); and what is found now continues the incident that is already known (``match``): late
measurements move onsets and add networks, while the event keeps its id.

A store may hold national claims until a person has reviewed them, and a person may withdraw an incident.  Held means
suspected, with the reason shown.  The evidence does not change: an approval lets the same claim stand, and the time at
which the rule was met comes back with it.

While a backfill imports past measurements, newest first, an incident is provisional until those of the days before
it are in: it rests on part of the measurements, so it may grow, move or vanish without anything having happened.
It is shown as suspected, with that reason, and is in no feed and no alert.

The rest says what a revision is: which measurements came in after the claim, what it takes back or narrows (to widen a
claim corrects nothing), and what is news to those who received the previous one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import inf

from fanous.analysis.incidents.assemble import SAME_NETWORK_GAP, TOGETHER
from fanous.model.alert import Happening
from fanous.model.coverage import Arrival, Backfill, SeriesArrival
from fanous.model.incident import (
    BACKFILL,
    Decision,
    Evidence,
    FamilyView,
    Incident,
    Kind,
    NetworkPart,
    Part,
    RolePart,
    Says,
    Scope,
    Status,
    union,
)
from fanous.model.instant import DAY, HOUR
from fanous.model.measurement import weakest
from fanous.model.place import Access, Family, asn_of
from fanous.model.reason import Reason
from fanous.model.role import Role

# --- what quantities and probes saw ---------------------------------------------------------------------

WIDEST_FIRST = (Scope.NATION, Scope.REGION, Scope.MULTI_ISP, Scope.ISP, Scope.INSUFFICIENT)
"""From the widest to the narrowest."""


Recount = Callable[[Incident, Sequence[Incident]], Incident]
"""What was made of several incidents, with its figures counted again, given these: if added up, what is in two of them
counts twice."""


def as_added(whole: Incident, _: Sequence[Incident]) -> Incident:
    """The figures as they were added up: right for incidents that have nothing in common."""
    return whole


def merged(
    in_series: Sequence[Incident], in_votes: Sequence[Incident], recount: Recount = as_added
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

SAME_ACT = 7 * DAY
"""How far apart measurements of a platform and its traffic may show one act: few networks are measured every day."""


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
    scope = min(level.scope, probe.scope, key=WIDEST_FIRST.index) if inf not in moments else lead.scope
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


def _evidence(one: Evidence, two: Evidence) -> Evidence:
    families = {*one.families, *two.families}
    return Evidence(
        measurements=one.measurements + two.measurements,
        probes=one.probes + two.probes,
        networks=max(one.networks, two.networks),
        controls=one.controls + two.controls,
        families=tuple(str(family) for family in Family if family in families),
    )


# --- platforms within an outage -------------------------------------------------------------------------


def absorb(
    outages: Sequence[Incident], others: Sequence[Incident], recount: Recount = as_added
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
    begun = min((whole, part), key=lambda one: one.onset)
    is_open = Status.CONFIRMED if sure else Status.SUSPECTED
    return replace(
        whole,
        kind=min(whole.kind, part.kind, key=list(Kind).index),
        status=is_open if end is None else Status.ENDED,
        scope=min(whole.scope, part.scope, key=WIDEST_FIRST.index),
        access=whole.access if whole.access is part.access else Access.ANY,
        entities=_each_once(whole.entities, part.entities),
        parts=_parts_of([*whole.parts, *part.parts]),
        networks=_networks_of([*whole.networks, *part.networks]),
        onset=begun.onset,
        onset_earliest=begun.onset_earliest,
        onset_latest=begun.onset_latest,
        end=end,
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


def _each_once(*names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


def _parts_of(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Parts, one for each target and kind."""
    found: dict[tuple[str, Kind], Part] = {}
    for one in parts:
        key = one.target, one.kind
        old = found.get(key)
        found[key] = (
            one
            if old is None
            else replace(
                old,
                mechanisms=_each_once(old.mechanisms, one.mechanisms),
                entities=_each_once(old.entities, one.entities),
                roles=_roles_of([*old.roles, *one.roles]),
            )
        )
    return tuple(found.values())


def _roles_of(roles: Sequence[RolePart]) -> tuple[RolePart, ...]:
    """How each role fared; one that failed at any time did not work all the time."""
    found = []
    for role in Role:
        own = [one for one in roles if one.role is role]
        if own:
            cut = _each_once(*(one.entities for one in own))
            worked = tuple(name for name in _each_once(*(one.worked for one in own)) if name not in cut)
            found.append(RolePart(role, cut, worked, union(i for one in own for i in one.intervals)))
    return tuple(found)


def _networks_of(networks: Sequence[NetworkPart]) -> tuple[NetworkPart, ...]:
    """Network parts, one for each place."""
    found: dict[str, NetworkPart] = {}
    for one in networks:
        old = found.get(one.entity)
        found[one.entity] = (
            one
            if old is None
            else NetworkPart(
                one.entity,
                _each_once(old.targets, one.targets),
                union([*old.intervals, *one.intervals]),
                old.measurements + one.measurements,
                max(old.probes, one.probes),
                max(old.probability, one.probability),
            )
        )
    return tuple(found.values())


# --- matched with known incidents ------------------------------------------------------------------------------

SAME_KIND = 2.0
"""Weight of a shared kind, in targets: parts of an outage do not keep its id when they separate."""

TOLD = 4.0
"""Weight of confirmation: people know a confirmed incident, so if two that overlap become one, its id continues."""


def match(found: Sequence[Incident], known: Sequence[Incident]) -> list[tuple[Incident, Incident | None]]:
    """Each found incident with the known one that it continues; None = new.

    A known incident continues at most once, in the found one with most targets, networks and time in common.
    """
    pairs = sorted(
        ((_likeness(f, k), i, j) for i, f in enumerate(found) for j, k in enumerate(known)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for likeness, i, j in pairs:
        if likeness > 0 and i not in partner and j not in taken:
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


# --- reviewed by a person -------------------------------------------------------------------------------

REVIEW, PERSON = "review", "person"
"""What holds a claim until a person has approved it: a rule for all of its kind, or a person's request."""


def must_wait(incident: Incident) -> bool:
    """Does a store with review hold this claim?"""
    return incident.scope is Scope.NATION and incident.confirmed_at is not None


def held(incident: Incident, hold: Decision | None = None) -> Incident:
    """The incident as it is shown until someone approves it.

    Args:
        hold: the decision of the person who asked for it; ``None`` = every national claim is held here.
    """
    why, by = Reason("held.review"), REVIEW
    if hold is not None:
        is_sure = int(incident.confirmed_at is not None)
        why, by = Reason("held.person", {"by": hold.who, "note": hold.text, "is_sure": is_sure}), PERSON
    return replace(
        incident,
        status=Status.SUSPECTED,
        confirmed_at=None,
        rule="",
        held_by=by,
        reasons=(why, *incident.reasons),
    )


def released(incident: Incident) -> Incident:
    """A held incident as it would be after approval, for its sentences only.

    The detection after an approval finds again when the rule was met; until then the end of its onset stands in for it.
    """
    if not incident.held_by:
        return incident
    is_sure = incident.held_by == REVIEW or bool(incident.reasons[0].params.get("is_sure"))
    going_on = Status.CONFIRMED if is_sure else Status.SUSPECTED
    return replace(
        incident,
        status=going_on if incident.end is None else Status.ENDED,
        confirmed_at=incident.onset_latest if is_sure else None,
        held_by="",
        reasons=incident.reasons[1:],
    )


def shown_to_readers(claims: Sequence[Incident]) -> list[bool]:
    """For each revision, oldest first: do readers see it if the operator reserves waiting incidents for the desk?

    A claim that was public before a person held it is shown as held; otherwise the old claim would remain.
    """
    shown: list[bool] = []
    last: Incident | None = None
    for claim in claims:
        was_told = last is not None and (last.confirmed_at is not None or last.held_by == PERSON)
        is_shown = not claim.held_by or (claim.held_by == PERSON and was_told)
        is_shown = is_shown and (claim.status is not Status.RETRACTED or last is not None)
        shown.append(is_shown)
        last = claim if is_shown else last
    return shown


# --- while the past is still coming in ------------------------------------------------------------------

SETTLED = 7 * DAY
"""Seconds before an onset for which measurements must be in: what is usual takes a week to show."""

SAID_BACK_TO = 6 * HOUR
"""Step of the time since when a provisional incident says that measurements are in; each step is a revision."""


def rests_on_part(incident: Incident, backfill: Backfill) -> bool:
    """May it change merely because measurements of the days before are not in yet?"""
    reaches = incident.is_on(backfill.since, backfill.back_to + SETTLED)
    return reaches and Family.OONI in incident.evidence.families


def provisional(incident: Incident, backfill: Backfill) -> Incident:
    """The incident as it is shown until those measurements are in: suspected at most."""
    back_to = backfill.back_to // SAID_BACK_TO * SAID_BACK_TO
    why = [Reason("backfill", {"at": back_to, "country": incident.country})]
    if incident.confirmed_at is not None:
        why.append(Reason("backfill.rule"))
    return replace(
        incident,
        status=Status.SUSPECTED if incident.end is None else Status.ENDED,
        confirmed_at=None,
        rule="",
        held_by=BACKFILL,
        reasons=(*why, *incident.reasons),
    )


# --- what came in ---------------------------------------------------------------------------------------

NAMED = 3
"""Most networks (or signals) named in one reason; others are counted."""

Count = tuple[int, str]
"""How many came in, and from where."""


def arrivals_of(arrivals: Sequence[Arrival], levels: Sequence[SeriesArrival] = ()) -> tuple[Reason, ...]:
    """Late and new measurements by network, late and new bins by signal (``bgp (ioda)``)."""
    by_asn = sorted(arrivals, key=lambda one: one.asn)
    counts = {
        "arrived.late_measurements": [(one.late, f"AS{one.asn}") for one in by_asn],
        "arrived.measurements": [(one.measurements - one.late, f"AS{one.asn}") for one in by_asn],
        "arrived.late_bins": [(one.late, f"{one.signal} ({one.source})") for one in levels],
        "arrived.bins": [(one.bins - one.late, f"{one.signal} ({one.source})") for one in levels],
    }
    return tuple(reason for code, own in counts.items() for reason in _arrived(code, own))


def _arrived(code: str, counts: Sequence[Count]) -> Iterator[Reason]:
    own = sorted((count for count in counts if count[0]), key=lambda count: -count[0])
    if own:
        names = tuple(name for _, name in own[:NAMED])
        total = sum(n for n, _ in own)
        yield Reason(code, {"n": total, "from": names, "others": len(own) - len(names)})


# --- what was wrong -------------------------------------------------------------------------------------

WHOLE = Reason("gone.all")
"""The whole claim."""

_WIDTH = {Scope.INSUFFICIENT: 0, Scope.ISP: 1, Scope.REGION: 2, Scope.MULTI_ISP: 2, Scope.NATION: 3}


def taken_back(before: Incident, after: Incident) -> tuple[Reason, ...]:
    """Everything that ``before`` claimed and ``after`` no longer does; provisional incidents were not claims."""
    if before.is_provisional:
        return ()
    if after.status is Status.RETRACTED:
        return (WHOLE,) if before.status is not Status.RETRACTED else ()
    found = []
    if before.confirmed_at is not None and after.confirmed_at is None:
        found.append(Reason("gone.confirmed"))
    if _WIDTH[after.scope] < _WIDTH[before.scope]:
        found.append(Reason("gone.scope", {"before": str(before.scope), "after": str(after.scope)}))
    gone = sorted(set(before.targets) - set(after.targets))
    if gone:
        found.append(Reason("gone.targets", {"targets": tuple(gone)}))
    parts = [name for name in before.named if _is_narrowed(name, after)]
    if parts:
        found.append(Reason("gone.roles", {"targets": tuple(parts)}))
    networks = {n.entity for n in after.networks}
    lost = [n.entity for n in before.networks if n.entity not in networks]
    if lost:
        found.append(Reason("gone.networks", {"networks": tuple(lost)}))
    return tuple(found)


def _is_narrowed(name: str, after: Incident) -> bool:
    """Was a service, or a part of it (``telegram/client``), said to be cut of which only other parts are?"""
    target = name.partition("/")[0]
    return target in after.targets and not {target, name}.intersection(after.named)


OVER = (Status.ENDED, Status.RETRACTED)


def what_was_wrong(before: Incident, after: Incident) -> tuple[Reason, ...]:
    """What is no longer claimed, including that it had ended."""
    reopened = before.status is Status.ENDED and after.status not in OVER
    return (*taken_back(before, after), *((Reason("gone.ended"),) if reopened else ()))


# --- how far it reaches ---------------------------------------------------------------------------------

MANY_MORE = 2.0
"""Times as many networks as readers were told of, from which on it has widened: each volunteer who measures on a
further network of the same event is not news."""


def widened(before: Incident, after: Incident) -> tuple[Reason, ...]:
    """How much further ``after`` reaches than what readers were told; empty = no further."""
    found = []
    known = set(before.named_now)
    more = [one for one in after.named_now if one not in known and one.partition("/")[0] not in known]
    if more:
        found.append(Reason("wider.targets", {"targets": tuple(more)}))
    is_known = before.scope is not Scope.INSUFFICIENT or after.scope is Scope.NATION
    networks, fewer = (len(list(filter(asn_of, one.entities))) for one in (after, before))
    if is_known and _WIDTH[after.scope] > _WIDTH[before.scope]:
        found.append(Reason("wider.scope", {"before": str(before.scope), "after": str(after.scope)}))
    elif fewer and networks >= MANY_MORE * fewer:
        found.append(Reason("wider.networks", {"affected": networks, "fewer": fewer}))
    return tuple(found)


def narrowed(before: Incident, after: Incident) -> tuple[Reason, ...]:
    """What is left of it where part of a service works again; empty = it goes on as readers were told."""
    still = set(after.named_now)
    again = [one for one in before.named_now if one not in still and one in after.named]
    left = tuple(dict.fromkeys(after.named_now))
    return (Reason("narrower.targets", {"targets": left}),) if again and left else ()


def reach_changed(before: Incident | None, after: Incident) -> tuple[Reason, ...]:
    """Both of these, of an event that goes on and of which readers were told."""
    if before is None or not before.stands or not before.is_open or not after.is_open or not after.stands:
        return ()
    return widened(before, after) + narrowed(before, after)


# --- what is news ---------------------------------------------------------------------------------------


def news_in(claims: Iterable[Incident]) -> tuple[Incident | None, Incident | None]:
    """Of an incident's revisions, oldest first: what readers knew before the last news, and that news.

    What changed little by little adds up, and what went back to what readers know is no news.
    """
    known: Incident | None = None
    told: Incident | None = None
    for claim in claims:
        if happenings(told, claim):
            known, told = told, claim
    return known, told


def happenings(before: Incident | None, after: Incident) -> tuple[Happening, ...]:
    """Everything that happened, most urgent first; empty = nothing worth an alert.

    Args:
        before: what readers were told until now; None = nothing.  No one was told about a provisional claim.
    """
    standing = before if before is not None and before.stands else None
    if after.is_provisional:
        return ()
    if after.status is Status.RETRACTED:
        return (Happening.CORRECTED,) if standing is not None else ()
    found = []
    if standing is not None and what_was_wrong(standing, after):
        found.append(Happening.CORRECTED)
    if after.status is Status.ENDED and (standing is None or standing.status is not Status.ENDED):
        found.append(Happening.ENDED)
    if after.confirmed_at is not None and (standing is None or standing.confirmed_at is None):
        found.append(Happening.CONFIRMED)
    if standing is None:
        found.append(Happening.OPENED)
    codes = {reason.code.partition(".")[0] for reason in reach_changed(standing, after)}
    found += [news for news, code in REACH_NEWS.items() if code in codes]
    return tuple(found)


REACH_NEWS = {Happening.WIDENED: "wider", Happening.NARROWED: "narrower"}
"""News -> first part of the codes of its reasons."""
