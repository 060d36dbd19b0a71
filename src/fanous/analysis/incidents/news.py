"""News: what a revision of an incident is news of, for those who were told of the one before."""

from fanous.analysis.incidents.corrections import taken_back
from fanous.model.alert import Happening
from fanous.model.incident import Incident, Status

OVER = (Status.ENDED, Status.RETRACTED)


def happenings(before: Incident | None, after: Incident) -> tuple[Happening, ...]:
    """All that happened, the most urgent to know first; empty = nothing that anybody need be told.

    Args:
        before: the claim that was known until now; ``None`` = none.
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


def what_was_wrong(before: Incident, after: Incident) -> tuple[str, ...]:
    """What was claimed and is not claimed any more, that it was over among it."""
    reopened = before.status is Status.ENDED and after.status not in OVER
    return (*taken_back(before, after), *(("that it is over",) if reopened else ()))
