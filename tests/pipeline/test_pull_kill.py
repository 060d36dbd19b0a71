"""A pull of OONI's measurements that is killed again and again stores the same as one that is not."""

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fanous.store.local import open_store
from tests.pipeline.test_pull_ooni import record
from tests.sources.ooni.buckets import served, uid_of, upload

T0 = datetime(2023, 12, 17, 14, tzinfo=UTC)
KILLS = 8
FANOUS = Path(sys.executable).with_name("fanous")


@pytest.mark.timeout(300)
@pytest.mark.matrix
def test_killed_at_any_moment_it_brings_the_same(tmp_path: Path) -> None:
    records = {
        hour: [record(T0 + timedelta(hours=hour, seconds=n), n) for n in range(40)] for hour in range(12)
    }
    for hour, own in records.items():
        upload(tmp_path / "bucket", own, T0 + timedelta(hours=hour))
    expected = {uid_of(one, T0 + timedelta(hours=hour)) for hour, own in records.items() for one in own}
    chance = random.Random(5)
    with served(tmp_path / "bucket") as address:
        words = [str(FANOUS), "pull", "ooni", "--country", "PK", "--since", "2023-12-17T14:00Z"]
        words += ["--until", "2023-12-18T02:00Z", "--mirror", address, "--store", str(tmp_path / "store")]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        for _ in range(KILLS):
            running = subprocess.Popen(
                words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(chance.uniform(0.8, 4.0))
            running.send_signal(signal.SIGKILL)
            running.wait()
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with open_store(tmp_path / "store") as store:
        assert {uid for (uid,) in store.facts.engine.rows("SELECT uid FROM measurements")} == expected
        assert store.facts.engine.rows("SELECT count() FROM measurements") == [(len(expected),)]
