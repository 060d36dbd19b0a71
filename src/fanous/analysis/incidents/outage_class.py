"""Classifies an outage, by its reach alone."""

from collections.abc import Iterable

from fanous.analysis.incidents.scope import Extent
from fanous.model.incident import Scope
from fanous.model.place import Access

OUTAGE = "outage"


def outage_mechanisms(mechanisms: Iterable[str], reach: Extent) -> tuple[str, ...]:
    """The mechanisms with ``outage`` made as exact as the reach allows; others stay.

    Intranet only and an allow-list are said by the probes themselves; the rest follows from who lost the
    network.
    """
    exact = OUTAGE
    if reach.access is Access.MOBILE:
        exact = "outage.mobile"
    elif reach.scope is Scope.NATION:
        exact = "outage.national"
    elif reach.scope is Scope.ISP:
        exact = "outage.isp"
    return tuple(dict.fromkeys(exact if name == OUTAGE else name for name in mechanisms))
