"""When networks were last heard, read from a store, and a silence that is reported when it begins and ends."""

import asyncio
import json
import logging
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fanous.analysis.series.silence import Heartbeat
from fanous.cli.main import app
from fanous.model.measurement import Provenance
from fanous.model.place import Place
from fanous.monitor.clock import Clock
from fanous.monitor.tasks import Hearing, heartbeats
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from fanous_lab.evaluation.simulate import pakistan
from tests.copies import copy_of
from tests.monitor.owner import owner

HOUR = 3600.0


@pytest.fixture(scope="module")
def filled(rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(rally_folder, tmp_path_factory.mktemp("heard") / "store")


def test_every_network_of_the_last_weeks_is_there_with_when_it_was_heard(filled: Path) -> None:
    with open_store(filled, clock=lambda: pakistan.UNTIL) as store:
        beats = heartbeats(store, "PK")
        assert {beat.place.asn for beat in beats} == {
            v.key.place.asn for v in store.of(Provenance.SYNTHETIC).facts.volume("PK", 0, 9e9)
        }
        assert not any(beat.silent for beat in beats)
        assert all(pakistan.UNTIL - 6 * HOUR < beat.last <= pakistan.UNTIL for beat in beats)
        assert len(heartbeats(store)) > len(beats), "other countries too"


def test_a_network_that_stops_is_silent_and_after_weeks_forgotten(filled: Path) -> None:
    with open_store(filled, clock=lambda: pakistan.UNTIL + 48 * HOUR) as store:
        known = [beat for beat in heartbeats(store, "PK") if beat.habit is not None]
        assert known
        assert all(beat.silent for beat in known)
    with open_store(filled, clock=lambda: pakistan.UNTIL + 40 * 24 * HOUR) as store:
        assert heartbeats(store) == []


def test_a_silence_is_told_once_when_it_begins_and_once_when_it_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "fanous.monitor")
    monkeypatch.setattr("fanous.monitor.tasks.SHORTEST", 0.001)
    silences = [False, True, True, False]

    async def main() -> None:
        stop = asyncio.Event()

        def beats(_store: Store) -> list[Heartbeat]:
            silent = silences.pop(0)
            if not silences:
                stop.set()
            return [Heartbeat(Place("PK", 17557), 1_700_000_000.0, 600.0, silent)]

        monkeypatch.setattr("fanous.monitor.tasks.heartbeats", beats)
        with OneThread(lambda: open_store(tmp_path / "store")) as owner:
            hearing = Hearing(owner.ask, Clock(1e9), stop)
            await hearing.listen()
        assert hearing.heard() == {("PK", 17557): 1_700_000_000.0}

    asyncio.run(asyncio.wait_for(main(), 10))
    assert [record.message for record in caplog.records] == [
        f"{event} country=PK network=AS17557 last=2023-11-14T22:13:20Z habit_seconds=600"
        for event in ("network_silent", "network_heard_again")
    ]


def typed(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_person_and_a_program_can_ask(filled: Path) -> None:
    with owner(filled, clock=lambda: pakistan.UNTIL + 48 * HOUR):
        document = json.loads(typed("networks", "PK", "--json", "--store", str(filled)))
        table = typed("networks", "--store", str(filled))
    assert list(document) == ["at", "synthetic", "measured_until", "networks", "collapses"]
    assert document["synthetic"] is True
    assert table.startswith("Synthetic: ")
    assert list(document["networks"][0]) == ["country", "network", "last", "habit_seconds", "silent"]
    assert re.search(r"PK +AS17557 .* silent for \d+\.\d h; its longest usual silence is \d+\.\d h", table)
    with owner(filled, clock=lambda: pakistan.UNTIL + 400 * 24 * HOUR):
        nothing = typed("networks", "--store", str(filled))
    ended = document["measured_until"]
    assert nothing.endswith(f"no network was heard from in the last four weeks: the data end at {ended}\n")
