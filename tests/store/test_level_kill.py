"""Kill -9 while levels are written: what was acknowledged is there, and a batch is whole or not there."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from fanous.store.local import open_store
from tests.store.level_appender import BINS, SERIES

ROOT = Path(__file__).resolve().parents[2]


def put_until_killed(where: Path, first: int, random: Random) -> set[int]:
    """Batches that were acknowledged."""
    command = [sys.executable, "-m", "tests.store.level_appender", str(where), str(first)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert lines[0] == "open\n"
        time.sleep(random.uniform(0, 0.3))
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    return {int(line) for line in lines[1:] if line.endswith("\n")}


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.matrix)])
def test_kills_lose_no_acknowledged_level_and_leave_no_half_batch(kills: int, tmp_path: Path) -> None:
    random, where = Random(), tmp_path / "store"
    acknowledged: set[int] = set()
    for kill in range(kills):
        acknowledged |= put_until_killed(where, kill * 1000, random)
    with open_store(where) as store:
        series = store.facts.levels("PK")
    found = [Counter((one.times // 600 // BINS).tolist()) for one in series]
    assert len(found) == SERIES
    assert all(count == BINS for counts in found for count in counts.values())
    assert all(counts == found[0] for counts in found)
    assert acknowledged <= found[0].keys()
    print(f"kills={kills} acknowledged={len(acknowledged)} batches of {BINS * SERIES:,} bins")
