"""Addresses: were they cut off, or are they only used elsewhere, or no longer?

Addresses that are renumbered or given up leave routing and the answers to probes in one small step that never comes
back.  And a network whose addresses another takes over (a merger, a renumbering, a provider that shields its customer
from an attack) looks dark in everything that is counted by network: its routes end, and nothing there answers or is
used.  If it was cut off, the country as a whole lost what the network lost.
"""

from bisect import bisect_left
from collections.abc import Collection
from math import inf

from fanous.analysis.explanations.explanation import (
    Consequence,
    Subject,
    Weighing,
    excluded,
    holds,
    untested,
)
from fanous.analysis.explanations.fall import AGREE, DEEP, Agreement, names
from fanous.analysis.series.anomalies import family_of, is_country, left
from fanous.analysis.series.signals import lag_of
from fanous.model.place import Family
from fanous.model.series import Anomaly
from fanous.model.threshold import threshold

OF_ADDRESSES = (Family.ROUTING, Family.PROBING)

SMALL = threshold(
    "incidents.small_step",
    0.2,
    "Share of the level; where routing and probing lost less, they confirm only once they are back: addresses "
    "that are renumbered or given up leave both in one step that never comes back. IODA's own rule for active "
    "probing warns from here on.",
)

TAKEN_APART = threshold(
    "incidents.parts_company",
    3,
    "Networks that fall together were not all taken over by others: that takes one at a time.",
)


def _elsewhere(fall: Agreement, families: Collection[Family]) -> Weighing | None:
    """Excluded, where other families show it, or only a part of the country does; None = neither."""
    others = {family_of(a) for a in fall.shown} - set(families)
    if others:
        return excluded("other_families", families=names(others))
    is_national = all(is_country(a.key.place) for a in fall.shown)
    return None if is_national else excluded("part_of_country")


@Subject.ADDRESSES.row("addresses.given_up", Consequence.SUSPECT, "Addresses were renumbered or given up.")
def _given_up(fall: Agreement) -> Weighing:
    """A small step in routes and in answers, by any publisher, until it is back."""
    if elsewhere := _elsewhere(fall, OF_ADDRESSES):
        return elsewhere
    if any(left(a) <= 1 - SMALL for a in fall.shown):
        return excluded("large_loss", share=SMALL)
    return _until_back(fall, holds("lacks.return", families=fall.families))


LISTED = (*OF_ADDRESSES, Family.DARKNET)
"""Families that count what a list of addresses gives to the country."""


@Subject.ADDRESSES.row(
    "addresses.relisted", Consequence.SUSPECT, "The lists changed of which addresses are the country's."
)
def _relisted(fall: Agreement) -> Weighing:
    """Two families that rest on such lists fall together where these change; no one shows that they did not."""
    if elsewhere := _elsewhere(fall, LISTED):
        return elsewhere
    came_back = any(a.end is not None for a in fall.shown)
    return excluded("came_back") if came_back else untested("lists_unknown")


@Subject.ADDRESSES.row(
    "network.taken_over", Consequence.SUSPECT, "Another network took over the addresses of the one that fell."
)
def _taken_over(fall: Agreement) -> Weighing:
    """Everything is of one network, of which nothing shows that the country lost it, until it is back."""
    asns = {a.key.place.asn for a in fall.shown}
    if asns == {0} or len(asns) > 1:
        return excluded("not_one_network")
    company = max(_company(anomaly, fall.whole.networks) for anomaly in fall.shown)
    if company >= TAKEN_APART:
        return excluded("fell_together", some=company)
    if any(map(fall.whole.parts.lost_by_country, fall.shown)):
        return excluded("country_lost_it")
    return _until_back(fall, holds("lacks.handover", entities=tuple(f"AS{asn}" for asn in asns)))


def _company(one: Anomaly, networks: list[tuple[float, int]]) -> int:
    """How many networks fell when this one did, itself included."""
    first = bisect_left(networks, (one.start - AGREE, 0))
    last = bisect_left(networks, (one.start + AGREE, inf))
    return len({asn for _, asn in networks[first:last]})


def _until_back(fall: Agreement, otherwise: Weighing) -> Weighing:
    back = max(map(_back_at, fall.shown))
    return otherwise if back == inf else excluded("came_back")._replace(since=back)


def _back_at(anomaly: Anomaly) -> float:
    """When published data showed that the level was back; infinite = it is not, or came back after so long that growth
    may have made up for it."""
    departure = anomaly.departure
    if anomaly.end is None:
        return inf
    if departure.lasting_since is not None and departure.left > DEEP:
        return inf
    return anomaly.end + departure.step + lag_of(anomaly.key)


ADDRESSES = (_given_up, _relisted, _taken_over)
