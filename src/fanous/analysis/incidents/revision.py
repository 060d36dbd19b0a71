"""Revision: what happens to a claim after it was made.

A store may hold national claims until a person has reviewed them, and a person may withdraw an incident.  Held means
suspected, with the reason shown.  The evidence does not change: an approval lets the same claim stand, and the time at
which the rule was met comes back with it.

While a backfill imports past measurements, newest first, an incident is provisional until those of the days before
it are in: it rests on part of the measurements, so it may grow, move or vanish without anything having happened.
It is shown as suspected, with that reason, and is in no feed and no alert.

The rest says what a revision is: which measurements came in after the claim, what it takes back or narrows (widening a
claim corrects nothing), and what is news to those who received the previous one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from fanous.model.alert import Happening
from fanous.model.coverage import Arrival, Backfill, SeriesArrival
from fanous.model.incident import BACKFILL, JOIN, UNLISTED, Decision, Incident, Scope, Status
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Family, asn_of
from fanous.model.reason import Reason
from fanous.model.threshold import threshold

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

SETTLED = threshold(
    "incidents.backfill_seconds",
    7 * DAY,
    "Time before an onset of which the measurements must be in during a backfill: what is usual takes a week to "
    "show.",
)

SAID_BACK_TO = threshold(
    "incidents.backfill_said_seconds",
    6 * HOUR,
    "Steps in which a provisional incident says since when measurements are in, since each step is a revision.",
)


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

NAMED = threshold(
    "incidents.late_named", 3, "Networks or signals named in one reason; the others are counted."
)

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
    gone = sorted(set(before.targets) - {UNLISTED, *after.targets})
    if gone:
        found.append(Reason("gone.targets", {"targets": tuple(gone)}))
    parts = []  # a service, or a part of it (``telegram/client``), of which only other parts are cut now
    for name in before.named:
        target = name.partition("/")[0]
        if target in after.targets and not {target, name}.intersection(after.named):
            parts.append(name)
    if parts:
        found.append(Reason("gone.roles", {"targets": tuple(parts)}))
    networks = {n.entity for n in after.networks}
    lost = [n.entity for n in before.networks if n.entity not in networks]
    if lost:
        found.append(Reason("gone.networks", {"networks": tuple(lost)}))
    return tuple(found)


OVER = (Status.ENDED, Status.RETRACTED)


def what_was_wrong(before: Incident, after: Incident) -> tuple[Reason, ...]:
    """What is no longer claimed, including that it had ended, unless it did end then and has begun again."""
    wrong = _is_reopened(before, after) and not is_on_again(before, after)
    return (*taken_back(before, after), *((Reason("gone.ended"),) if wrong else ()))


def is_on_again(before: Incident, after: Incident) -> bool:
    """Had it ended when readers were told so, and is it on again since, as in the next night of a curfew?"""
    end = before.end
    if end is None or not _is_reopened(before, after):
        return False
    ended = any(one.end is not None and abs(one.end - end) <= JOIN for one in after.intervals)
    return ended and not any(one.start <= end + JOIN < one.until for one in after.intervals)


def _is_reopened(before: Incident, after: Incident) -> bool:
    return before.status is Status.ENDED and after.status not in OVER


# --- how far it reaches ---------------------------------------------------------------------------------

MANY_MORE = threshold(
    "incidents.widened_networks",
    2.0,
    "Times as many networks as readers were told of, from which an incident has widened: each further network "
    "on which volunteers measure the same event is not news.",
)


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

    Small changes add up, and a return to what readers already know is not news.
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
        before: what readers were told until now; None = nothing.  No one was told about a provisional claim, or about
            sites whose names are withheld.
    """
    standing = before if before is not None and before.stands and not before.is_unlisted else None
    if after.is_provisional or after.is_unlisted:
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
    if standing is None or is_on_again(standing, after):
        found.append(Happening.OPENED)
    codes = {reason.code.partition(".")[0] for reason in reach_changed(standing, after)}
    found += [news for news, code in REACH_NEWS.items() if code in codes]
    return tuple(found)


REACH_NEWS = {Happening.WIDENED: "wider", Happening.NARROWED: "narrower"}
"""News -> first part of the codes of its reasons."""
