"""Review: a national claim may be held until a person has looked at it, and a person may take a claim back.

Held means suspected, with the reason shown.  Nothing of the evidence changes: an approval lets the very
same claim stand, and the time at which the rule was met comes back with it.
"""

from dataclasses import replace

from fanous.model.incident import Incident, Scope, Status

HELD = "held for a person's review, as every national claim is here"

WITHDRAWN = "taken back by "
"""How the reason of a claim begins that a person took back: no detection brings it again."""


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


def is_withdrawn(incident: Incident) -> bool:
    """Did a person take it back, for good?"""
    return incident.status is Status.RETRACTED and incident.reason.startswith(WITHDRAWN)
