"""A detector and a rule are added as their packages say: the recipe is followed in a copy of the code, and run."""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from fanous.analysis.detectors.detector import Detector, Reads, registered
from fanous.analysis.detectors.drop import DROP
from fanous.analysis.detectors.grid import DropOptions
from fanous.analysis.detectors.interference import BLOCKING
from fanous.analysis.rules.connection import TCP_RULES
from fanous.analysis.rules.rule import Rule
from fanous.analysis.rules.rule import registered as registered_rules
from fanous.analysis.rules.verdicts import TABLES, WHOLE_RULES
from fanous.model.incident import Kind
from fanous.model.measurement import Layer
from fanous.model.verdict import State
from tests.documents import ROOT
from tests.each import each

DETECTOR = '''"""Halves: where a series lies below half of its own median."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fanous.analysis.detectors.detector import Detector, Reads, option
from fanous.model.series import Anomaly, Departure
from fanous.model.incident import Kind
from fanous.model.series import Series


@dataclass(frozen=True, slots=True)
class HalvesOptions:
    share: float = option(0.5, "Share of the median below which a bin is low.")


def find_halves(series: Sequence[Series], options: HalvesOptions) -> list[Anomaly]:
    found = []
    for one in series:
        low = np.flatnonzero(one.values < options.share * np.median(one.values))
        if len(low):
            start, last = float(one.times[low[0]]), float(one.times[low[-1]] + one.step)
            found.append(
                Anomaly(
                    key=one.key,
                    start=start,
                    start_earliest=start,
                    start_latest=start,
                    end=last,
                    raised_at=start + one.step,
                    last_seen=last,
                    probability=0.99,
                    bins=len(low),
                    probes=0,
                    controlled=0,
                    departure=Departure(one.step, 0.1, 0.1, 0.1, 1.0, 1.0, False, False),
                )
            )
    return found


HALVES = Detector(
    name="halves",
    version="1-halves",
    kind=Kind.OUTAGE,
    reads=Reads.QUANTITIES,
    signals=("connectivity",),
    options=HalvesOptions(),
    find=find_halves,
)
'''

RULE = """TCP_RULES = (
    Rule(
        id="tcp.recipe",
        state=State.INSUFFICIENT,
        why="A connection to port 8443 proves nothing here.",
        holds=lambda o, _c: o.port == 8443,
    ),
"""


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path.name} holds {old!r} {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a copy of the package with one more detector and one more rule, added by the recipes."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src" / "fanous", folder / "fanous", ignore=shutil.ignore_patterns("__pycache__"))
    analysis = folder / "fanous" / "analysis"
    (analysis / "detectors" / "halves.py").write_text(DETECTOR, encoding="utf-8")
    registry = analysis / "detectors" / "registry.py"
    above = "from fanous.analysis.detectors.interference import"
    changed(registry, above, f"from fanous.analysis.detectors.halves import HALVES\n{above}")
    changed(registry, "SLOWDOWN, IODA)", "SLOWDOWN, IODA, HALVES)")
    changed(analysis / "rules" / "connection.py", "TCP_RULES = (\n", RULE)
    return folder


def answer(copy: Path, *words: str | Path) -> Any:
    """What the copy's command line answers."""
    ran = subprocess.run(
        [sys.executable, "-m", "fanous", *map(str, words), "--json"],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "XDG_DATA_HOME": str(copy / "data")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.matrix
def test_a_new_detector_is_one_file_and_its_name_in_the_registry(copy: Path) -> None:
    table = copy / "table.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "value"])
        for hour in range(40):  # too short a history for the detectors that there are
            writer.writerow([1_709_510_400 + 3600 * hour, 10 if 20 <= hour < 30 else 100])
    columns = ("--time", "time", "--value", "value", "--signal", "connectivity")
    answer(copy, "ingest", "csv", table, "--country", "XK", *columns, "--store", copy / "store")
    (incident,) = answer(copy, "confirm", "XK", "--store", copy / "store")["incidents"]
    assert (incident["kind"], incident["onset"]) == ("outage", "2024-03-04T20:00:00Z")
    assert incident["detector_version"].endswith("+1-halves")


def test_a_new_rule_is_a_row_in_the_table_of_its_layer(copy: Path) -> None:
    record = {
        "input": "https://x.example:8443/",
        "measurement_start_time": "2024-03-04 00:00:00",
        "probe_asn": "AS64500",
        "probe_cc": "XK",
        "report_id": "20240304T000000Z_webconnectivity_XK_64500_n1_0000000000000000",
        "test_name": "web_connectivity",
        "test_keys": {
            "tcp_connect": [{"ip": "192.88.99.1", "port": 8443, "status": {"failure": None, "success": True}}]
        },
    }
    file = copy / "record.jsonl"
    file.write_text(json.dumps(record) + "\n", encoding="utf-8")
    (measurement,) = answer(copy, "judge", file)["measurements"]
    (verdict,) = measurement["verdicts"]
    assert (verdict["rule_id"], verdict["state"]) == ("tcp.recipe", "insufficient")
    assert verdict["why"] == "A connection to port 8443 proves nothing here."


# --- a declaration that is missing or wrong stops the program when it starts --------------------------


def test_a_detector_that_declares_no_signals_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="signals"):
        Detector(  # type: ignore[call-arg]  # which is the point
            name="new",
            version="1",
            kind=Kind.OUTAGE,
            reads=Reads.QUANTITIES,
            options=DROP.options,
            find=DROP.find,
        )


@dataclass(frozen=True, slots=True)
class Unexplained(DropOptions):
    share: float = 0.5


@each(
    ("wrong", "why"),
    [
        (replace(DROP, name="new", version=""), "declares no version"),
        (replace(DROP, name="new", signals=()), "declares no signals"),
        (replace(DROP, name="blocking"), "two are called 'blocking'"),
        (replace(DROP, name="new", signals=("bpg",)), "watches bpg: no such signal"),
        (replace(DROP, name="new", signals=("silence",)), "silence is a series of another sort"),
        (replace(DROP, name="new", kind=Kind.BLOCKING), "no incident of kind blocking"),
        (replace(DROP, name="new", options=Unexplained()), "gives no reason for share"),
    ],
)
def test_a_detector_with_a_wrong_declaration_is_not_registered(wrong: Detector[Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        registered(BLOCKING, wrong)


(FINE,) = [rule for rule in TCP_RULES if rule.id == "tcp.ok"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (FINE, "two rules have the id tcp.ok"),
        (replace(FINE, id="tls.new"), "tls.new is listed among those whose ids begin with tcp"),
        (replace(FINE, id="tcp.new", why=""), "tcp.new gives no sentence"),
        (
            replace(FINE, id="tcp.new", state=State.BLOCKED),
            "tcp.new concludes blocked but names no mechanism",
        ),
        (replace(FINE, id="tcp.new", symptom=True), "only insufficient is a symptom"),
    ],
)
def test_a_rule_with_a_wrong_declaration_is_not_registered(wrong: Rule, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        registered_rules(WHOLE_RULES, TABLES | {Layer.TCP: (*TCP_RULES, wrong)})


def test_a_layer_without_rules_is_refused() -> None:
    with pytest.raises(ValueError, match="no rules judge the layer quic"):
        registered_rules(
            WHOLE_RULES, {layer: table for layer, table in TABLES.items() if layer is not Layer.QUIC}
        )
