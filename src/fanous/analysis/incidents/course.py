"""Course: from when to when an outage was on, by what families of sources say together.

Usage and stray traffic are what people do: they begin to fall before an outage by chance, and come back
late.  So where two families agree, it was on while they did; one alone carries it on only where its line
hardly moves by itself (active probing), or while more than half of its level was gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from fanous.analysis.incidents.assemble import intervals_of
from fanous.analysis.incidents.fusion import AGREE, DEEP, agree, alone, family_of, left
from fanous.analysis.incidents.outage_group import reaches
from fanous.model.anomaly import Anomaly
from fanous.model.incident import Interval
from fanous.model.place import Family

STEADY = (Family.PROBING, Family.ROUTING)
"""Families whose lines hardly move by themselves."""


@dataclass(frozen=True, slots=True)
class Course:
    """Attributes:
    first: the anomaly that the onset and its bounds are of, its ``start`` no earlier than the first interval.
    intervals: when it was on, in order.
    core: the anomalies that overlap one of them.
    """

    first: Anomaly
    intervals: tuple[Interval, ...]
    core: tuple[Anomaly, ...]


def worth_keeping(anomalies: Sequence[Anomaly]) -> list[Anomaly]:
    """Without dips of a country's usage or stray traffic that are nothing alone and agree with nothing.

    Kept, they would chain one ordinary morning to the next, and put an onset days before the event.
    """
    return [
        one
        for one in anomalies
        if family_of(one) in STEADY
        or one.key.place.asn
        or one.key.place.region
        or alone(one)
        or any(family_of(other) is not family_of(one) and agree(one, other) for other in anomalies)
    ]


def course(lead: Sequence[Anomaly]) -> Course:
    """The course of one event; all of ``lead`` where one family alone saw it."""
    lead = _without_silent(lead)
    together = _together(lead)
    if not together:
        first = min(lead, key=lambda a: a.start)
        return Course(first, intervals_of(lead), tuple(lead))
    spans = [_widened(span, lead) for span in together]
    spans += [
        Interval(a.start, a.end)
        for a in lead
        if family_of(a) in STEADY and alone(a) and not any(_overlap(a, span) for span in spans)
    ]
    intervals = _union(spans)
    core = tuple(a for a in lead if any(_overlap(a, span) for span in intervals))
    first = min(core, key=lambda a: (abs(a.start - intervals[0].start), a.start))
    if first.start != intervals[0].start:  # it fell by more than half later than it began to depart
        start = intervals[0].start
        first = replace(first, start=start, start_latest=max(start, first.start_latest))
    return Course(first, intervals, core)


def _without_silent(lead: Sequence[Anomaly]) -> list[Anomaly]:
    """A line that fell silent before others came back holds nothing open."""
    back = max((a.end for a in lead if a.end is not None), default=-inf)
    return [replace(a, end=a.last_seen) if a.end is None and a.last_seen < back else a for a in lead]


def _together(lead: Sequence[Anomaly]) -> list[Interval]:
    """When two families or more were down."""
    edges = []
    for family in {family_of(a) for a in lead}:
        for span in _union([Interval(a.start, a.end) for a in lead if family_of(a) is family]):
            edges += [(span.start, 1), (_end(span), -1)]
    found, down, since = [], 0, 0.0
    for at, change in sorted(edges):
        before, down = down, down + change
        if before < 2 <= down:
            since = at
        elif down < 2 <= before and at > since:
            found.append(Interval(since, None if at == inf else at))
    return found


def _widened(span: Interval, lead: Sequence[Anomaly]) -> Interval:
    beside = [a for a in lead if _overlap(a, span)]
    start = min([span.start, *(_from(a, span.start) for a in beside)])
    end = max([_end(span), *map(_until, beside)])
    return Interval(start, None if end == inf else end)


def _from(anomaly: Anomaly, agreed: float) -> float:
    """Since when an anomaly that leads up to the agreement counts."""
    if family_of(anomaly) is Family.PROBING or anomaly.start >= agreed - AGREE:
        return anomaly.start
    deep = anomaly.departure.deep_from if anomaly.departure else None
    return agreed if deep is None else deep


def _until(anomaly: Anomaly) -> float:
    """Until when it carries the event on by itself."""
    if family_of(anomaly) is Family.PROBING:
        return reaches(anomaly)
    deep = anomaly.departure.deep_until if anomaly.departure else None
    if deep is None:
        return reaches(anomaly) if left(anomaly) <= DEEP else -inf
    return inf if anomaly.end is None and deep >= anomaly.last_seen else deep


def _overlap(anomaly: Anomaly, span: Interval) -> bool:
    return anomaly.start < _end(span) and span.start < reaches(anomaly)


def _end(span: Interval) -> float:
    return inf if span.end is None else span.end


def _union(spans: Sequence[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for span in sorted(spans, key=lambda s: s.start):
        if merged and span.start <= _end(merged[-1]):
            end = max(_end(merged[-1]), _end(span))
            merged[-1] = Interval(merged[-1].start, None if end == inf else end)
        else:
            merged.append(span)
    return tuple(merged)
