"""Report: a rehearsal as text for people, and as the document that ``fanous lab run --json`` prints."""

from typing import Any

from fanous.evaluation.rehearsal.run import Rehearsal, settings_for
from fanous.evaluation.rehearsal.score import Found, Met, Score
from fanous.evaluation.rehearsal.vantage_point import SCREENING, profile_document
from fanous.lab.scenario import Expectation, ScenarioStep
from fanous.refdata.platforms import title


def report_lines(rehearsal: Rehearsal, score: Score) -> list[str]:
    """What happened, what was found, what was missed, and whether the lab kept up."""
    scenario = rehearsal.scenario
    lines = [f"{scenario.title} (one second stands for {scenario.stretch:.0f})", ""]
    lines += [_happened(event, len(hit)) for event, hit in zip(scenario.events, rehearsal.hit, strict=True)]
    lines += ["nothing happened"] if not scenario.events else []
    lines.append("")
    lines += [line for one in score.found for line in _found(one)]
    lines += ["nothing was found"] if not score.found else []
    lines += [f"MISSED  {_wanted(met)}: {met.why}" for met in score.missed]
    if not score.missed and not score.false:
        lines.append("as expected: nothing missed, nothing false")
    lines += ["", _kept(rehearsal)]
    return lines


def _happened(event: ScenarioStep, points: int) -> str:
    about = f" {', '.join(event.targets)}" if event.targets else ""
    where = f"{len(event.networks)} network{'s' if len(event.networks) > 1 else ''}, {points} vantage points"
    return f"{event.at:5.0f} - {event.until:.0f} s  {event.technique}{about} on {where}"


def _found(one: Found) -> list[str]:
    document = one.sighting.document
    named = ", ".join(title(part["target"]) or "the network" for part in document["parts"])
    how = ", ".join(document["mechanisms"]) or "how: open"
    claim = f"{document['kind']} of {named}, {document['scope']}, {how}"
    if not one.events:
        return [f"FALSE   {document['id']} {document['status']}: {claim} ({document['reason']})"]
    parts = [f"suspected at {one.sighting.suspected:.1f} s"]
    if one.seconds_to_confirm is not None:
        parts.append(f"confirmed {one.seconds_to_confirm:.1f} s after it began")
    if one.seconds_to_end is not None:
        parts.append(f"over {one.seconds_to_end:.1f} s after it ended")
    return [f"found   {document['id']} {document['status']}: {claim}", f"        {', '.join(parts)}"]


def _wanted(met: Met) -> str:
    wanted = met.expectation
    about = ", ".join(wanted.targets) or "the network"
    return f"{wanted.kind} of {about}{f', {wanted.scope}' if wanted.scope else ''}"


def _kept(rehearsal: Rehearsal) -> str:
    kept = rehearsal.kept.values()
    rounds, missed = sum(one.rounds for one in kept), sum(one.missed for one in kept)
    made, arrived = sum(one.measurements for one in kept), sum(one.acknowledged for one in kept)
    slowest = max((one.slowest for one in kept), default=0.0)
    return (
        f"{rehearsal.seconds:.0f} s in all; {rounds} rounds made and {missed} left out, "
        f"{made:,} measurements, {arrived:,} acknowledged; the slowest round took {slowest:.1f} s"
    )


def rehearsal_document(rehearsal: Rehearsal, score: Score) -> dict[str, Any]:
    """Seconds are of the lab; the times in incidents are of the monitor's clock."""
    return {
        "scenario": rehearsal.scenario.title,
        "country": rehearsal.scenario.country,
        "events": _events(rehearsal),
        "incidents": [one.sighting.document for one in score.found],
        "expected": [_expected(met) for met in score.met],
        "seconds_to_confirm": _seconds(score.found, "seconds_to_confirm"),
        "seconds_to_end": _seconds(score.found, "seconds_to_end"),
        "labels": {one.id: one.label for one in score.found if one.events},
        "missed": [_expected(met) for met in score.missed],
        "false": [_false(one) for one in score.false],
        "lab": _lab(rehearsal),
    }


def _events(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    return [
        {
            "at": event.at,
            "until": event.until,
            "technique": event.technique,
            "targets": list(event.targets),
            "networks": list(event.networks),
            "hit": list(hit),
        }
        for event, hit in zip(rehearsal.scenario.events, rehearsal.hit, strict=True)
    ]


def _expected(met: Met) -> dict[str, Any]:
    wanted: Expectation = met.expectation
    return {
        "kind": str(wanted.kind),
        "scope": str(wanted.scope) if wanted.scope else None,
        "access": str(wanted.access) if wanted.access else None,
        "targets": list(wanted.targets),
        "mechanisms": list(wanted.mechanisms),
        "status": wanted.status,
        "incident": met.by or None,
        "why_missed": met.why or None,
    }


def _seconds(found: tuple[Found, ...], name: str) -> dict[str, float | None]:
    return {one.id: getattr(one, name) for one in found if one.events}


def _false(one: Found) -> dict[str, Any]:
    document = one.sighting.document
    return {
        "incident": one.id,
        "status": document["status"],
        "was_confirmed": one.sighting.confirmed is not None,
        "kind": document["kind"],
        "entities": document["entities"],
        "targets": document["targets"],
        "mechanisms": document["mechanisms"],
        "reason": document["reason"],
    }


def _lab(rehearsal: Rehearsal) -> dict[str, Any]:
    kept = rehearsal.kept.values()
    scenario = rehearsal.scenario
    return {
        "seed": scenario.seed,
        "tick_seconds": scenario.tick,
        "tick_stands_for_seconds": scenario.tick_stands_for,
        "stretch": scenario.stretch,
        "duration_seconds": scenario.duration,
        "seconds": rehearsal.seconds,
        "vantage_points": len(rehearsal.kept),
        "rounds": sum(one.rounds for one in kept),
        "rounds_missed": sum(one.missed for one in kept),
        "slowest_round_seconds": max((one.slowest for one in kept), default=0.0),
        "measurements": sum(one.measurements for one in kept),
        "acknowledged": sum(one.acknowledged for one in kept),
        "stored": rehearsal.stored,
        "profile": profile_document(settings_for(scenario, SCREENING)),
    }
