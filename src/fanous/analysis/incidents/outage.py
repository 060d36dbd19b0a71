"""Outage: a group of level anomalies becomes one incident with a status.

suspected -> confirmed -> ended.  Silence ends nothing: an end needs data, or the stated time after which a
level that lasts is ordinary.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fanous.analysis.incidents.assemble import intervals_of
from fanous.analysis.incidents.confirm import Ruling
from fanous.analysis.incidents.course import course
from fanous.analysis.incidents.fusion import estimate, family_of, opinions, ruling, worth_a_suspicion
from fanous.analysis.incidents.hints import hints
from fanous.analysis.incidents.outage_group import reaches
from fanous.analysis.incidents.reach import Reach, reach
from fanous.analysis.series.signals import SIGNALS
from fanous.model.anomaly import Anomaly
from fanous.model.incident import (
    Estimate,
    Evidence,
    Incident,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Scope,
    Status,
)
from fanous.model.place import Family, Place
from fanous.model.series import Series
from fanous.model.weights import UserWeights

SURE = 0.95
"""No family alone is surer than this: what it measures has faults that its own lines share."""

MOST = 0.999
"""Nor all of them together, as everywhere."""

NEAR = 3600.0
"""Seconds within which outages of two countries may have one cause."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is the same for all outages of one country and run.

    Attributes:
        series: level series that can show an outage.
        weights: ``None`` = no figures for this country.
        elsewhere: when other countries had an outage.
        season: the remark that examinations are held at the season and hour of an instant (unix seconds);
            empty = none are.
    """

    country: str
    series: Sequence[Series]
    weights: UserWeights | None
    elsewhere: Sequence[tuple[str, Interval]]
    rules_version: str
    detector_version: str
    season: Callable[[float], str] = lambda _: ""


def outage_of(group: Sequence[Anomaly], kind: Kind, situation: Situation) -> Incident | None:
    """The incident that a group of anomalies amounts to; ``None`` = not worth a suspicion."""
    verdict = ruling(group, kind)
    if verdict.at is None and not worth_a_suspicion(group, kind):
        return None
    told = opinions(group, situation.series)
    far = reach(group, situation.series, told, situation.weights)
    ran = course(far.lead)
    end = ran.intervals[-1].end if _agreed(far.lead) and _mostly_back(far.lead) else _end(far.lead)
    intervals = _until(ran.intervals, end)
    status, reason = _status(verdict, end, far)
    entities = _entities(situation.country, far)
    classes = far.classes if kind is Kind.OUTAGE else ("slowdown.general",)
    first = ran.first
    return Incident(
        country=situation.country,
        kind=kind,
        status=status,
        scope=far.scope,
        access=far.access,
        entities=entities,
        parts=(Part("", kind, classes, entities),),
        networks=_cells([a for a in group if reaches(a) > first.start]),
        onset=first.start,
        onset_earliest=first.start_earliest,
        onset_latest=first.start_latest,
        end=end,
        intervals=intervals,
        confirmed_at=verdict.at,
        confidence=_confidence(group),
        users=far.users,
        kbps=None,
        level=_level(ran.core, kind),
        evidence=_evidence(group),
        rule=verdict.rule,
        reason=reason,
        rules_version=situation.rules_version,
        detector_version=situation.detector_version,
        opinions=told,
        hints=hints(
            ran.core,
            intervals,
            _meanwhile(situation, first.start),
            situation.series,
            situation.season(first.start),
        ),
    )


def _level(lead: Sequence[Anomaly], kind: Kind) -> Estimate | None:
    """What is left of what users feel: not of routes, and of a speed rather than of a delay."""
    felt = [a for a in lead if family_of(a) is not Family.ROUTING]
    if kind is Kind.SLOWDOWN:
        felt = [a for a in lead if SIGNALS[a.key.signal].unit == "kbps"]
    return estimate(felt or lead)


def _status(verdict: Ruling, end: float | None, far: Reach) -> tuple[Status, str]:
    accepted = [a for a in far.lead if a.departure is not None and a.departure.accepted and a.end == end]
    lasting = "the lower level lasted, and counts as ordinary since" if end is not None and accepted else ""
    if verdict.at is not None:
        status, reason = (Status.CONFIRMED if end is None else Status.ENDED), verdict.reason
    elif end is None:
        status, reason = Status.SUSPECTED, f"suspected: {verdict.reason}"
    else:
        status, reason = Status.ENDED, f"ended without being confirmed: {verdict.reason}"
    short = any(a.departure is not None and a.departure.short for a in far.lead)
    history = "held against less than a week of history" if short else ""
    return status, "; ".join(filter(None, (reason, far.wording, history, lasting)))


def _agreed(lead: Sequence[Anomaly]) -> bool:
    return len({family_of(a) for a in lead}) > 1


def _mostly_back(lead: Sequence[Anomaly]) -> bool:
    """Half of the lines came back: the others fell silent, or hardly depart."""
    last = {a.key: a for a in sorted(lead, key=lambda a: a.last_seen)}
    return 2 * sum(a.end is not None for a in last.values()) >= len(last)


def _end(lead: Sequence[Anomaly]) -> float | None:
    """The end, once every line that still reports has come back; one that fell silent holds nothing open."""
    last: dict[object, Anomaly] = {}
    for anomaly in sorted(lead, key=lambda a: a.last_seen):
        last[anomaly.key] = anomaly
    ends = [a.end for a in last.values() if a.end is not None]
    open_ = [a.last_seen for a in last.values() if a.end is None]
    if not ends or 2 * len(ends) < len(last) or (open_ and max(open_) > max(ends)):
        return None
    return max(ends)


def _until(intervals: Sequence[Interval], end: float | None) -> tuple[Interval, ...]:
    """The last interval is open exactly where the event is.

    A course ends with its lines, and too few of them may have come back to say that the event is over.
    """
    *before, last = intervals
    return *before, Interval(last.start, None if end is None else end if last.end is None else last.end)


def _entities(country: str, far: Reach) -> tuple[str, ...]:
    cells = sorted({str(a.key.place) for a in far.lead} - {country})
    own = (country,) if far.scope in (Scope.NATION, Scope.INSUFFICIENT) else ()
    return own + tuple(cells)


def _cells(group: Sequence[Anomaly]) -> tuple[NetworkPart, ...]:
    """When it was seen on each place: ``measurements`` counts bins."""
    places: dict[Place, list[Anomaly]] = {}
    for anomaly in group:
        places.setdefault(anomaly.key.place, []).append(anomaly)
    parts = []
    for entity, own in sorted(places.items(), key=lambda place: place[0]):
        parts.append(
            NetworkPart(
                entity=str(entity),
                targets=(),
                intervals=intervals_of(own),
                measurements=sum(a.bins for a in own),
                probes=0,
                probability=max(a.probability for a in own),
            )
        )
    return tuple(parts)


def _confidence(group: Sequence[Anomaly]) -> float:
    """Log-odds of the surest family, half a say for each other one; families share no faults, but causes."""
    best: dict[Family, float] = {}
    for anomaly in group:
        family = family_of(anomaly)
        best[family] = max(best.get(family, 0.0), min(anomaly.probability, SURE))
    odds = sorted((float(np.log(p / (1 - p))) for p in best.values()), reverse=True)
    total = min(odds[0] + 0.5 * sum(odds[1:]), float(np.log(MOST / (1 - MOST))))
    return round(1 / (1 + float(np.exp(-total))), 4)


def _evidence(group: Sequence[Anomaly]) -> Evidence:
    families = {family_of(a) for a in group}
    return Evidence(
        measurements=sum(a.bins for a in group),
        probes=0,
        networks=len({a.key.place.asn for a in group if a.key.place.asn}),
        controls=0,
        families=tuple(str(family) for family in Family if family in families),
    )


def _meanwhile(situation: Situation, start: float) -> tuple[str, ...]:
    """Countries whose outage began within the hour."""
    near = {country for country, when in situation.elsewhere if abs(when.start - start) <= NEAR}
    return tuple(sorted(near - {situation.country}))
