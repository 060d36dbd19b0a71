"""Elsewhere: the network belongs to another country, and so does what was seen on it."""

from collections.abc import Iterator

import numpy as np

from fanous.analysis.detectors.finding import inside
from fanous.analysis.explanations.event import MeasuredEvent, ases
from fanous.analysis.explanations.explanation import (
    Consequence,
    Subject,
    Weighing,
    excluded,
    holds,
)
from fanous.analysis.explanations.service import is_clean
from fanous.analysis.series.controls import CONTROLS, SPARED_SHARE
from fanous.model.instant import DAY
from fanous.model.threshold import threshold

SETTLED_DAYS = threshold(
    "incidents.settled_days",
    7,
    "Days before the event on which a network that is registered abroad must have been measured in the country "
    "to count as one of its own, as satellites and carriers of several countries are: a phone that roams stays "
    "for less.",
)

NETWORK_ABROAD = "network.abroad"


@Subject.ELSEWHERE.row(
    NETWORK_ABROAD,
    Consequence.LEAVE_OUT,
    "The network is another country's: a phone that roams, or a wrong table of addresses.",
)
def _abroad(event: MeasuredEvent) -> Weighing:
    foreign = dict(_foreign(event))
    if not foreign:
        return excluded("at_home")
    countries = tuple(sorted(set(foreign.values())))
    return holds(NETWORK_ABROAD, foreign, networks=ases(foreign), countries=countries)


def _foreign(event: MeasuredEvent) -> Iterator[tuple[int, str]]:
    """Networks of the event on which the failure is, or may be, another country's doing, each with that country.

    A network is at home where its addresses are registered.  If the target fails on it in another country as well, in
    as many measurements, that is where it is blocked.  If it works there, the failures belong to this country.
    """
    votes, group = event.votes, event.group
    first = min(finding.anomaly.start for finding in group)
    for network in (one for one in event.known.foreign if one.home != event.country):
        here = votes.asns == network.asn
        during = here & inside(votes, [finding for finding in group if finding.asn == network.asn])
        measured = len(set(votes.uids[during].tolist()))
        others = [row for row in network.elsewhere if row[2] >= CONTROLS]
        blocking = [
            place for place, failing, every in others if failing >= SPARED_SHARE * every and every >= measured
        ]
        days = np.unique(votes.times[here & (votes.times < first)] // DAY)
        if blocking:
            yield network.asn, blocking[0]
        elif len(days) < SETTLED_DAYS and not any(is_clean(failing, every) for _, failing, every in others):
            yield network.asn, network.home


ELSEWHERE = (_abroad,)
