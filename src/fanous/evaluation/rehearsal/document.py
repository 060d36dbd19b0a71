"""Document: what ``fanous lab run --json`` prints of a rehearsal."""

from typing import Any

from fanous.evaluation.rehearsal.profile import SCREENING, profile_document
from fanous.evaluation.rehearsal.run import Rehearsal
from fanous.evaluation.rehearsal.score import Found, Met, Score
from fanous.evaluation.rehearsal.stage import settings_for
from fanous.lab.scenario import Expectation


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
        "status": "confirmed" if wanted.confirmed else "suspected",
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
