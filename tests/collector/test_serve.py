"""A probe reports to a collector that runs in a separate process next to its store."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from fanous.cli.collect import drain
from fanous.cli.main import app
from fanous.collector.door import Policy
from fanous.collector.inbox import APART, inbox_of
from fanous.errors import FanousError
from fanous.pipeline import detect
from fanous.store.local import open_store
from tests.children import child_environment
from tests.collector.probe import OPEN, REPORT_ID, body, measurement
from tests.collector.server import client, collector
from tests.collector.threads import door
from tests.probe.spool.test_kill import free_port


def test_a_measurement_that_a_probe_reports_is_acknowledged_and_comes_into_the_store(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with collector("--store", str(store)) as running, client(running) as probe:
        opened = probe.post("/report", json=OPEN).raise_for_status().json()
        assert "json" in opened["supported_formats"]
        path = f"/report/{opened['report_id']}"
        uids = [
            probe.post(path, json=body(n)).raise_for_status().json()["measurement_uid"] for n in (0, 1, 1)
        ]
        assert probe.post(f"{path}/close").json() == {}
        running.drained(inbox_of(store))
        assert running.stop() == 0, running.log
    assert uids[1] == uids[2] != uids[0]
    with open_store(store) as found:
        assert found.facts.known(uids) == set(uids)
        assert found.facts.countries() == ["PK"]
        assert sum(1 for segment in found.archive.segments() for _ in found.archive.records(segment)) == 2
    assert list(inbox_of(store).glob("*.jsonl*")) == []


@pytest.mark.matrix
def test_the_child_that_drains_ends_with_a_collector_that_was_killed(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with collector("--store", str(store)) as running, client(running) as probe:
        uid = probe.post(f"/report/{REPORT_ID}", json=body()).json()["measurement_uid"]
        while not (store / "ledger.sqlite").exists():
            time.sleep(0.05)
        running.process.kill()
        running.reader.join(60)
        assert not running.reader.is_alive(), "the child holds the log open while it lives"
    with open_store(store):
        pass
    with collector("--store", str(store)) as running:
        running.drained(inbox_of(store))
        assert running.stop() == 0
    with open_store(store) as found:
        assert found.facts.known([uid]) == {uid}


@pytest.mark.matrix
@pytest.mark.parametrize("is_draining", [False, True], ids=["at once", "while the child has the store"])
def test_a_signal_to_all_its_processes_still_lets_the_last_drain_happen(
    tmp_path: Path, is_draining: bool
) -> None:
    """systemd signals the whole group, a terminal too."""
    store = tmp_path / "store"
    with collector("--store", str(store)) as running, client(running) as probe:
        uid = probe.post(f"/report/{REPORT_ID}", json=body()).json()["measurement_uid"]
        until = time.monotonic() + 60
        while is_draining and not (store / "ledger.sqlite").exists():
            assert time.monotonic() < until, running.log
            time.sleep(0.05)
        assert running.stop_all() == 0, running.log
    waiting = list(inbox_of(store).glob("*.jsonl*"))
    left = any("left_in_the_inbox" in line for line in running.log)
    assert bool(waiting) is left, "what the last seconds did not suffice for is said, and waits"
    with open_store(store) as found:
        # A child that ends between storing a measurement and removing its file leaves it, to be found stored.
        assert left or found.facts.known([uid]) == {uid}


@pytest.mark.matrix
def test_a_stop_waits_for_a_store_at_work_for_seconds_only_and_the_next_start_does_the_rest(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store"
    with collector("--store", str(store)) as running, client(running) as probe:
        until = time.monotonic() + 60
        while not (store / "ledger.sqlite").exists():
            assert time.monotonic() < until, running.log
            time.sleep(0.05)
        tasks = Path(f"/proc/{running.process.pid}/task").glob("*/children")
        children = [int(one) for task in tasks for one in task.read_text().split()]
        (owner,) = [one for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
        os.kill(owner, signal.SIGSTOP)  # as if its work never ended
        uid = probe.post(f"/report/{REPORT_ID}", json=body()).json()["measurement_uid"]
        began = time.monotonic()
        assert running.stop() == 0, running.log
        took = time.monotonic() - began
        running.reader.join(60)
    assert took < 10, "5 s is the promise; a busy machine that runs tests may take twice that"
    assert any("left_in_the_inbox" in line for line in running.log)
    assert len(list(inbox_of(store).glob("*.jsonl*"))) == 1
    with collector("--store", str(store)) as running:
        running.drained(inbox_of(store))
        assert running.stop() == 0
    with open_store(store) as found:
        assert found.facts.known([uid]) == {uid}


def test_an_inbox_wins_over_the_store_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANOUS_STORE", str(tmp_path / "store"))
    with collector("--inbox", str(tmp_path / "inbox")) as running, client(running) as probe:
        assert probe.post(f"/report/{REPORT_ID}", json=body()).is_success
        assert running.stop() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inbox"]
    assert [path.suffix for path in (tmp_path / "inbox").glob("*.jsonl*")] == [".jsonl"]


def test_what_was_kept_apart_is_brought_in_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox, store = tmp_path / "inbox", tmp_path / "store"
    unplaced = REPORT_ID.replace("_PK_17557_", "_ZZ_0_")
    with door(inbox, Policy()) as probe:
        sent = body(probe_cc="ZZ", probe_asn="AS0")
        uid = probe.post(f"/report/{unplaced}", json=sent).json()["measurement_uid"]
    drain(inbox=inbox, store=store)
    assert "stored 0" in capsys.readouterr().out
    drain(inbox=inbox / APART, store=store)
    assert "stored 1" in capsys.readouterr().out
    with open_store(store) as found:
        assert found.facts.known([uid]) == {uid}


def test_detection_can_be_left_to_others(tmp_path: Path) -> None:
    inbox, where = tmp_path / "inbox", tmp_path / "store"
    with door(inbox, Policy()) as probe:
        started_at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        sent = body(measurement_start_time=started_at)
        assert probe.post(f"/report/{REPORT_ID}", json=sent).is_success
    drain(inbox=inbox, store=where, no_detect=True)
    with open_store(where) as found:
        assert list(found.ledger.undetected()) == ["PK"]
    drain(inbox=inbox, store=where)
    with open_store(where) as found:
        assert list(found.ledger.undetected()) == ["PK"]  # there was nothing to bring in
        detect.detect_all(found)
        assert found.ledger.undetected() == {}


def test_an_inbox_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="no inbox"):
        drain(inbox=tmp_path / "none", store=tmp_path / "store")


@pytest.mark.parametrize("options", [(), ("--inbox", "a", "--store", "b")])
def test_a_collector_fills_one_place(options: tuple[str, ...]) -> None:
    refused = CliRunner().invoke(app, ["collect", *options])
    assert refused.exit_code == 2
    assert "exactly one of --inbox, --store and --queue" in refused.stderr


def test_too_little_address_space_is_said_before_a_large_body_ends_the_collector(tmp_path: Path) -> None:
    """A few bodies of 14 MB ended it with a segmentation fault."""
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "fanous",
            "collect",
            "--listen",
            "127.0.0.1:0",
            "--inbox",
            str(tmp_path / "i"),
        ],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
        capture_output=True,
        text=True,
        timeout=60,
        env=child_environment(),
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "may reserve 1.0 GiB of address space (`ulimit -v`), and a collector needs 2 GiB" in line


@pytest.mark.parametrize("given", ["--inbox", "--store"])
def test_figures_of_a_collector_count_what_came_and_name_nothing_that_it_cannot_know(
    given: str, tmp_path: Path
) -> None:
    status = f"127.0.0.1:{free_port()}"
    with collector(given, str(tmp_path / "kept"), "--status", status) as running, client(running) as probe:
        probe.post(f"/report/{REPORT_ID}", json=body()).raise_for_status()
        probe.post(f"/report/{REPORT_ID.replace('17557', '64512')}", json=body(1, probe_asn="AS64512"))
        assert probe.post(f"/report/{REPORT_ID}", content=b"?").status_code == 400
        assert probe.get("/nowhere").status_code == 404
        alone = {"format": "json", "content": json.dumps(measurement(2))}
        for proof in ({}, {"manifest_version": "1", "nym": "n", "zkp_request": "z"}):
            probe.post("/api/v1/submit_measurement", json=alone | proof).raise_for_status()
        figures, until = [""], time.monotonic() + 30  # the door reports them every two seconds
        while 'fanous_collector_refused_total{status="404"} 1' not in figures and time.monotonic() < until:
            figures = httpx.get(f"http://{status}/metrics", trust_env=False).text.splitlines()
            time.sleep(0.1)
    assert 'fanous_collector_received_total{kept="main"} 3' in figures
    assert 'fanous_collector_proofs_total{status="unverified"} 1' in figures
    assert 'fanous_collector_proofs_total{status="verified"} 0' in figures
    assert 'fanous_collector_received_total{kept="network_not_public"} 1' in figures
    assert 'fanous_collector_refused_total{status="400"} 1' in figures
    assert 'fanous_collector_refused_total{status="404"} 1' in figures
    assert "# TYPE fanous_collector_received_total counter" in figures
    unknown = (
        "fanous_detection_lag",
        "fanous_undetected",
        "fanous_damaged",
        "fanous_clock",
        "fanous_inbox_refused",
    )
    assert [line for line in figures if line.startswith(unknown)] == []
