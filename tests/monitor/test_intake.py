"""What waits on the disk goes into the store, and every change is a line in the log."""

import asyncio
import logging
import shutil
from pathlib import Path

import pytest

from fanous.collector.inbox import PART, Drained
from fanous.monitor import intake as intake_module
from fanous.monitor.intake import Intake, take_from
from fanous.store.local import open_store
from fanous.store.protocol import OneThread
from fanous_lab.evaluation.simulate import pakistan
from tests.collector.files import kept
from tests.pipeline.test_ingest import dated


def halves(real_rally: Path, folder: Path) -> None:
    """Two sealed files, and one that is still being written."""
    lines = real_rally.read_bytes().splitlines(keepends=True)
    folder.mkdir()
    (folder / kept(1)).write_bytes(b"".join(lines[: len(lines) // 2]))
    (folder / kept(2)).write_bytes(b"".join(lines[len(lines) // 2 :]))
    (folder / kept(3, PART)).write_bytes(lines[0])


def said(caplog: pytest.LogCaptureFixture, event: str) -> list[str]:
    return [record.message for record in caplog.records if record.message.startswith(f"{event} ")]


def test_files_are_taken_and_what_they_change_is_reported(
    real_rally: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fanous.monitor")
    halves(real_rally, tmp_path / "in")
    (tmp_path / "own").mkdir()
    dated(real_rally, tmp_path / "own" / kept(1), "2015-03-01 12:00:00")
    (tmp_path / "own" / kept(2)).write_bytes(b"no measurement\n")

    async def main() -> None:
        with OneThread(lambda: open_store(tmp_path / "store", clock=lambda: pakistan.UNTIL)) as owner:
            intake = Intake(owner.ask, [tmp_path / "in", tmp_path / "own"], "ooni", every=0.01)
            stop = asyncio.Event()
            taking = asyncio.create_task(intake.take(stop))
            while list(tmp_path.glob("*/*.jsonl")):
                await asyncio.sleep(0.02)
            stop.set()
            await taking

    asyncio.run(main())
    assert [path.name for path in tmp_path.glob("in/*")] == [kept(3, PART)]
    first, second = said(caplog, "taken")
    assert "folder=in files=2 stored=" in first
    assert "duplicate=0 rejected=0 seconds=" in first
    assert "folder=own files=2 stored=1 duplicate=0 rejected=1 late=1" in second
    (incident,) = said(caplog, "incident")
    assert incident.startswith("incident id=PK-2023-0001 status=ended kind=blocking scope=nation says=")
    assert len(said(caplog, "rejected")) == 1
    assert "older than 60 days" in said(caplog, "out_of_reach")[0]


def test_the_last_look_takes_everything(
    real_rally: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "FINISH_SECONDS", 60.0)  # on a machine that has other work
    folder = tmp_path / "in"
    folder.mkdir()
    for number, line in enumerate(real_rally.read_bytes().splitlines(keepends=True)[:40]):
        (folder / kept(number)).write_bytes(line)

    async def main() -> None:
        with OneThread(lambda: open_store(tmp_path / "store")) as owner:
            await Intake(owner.ask, [folder], "ooni", every=60).finish()

    asyncio.run(main())
    assert list(folder.iterdir()) == []


def test_an_empty_or_missing_folder_is_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        assert take_from(tmp_path / "none", "ooni", lambda: True, store).files == 0


def test_a_stop_leaves_on_disk_what_it_has_no_time_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fanous.monitor")
    monkeypatch.setattr(intake_module, "FINISH_SECONDS", 0.0)
    taken = 0

    async def ask(_question: object) -> Drained:
        nonlocal taken
        taken += 1
        await asyncio.sleep(0.01)
        return Drained(16, more=taken < 50)

    asyncio.run(Intake(ask, [Path("in")], "ooni", every=1).finish())  # type: ignore[arg-type]
    assert taken == 1
    assert said(caplog, "left_in_the_inbox")


def test_a_stop_leaves_detection_to_the_next_start(
    real_rally: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fanous.monitor")
    halves(real_rally, tmp_path / "in")

    async def main() -> None:
        with OneThread(lambda: open_store(tmp_path / "store", clock=lambda: pakistan.UNTIL)) as owner:
            intake = Intake(owner.ask, [tmp_path / "in"], "ooni", every=0.01)
            await intake.finish()
            assert "folder=in files=2 stored=" in said(caplog, "taken")[0] and said(caplog, "incident") == []
            assert await owner.ask(lambda store: store.ledger.incidents()) == []
            stop = asyncio.Event()
            taking = asyncio.create_task(intake.take(stop))
            while not await owner.ask(lambda store: store.ledger.incidents()):
                assert not taking.done()
                await asyncio.sleep(0.02)
            stop.set()
            await taking

    asyncio.run(main())


def test_it_begins_with_what_is_in_the_archive_and_has_no_facts(real_rally: Path, tmp_path: Path) -> None:
    """As after a crash, or where the facts were deleted: until something new arrived, nothing was shown of it."""
    (tmp_path / "in").mkdir()
    dated(real_rally, tmp_path / "in" / kept(1), "2015-03-01 12:00:00")
    with open_store(tmp_path / "store") as store:
        take_from(tmp_path / "in", "ooni", lambda: False, store)
    shutil.rmtree(tmp_path / "store" / "facts")

    async def main() -> int:
        with OneThread(lambda: open_store(tmp_path / "store")) as owner:
            stop = asyncio.Event()
            stop.set()
            await Intake(owner.ask, [tmp_path / "in"], "ooni", every=0.01).take(stop)
            return await owner.ask(lambda store: len(store.facts.countries()))

    assert asyncio.run(main()) == 1
