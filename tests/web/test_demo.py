"""``fanous demo`` as its user runs it: it prints, replays the event, and ends on Ctrl-C without a complaint."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from fanous.model.incident import Status
from fanous.model.instant import from_iso
from fanous.model.measurement import Provenance
from fanous.monitor.demo import DemoReplay, RecordedEvent
from fanous.store.local import open_store
from tests.children import child_environment


@pytest.mark.matrix
def test_the_demonstration_serves_its_pages_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fanous", "demo", "--port", "0", "--no-browser"]
    demo = subprocess.Popen(
        [*command, "--store", str(tmp_path / "demo")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    assert demo.stderr is not None
    address = next(found[0] for line in demo.stderr if (found := re.search(r"http://\S+/", line)))
    page = httpx.get(address, trust_env=False, timeout=60).text
    confirm = [sys.executable, "-m", "fanous", "confirm", "PK", "--json", "--store", str(tmp_path / "demo")]
    asked = subprocess.run(confirm, capture_output=True, text=True, env=child_environment(), check=False)
    demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=60)
    assert demo.returncode == 0, err
    assert "1 confirmed (ended)" in out
    assert err == ""
    assert 'href="/PK/PK-2023-0001"' in page
    assert "1 confirmed internet disruption is ongoing" in page
    assert asked.returncode == 0, "what the demonstration tells its user to ask is refused"
    assert "Every measurement is synthetic." in page


@pytest.mark.matrix
def test_a_replay_brings_in_what_was_measured_by_its_clock(tmp_path: Path) -> None:
    at = [100.0]
    begins, until = from_iso("2023-12-17T15:50Z"), from_iso("2023-12-17T22:51Z")
    replay = DemoReplay(tmp_path, RecordedEvent(tmp_path, begins, until), 60, lambda: at[0])
    with open_store(replay.folder, staged=True, clock=replay.clock) as store:
        assert replay.clock() == begins
        replay.begin(store)
        (one,) = store.ledger.incidents("PK")
        assert (one.status, one.end) == (Status.CONFIRMED, None)
        assert store.of(Provenance.SYNTHETIC).facts.span("PK")[1] < begins  # type: ignore[index]  # it has data
        at[0] += 200
        assert replay.clock() == begins + 12_000
        replay.follow(store)
        assert begins + 11_000 < store.of(Provenance.SYNTHETIC).facts.span("PK")[1] < begins + 12_000  # type: ignore[index]
        at[0] += 10_000
        assert replay.clock() == until
        replay.follow(store)
        (one,) = store.ledger.incidents("PK")
        assert one.status is Status.ENDED
