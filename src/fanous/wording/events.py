"""Events: an announced event and the report on it, as JSON and as lines for a terminal."""

from typing import Any

from fanous.analysis.coverage import held
from fanous.analysis.events import Coincidence, EventReport
from fanous.model.coverage import Coverage
from fanous.model.event import AnnouncedEvent
from fanous.model.instant import to_iso
from fanous.wording.reasons import reasons_document, reasons_text, why_document
from fanous.wording.words import STAGED, full_status


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
        **why_document(report.reasons),
        "incidents": [
            {
                "id": relation.incident.id,
                "status": str(relation.incident.status),
                "confirmed": relation.incident.confirmed_at is not None,
                "timing": str(relation.timing),
                "preemptive": relation.is_preemptive,
                "minutes_from_start": relation.minutes,
            }
            | why_document([relation.reason])
            for relation in report.relations
        ],
        "coverage": _coverage(report.coverage) | {"series": list(report.coverage.series)},
        "comparison": reasons_text([report.comparison]),
        "comparison_reasons": reasons_document([report.comparison]),
        "other_days": [{"start": to_iso(start)} | _coverage(c) for start, c in report.other_days],
        "coincidence": {
            "chance": None if report.coincidence.chance is None else round(report.coincidence.chance, 4),
            "other_onsets": report.coincidence.onsets,
            "days_of_record": round(report.coincidence.days, 1),
            "method": reasons_text([report.coincidence.reason]),
            "reasons": reasons_document([report.coincidence.reason]),
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


def report_lines(report: EventReport, now: float) -> list[str]:
    """What ``report_document`` says; of an event that has not begun by ``now`` (unix seconds), only that."""
    event = report.event
    told = {reason.params.get("incident") for reason in report.reasons}
    others = [relation for relation in report.relations if relation.incident.id not in told]
    when = (
        "after it had begun, so it may have been chosen for what happened" if event.is_late else "before it"
    )
    head = [
        f"{event.title}, {event.country}, {to_iso(event.start)} to {to_iso(event.end)}",
        f"  registered {to_iso(event.registered_at)}, {when}; SHA-256 {event.digest}",
    ]
    if now < event.start:
        return [*head, "  NOT BEGUN: there is nothing to report before it begins."]
    return [
        *([STAGED] if report.synthetic else []),
        *head,
        *([f"  not over: it lasts until {to_iso(event.end)}"] if now < event.end else []),
        f"  {str(report.outcome).replace('_', ' ').upper()}: {reasons_text(report.reasons)}",
        *(f"  {full_status(relation.incident)}: {reasons_text([relation.reason])}" for relation in others),
        f"  coverage: {reasons_text(held(report.coverage))}",
        f"  other days: {reasons_text([report.comparison])}",
        f"  by chance: {_chance(report.coincidence)}",
    ]


def _chance(coincidence: Coincidence) -> str:
    chance = "not known" if coincidence.chance is None else f"{coincidence.chance:.1%}"
    return f"{chance}. {reasons_text([coincidence.reason])}"
