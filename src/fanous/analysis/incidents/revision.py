"""Revision: what becomes of a claim after it was made.

A store may hold national claims until a person has reviewed them, and a person may withdraw an incident.  Held means
suspected, with the reason shown.  The evidence does not change: an approval lets the same claim stand, and the time at
which the rule was met comes back with it.

The rest says what a revision is: which measurements came in after the claim, what it takes back or narrows (to widen a
claim corrects nothing), and what it is news of to those who were told of the one before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fanous.model.alert import Happening
from fanous.model.coverage import Arrival, SeriesArrival
from fanous.model.incident import Incident, Scope, Status
from fanous.model.reason import Reason

# --- reviewed by a person -------------------------------------------------------------------------------

REVIEW = "review"
"""What holds a claim until a person has seen it."""


def must_wait(incident: Incident) -> bool:
    """Does a store with review hold this claim?"""
    return incident.scope is Scope.NATION and incident.confirmed_at is not None


def held(incident: Incident) -> Incident:
    """The incident as it is shown until someone approves it."""
    return replace(
        incident,
        status=Status.SUSPECTED,
        confirmed_at=None,
        rule="",
        held_by=REVIEW,
        reasons=(Reason("held.review"), *incident.reasons),
    )


# --- what came in ---------------------------------------------------------------------------------------

NAMED = 3
"""Networks (or signals) named in one reason; the others are counted."""

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
    """Everything that ``before`` claimed and ``after`` no longer does."""
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
    networks = {n.entity for n in after.networks}
    lost = [n.entity for n in before.networks if n.entity not in networks]
    if lost:
        found.append(Reason("gone.networks", {"networks": tuple(lost)}))
    return tuple(found)


OVER = (Status.ENDED, Status.RETRACTED)


def what_was_wrong(before: Incident, after: Incident) -> tuple[Reason, ...]:
    """What is no longer claimed, including that it had ended."""
    reopened = before.status is Status.ENDED and after.status not in OVER
    return (*taken_back(before, after), *((Reason("gone.ended"),) if reopened else ()))


# --- what is news ---------------------------------------------------------------------------------------


def happenings(before: Incident | None, after: Incident) -> tuple[Happening, ...]:
    """All that happened, the most urgent first; empty = nothing worth an alert.

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
