"""``python -m benchmarks``: the figures come, the ratio first, and what is missing is named."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from benchmarks.__main__ import BENCHES, bench_app
from benchmarks.peers import scan
from benchmarks.peers.exporter import HOW_TO_INSTALL, their_program
from benchmarks.peers.filter import measured as filter_measured
from benchmarks.peers.probe import _figures
from typer.testing import CliRunner

from fanous.errors import FanousError


@pytest.mark.matrix
def test_the_probe_is_measured_even_without_a_peer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    before = os.sched_getaffinity(0)
    said = json.loads(CliRunner().invoke(bench_app, ["probe", "--count", "20", "--json"]).stdout)
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


def test_the_exporter_is_found_by_its_name_or_at_the_given_path(
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
    result = CliRunner().invoke(bench_app, ["collect", "--seconds", "1", "--clients", "5", "--json"])
    figures = {one["name"]: one["value"] for one in json.loads(result.stdout)["figures"]}
    assert figures["in the inbox"] == figures["acknowledged"] > 10


def test_the_filter_is_measured_whole() -> None:
    names = [one.name for one in filter_measured(100, 288)]
    assert names[:2] == ["whole detector", "filter in all"]


def run(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(bench_app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_bench_alone_lists_every_bench_with_what_it_needs() -> None:
    listed = [one["bench"] for one in run()["benches"]]
    assert sorted(listed) == sorted(str(command.name) for command in bench_app.registered_commands)
    assert set(listed) >= {"ingest", "judge", "detect", "query", "serve", "probe", "collect", "scan"}
    assert all(all(row) for row in BENCHES)


@pytest.mark.parametrize(
    ("words", "peer"),
    [
        (("detect", "--series", "10", "--days", "10"), "fanous to pandas"),
        (("query", "--verdicts", "5000"), "fanous to SQLite"),
        pytest.param(("serve", "--seconds", "1", "--clients", "2"), "fanous to ", marks=pytest.mark.matrix),
    ],
)
def test_where_a_peer_can_run_the_ratio_comes_first(words: tuple[str, ...], peer: str) -> None:
    before = os.sched_getaffinity(0)
    first, *others = run(*words)["figures"]
    assert first["name"].startswith(peer)
    assert first["unit"] == "x"
    assert first["value"] > 0
    assert all(one["value"] > 0 for one in others)
    assert os.sched_getaffinity(0) == before


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["ingest", "judge"])
def test_if_none_can_run_that_is_reported(name: str) -> None:
    document = run(name, "--times", "1")
    assert all(one["value"] > 0 for one in document["figures"])
    assert any("compared" in note or "cannot run" in note for note in document["notes"])


@pytest.mark.skipif(os.geteuid() != 0, reason="pings need a raw socket: root")
def test_every_ping_over_loopback_is_answered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    document = run("scan", "--count", "1000")
    assert document["figures"][0]["includes"] == "1,000 addresses, 1,000 answered"
    assert document["notes"] == [scan.NO_PEER]


def test_without_the_right_to_ping_the_bench_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(FanousError, match="run it as root"):
        scan.measured(256)
