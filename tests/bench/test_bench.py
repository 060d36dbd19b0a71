"""``fanous bench``: the figures come, the ratio first, and what is missing is named."""

import json
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fanous.bench.exporter import HOW_TO_INSTALL, their_program
from fanous.bench.filter import measured as filter_measured
from fanous.bench.probe import _figures
from fanous.cli import app


def test_the_probe_is_measured_also_where_nothing_stands_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    before = os.sched_getaffinity(0)
    said = json.loads(CliRunner().invoke(app, ["bench", "probe", "--count", "20", "--json"]).stdout)
    assert [one["name"] for one in said["figures"]] == [
        "fanous, pages",
        "fanous, pages by the clock",
        "fanous, whole bundles",
        "fanous, whole bundles by the clock",
    ]
    assert all(one["value"] > 0 for one in said["figures"])
    assert said["notes"] == [HOW_TO_INSTALL]
    assert said["machine"].keys() >= {"processor", "cores", "python", "load"}
    assert os.sched_getaffinity(0) == before


def test_the_ratio_of_the_medians_comes_first() -> None:
    figures = _figures({"fanous": [(50.0, 1.0), (20.0, 1.0), (30.0, 1.0)], "other": [(60.0, 1.0)] * 3})
    assert (figures[0].name, figures[0].value, figures[0].unit) == ("fanous to other", 0.5, "x")


def test_the_exporter_is_found_by_its_name_or_by_what_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "prometheus-blackbox-exporter"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert their_program(None) is None
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert their_program(None) == str(program)
    assert their_program(Path("/elsewhere")) == "/elsewhere"


def test_every_submission_that_was_acknowledged_is_in_the_inbox() -> None:
    result = CliRunner().invoke(app, ["bench", "collect", "--seconds", "1", "--clients", "5", "--json"])
    figures = {one["name"]: one["value"] for one in json.loads(result.stdout)["figures"]}
    assert figures["in the inbox"] == figures["acknowledged"] > 10


def test_the_filter_is_measured_whole() -> None:
    names = [one.name for one in filter_measured(100, 288)]
    assert names[:2] == ["whole detector", "filter in all"]
