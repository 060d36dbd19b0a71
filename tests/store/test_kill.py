"""Kill -9 at any moment: what was acknowledged is there, once; what was not is there once or not at all."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from fanous.pipeline.replay import recover
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.children import no_core
from tests.store.cases import judge

ROOT = Path(__file__).resolve().parents[2]


def append_until_killed(where: Path, first: int, random: Random, code: Path, *, late: bool) -> list[str]:
    """Run the appender, kill it at a random moment, and tell what it had acknowledged.

    Args:
        late: not before it has acknowledged something.
        code: where compiled code is kept from run to run, which halves the time to start.
    """
    command = [sys.executable, "-m", "tests.store.appender", str(where), str(first)]
    kept = {**os.environ, "PYTHONPYCACHEPREFIX": str(code), "PYTHONDONTWRITEBYTECODE": ""}
    with subprocess.Popen(command, cwd=ROOT, env=kept, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        assert lines == ["open\n"]
        if late or random.random() < 0.8:  # otherwise it dies while it recovers or writes its first batch
            lines.append(process.stdout.readline())
        time.sleep(random.uniform(0, 0.4))
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    return [line.strip() for line in lines[1:] if line.endswith("\n")]  # the last one may be cut


def counted(store: Store, table: str) -> dict[str, int]:
    return dict(store.facts.engine.rows(f"SELECT uid, toInt64(count()) FROM {table} GROUP BY uid"))


def archived(store: Store) -> list[str]:
    return [
        judge(record)[0].measurement.uid
        for segment in store.archive.segments()
        for record in store.archive.records(segment)
    ]


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.matrix)])
def test_kills_lose_nothing_and_duplicate_nothing(kills: int, tmp_path: Path) -> None:
    random, where = Random(), tmp_path / "store"
    acknowledged: set[str] = set()
    interrupted = 0
    for kill in range(kills):
        # Beyond all that a killed run may have begun, so that every uid is appended by one run only.
        first = kill * 1_000_000
        acknowledged.update(append_until_killed(where, first, random, tmp_path / "code", late=kill == 0))
        if kill % 2:
            continue  # the next appender has to finish what is left
        with open_store(where) as store:
            interrupted += len(recover(store, judge, rules_version="1"))
            found = archived(store)
            assert len(found) == len(set(found))
            assert acknowledged <= set(found)
            once = dict.fromkeys(found, 1)
            assert counted(store, "measurements") == counted(store, "verdicts") == once
            assert counted(store, "observations") == dict.fromkeys(found, 2)
            assert store.facts.damaged() == []
            assert list(store.unfinished()) == []
    assert len(acknowledged) > kills
    print(f"kills={kills} acknowledged={len(acknowledged)} interrupted_seen={interrupted}")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_process_that_crashes_ends_at_once(number: signal.Signals, tmp_path: Path) -> None:
    """The engine's own handler made it wait for minutes, with the store locked."""
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "tests.store.appender",
        str(tmp_path / "store"),
        "0",
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=no_core
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"open\n"
            process.send_signal(number)
            assert process.wait(20) == -number
        finally:
            process.kill()
    with open_store(tmp_path / "store"):
        pass
