"""Events: the page of an announced event, the calendar of all, and the events around the time of an incident."""

from dataclasses import dataclass

from fanous.analysis.events import EventOutcome, Timing, is_about, relation, touches
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY
from fanous.publish.edition import stories
from fanous.publish.feeds import CALENDAR_MEDIA, calendar
from fanous.publish.filter import PATTERNS
from fanous.questions.claims import event_report
from fanous.store.protocol import Store
from fanous.web.answers import Reply, Visit
from fanous.web.routes import Facts, page, resource

MOST = 8
"""Most events on a page."""

TIMINGS = {
    Timing.BEFORE: "It began {length} before this event, and was still under way when the event began.",
    Timing.DURING: "It began during this event, {length} after its start.",
    Timing.BEFORE_OR_DURING: "It began about when this event did.",
    Timing.OVER_BEFORE: "It had ended when this event began.",
    Timing.ALREADY_ON: "It was under way long before this event.",
}


@dataclass(frozen=True, slots=True)
class Announced:
    """An announced event around the time of an incident.

    Attributes:
        text: when the incident began relative to the event, from ``TIMINGS``.
        seconds: between the event's start and the onset.
    """

    event: AnnouncedEvent
    text: str
    seconds: float


def announced_beside(store: Store, incident: Incident) -> list[Announced]:
    """Events that its time touches; none for a retracted incident."""
    if incident.status is Status.RETRACTED:
        return []
    beside = []
    for event in store.ledger.events(incident.country):
        if is_about(incident, event) and touches(incident, event):
            one = relation(incident, event)
            beside.append(Announced(event, TIMINGS[one.timing], abs(one.minutes) * 60))
    return beside[:MOST]


OUTCOMES = {
    EventOutcome.DISRUPTED: "Disrupted",
    EventOutcome.ALREADY_ON: "Disrupted since before",
    EventOutcome.SUSPECTED: "Suspected",
    EventOutcome.NONE_SEEN: "Nothing seen",
    EventOutcome.CANNOT_TELL: "Cannot tell",
}

ANNOUNCED = "Announced"
"""Outcome of an event that has not begun."""


@page("/{country:country}/{event:event}", "event.html")
def event_facts(store: Store, visit: Visit) -> Facts | None:
    """Before it begins, an event is only announced, without a report."""
    code = visit.asked["country"]
    event = next((one for one in store.ledger.events(code) if one.id == visit.asked["event"]), None)
    if event is None:
        return None
    report = event_report(store, event) if event.start <= visit.now else None
    return {
        "code": code,
        "event": event,
        "report": report,
        "outcome": OUTCOMES[report.outcome] if report else ANNOUNCED,
        "incidents": stories(store, [one.incident for one in report.relations] if report else []),
    }


BACK = 366 * DAY
"""How far back the calendar of announced events reaches."""


@resource("/events.ics", asks={"country": PATTERNS["country"]})
def events_calendar(store: Store, visit: Visit) -> Reply:
    return Reply.of(calendar(announced(store, visit), visit, visit.asked.get("country", "")), CALENDAR_MEDIA)


def announced(store: Store, visit: Visit) -> list[AnnouncedEvent]:
    """Events of the country asked for, or of all: those ahead, and those of the past year."""
    events = store.ledger.events(visit.asked.get("country") or None)
    return [event for event in events if event.end >= visit.now - BACK]
