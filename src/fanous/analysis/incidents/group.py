"""Group: which anomalies are one event in the real world, and so one incident.

Of measurements: the same target failing on several networks, in sessions, with weekends between; or several targets
that began to fail together.  Of quantities: the same place again within hours, or at the same hours of the next days (a
curfew); several places, or several sources of one place, that fall together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fanous.analysis.series.signals import target_of_series
from fanous.model.incident import Kind
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Place
from fanous.model.series import Anomaly

SAME_NETWORK_GAP = 96 * HOUR
"""Sessions on one network are one event across a long weekend (Friday noon to Tuesday morning)."""

TOGETHER = 6 * HOUR
"""Targets with onsets this close were cut by one order; those a day apart may not have been."""


# --- one event, of either ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """An anomaly, and the kind of incident that its detector looks for."""

    anomaly: Anomaly
    kind: Kind

    @property
    def asn(self) -> int:
        return self.anomaly.key.place.asn

    @property
    def target(self) -> str:
        return self.anomaly.key.target


@dataclass(frozen=True, slots=True)
class Link:
    """What makes two anomalies of one country one event.

    Attributes:
        one_event: whether two are, the first of which begins no later than the second.
        may_join: can anything that begins at an instant or later be one event with this anomaly?
    """

    one_event: Callable[[Anomaly, Anomaly], bool]
    may_join: Callable[[Anomaly, float], bool]


@dataclass(slots=True)
class _Event:
    """Indices of its anomalies in order of onset, and those anomalies that another may still belong to."""

    members: list[int]
    near: list[Anomaly]


def events(findings: Sequence[Finding], link: Link) -> list[list[Finding]]:
    """Groups linked by pairs that are one event, each in order of onset, in the order of their first.

    One link is enough: thousands of series that fall together are millions of pairs.
    """
    ordered = sorted(findings, key=lambda one: one.anomaly.start)
    over: list[_Event] = []
    live: list[_Event] = []
    for index, one in enumerate(ordered):
        anomaly = one.anomaly
        own = _Event([index], [anomaly])
        others: list[_Event] = []
        for event in live:
            if any(link.one_event(earlier, anomaly) for earlier in reversed(event.near)):
                own.members, own.near = event.members + own.members, event.near + own.near
                continue
            event.near = [earlier for earlier in event.near if link.may_join(earlier, anomaly.start)]
            (others if event.near else over).append(event)
        live = [*others, own]
    members = sorted(sorted(event.members) for event in (*over, *live))
    return [[ordered[index] for index in group] for group in members]


# --- anomalies of measurements --------------------------------------------------------------------------

OTHER_NETWORK_GAP = 36 * HOUR
"""A second network joins an event within the time in which orders are carried out; the detectors' alert lasts as
long."""


def _may_still_join(anomaly: Anomaly, start: float) -> bool:
    """Can anything that begins at ``start`` or later be one event with it?"""
    return start <= max(anomaly.known_until + SAME_NETWORK_GAP, anomaly.start + TOGETHER)


def _one_event(first: Anomaly, second: Anomaly) -> bool:
    """``first`` begins no later than ``second``; both are of one country."""
    if bool(first.key.target) != bool(second.key.target):
        return False  # cutting the network off and blocking a platform are two orders
    if first.key.target == second.key.target:
        same_network = first.key.place == second.key.place
        gap = second.start - first.known_until
        return gap <= (SAME_NETWORK_GAP if same_network else OTHER_NETWORK_GAP)
    if first.start_earliest is None or second.start_earliest is None:
        return False  # already under way when our data begin, so nothing shows that they began together
    return second.start - first.start <= TOGETHER


OF_MEASUREMENTS = Link(_one_event, _may_still_join)


# --- anomalies of quantities ----------------------------------------------------------------------------

FLAPS = 6 * HOUR
"""A series that recovers for less than this and falls again never settled."""

SAME_HOURS = 2 * HOUR
"""Curfews and examination sessions begin at the same hour; noise moves the first low bin by an hour or two."""


def _may_join(anomaly: Anomaly, start: float) -> bool:
    """Can anything that begins at ``start`` or later be one event with it?"""
    return start <= settles(anomaly) + SAME_NETWORK_GAP or settles(anomaly) < start < anomaly.until


def _one_outage(first: Anomaly, second: Anomaly) -> bool:
    """``first`` begins no later than ``second``."""
    gap = second.start - settles(first)
    if further(first, second):
        return True
    if first.key == second.key:
        return gap <= FLAPS or (gap <= SAME_NETWORK_GAP and _sessions(first, second))
    if gap > 0:
        return False
    if first.key.place == second.key.place or is_country(first.key.place):
        return True  # another source of the place, or a part of the country that falls while it is down
    return second.start - first.start <= TOGETHER


def _sessions(first: Anomaly, second: Anomaly) -> bool:
    """Do they begin, or end, at the same hours?"""
    ends = first.end is not None and second.end is not None and _same_hours(first.end, second.end)
    return ends or _same_hours(first.start, second.start)


def _same_hours(one: float, other: float) -> bool:
    apart = abs(one - other) % DAY
    return min(apart, DAY - apart) <= SAME_HOURS


def settles(anomaly: Anomaly) -> float:
    """Until when it makes neighbouring anomalies part of one event: after that, a lasting level is their baseline."""
    lasting = None if anomaly.departure is None else anomaly.departure.lasting_since
    return anomaly.until if lasting is None else min(lasting, anomaly.until)


def further(first: Anomaly, second: Anomaly) -> bool:
    """Is the second a further fall of the same series, within a lower level that lasts?

    For a platform's traffic any fall is.  For a place, one that takes half of what is left is a separate event.
    """
    if first.key != second.key or not settles(first) <= second.start < first.until:
        return False
    deep = second.departure is not None and second.departure.left <= FURTHER
    return bool(target_of_series(first.key)) or not deep


FURTHER = 0.5

OF_QUANTITIES = Link(_one_outage, _may_join)


def is_country(place: Place) -> bool:
    """Is it the whole country, not a region or network?"""
    return not place.asn and not place.region
