"""kill -9 in the middle of an ingest: nothing acknowledged is lost, and running again completes it."""

import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from fanous.model.measurement import Provenance
from fanous.pipeline import ingest
from fanous.store.local import open_store
from fanous_lab.evaluation.simulate import pakistan
from tests.children import child_environment

CHILD = Path(__file__).with_name("ingest_child.py")


def run(store: Path, file: Path, word: str = "", kill_after: float | None = None) -> tuple[set[str], bool]:
    """Acknowledged uids, and whether it came to its end; killed ``kill_after`` seconds after its first line
    that begins with ``word``."""
    said, errors = store.with_name("said"), store.with_name("errors")
    with said.open("wb") as out, errors.open("wb") as err:
        argv = [sys.executable, str(CHILD), str(store), str(file)]
        child = subprocess.Popen(argv, stdout=out, stderr=err, env=child_environment())
    try:
        while child.poll() is None and not any(line.startswith(word) for line in _lines(said)):
            time.sleep(0.002)
        child.wait(timeout=60 if kill_after is None else kill_after)
    except subprocess.TimeoutExpired:
        pass
    finally:
        child.kill()
        child.wait()
    assert child.returncode in (0, -9), errors.read_text()
    lines = _lines(said)
    acknowledged = (line for line in lines if line.startswith("acknowledged "))
    return {line.removeprefix("acknowledged ") for line in acknowledged}, "done" in lines


def _lines(said: Path) -> list[str]:
    """Whole ones."""
    return said.read_text().split("\n")[:-1]


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.matrix)])
def test_kills_lose_nothing_and_the_last_run_completes_it(times: int, rally: Path, tmp_path: Path) -> None:
    seed = 20231217
    chance = Random(seed)
    file = tmp_path / "some.jsonl"
    file.write_bytes(b"".join(rally.read_bytes().splitlines(keepends=True)[::16]))
    uids = {json.loads(line)["measurement_uid"] for line in file.read_bytes().splitlines()}
    acknowledged: set[str] = set()
    kills = 0
    for n in range(times):
        word = ("opening", "opened", "acknowledged", "acknowledged")[n % 4]
        got, ended = run(tmp_path / "store", file, word, chance.uniform(0, 0.4))
        acknowledged |= got
        kills += not ended
    assert kills > times / 2, "most of them must have been killed in the middle"
    assert acknowledged, "some must have come so far"
    _, ended = run(tmp_path / "store", file)
    assert ended
    with open_store(tmp_path / "store") as store:
        assert not list(store.unfinished())
        votes = store.of(Provenance.SYNTHETIC).facts.votes("PK", pakistan.SINCE, pakistan.UNTIL)
        rows = list(zip(votes.uids, votes.targets, votes.signals, strict=True))
        assert len(rows) == len(set(rows)), "a measurement counts once"
        assert store.of(Provenance.SYNTHETIC).facts.known(uids) == uids >= acknowledged
        found = store.ledger.incidents("PK")
    with open_store(tmp_path / "clean") as clean:
        ingest.ingest(clean, "ooni", [file])
        undisturbed = clean.of(Provenance.SYNTHETIC).facts.votes("PK", pakistan.SINCE, pakistan.UNTIL)
        assert sorted(rows) == sorted(
            zip(undisturbed.uids, undisturbed.targets, undisturbed.signals, strict=True)
        )
        assert [i.networks for i in found] == [i.networks for i in clean.ledger.incidents("PK")]
