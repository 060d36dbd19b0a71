"""OONI's measurements under `fanous run`: the newest first, without the store's thread being taken for long."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fanous.model.instant import DAY
from fanous.monitor.clock import Clock
from fanous.monitor.sources import Measurements, errands
from fanous.pipeline.pull_ooni import PulledMeasurements
from fanous.sources.publishers import source_settings
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from tests.pipeline.test_pull_ooni import record
from tests.sources.ooni.buckets import served, upload

NOW = datetime.fromtimestamp(time.time() // 3600 * 3600, UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    with served(folder) as found:
        yield found


def pulled(
    tmp_path: Path, address: str, days: int, times: int = 1
) -> tuple[list[PulledMeasurements | None], set[str]]:
    config = tmp_path / "fanous.toml"
    config.write_text(f'[sources.ooni]\ncountries = ["PK"]\ndays = {days}\nmirror = "{address}"\n')

    async def play(owner: OneThread) -> list[PulledMeasurements | None]:
        (errand,) = errands(source_settings(config))
        task = Measurements(owner.ask, [errand], Clock(), tmp_path / "cache")
        return [await task.pull_one(errand) for _ in range(times)]

    def uids(store: Store) -> set[str]:
        return {uid for (uid,) in store.facts.engine.rows("SELECT uid FROM measurements")}

    with OneThread(lambda: open_store(tmp_path / "store")) as owner:
        return asyncio.run(play(owner)), asyncio.run(_asked(owner, uids))


async def _asked(owner: OneThread, question: object) -> set[str]:
    return await owner.ask(question)  # type: ignore[arg-type]


def test_what_is_new_is_brought_once(folder: Path, address: str, tmp_path: Path) -> None:
    for hours in (2, 3, 30):
        began = NOW - timedelta(hours=hours)
        upload(folder, [record(began, n) for n in range(3)], began)
    upload(folder, [record(NOW - timedelta(days=9))], NOW - timedelta(days=9))
    (first, second), uids = pulled(tmp_path, address, days=2, times=2)
    assert first is not None
    assert second is not None
    assert (first.objects, first.tally.stored) == (3, 9)
    assert [one.hour for one in first.plan.objects] == sorted(
        (one.hour for one in first.plan.objects), reverse=True
    )
    assert second.objects == 0
    assert len(uids) == 9
    assert list((tmp_path / "cache" / "ooni" / "PK").glob("*")) == []


def test_what_was_brought_is_looked_at(folder: Path, address: str, tmp_path: Path) -> None:
    began = NOW - timedelta(hours=3)
    upload(folder, [record(began)], began)
    pulled(tmp_path, address, days=1)
    with open_store(tmp_path / "store") as store:
        assert store.facts.countries() == ["PK"]
        assert store.ledger.undetected() == {}


def test_a_bucket_that_cannot_be_reached_stops_nothing(tmp_path: Path) -> None:
    (answer,), uids = pulled(tmp_path, "http://127.0.0.1:1", days=1)
    assert answer is None
    assert uids == set()


def test_a_broken_object_is_named_and_tried_again(folder: Path, address: str, tmp_path: Path) -> None:
    (path,) = upload(folder, [record(NOW - timedelta(hours=3))], NOW - timedelta(hours=3), kinds=["jsonl"])
    path.write_bytes(b"measurement_uid,probe_cc\n1,PK\n")
    upload(folder, [record(NOW - timedelta(hours=4))], NOW - timedelta(hours=4))
    (first, second), uids = pulled(tmp_path, address, days=1, times=2)
    assert first is not None
    assert second is not None
    assert [name.rpartition("/")[2] for name, _ in first.failures] == [path.name]
    assert len(second.failures) == 1
    assert len(uids) == 1
    assert first.wanted.since == NOW.timestamp() // DAY * DAY - DAY
