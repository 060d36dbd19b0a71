"""Words: the small glossary - statuses, kinds, scopes, cells of a grid - as keys of the catalogues.

What each means, and why a translation is what it is, stands in ``docs/glossary.md``.
"""

from fanous.model.incident import Incident, Kind, Scope, Status
from fanous.model.place import Access

STATUSES = {
    Status.SUSPECTED: "Suspected",
    Status.CONFIRMED: "Confirmed",
    Status.ENDED: "Ended",
    Status.RETRACTED: "Retracted",
}
KINDS = {
    Kind.OUTAGE: "Outage",
    Kind.BLOCKING: "Blocking",
    Kind.THROTTLING: "Throttling",
    Kind.SLOWDOWN: "Slowdown",
}
SCOPES = {
    Scope.NATION: "nation-wide",
    Scope.REGION: "regional",
    Scope.MULTI_ISP: "several operators",
    Scope.ISP: "one operator",
    Scope.INSUFFICIENT: "extent unknown",
}
ACCESSES = {
    Access.ANY: "mobile and fixed lines",
    Access.MOBILE: "mobile networks",
    Access.FIXED: "fixed lines",
}


ENDED_SURE, ENDED_UNSURE = "Confirmed, ended", "Suspected, ended"


def status_word(incident: Incident) -> str:
    """An ended one says whether it was ever confirmed."""
    if incident.status is not Status.ENDED:
        return STATUSES[incident.status]
    return ENDED_UNSURE if incident.confirmed_at is None else ENDED_SURE
