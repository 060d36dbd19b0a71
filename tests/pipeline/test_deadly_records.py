"""A record that kills its reader is found, tried once more, and then rejected by name; nothing else is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fanous.model.measurement import Provenance
from fanous.store.local import open_store
from tests.children import child_environment
from tests.commands import fanous

CHILD = Path(__file__).with_name("deadly_child.py")


def deadly(uid: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """A command in which each process is killed as soon as it judges this measurement."""
    argv = [sys.executable, str(CHILD), uid, *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, env=child_environment())


def said(*words: str | Path) -> str:
    done = fanous(*words)
    return done.stdout + done.stderr


@pytest.fixture
def lines(rally: Path) -> list[bytes]:
    return rally.read_bytes().splitlines(keepends=True)[::200]


def test_it_costs_an_ingest_and_a_rejudge_itself_only(lines: list[bytes], tmp_path: Path) -> None:
    file, store = tmp_path / "some.jsonl", tmp_path / "store"
    file.write_bytes(b"".join(lines))
    uids = [json.loads(line)["measurement_uid"] for line in lines]
    ingest = "ingest", "ooni", file, "--store", store
    done = deadly(uids[3], *ingest)
    assert f"stored {len(lines) - 1}, repeated 0, rejected 1" in done.stdout
    assert f"{file}:4: the process that read it was killed or crashed, twice: it is left out" in done.stderr
    assert f"rejected {len(lines)}" not in said(*ingest), "known from the start"
    (store / "facts.fatal").unlink()
    assert f"stored 1, repeated {len(lines) - 1}, rejected 0" in said(*ingest)
    # One that today's rules die of, in the archive, is left out of what they conclude; the rest is judged again.
    done = deadly(uids[5], "rejudge", "--all", "--store", store)
    assert "killed or crashed, twice" in done.stdout + done.stderr
    with open_store(store) as opened:
        known = opened.of(Provenance.SYNTHETIC).facts.known(set(uids))
    assert known == set(uids) - {uids[5]}


def test_judge_goes_on_by_itself(lines: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_bytes(b"".join(lines[:8]))
    uids = [json.loads(line)["measurement_uid"] for line in lines[:8]]
    done = deadly(uids[3], "judge", file, "--json")
    assert [one["measurement_uid"] for one in json.loads(done.stdout)["measurements"]] == uids[:3] + uids[4:]
    assert f"{file}:4: the process that read it was killed or crashed, twice" in done.stderr
