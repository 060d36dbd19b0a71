"""Revision: what becomes of a claim after it was made.

A store may hold national claims until a person has reviewed them, and a person may take a claim back.  Held means
suspected, with the reason shown.  The evidence does not change: an approval lets the same claim stand, and the time at
which the rule was met comes back with it.

The rest puts a revision into words: which measurements came in after the claim, what it takes back or narrows (to widen
a claim corrects nothing), and what it is news of to those who were told of the one before.
"""

from collections.abc import Sequence
from dataclasses import replace

from fanous.model.alert import Happening
from fanous.model.coverage import Arrival, SeriesArrival
from fanous.model.incident import Incident, Scope, Status

# --- reviewed by a person -------------------------------------------------------------------------------

REVIEW = "review"
"""What holds a claim until a person has seen it."""

HELD = "held for a person's review, as every national claim is here"


def must_wait(incident: Incident) -> bool:
    """Does a store with review hold this claim?"""
    return incident.scope is Scope.NATION and incident.confirmed_at is not None


def held(incident: Incident) -> Incident:
    """The incident as it is shown until somebody approves it."""
    return replace(
        incident,
        status=Status.SUSPECTED,
        confirmed_at=None,
        rule="",
        held_by=REVIEW,
        reason=f"suspected: {HELD}; it would be confirmed: {incident.reason}",
    )


# --- what came in ---------------------------------------------------------------------------------------

NAMED = 3
"""Networks (or signals) named in one sentence; the others are counted."""

Count = tuple[int, str]
"""How many came in, and from where."""


def arrival_sentence(arrivals: Sequence[Arrival], levels: Sequence[SeriesArrival] = ()) -> str:
    """``12 late measurements from AS24499``, ``3 new bins of bgp (ioda)``; empty = nothing came in."""
    by_asn = sorted(arrivals, key=lambda one: one.asn)
    late = [(one.late, f"AS{one.asn}") for one in by_asn]
    new = [(one.measurements - one.late, f"AS{one.asn}") for one in by_asn]
    late_bins = [(one.late, f"{one.signal} ({one.source})") for one in levels]
    new_bins = [(one.bins - one.late, f"{one.signal} ({one.source})") for one in levels]
    said = (
        _group(late, "late measurement", "from", "network"),
        _group(new, "new measurement", "from", "network"),
        _group(late_bins, "late bin", "of", "signal"),
        _group(new_bins, "new bin", "of", "signal"),
    )
    return ", ".join(filter(None, said))


def _group(counts: Sequence[Count], what: str, where: str, other: str) -> str:
    own = sorted((count for count in counts if count[0]), key=lambda count: -count[0])
    total = sum(n for n, _ in own)
    if not total:
        return ""
    names = [name for _, name in own[:NAMED]]
    more = len(own) - len(names)
    if more:
        names.append(f"{more} other {other}{'s' if more > 1 else ''}")
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{total:,} {what}{'s' if total > 1 else ''} {where} {listed}"


# --- what was wrong -------------------------------------------------------------------------------------

_WIDTH = {Scope.INSUFFICIENT: 0, Scope.ISP: 1, Scope.REGION: 2, Scope.MULTI_ISP: 2, Scope.NATION: 3}


def taken_back(before: Incident, after: Incident) -> tuple[str, ...]:
    """Everything that ``before`` claimed and ``after`` no longer does, in words."""
    if after.status is Status.RETRACTED:
        return ("the whole claim",) if before.status is not Status.RETRACTED else ()
    found = []
    if before.confirmed_at is not None and after.confirmed_at is None:
        found.append("that it is confirmed")
    if _WIDTH[after.scope] < _WIDTH[before.scope]:
        found.append(f"the scope {before.scope}: it is {after.scope}")
    gone = sorted(set(before.targets) - set(after.targets))
    if gone:
        found.append(f"the targets {', '.join(gone)}")
    networks = {n.entity for n in after.networks}
    lost = [n.entity for n in before.networks if n.entity not in networks]
    if lost:
        found.append(f"the networks {', '.join(lost)}")
    return tuple(found)


OVER = (Status.ENDED, Status.RETRACTED)


def what_was_wrong(before: Incident, after: Incident) -> tuple[str, ...]:
    """What is no longer claimed, including that it was over, in words."""
    reopened = before.status is Status.ENDED and after.status not in OVER
    return (*taken_back(before, after), *(("that it is over",) if reopened else ()))


# --- what is news ---------------------------------------------------------------------------------------


def happenings(before: Incident | None, after: Incident) -> tuple[Happening, ...]:
    """All that happened, the most urgent first; empty = nothing worth telling anybody.

    Args:
        before: the claim that was known until now; None = there was none.
    """
    if after.status is Status.RETRACTED:
        retracts = before is not None and before.status is not Status.RETRACTED
        return (Happening.CORRECTED,) if retracts else ()
    found = []
    standing = before if before is not None and before.status is not Status.RETRACTED else None
    if standing is not None and what_was_wrong(standing, after):
        found.append(Happening.CORRECTED)
    if after.status is Status.ENDED and (standing is None or standing.status is not Status.ENDED):
        found.append(Happening.ENDED)
    if after.confirmed_at is not None and (standing is None or standing.confirmed_at is None):
        found.append(Happening.CONFIRMED)
    if standing is None:
        found.append(Happening.OPENED)
    return tuple(found)
