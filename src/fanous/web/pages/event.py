"""Watched: one announced event, and what was seen around it."""

from fanous.analysis.incidents.events import EventOutcome
from fanous.pipeline.claims import watch_report
from fanous.publish.stories import stories
from fanous.store import Store
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


def watch_facts(store: Store, visit: Visit) -> Facts | None:
    """Before it begins it is only announced: nothing is said of what has not been."""
    code = visit.asked["country"]
    watch = next((one for one in store.watches(code) if one.id == visit.asked["watch"]), None)
    if watch is None:
        return None
    report = watch_report(store, watch) if watch.start <= visit.now else None
    return {
        "code": code,
        "watch": watch,
        "report": report,
        "outcome": OUTCOMES[report.outcome] if report else ANNOUNCED,
        "incidents": stories(store, [one.incident for one in report.relations] if report else []),
    }
