"""Output: measurements to a file, one a line, and a report as one JSON document."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fanous.errors import FanousError
from fanous.model.verdict import State
from fanous.probe.outcome import Outcome, worst
from fanous.probe.run import RunReport, Write
from fanous.probe.words import WHAT_NOW, health_sentence, sentence
from fanous.refdata.platforms import target_of, title


@contextmanager
def record_file(path: Path | None) -> Iterator[Write]:
    """A function that appends a record; everything is on the disk when the block ends.

    Raises:
        FanousError: the file cannot be written.
    """
    if path is None:
        yield lambda _record: None
        return
    try:
        with path.open("ab") as file:

            def write(record: bytes) -> None:
                file.write(record + b"\n")
                file.flush()

            yield write
            os.fsync(file.fileno())
    except OSError as error:
        raise FanousError(f"measurements cannot be written to {path}: {error.strerror}") from None


def report_document(report: RunReport, out: Path | None) -> dict[str, Any]:
    """What ``fanous probe run --json`` prints."""
    by_target = grouped(report)
    targets = [_target(name, outcomes) for name, outcomes in by_target.items()]
    for url, why in report.not_tried.items():
        targets.append(
            {
                "target": target_of(_host(url)),
                "url": url,
                "state": str(State.INSUFFICIENT),
                "why": f"not tried: {why}",
            }
        )
    health = report.health
    return {
        "state": health.defect or "measured" if health else "measured",
        "summary": health_sentence(report),
        "health": asdict(health) if health else None,
        "targets": targets,
        "out": str(out) if out else None,
        "seconds": report.seconds,
    }


def grouped(report: RunReport) -> dict[str, list[Outcome]]:
    """Target -> its outcomes, in the order of the alphabet."""
    found: dict[str, list[Outcome]] = {}
    for outcome in sorted(report.outcomes, key=lambda one: (one.target, one.role, one.url)):
        found.setdefault(outcome.target, []).append(outcome)
    return found


def _host(url: str) -> str:
    return url.partition("//")[2].partition("/")[0]


def _target(name: str, outcomes: list[Outcome]) -> dict[str, Any]:
    leading = worst(outcomes)
    return {
        "target": name,
        "title": title(name),
        "state": str(leading.state),
        "mechanism": leading.mechanism or None,
        "why": leading.why,
        "symptom": leading.symptom,
        "summary": sentence(leading),
        "what_now": WHAT_NOW[leading.state],
        "endpoints": [_endpoint(outcome) for outcome in outcomes],
    }


def _endpoint(outcome: Outcome) -> dict[str, Any]:
    return {
        "url": outcome.url,
        "role": outcome.role,
        "state": str(outcome.state),
        "mechanism": outcome.mechanism or None,
        "layers": outcome.layers,
        "speed": asdict(outcome.speed) if outcome.speed else None,
        "browser": outcome.browser or None,
        "localised": asdict(outcome.localised) if outcome.localised else None,
        "verdicts": [
            {
                "state": str(verdict.state),
                "layer": str(verdict.layer),
                "mechanism": verdict.mechanism or None,
                "rule_id": verdict.rule_id,
                "why": verdict.why,
                "target": verdict.target,
            }
            for verdict in outcome.verdicts
        ],
    }
