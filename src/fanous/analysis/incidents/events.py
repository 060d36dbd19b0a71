"""Events: what was seen around an announced event, when it began relative to the event, and how likely that is by
chance.

An announcement raises attention, never the evidence: nothing here confirms anything.  If enough was measured, that
nothing was seen is a result too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, exp
from statistics import median

from fanous.analysis.incidents.witnesses import coverage_of, coverage_sentence, is_ordinary, lacking
from fanous.model.coverage import Coverage
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY, HOUR, to_iso
from fanous.model.series import Votes

LEAD = 12 * HOUR
"""An incident that begins so long before the event may be about it: in 2023 the cut came an hour before the rally, and
orders for an election day are carried out from the evening before."""

OTHER_DAYS = 28 * DAY
"""The same hours are compared so far to either side: four weeks hold four of each weekday."""

LEAST_RECORD = 28 * DAY
"""Least record outside of the event from which a rate of onsets can be stated."""


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
        why: in words, for a reader.
    """

    incident: Incident
    timing: Timing
    minutes: float
    why: str

    @property
    def is_preemptive(self) -> bool:
        """Did it begin before the event and last into it?"""
        return self.timing is Timing.BEFORE


@dataclass(frozen=True, slots=True)
class Coincidence:
    """The chance that an onset falls close to an event with which it has nothing to do.

    Attributes:
        chance: None = cannot be said; ``method`` says why.
        onsets: other onsets in the record.
        days: of record outside of the event's own time.
    """

    chance: float | None
    onsets: int
    days: float
    method: str


@dataclass(frozen=True, slots=True)
class EventReport:
    """All that can be said about one announced event.

    Attributes:
        why: the outcome in words.
        other_days: start of the same hours on another day, and what was measured then.
        synthetic: what was seen was staged, so the report says nothing about the real world.
    """

    event: AnnouncedEvent
    outcome: EventOutcome
    why: str
    relations: tuple[Relation, ...]
    coverage: Coverage
    other_days: tuple[tuple[float, Coverage], ...]
    comparison: str
    coincidence: Coincidence
    synthetic: bool = False


def report_event(
    event: AnnouncedEvent, incidents: Sequence[Incident], votes: Votes, span: tuple[float, float] | None
) -> EventReport:
    """All that can be said about one announced event.

    Args:
        incidents: all of the country.
        votes: of the country on the targets in question, from ``OTHER_DAYS`` before to as long after.
        span: first and last measurement of the country; None = there is none.
    """
    standing = [i for i in incidents if i.status is not Status.RETRACTED and is_about(i, event)]
    relations = tuple(relation(i, event) for i in standing if touches(i, event))
    coverage = coverage_of(votes, event.start, event.end)
    days = tuple(_other_days(event, votes, span))
    outcome, why = _outcome(relations, coverage)
    return EventReport(
        event, outcome, why, relations, coverage, days, _compare(coverage, days),
        _coincidence(event, standing, span),
    )  # fmt: skip


def is_about(incident: Incident, event: AnnouncedEvent) -> bool:
    """Judging by their targets, could they have to do with each other?"""
    return not event.targets or not incident.targets or bool(set(event.targets) & set(incident.targets))


def touches(incident: Incident, event: AnnouncedEvent) -> bool:
    """Was it on during the event, or shortly before?"""
    return incident.onset < event.end and (incident.end is None or incident.end > event.start - LEAD)


def relation(incident: Incident, event: AnnouncedEvent) -> Relation:
    """When the incident began, relative to the event."""
    minutes = round((incident.onset - event.start) / 60, 1)
    earliest, latest = incident.onset_earliest, incident.onset_latest
    label = incident.id or "the incident"
    if incident.onset < event.start - LEAD or (earliest is None and latest < event.start):
        why = f"{label} was on long before the event, or when the record begins: it is not about its onset"
        return Relation(incident, Timing.ALREADY_ON, minutes, why)
    if incident.end is not None and incident.end <= event.start:
        return Relation(incident, Timing.OVER_BEFORE, minutes, f"{label} was over when the event began")
    if latest < event.start:
        lead = _minutes(event.start - latest)
        why = f"{label} was on by {to_iso(latest)}, {lead} before the event: pre-emptive"
        return Relation(incident, Timing.BEFORE, minutes, why)
    if earliest is not None and earliest >= event.start:
        why = f"{label} was not on yet at {to_iso(earliest)}: it began during the event"
        return Relation(incident, Timing.DURING, minutes, why)
    return Relation(
        incident, Timing.BEFORE_OR_DURING, minutes, f"{label} may have begun before it or during it"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} hours"


def _outcome(relations: Sequence[Relation], coverage: Coverage) -> tuple[EventOutcome, str]:
    new = [r for r in relations if r.timing is not Timing.ALREADY_ON]
    confirmed = [r for r in new if r.incident.confirmed_at is not None]
    if confirmed:
        return EventOutcome.DISRUPTED, "; ".join(r.why for r in confirmed)
    if new:
        return EventOutcome.SUSPECTED, "; ".join(f"{r.why} (suspected, not confirmed)" for r in new)
    if relations:
        return EventOutcome.ALREADY_ON, "; ".join(r.why for r in relations)
    if is_ordinary(coverage):
        return EventOutcome.NONE_SEEN, f"no disruption seen: {coverage_sentence(coverage)}"
    why = lacking(coverage) or f"more failed than in ordinary times ({coverage_sentence(coverage)})"
    return EventOutcome.CANNOT_TELL, f"whether anything was disrupted cannot be said: {why}"


def _other_days(
    event: AnnouncedEvent, votes: Votes, span: tuple[float, float] | None
) -> list[tuple[float, Coverage]]:
    """The same hours of other days, in order; of an event of several days, other weeks."""
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


def _compare(coverage: Coverage, days: Sequence[tuple[float, Coverage]]) -> str:
    shares = sorted(share for _, c in days if (share := c.failing_share) is not None)
    own = coverage.failing_share
    if own is None or not shares:
        return "nothing to compare with: the same hours of no other day were measured"
    days_word = "other day" if len(shares) == 1 else "other days"
    as_bad = sum(share >= own for share in shares)
    return (
        f"{own:.1%} of the measurements failed during the event; in the same hours of {len(shares)} "
        f"{days_word} {median(shares):.1%} at the median, {shares[-1]:.1%} at most ({as_bad} as bad)"
    )


def _coincidence(
    event: AnnouncedEvent, incidents: Sequence[Incident], span: tuple[float, float] | None
) -> Coincidence:
    """Onsets are taken as a Poisson process at the rate of the rest of the record.  One more is added to the count, so
    that a record without any gives no certainty."""
    window = event.end - event.start + LEAD
    inside = 0.0 if span is None else max(0.0, min(event.end, span[1]) - max(event.start - LEAD, span[0]))
    record = 0.0 if span is None else max(0.0, span[1] - span[0] - inside)
    others = [
        i for i in incidents if i.confirmed_at is not None and not event.start - LEAD <= i.onset < event.end
    ]
    days = record / DAY
    if record < LEAST_RECORD:
        needed = LEAST_RECORD / DAY
        why = f"the record has {days:.0f} days besides the event; {needed:.0f} are needed for a rate"
        return Coincidence(None, len(others), days, why)
    chance = 1 - exp(-(len(others) + 1) / record * window)
    method = (
        f"onsets as a Poisson process at ({len(others)} others + 1) in {days:.0f} days of record, over the "
        f"{window / HOUR:.0f} hours from {LEAD / HOUR:.0f} h before the event to its end"
    )
    return Coincidence(chance, len(others), days, method)
