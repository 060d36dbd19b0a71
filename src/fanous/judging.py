"""Judging: measurements to verdicts without a store, as ``fanous judge`` gives them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fanous.config import data_folder
from fanous.connectors import CONNECTORS
from fanous.errors import Rejected
from fanous.model.measurement import Bundle
from fanous.model.verdict import Verdict
from fanous.refdata.fingerprints import installed_fingerprints
from fanous.rules import RULES_VERSION, Fingerprints, judge


def known_fingerprints() -> Fingerprints:
    """What ships and what `fanous refdata update` installed, as it was when the process first asked."""
    return installed_fingerprints(data_folder() / "refdata")


def rules_version() -> str:
    """Names the rules and the sets of fingerprints that they judge with."""
    return RULES_VERSION + known_fingerprints().version


def judge_files(paths: Sequence[Path]) -> tuple[list[dict[str, Any]], list[str]]:
    """Judged measurements of OONI files in order, and ``file:line: why`` of what cannot be used.

    Raises:
        FanousError: a file that cannot be read at all.
    """
    connector, judged, rejects = CONNECTORS["ooni"], [], []
    for path in paths:

        def on_reject(line: int, why: str, file: Path = path) -> None:
            rejects.append(f"{file}:{line}: {why}")

        for record in connector.read(path, on_reject):
            try:
                bundle = connector.parse(record)
            except Rejected as reason:
                on_reject(record.line, str(reason))
                continue
            judged.append(_judged(bundle, record.data))
    return judged, rejects


def _judged(bundle: Bundle, data: bytes) -> dict[str, Any]:
    """Verdicts of one measurement, and what our own probe noted beside them.

    Who measured with our own probe knows where; that the record does not say so keeps it out of every
    series, not out of the answer to the person who asks about it.
    """
    # Not at the top: whoever ingests or detects needs these rules and no probe.
    from fanous.probes.notes import UNPLACED, is_ours, notes_of
    from fanous.probes.outcome import UNKNOWN_NETWORK

    notes, own = notes_of(data), bundle
    if bundle.measurement.defect == UNKNOWN_NETWORK and is_ours(data):
        own = replace(bundle, measurement=replace(bundle.measurement, defect=""))
        notes = [*notes, UNPLACED]
    return _document(bundle, judge(own, known_fingerprints()), notes)


def _document(bundle: Bundle, verdicts: tuple[Verdict, ...], notes: list[str]) -> dict[str, Any]:
    measurement = bundle.measurement
    return {
        "measurement_uid": measurement.uid,
        "test_name": measurement.test_name,
        "target": measurement.target,
        "defect": measurement.defect or None,
        "verdicts": [
            {
                "state": str(verdict.state),
                "layer": str(verdict.layer),
                "mechanism": verdict.mechanism or None,
                "rule_id": verdict.rule_id,
                "why": verdict.why,
                "target": verdict.target,
                "observations": verdict.observations,
            }
            for verdict in verdicts
        ],
        "notes": notes,
    }
