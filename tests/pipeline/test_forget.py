"""Who withdraws is forgotten: records, facts and claims; what others measured stays."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fanous.model.incident import Status
from fanous.model.reason import Reason
from fanous.monitor.recording import unpack
from fanous.pipeline import ingest, replay
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.children import child_environment
from tests.copies import copy_of

EVENT = "pakistan-2023-12-17"


@pytest.fixture(scope="module")
def event(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    path = tmp_path_factory.mktemp("event") / "event.jsonl"
    unpack(EVENT, path)
    return path.read_bytes().splitlines(keepends=True)


@pytest.fixture(scope="module")
def recording(event: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What it holds of X: a quarter, of which one claim comes."""
    path = tmp_path_factory.mktemp("recording") / "event.jsonl"
    path.write_bytes(b"".join(line for line in event if json.loads(line)["input"] == "https://x.com/"))
    return path


@pytest.fixture(scope="module")
def filled(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the event, detected; never opened, but copied."""
    folder = tmp_path_factory.mktemp("filled") / "store"
    with open_store(folder) as store:
        ingest.ingest(store, "edge", [recording])
    return folder


@pytest.fixture(scope="module")
def few(event: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One in thirty of its measurements."""
    path = tmp_path_factory.mktemp("few") / "few.jsonl"
    path.write_bytes(b"".join(event[::30]))
    return path


@pytest.fixture(scope="module")
def filled_with_few(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds these."""
    folder = tmp_path_factory.mktemp("few") / "store"
    with open_store(folder) as store:
        ingest.ingest(store, "edge", [few])
    return folder


def reports(recording: Path) -> list[str]:
    """Of the probes in the country, on sites, sorted."""
    records = map(json.loads, recording.read_bytes().splitlines())
    sites = (record for record in records if record["test_name"] == "web_connectivity")
    return sorted({record["report_id"] for record in sites if record["probe_cc"] == "PK"})


def kept(store: Store) -> list[bytes]:
    return [record.data for segment in store.archive.segments() for record in store.archive.records(segment)]


def test_one_probe_is_forgotten_and_the_others_still_bear_the_claim_out(
    tmp_path: Path, recording: Path, filled: Path
) -> None:
    gone = reports(recording)[0]
    with open_store(copy_of(filled, tmp_path / "store")) as store:
        before = len(kept(store))
        (claim,) = store.ledger.incidents("PK")
        forgotten = replay.forget(store, [gone])
        left = kept(store)
        assert forgotten.measurements == before - len(left) > 0
        assert not any(gone.encode() in data for data in left)
        assert replay.forget(store, [gone]).measurements == 0
        last = store.ledger.revisions(claim.id)[-1]
        assert last.incident.evidence.probes < claim.evidence.probes
        assert last.incident.confirmed_at is not None
        assert last.reasons[0] == Reason("forgotten", {"n": before - len(left)})
        assert replay.rejudge(store, everything=True)
        assert store.ledger.incident(claim.id) == last.incident


def test_a_claim_whose_probes_all_withdraw_is_retracted(
    tmp_path: Path, recording: Path, filled: Path
) -> None:
    with open_store(copy_of(filled, tmp_path / "store")) as store:
        (claim,) = store.ledger.incidents("PK")
        replay.forget(store, reports(recording))
        assert kept(store)  # the probe abroad did not withdraw
        known = store.ledger.incident(claim.id)
        assert known is not None
        assert known.status is Status.RETRACTED


KILLED = """
import os, sys
from pathlib import Path
from fanous.pipeline import replay
from fanous.store import archive, facts
from fanous.store.local import open_store
steps = iter(range(1000))
def deadly(method):
    def stepped(*given):
        found = method(*given)
        if next(steps) == int(sys.argv[3]):
            os.kill(os.getpid(), 9)
        return found
    return stepped
for owner, name in ((archive.Archive, "without"), (facts.Facts, "remove"), (archive.Archive, "remove"),
                    (facts.Facts, "add")):
    setattr(owner, name, deadly(getattr(owner, name)))
with open_store(Path(sys.argv[1])) as store:
    replay.forget(store, [sys.argv[2]])
"""


@pytest.mark.matrix
@pytest.mark.parametrize("step", range(4))
def test_killed_in_the_middle_it_is_completed_by_running_it_again(
    step: int, tmp_path: Path, few: Path, filled_with_few: Path
) -> None:
    gone = reports(few)[0]
    place = copy_of(filled_with_few, tmp_path / "store")
    argv = [sys.executable, "-c", KILLED, str(place), gone, str(step)]
    assert subprocess.run(argv, env=child_environment(), timeout=120).returncode == -signal.SIGKILL
    with open_store(place) as store:
        replay.forget(store, [gone])
        left = kept(store)
        assert not any(gone.encode() in data for data in left)
        assert len(left) == len(set(left))
        expected = sum(gone.encode() not in line for line in few.read_bytes().splitlines())
        assert len(left) == expected < len(few.read_bytes().splitlines())
        assert sum(int(s.counts.sum()) for s in store.about("PK").facts.volume("PK", 0, 2e9)) > 0
