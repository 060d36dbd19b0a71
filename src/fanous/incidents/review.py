"""Review: a national claim may be held until a person has looked at it.

Held means suspected, with the reason shown.  Nothing of the evidence changes: an approval lets the very
same claim stand, and the time at which the rule was met comes back with it.
"""

from dataclasses import replace

from fanous.model.incident import Incident, Scope, Status

HELD = "held for a person's review, as every national claim is here"


def must_wait(incident: Incident) -> bool:
    """Is it a claim that a store with review holds?"""
    return incident.scope is Scope.NATION and incident.confirmed_at is not None


def held(incident: Incident) -> Incident:
    """The incident as long as nobody has approved it."""
    return replace(
        incident,
        status=Status.SUSPECTED,
        confirmed_at=None,
        rule="",
        reason=f"suspected: {HELD}; it would be confirmed: {incident.reason}",
    )


def is_held(incident: Incident) -> bool:
    return incident.status is Status.SUSPECTED and HELD in incident.reason
