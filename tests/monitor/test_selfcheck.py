"""The running monitor looks at itself: what begins, stays and ends is reported once, and kept."""

import asyncio
import logging
import os
from pathlib import Path
from shutil import rmtree

import pytest

from fanous.collector.inbox import APART
from fanous.errors import FanousError
from fanous.monitor import intake
from fanous.monitor.tasks import Selfcheck
from fanous.store.local import open_store
from fanous.store.protocol import OneThread
from tests.collector.files import kept
from tests.copies import copy_of

NOON = 1_702_814_400.0


def looks(folder: Path, inbox: Path, *hours: tuple[float, bool]) -> Selfcheck:
    """One monitor's life: at each hour a look, with an old file in the inbox or none."""
    at = [NOON]

    async def live() -> Selfcheck:
        with OneThread(lambda: open_store(folder)) as owner:
            selfcheck = Selfcheck(owner.ask, (), (inbox,), lambda: at[0])
            for hour, waits in hours:
                at[0] = NOON + hour * 3600
                file = inbox / kept(1)
                file.write_text("{}\n")
                os.utime(file, (NOON - 7200, NOON - 7200))
                if not waits:
                    file.unlink()
                await selfcheck.look()
        return selfcheck

    return asyncio.run(live())


def test_an_old_queue_begins_stays_ends_and_begins_again_over_restarts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fanous.monitor")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    looks(tmp_path / "s", inbox, (0, False), (1, True), (2, True))
    assert [line.split()[0] for line in caplog.messages] == ["ailing"]
    found = looks(tmp_path / "s", inbox, (3, True), (4, False), (5, True)).feed
    times = [(one.began_at, one.seen_at, one.ended_at) for one in found]
    assert times == [
        (NOON + 5 * 3600, NOON + 5 * 3600, None),
        (NOON + 3600, NOON + 3 * 3600, NOON + 4 * 3600),
    ]
    assert {(one.kind, one.about) for one in found} == {("queue_old", str(inbox))}


def test_a_full_inbox_is_an_ailment_and_not_ready_and_a_full_apart_only_ails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once full it refused everyone for good, and the monitor said that all was well."""
    monkeypatch.setattr("fanous.collector.inbox.MOST_BYTES", 10)
    monkeypatch.setattr("fanous.collector.inbox.APART_BYTES", 10)
    inbox, apart = tmp_path / "inbox", tmp_path / "inbox" / APART
    apart.mkdir(parents=True)

    async def live() -> list[tuple[list[str], bool]]:
        found = []
        with OneThread(lambda: open_store(tmp_path / "s")) as owner:
            selfcheck = Selfcheck(owner.ask, (), (inbox,))
            for folder in (tmp_path, apart, inbox):
                (folder / kept(1)).write_text('{"x": 12}\n')
                await selfcheck.look()
                found.append(([one.kind for one in selfcheck.ailments], bool(selfcheck.unready())))
        return found

    assert asyncio.run(live()) == [
        ([], False),
        (["apart_full"], False),
        (["inbox_full", "apart_full"], True),
    ]


def test_facts_that_lose_files_while_they_are_open_make_it_unready_until_they_are_made_again(
    rally_folder: Path, tmp_path: Path
) -> None:
    folder = copy_of(rally_folder, tmp_path / "store")

    async def live() -> list[tuple[str, list[str]]]:
        with OneThread(lambda: open_store(folder)) as owner:
            selfcheck, found = Selfcheck(owner.ask, (), ()), []
            for step in ("whole", "damaged", "again"):
                if step == "damaged":
                    rmtree(next((folder / "facts" / "store").rglob("all_*")))
                elif step == "again":
                    await owner.ask(intake._complete)
                await selfcheck.look()
                found.append((selfcheck.unready(), [one.kind for one in selfcheck.ailments]))
        return found

    whole, damaged, again = asyncio.run(live())
    assert whole == again == ("", [])
    assert "were removed or replaced while they were open" in damaged[0]
    assert damaged[1] == ["data_lost"]


def test_a_ledger_that_cannot_be_written_does_not_silence_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise FanousError("no space left")

    inbox = tmp_path / "inbox"
    inbox.mkdir()
    monkeypatch.setattr("fanous.store.ledger.Ledger.note_ailments", full)
    selfcheck = looks(tmp_path / "s", inbox, (0, True))
    assert [one.kind for one in selfcheck.ailments] == ["queue_old"]
    assert caplog.messages[-1] == 'ailments_not_kept why="no space left"'
