"""Events: what was seen around an announced event, when it began relative to the event, and how likely that is by
chance.

An announcement raises attention, but is never evidence: nothing here confirms anything.  If enough was measured,
seeing nothing is a result too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, exp
from statistics import median

from fanous.analysis.coverage import coverage_of, is_ordinary, lacking, measured, unusual
from fanous.model.coverage import Coverage
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Family
from fanous.model.reason import Param, Reason
from fanous.model.series import Votes
from fanous.model.threshold import threshold

LEAD = threshold(
    "incidents.event_lead_seconds",
    12 * HOUR,
    "An incident that begins so long before the event may be about it: orders for a day are carried out from "
    "the evening before.",
)

OTHER_DAYS = threshold(
    "incidents.event_other_days_seconds",
    28 * DAY,
    "Time to either side of an event in which the same hours are compared: four of each weekday.",
)

LEAST_RECORD = threshold(
    "incidents.event_record_seconds",
    28 * DAY,
    "Data outside the event without which no rate of onsets can be stated.",
)


class Timing(StrEnum):
    """When an incident began, relative to the event."""

    BEFORE = "before"
    DURING = "during"
    BEFORE_OR_DURING = "before_or_during"
    OVER_BEFORE = "over_before"
    ALREADY_ON = "already_on"


class EventOutcome(StrEnum):
    DISRUPTED = "disrupted"
    ALREADY_ON = "already_on"
    SUSPECTED = "suspected"
    NONE_SEEN = "none_seen"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Relation:
    """How one incident relates to the event.

    Attributes:
        minutes: from the event's start to the onset; negative = before.
    """

    incident: Incident
    timing: Timing
    minutes: float
    reason: Reason

    @property
    def is_preemptive(self) -> bool:
        """Did it begin before the event and last into it?"""
        return self.timing is Timing.BEFORE


@dataclass(frozen=True, slots=True)
class Coincidence:
    """The chance that an unrelated onset falls close to the event.

    Attributes:
        chance: None = unknown; ``reason`` says why.
        onsets: other onsets in the record.
        days: days of record outside the event's own time.
        reason: how it was estimated.
    """

    chance: float | None
    onsets: int
    days: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class EventReport:
    """Everything that can be said about one announced event.

    Attributes:
        reasons: reasons for the outcome.
        comparison: comparison with the same hours of other days.
        other_days: start of the same hours on another day, and what was measured then.
        synthetic: what was seen was staged, so the report says nothing about the real world.
    """

    event: AnnouncedEvent
    outcome: EventOutcome
    reasons: tuple[Reason, ...]
    relations: tuple[Relation, ...]
    coverage: Coverage
    other_days: tuple[tuple[float, Coverage], ...]
    comparison: Reason
    coincidence: Coincidence
    synthetic: bool = False


def report_event(
    event: AnnouncedEvent,
    incidents: Sequence[Incident],
    votes: Votes,
    span: tuple[float, float] | None,
    series: tuple[str, ...] = (),
    watched: tuple[Family, ...] = (),
) -> EventReport:
    """Everything that can be said about one announced event.

    Args:
        incidents: all of the country.
        votes: the country's votes on the targets in question, from ``OTHER_DAYS`` before to as long after.
        span: first and last measurement of the country; None = there is none.
        series, watched: as in ``Coverage``, during the event.
    """
    standing = [i for i in incidents if i.status is not Status.RETRACTED and is_about(i, event)]
    relations = tuple(relation(i, event) for i in standing if touches(i, event))
    coverage = replace(coverage_of(votes, event.start, event.end), series=series, watched=watched)
    days = tuple(_other_days(event, votes, span))
    outcome, reasons = _outcome(relations, coverage)
    return EventReport(
        event, outcome, reasons, relations, coverage, days, _compare(coverage, days),
        _coincidence(event, standing, span),
    )  # fmt: skip


def is_about(incident: Incident, event: AnnouncedEvent) -> bool:
    """Judging by their targets, could they be related?"""
    return not event.targets or not incident.targets or bool(set(event.targets) & set(incident.targets))


def touches(incident: Incident, event: AnnouncedEvent) -> bool:
    """Was it on during the event, or shortly before?"""
    return incident.is_on(event.start - LEAD, event.end)


def relation(incident: Incident, event: AnnouncedEvent) -> Relation:
    """When the incident began, relative to the event."""
    minutes = round((incident.onset - event.start) / 60, 1)
    earliest, latest = incident.onset_earliest, incident.onset_latest
    named: dict[str, Param] = {"incident": incident.id, "country": event.country}
    if incident.end is not None and incident.end <= event.start:
        return Relation(incident, Timing.OVER_BEFORE, minutes, Reason("event.over_before", named))
    if incident.onset < event.start - LEAD or (earliest is None and latest < event.start):
        return Relation(incident, Timing.ALREADY_ON, minutes, Reason("event.already_on", named))
    if latest < event.start:
        before = Reason("event.before", named | {"at": latest, "ahead": round(event.start - latest)})
        return Relation(incident, Timing.BEFORE, minutes, before)
    if earliest is not None and earliest >= event.start:
        return Relation(incident, Timing.DURING, minutes, Reason("event.during", named | {"at": earliest}))
    return Relation(incident, Timing.BEFORE_OR_DURING, minutes, Reason("event.before_or_during", named))


def _outcome(relations: Sequence[Relation], coverage: Coverage) -> tuple[EventOutcome, tuple[Reason, ...]]:
    during = [r for r in relations if r.timing is not Timing.OVER_BEFORE]
    new = [r for r in during if r.timing is not Timing.ALREADY_ON]
    confirmed = [r for r in new if r.incident.confirmed_at is not None]
    if confirmed:
        return EventOutcome.DISRUPTED, tuple(r.reason for r in confirmed)
    if new:
        return EventOutcome.SUSPECTED, (*(r.reason for r in new), _only_suspected(new))
    sure = [r for r in during if r.incident.confirmed_at is not None]
    if sure:
        return EventOutcome.ALREADY_ON, tuple(r.reason for r in sure)
    if during:
        return EventOutcome.SUSPECTED, (*(r.reason for r in during), _only_suspected(during))
    if is_ordinary(coverage):
        return EventOutcome.NONE_SEEN, (Reason("none_seen"), measured(coverage))
    more = () if lacking(coverage) else (measured(coverage),)
    return EventOutcome.CANNOT_TELL, (Reason("event.cannot_tell"), *unusual(coverage), *more)


def _only_suspected(relations: Sequence[Relation]) -> Reason:
    return Reason("claim.suspected", {"incidents": tuple(r.incident.id for r in relations)})


def _other_days(
    event: AnnouncedEvent, votes: Votes, span: tuple[float, float] | None
) -> list[tuple[float, Coverage]]:
    """The same hours of other days, in order; of other weeks if the event lasts several days."""
    if span is None:
        return []
    days = ceil((event.end - event.start) / DAY)
    step = DAY if days <= 1 else 7 * DAY * ceil(days / 7)
    found = []
    for n in range(-int(OTHER_DAYS // step), int(OTHER_DAYS // step) + 1):
        start, end = event.start + n * step, event.end + n * step
        if n and span[0] <= start and end <= span[1]:
            coverage = coverage_of(votes, start, end)
            if coverage.measurements:
                found.append((start, coverage))
    return found


def _compare(coverage: Coverage, days: Sequence[tuple[float, Coverage]]) -> Reason:
    shares = sorted(share for _, c in days if (share := c.failing_share) is not None)
    own = coverage.failing_share
    if own is None:
        return Reason("compare.unmeasured")
    if not shares:
        return Reason("compare.nothing")
    as_bad = sum(share >= own for share in shares)
    told: dict[str, Param] = {"own": own, "usual": median(shares), "worst": shares[-1], "as_bad": as_bad}
    return Reason("compare.days", {"n": len(shares)} | told)


def _coincidence(
    event: AnnouncedEvent, incidents: Sequence[Incident], span: tuple[float, float] | None
) -> Coincidence:
    """Onsets are taken as a Poisson process at the rate of the rest of the record.  One more is added to the count, so
    that a record without any does not give certainty."""
    window = event.end - event.start + LEAD
    inside = 0.0 if span is None else max(0.0, min(event.end, span[1]) - max(event.start - LEAD, span[0]))
    record = 0.0 if span is None else max(0.0, span[1] - span[0] - inside)
    others = [
        i for i in incidents if i.confirmed_at is not None and not event.start - LEAD <= i.onset < event.end
    ]
    days = record / DAY
    if record < LEAST_RECORD:
        told = {"days": round(days), "needed": round(LEAST_RECORD / DAY)}
        return Coincidence(None, len(others), days, Reason("chance.short", told))
    chance = 1 - exp(-(len(others) + 1) / record * window)
    told = {"others_began": len(others), "days": round(days), "window": round(window), "lead": round(LEAD)}
    return Coincidence(chance, len(others), days, Reason("chance.rate", told))
