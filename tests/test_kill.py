"""kill -9 in the middle of an ingest: nothing acknowledged is lost, and running again completes it."""

import subprocess
import sys
from pathlib import Path
from random import Random

from fanous import pipeline
from fanous.store import open_store
from fanous.testing import pakistan
from tests.children import child_environment

KILLS = 20
CHILD = Path(__file__).with_name("interrupted_ingest.py")


def run(store: Path, file: Path, kill_after: float | None) -> tuple[set[str], bool]:
    """Acknowledged uids, and whether it came to its end; killed ``kill_after`` seconds after its first
    acknowledgement."""
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(store), str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    rest = errors = ""
    try:
        rest, errors = child.communicate(timeout=60 if kill_after is None else kill_after)
    except subprocess.TimeoutExpired:
        child.kill()
        rest, errors = child.communicate()
    whole = [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]
    lines = [line.rstrip("\n") for line in whole if line.startswith("acknowledged ")]
    assert child.returncode in (0, -9), errors
    return {line.removeprefix("acknowledged ") for line in lines}, "done\n" in whole


def test_twenty_kills_lose_nothing_and_the_last_run_completes_it(rally: Path, tmp_path: Path) -> None:
    seed = 20231217
    chance = Random(seed)
    file = tmp_path / "some.jsonl"
    file.write_bytes(b"".join(rally.read_bytes().splitlines(keepends=True)[::4]))
    acknowledged: set[str] = set()
    kills = 0
    for _ in range(KILLS):
        got, ended = run(tmp_path / "store", file, chance.uniform(0, 0.4))
        acknowledged |= got
        kills += not ended
    assert kills > KILLS / 2, "most of them must have been killed in the middle"
    everything, ended = run(tmp_path / "store", file, None)
    assert ended
    with open_store(tmp_path / "store") as store:
        assert not list(store.unfinished())
        votes = store.votes("PK", pakistan.SINCE, pakistan.UNTIL)
        rows = list(zip(votes.uids, votes.targets, votes.signals, strict=True))
        assert len(rows) == len(set(rows)), "a measurement counts once"
        assert store.known(acknowledged) == acknowledged
        found = store.incidents("PK")
    with open_store(tmp_path / "clean") as clean:
        pipeline.ingest(clean, "ooni", [file])
        undisturbed = clean.votes("PK", pakistan.SINCE, pakistan.UNTIL)
        assert sorted(rows) == sorted(
            zip(undisturbed.uids, undisturbed.targets, undisturbed.signals, strict=True)
        )
        assert [i.networks for i in found] == [i.networks for i in clean.incidents("PK")]
    assert everything | acknowledged
