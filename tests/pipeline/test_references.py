"""Raw records that OONI publishes are kept by reference where nothing rests on them, and fetched again where needed."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fanous.model.incident import Incident, Interval, Status
from fanous.model.instant import DAY, HOUR
from fanous.pipeline import ingest, replay, retain
from fanous.pipeline.pull_ooni import Wanted, pull
from fanous.pipeline.refetch import refetched
from fanous.pipeline.retain import Retention, carry_out, plan
from fanous.sources.ooni.bucket import Bucket
from fanous.store.archive import DamagedSegment, Reference, Segment, digest_of, pack_entries, unpack_entries
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.charts.events import incident
from tests.pipeline.test_pull_ooni import record
from tests.sources.ooni.buckets import NAME, served, upload

T0 = datetime(2023, 12, 17, 14, tzinfo=UTC)
NOW = T0.timestamp() + 40 * DAY
POLICY = Retention(references_days=30)
SITES = ["https://x.com/", "https://www.youtube.com/", "https://example.org/"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bucket")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as found:
        yield found


@pytest.fixture
def clock() -> dict[str, float]:
    return {"now": T0.timestamp() + 2 * HOUR}


@pytest.fixture
def store(tmp_path: Path, folder: Path, address: str, clock: dict[str, float]) -> Iterator[Store]:
    """Twelve measurements of three sites, from two published objects; received 40 days before ``NOW``."""
    shutil.rmtree(folder / NAME, ignore_errors=True)
    (folder / NAME).mkdir()
    for hour in range(2):
        made = [record(T0 + timedelta(hours=hour, minutes=n), n, input=SITES[n % 3]) for n in range(6)]
        upload(
            folder,
            made,
            T0 + timedelta(hours=hour, minutes=50),
            kinds=("jsonl", "tar") if hour else ("jsonl",),
        )
    with open_store(tmp_path / "store", clock=lambda: clock["now"]) as opened:
        asked = Wanted("PK", T0.timestamp(), T0.timestamp() + 2 * HOUR)
        done = pull(opened, Bucket(address), asked, tmp_path / "fetched", now=lambda: NOW)
        assert done.tally.stored == 12 and not done.failures
        clock["now"] = NOW
        yield opened


def contents(store: Store) -> dict[Segment, list[bytes]]:
    return {
        one: [record.data for record in store.archive.records(one, refetch=refetched)]
        for one in store.archive.segments()
    }


def entries(store: Store) -> list[Any]:
    """What is really here, without any request."""
    paths = sorted(store.archive.folder.rglob("*.thin.zst"))  # type: ignore[attr-defined]
    return [one for path in paths for one in unpack_entries(path.read_bytes())]


def target_of(entry: Any) -> str:
    return "" if isinstance(entry, Reference) else json.loads(entry)["input"]


def test_what_nothing_rests_on_is_kept_by_reference_and_reads_as_before(store: Store, address: str) -> None:
    before, facts = contents(store), store.facts.votes("PK", 0, NOW).uids.tolist()
    done = carry_out(store, plan(store, POLICY))
    assert (done.referenced, done.left) == (12, [])
    kept = entries(store)
    assert len(kept) == 12 and all(isinstance(one, Reference) for one in kept)
    assert {one.object.rpartition("/")[0] for one in kept} == {
        f"{address}/{NAME}/raw/20231217/{hour}/PK/webconnectivity" for hour in (14, 15)
    }
    assert not list(store.archive.folder.rglob("*.jsonl.zst"))  # type: ignore[attr-defined]
    assert contents(store) == before, "fetched again, line by line"
    assert store.facts.votes("PK", 0, NOW).uids.tolist() == facts
    assert list(store.unfinished()) == []
    assert plan(store, POLICY).published == ()


def test_what_is_not_old_enough_and_what_no_one_published_stays(
    store: Store, tmp_path: Path, clock: dict[str, float]
) -> None:
    assert plan(store, Retention(references_days=41)).published == ()
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps(record(T0 + timedelta(days=1), 7)) + "\n")
    ingest.ingest(store, "ooni", [own])
    clock["now"] += 2 * HOUR  # a segment's age is known once its hour is over
    assert carry_out(store, plan(store, Retention(references_days=0))).referenced == 12
    assert len(list(store.archive.folder.rglob("*.jsonl.zst"))) == 1  # type: ignore[attr-defined]


def claim(**given: Any) -> Incident:
    onset = T0.timestamp() + HOUR
    spans = (Interval(onset, onset + HOUR),)
    base = incident(
        country="PK", targets=("x",), onset=onset, onset_earliest=onset, end=onset + HOUR, status=Status.ENDED,
        intervals=spans,
    )  # fmt: skip
    return replace(base, **given)


@pytest.mark.parametrize(
    ("changes", "here"),
    [
        (
            {"onset": T0.timestamp() + 10 * DAY, "onset_earliest": None, "end": None},
            {SITES[0]: 4},
        ),  # its history
        ({"onset": T0.timestamp() + 90 * DAY, "onset_earliest": None, "end": None}, {}),  # older than that
        ({"country": "IR"}, {SITES[0]: 2}),  # controls, from its onset on
        ({"country": "IR", "onset": T0.timestamp() + 10 * DAY, "onset_earliest": None}, {}),
        ({"status": Status.RETRACTED}, {}),
    ],
)
def test_what_an_incident_or_its_controls_rest_on_stays_here(
    store: Store, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], here: dict[str, int]
) -> None:
    monkeypatch.setattr(retain, "NEAR", 0.0)
    monkeypatch.setattr(type(store.ledger), "incidents", lambda *_a, **_k: [claim(**changes)])
    before = contents(store)
    carry_out(store, plan(store, POLICY))
    counted: dict[str, int] = {}
    for one in entries(store):
        if not isinstance(one, Reference):
            counted[target_of(one)] = counted.get(target_of(one), 0) + 1
    assert counted == here
    assert contents(store) == before


def test_everything_that_the_country_measured_while_it_was_on_stays_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other targets show whether a line was at fault."""
    monkeypatch.setattr(retain, "NEAR", 0.0)
    monkeypatch.setattr(type(store.ledger), "incidents", lambda *_a, **_k: [claim()])
    carry_out(store, plan(store, POLICY))
    here = [target_of(one) for one in entries(store) if not isinstance(one, Reference)]
    assert sorted(here) == sorted([*SITES * 2, SITES[0], SITES[0]])


def test_only_the_lines_that_are_asked_for_are_fetched(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(store)
    carry_out(store, plan(store, POLICY))
    asked: list[str] = []
    whole = Bucket.fetch

    def fetch(bucket: Bucket, key: str, folder: Path) -> Path:
        asked.append(key)
        return whole(bucket, key, folder)

    monkeypatch.setattr(Bucket, "fetch", fetch)
    (segment,) = before
    (found,) = store.archive.records(segment, {3}, refetched)
    assert found.data == before[segment][2] and found.line == 3
    assert len(asked) == 1


def test_a_vanished_object_is_said_by_its_name_and_loses_no_conclusion(store: Store, folder: Path) -> None:
    facts = store.facts.votes("PK", 0, NOW).uids.tolist()
    carry_out(store, plan(store, POLICY))
    (gone,) = (folder / NAME / "raw/20231217/14").rglob("*.jsonl.gz")
    gone.unlink()
    (segment,) = store.archive.segments()
    with pytest.raises(DamagedSegment, match=f"{gone.name}.*6 records were kept there by reference"):
        list(store.archive.records(segment, refetch=refetched))
    (remark,) = replay.remarks(replay.rejudge(store, everything=True))
    assert gone.name in remark
    assert store.facts.votes("PK", 0, NOW).uids.tolist() == facts


def test_a_rewritten_object_does_not_pass_for_what_was_stored(store: Store, folder: Path) -> None:
    carry_out(store, plan(store, POLICY))
    other = [record(T0 + timedelta(minutes=n), n, input="https://other.example/") for n in range(6)]
    upload(folder, other, T0 + timedelta(minutes=50), kinds=("jsonl",))
    (segment,) = store.archive.segments()
    with pytest.raises(DamagedSegment, match="no longer has what was taken from it"):
        list(store.archive.records(segment, refetch=refetched))


def test_a_publisher_that_cannot_be_reached_is_no_damage(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(store, plan(store, POLICY))
    (segment,) = store.archive.segments()
    monkeypatch.setattr("fanous.sources.ooni.bucket.PATIENCE", timedelta(seconds=1))
    entry = next(one for one in entries(store))
    moved = replace_object(store, entry, "http://127.0.0.1:9")
    with pytest.raises(Exception, match="cannot fetch") as raised:
        list(store.archive.records(moved, refetch=refetched))
    assert not isinstance(raised.value, DamagedSegment) and raised.value.permanent is False  # type: ignore[attr-defined]
    assert segment == moved and folder.exists()


def replace_object(store: Store, entry: Reference, address: str) -> Segment:
    """Let its first reference point to a server that does not answer."""
    (path,) = store.archive.folder.rglob("*.thin.zst")  # type: ignore[attr-defined]
    there = f"{address}/{NAME}/{entry.object.partition(f'/{NAME}/')[2]}"
    path.write_bytes(pack_entries([Reference(there, entry.line, entry.digest)]))
    (segment,) = store.archive.segments()
    return segment


def test_a_thinning_that_was_killed_is_completed_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(store)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", die)
        with pytest.raises(KeyboardInterrupt):
            carry_out(store, plan(store, POLICY))
    assert len(list(store.archive.segments())) == 1
    assert contents(store) == before, "the whole one counts"
    assert carry_out(store, plan(store, POLICY)).referenced == 12
    assert contents(store) == before


def test_a_report_is_forgotten_in_a_thinned_segment_too(store: Store) -> None:
    before = contents(store)
    carry_out(store, plan(store, POLICY))
    ((_, lines),) = before.items()
    report = json.loads(lines[0])["report_id"]
    assert store.forget([report]).measurements >= 1
    replay.finish_interrupted(store)
    ((_, rest),) = contents(store).items()
    assert [digest_of(one) for one in rest] == [digest_of(one) for one in lines if report not in one.decode()]


def test_a_damaged_file_of_references_is_reported(store: Store) -> None:
    carry_out(store, plan(store, POLICY))
    (path,) = store.archive.folder.rglob("*.thin.zst")  # type: ignore[attr-defined]
    path.write_bytes(b"nothing")
    (segment,) = store.archive.segments()
    with pytest.raises(DamagedSegment, match="restore it from a backup"):
        list(store.archive.records(segment, refetch=refetched))
