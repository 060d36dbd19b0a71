"""Events: an announced event and the report on it, as JSON and as lines for a terminal."""

from typing import Any

from fanous.analysis.incidents.events import Coincidence, EventReport
from fanous.analysis.incidents.witnesses import coverage_sentence
from fanous.model.coverage import Coverage
from fanous.model.event import AnnouncedEvent
from fanous.model.instant import to_iso
from fanous.wording.words import STAGED


def event_document(event: AnnouncedEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "country": event.country,
        "start": to_iso(event.start),
        "end": to_iso(event.end),
        "title": event.title,
        "targets": list(event.targets),
        "registered_at": to_iso(event.registered_at),
        "late": event.is_late,
        "sha256": event.digest,
    }


def report_document(report: EventReport) -> dict[str, Any]:
    return {
        "watch": event_document(report.event),
        "synthetic": report.synthetic,
        "outcome": str(report.outcome),
        "why": report.why,
        "incidents": [
            {
                "id": one.incident.id,
                "status": str(one.incident.status),
                "timing": str(one.timing),
                "preemptive": one.is_preemptive,
                "minutes_from_start": one.minutes,
                "why": one.why,
            }
            for one in report.relations
        ],
        "coverage": _coverage(report.coverage),
        "comparison": report.comparison,
        "other_days": [{"start": to_iso(start)} | _coverage(c) for start, c in report.other_days],
        "coincidence": {
            "chance": None if report.coincidence.chance is None else round(report.coincidence.chance, 4),
            "other_onsets": report.coincidence.onsets,
            "days_of_record": round(report.coincidence.days, 1),
            "method": report.coincidence.method,
        },
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "measurements": coverage.measurements,
        "failing": coverage.failing,
        "probes": coverage.probes,
        "networks": len(coverage.networks),
        "hours_measured": coverage.hours_measured,
        "hours": coverage.hours,
        "targets": list(coverage.targets),
    }


def event_line(event: AnnouncedEvent) -> str:
    late = "  LATE: registered when it had begun" if event.is_late else ""
    targets = f" ({', '.join(event.targets)})" if event.targets else ""
    return f"{event.id}  {to_iso(event.start)} to {to_iso(event.end)}  {event.title}{targets}{late}"


def report_lines(report: EventReport) -> list[str]:
    event = report.event
    others = [one for one in report.relations if one.why not in report.why]
    when = (
        "after it had begun, so it may have been chosen for what happened" if event.is_late else "before it"
    )
    return [
        *([STAGED] if report.synthetic else []),
        f"{event.title}, {event.country}, {to_iso(event.start)} to {to_iso(event.end)}",
        f"  registered {to_iso(event.registered_at)}, {when}; SHA-256 {event.digest}",
        f"  {str(report.outcome).replace('_', ' ').upper()}: {report.why}",
        *(f"  {one.incident.id} ({one.incident.status}): {one.why}" for one in others),
        f"  coverage: {coverage_sentence(report.coverage)}",
        f"  other days: {report.comparison}",
        f"  coincidence: {_chance(report.coincidence)}",
    ]


def _chance(coincidence: Coincidence) -> str:
    if coincidence.chance is None:
        return f"its chance cannot be said: {coincidence.method}"
    return (
        f"an onset that has nothing to do with the event falls beside it by a chance of "
        f"{coincidence.chance:.1%} ({coincidence.method})"
    )
