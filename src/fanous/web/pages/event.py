"""Event: one announced event, and what was seen around it."""

from fanous.analysis.incidents.events import EventOutcome
from fanous.pipeline.claims import event_report
from fanous.publish.stories import stories
from fanous.store.protocol import Store
from fanous.web.page import Facts
from fanous.web.visit import Visit

OUTCOMES = {
    EventOutcome.DISRUPTED: "Disrupted",
    EventOutcome.ALREADY_ON: "Disrupted since before",
    EventOutcome.SUSPECTED: "Suspected",
    EventOutcome.NONE_SEEN: "Nothing seen",
    EventOutcome.CANNOT_TELL: "Cannot tell",
}

ANNOUNCED = "Announced"
"""Of an event that has not begun."""


def event_facts(store: Store, visit: Visit) -> Facts | None:
    """Before it begins it is only announced: nothing is said of what has not been."""
    code = visit.asked["country"]
    event = next((one for one in store.events(code) if one.id == visit.asked["event"]), None)
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
