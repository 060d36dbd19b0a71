"""Public sources in the live loop: pulled when due, kept in the store, and nothing waits for a publisher."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.monitor.clock import Clock
from fanous.monitor.settings import read
from fanous.monitor.sources import Measurements, Sources, Turns, errands
from fanous.pipeline.pull import Pull
from fanous.pipeline.pull_ooni import PulledMeasurements
from fanous.sources.publishers import source_settings
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from tests.monitor.broken_reader import read_pieces_but_of_tor
from tests.pipeline.test_pull_ooni import record
from tests.sources.ooni.buckets import served, upload
from tests.sources.publisher import Answer, always, publishing
from tests.sources.signals.samples import ioda, ioda_series


def told(folder: Path, text: str) -> Path:
    path = folder / "fanous.toml"
    path.write_text(text, encoding="utf-8")
    return path


def ioda_answer(path: str, _: int) -> Answer:
    asked = parse_qs(urlsplit(path).query)
    return Answer(ioda(ioda_series(**{"from": int(asked["from"][0])})))


def pulled(folder: Path, config: str, times: int) -> tuple[list[Pull | None], int]:
    """What came of looking so often, and bins in the store."""
    configuration = read(told(folder, config), folder / "store")

    async def play(owner: OneThread) -> list[Pull | None]:
        sources = Sources(owner.ask, configuration.sources, Clock(), folder / "cache")
        return [await sources.run_one(errand) for _ in range(times) for errand in configuration.sources]

    with OneThread(lambda: open_store(folder / "store")) as owner:
        found = asyncio.run(play(owner))
        bins = asyncio.run(_bins(owner))
    return found, bins


async def _bins(owner: OneThread) -> int:
    return await owner.ask(lambda store: sum(len(series) for series in store.facts.levels("PK")))


def test_a_source_that_is_switched_on_is_pulled_once_an_interval(tmp_path: Path) -> None:
    with publishing(ioda_answer) as server:
        config = f"""[sources.ioda]\ncountries = ["pk"]\nmirror = "{server.address}"\n"""
        found, bins = pulled(tmp_path, config, times=3)
        asked = len(server.asked)
    assert found[0] is not None and found[0].pieces == 1 and found[0].failures == []
    assert found[1:] == [None, None]
    assert (bins, asked) == (2, 1)


def test_a_publisher_that_answers_nonsense_is_told_and_stops_nothing(tmp_path: Path) -> None:
    with publishing(always(Answer(b"<html>"))) as server:
        config = f"""[sources.ioda]\ncountries = ["PK"]\nmirror = "{server.address}"\n"""
        found, bins = pulled(tmp_path, config, times=2)
    assert found[0] is not None and found[0].pieces == 0 and len(found[0].failures) == 1
    assert (found[1], bins) == (None, 0)


def test_a_source_that_meets_a_bug_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanous.pipeline.pull.read_pieces", read_pieces_but_of_tor)
    with publishing(ioda_answer) as server:
        tables = (
            f"""[sources.{name}]\ncountries = ["PK"]\nmirror = "{server.address}"\n"""
            for name in ("tor", "ioda")
        )
        configuration = read(told(tmp_path, "".join(tables)), tmp_path / "store")

        async def play(owner: OneThread) -> list[Pull | None]:
            sources = Sources(owner.ask, configuration.sources, Clock(), tmp_path / "cache")
            tor, ioda = sorted(configuration.sources, key=lambda one: one.source, reverse=True)
            with pytest.raises(RuntimeError, match="ZeroDivisionError"):
                await sources.run_one(tor)
            return [await sources.run_one(one) for one in (tor, ioda)]

        with OneThread(lambda: open_store(tmp_path / "store")) as owner:
            skipped, done = asyncio.run(play(owner))
    assert skipped is None and done is not None and done.pieces == 1


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("[sources.ioda]", "set `countries`"),
        ('[sources.radar]\ncountries = ["PK"]', "needs a key: set the environment variable"),
        ('[sources.ris]\ncountries = ["PK"]', "fanous pull ris"),
    ],
)
def test_what_cannot_be_pulled_is_told_before_anything_runs(
    config: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN", raising=False)
    with pytest.raises(FanousError, match=says):
        read(told(tmp_path, config), tmp_path / "store")


def test_a_source_that_is_switched_off_needs_nothing(tmp_path: Path) -> None:
    assert read(told(tmp_path, "[sources.radar]\nenabled = false"), tmp_path / "store").sources == ()


def test_what_cannot_be_reached_is_tried_again_soon_then_less_often_and_never_less_than_usual() -> None:
    turns, now, waits = Turns(), 0.0, []
    for _ in range(6):
        turns.failed("ioda", now, 1000.0)
        nearly = next(wait for wait in range(100, 2000) if turns.has_come("ioda", now + wait))
        waits.append(nearly)
        now += nearly
    assert waits == [120, 240, 480, 960, 1000, 1000]
    turns.took("ioda", now, 1000.0)
    assert not turns.has_come("ioda", now + 999) and turns.has_come("ioda", now + 1000)
    turns.failed("ioda", now, 1000.0)
    assert turns.has_come("ioda", now + 120)
    assert turns.has_come("tor", 0.0)


NOW = datetime.fromtimestamp(time.time() // 3600 * 3600, UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    with served(folder) as found:
        yield found


def pulled_from_bucket(
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
    (first, second), uids = pulled_from_bucket(tmp_path, address, days=2, times=2)
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
    pulled_from_bucket(tmp_path, address, days=1)
    with open_store(tmp_path / "store") as store:
        assert store.facts.countries() == ["PK"]
        assert store.ledger.undetected() == {}


def test_a_bucket_that_cannot_be_reached_stops_nothing(tmp_path: Path) -> None:
    (answer,), uids = pulled_from_bucket(tmp_path, "http://127.0.0.1:1", days=1)
    assert answer is None
    assert uids == set()


def test_a_broken_object_is_named_and_tried_again(folder: Path, address: str, tmp_path: Path) -> None:
    (path,) = upload(folder, [record(NOW - timedelta(hours=3))], NOW - timedelta(hours=3), kinds=["jsonl"])
    path.write_bytes(b"measurement_uid,probe_cc\n1,PK\n")
    upload(folder, [record(NOW - timedelta(hours=4))], NOW - timedelta(hours=4))
    (first, second), uids = pulled_from_bucket(tmp_path, address, days=1, times=2)
    assert first is not None
    assert second is not None
    assert [name.rpartition("/")[2] for name, _ in first.failures] == [path.name]
    assert len(second.failures) == 1
    assert len(uids) == 1
    assert first.wanted.since == NOW.timestamp() // DAY * DAY - DAY
