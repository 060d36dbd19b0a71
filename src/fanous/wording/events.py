"""Watch: an announced event and the report on it, as JSON and as lines for a terminal."""

from typing import Any

from fanous.analysis.incidents.coverage import coverage_sentence
from fanous.analysis.incidents.events import Coincidence, WatchReport
from fanous.model.coverage import Coverage
from fanous.model.event import Watch
from fanous.model.instant import to_iso


def watch_document(watch: Watch) -> dict[str, Any]:
    return {
        "id": watch.id,
        "country": watch.country,
        "start": to_iso(watch.start),
        "end": to_iso(watch.end),
        "title": watch.title,
        "targets": list(watch.targets),
        "registered_at": to_iso(watch.registered_at),
        "late": watch.is_late,
        "sha256": watch.digest,
    }


def report_document(report: WatchReport) -> dict[str, Any]:
    return {
        "watch": watch_document(report.watch),
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


def watch_line(watch: Watch) -> str:
    late = "  LATE: registered when it had begun" if watch.is_late else ""
    targets = f" ({', '.join(watch.targets)})" if watch.targets else ""
    return f"{watch.id}  {to_iso(watch.start)} to {to_iso(watch.end)}  {watch.title}{targets}{late}"


def report_lines(report: WatchReport) -> list[str]:
    watch = report.watch
    others = [one for one in report.relations if one.why not in report.why]
    when = (
        "after it had begun, so it may have been chosen for what happened" if watch.is_late else "before it"
    )
    return [
        f"{watch.title}, {watch.country}, {to_iso(watch.start)} to {to_iso(watch.end)}",
        f"  registered {to_iso(watch.registered_at)}, {when}; SHA-256 {watch.digest}",
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
