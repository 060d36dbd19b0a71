"""Judging: measurements to verdicts without a store, as ``fanous judge`` gives them."""

from collections.abc import Sequence
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
    """What ships and what `fanous refdata update` installed, as it was when the process first asked.

    Where many records are judged, ask once: it looks into the environment each time.
    """
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
            judged.append(_document(bundle, judge(bundle, known_fingerprints())))
    return judged, rejects


def _document(bundle: Bundle, verdicts: tuple[Verdict, ...]) -> dict[str, Any]:
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
    }
