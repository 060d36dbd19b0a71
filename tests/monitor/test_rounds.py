"""This machine's own probe: when it may measure, that nothing hastens it, and what it leaves on the disk."""

import asyncio
import json
import random
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import pytest

from fanous.collector.inbox import sealed_files
from fanous.model.event import AnnouncedEvent
from fanous.monitor.clock import Clock
from fanous.monitor.rounds import OwnProbe, RoundsState, read_state, write_state
from fanous.monitor.settings import Rounds
from fanous.probe import consent
from fanous.probe.allowance import ORGANISATION_LEAST, VOLUNTEER_LEAST
from fanous.probe.settings import probe_folder
from fanous.probe.trace import ProbeVantage
from tests.monitor.lab import QUICK, Platform


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def probe(folder: Path, url: str, **changes: Any) -> OwnProbe:
    rounds = Rounds(urls=(url,), vantage=ProbeVantage("PK", 17557), health=False, consented=True)
    return OwnProbe(folder / "own", replace(rounds, **changes), QUICK, Clock(9_000.0, time()))


def go(one: OwnProbe, until: int = 1, seconds: float = 20.0) -> list[dict[str, object]]:
    """Measure until so many records are on the disk, or the time is over; the records."""

    async def main() -> None:
        stop = asyncio.Event()
        measuring = asyncio.create_task(one.measure(stop))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while loop.time() < deadline and len(records(one)) < until and not measuring.done():
            await asyncio.sleep(0.01)
        stop.set()
        await asyncio.wait_for(measuring, 10)

    asyncio.run(main())
    return records(one)


def records(one: OwnProbe) -> list[dict[str, object]]:
    lines = [line for file in sealed_files(one.folder) for line in file.read_bytes().splitlines()]
    return [json.loads(line) for line in lines]


def test_a_round_leaves_measurements_where_the_store_takes_them(tmp_path: Path) -> None:
    with Platform() as platform:
        (record, *_) = go(probe(tmp_path, platform.url))
    assert (record["probe_cc"], record["probe_asn"], record["input"]) == ("PK", "AS17557", platform.url)
    assert "x_clock" in json.dumps(record["annotations"])


def test_all_rounds_are_one_witness_also_after_a_restart(tmp_path: Path) -> None:
    with Platform() as platform:
        go(probe(tmp_path, platform.url), until=2)
        found = go(probe(tmp_path, platform.url), until=4)
        assert len(found) >= 4
        (witness,) = {record["report_id"] for record in found}
        moved = go(probe(tmp_path, platform.url, vantage=ProbeVantage("PK", 9541)), until=len(found) + 1)
    assert {record["report_id"] for record in moved} > {witness}, "another network is another witness"


def test_nothing_is_measured_before_someone_consents(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanous.monitor.rounds.ASKED_AGAIN", 0.01)
    with Platform() as platform:
        one = probe(tmp_path, platform.url, consented=False)
        assert go(one, seconds=0.3) == []
        assert read_state(one.folder) is None
        said = [record.message for record in caplog.records if "not_measuring" in record.message]
        assert len(said) == 1, "said once, not each time that it is looked up"
        consent.give(probe_folder(), 1_700_000_000.0)
        assert len(go(one)) >= 1


def test_a_restart_does_not_hasten_a_round(tmp_path: Path) -> None:
    with Platform() as platform:
        one = replace(probe(tmp_path, platform.url), clock=Clock())
        one.folder.mkdir()
        write_state(one.folder, RoundsState(one.clock() - 300, ProbeVantage("PK", 17557, report_id="r")))
        assert go(one, seconds=0.3) == [], "five of the ten minutes are left"
        write_state(one.folder, RoundsState(one.clock() - 601, ProbeVantage("PK", 17557, report_id="r")))
        assert len(go(one)) == 1
        write_state(one.folder, RoundsState(one.clock() + 9e9, ProbeVantage("PK", 17557, report_id="r")))
        assert len(go(one, until=2, seconds=0.3)) == 1, "a clock that was set back waits a round at the most"


def test_what_was_spent_counts_for_all_commands_of_the_day(tmp_path: Path) -> None:
    with Platform() as platform:
        go(probe(tmp_path, platform.url))
    used = json.loads((probe_folder() / "used.json").read_text())
    assert used["bytes"] > 0


def test_a_state_that_cannot_be_read_counts_as_missing(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    for content in (b"{", b'{"began": 1, "vantage": {"country": "\xff"}}'):
        (tmp_path / "rounds.json").write_bytes(content)
        assert read_state(tmp_path) is None


EVENT = AnnouncedEvent("PK", 50_000.0, 60_000.0, "a rally")
TWO_HOURS = 7200.0


@pytest.mark.parametrize(
    ("now", "least", "country", "most"),
    [
        (40_000.0, ORGANISATION_LEAST, "PK", 60 * 1.2),  # within twelve hours before it
        (61_000.0, ORGANISATION_LEAST, "PK", 60 * 1.2),  # and six after it
        (1_000.0, ORGANISATION_LEAST, "PK", None),
        (90_000.0, ORGANISATION_LEAST, "PK", None),
        (55_000.0, ORGANISATION_LEAST, "IN", None),
        (55_000.0, VOLUNTEER_LEAST, "PK", None),
    ],
)
def test_an_organisations_rounds_speed_up_around_an_event_and_a_volunteers_never_do(
    now: float, least: float, country: str, most: float | None
) -> None:
    rounds = Rounds(every=TWO_HOURS, least=least, vantage=ProbeVantage(country, 17557))
    waits = [rounds.wait(random.Random(seed), [EVENT], now) for seed in range(20)]
    if most is None:
        assert min(waits) >= 0.8 * TWO_HOURS
    else:
        assert min(waits) >= 60 and max(waits) <= most


def test_the_probe_asks_for_the_events_before_each_pause(tmp_path: Path) -> None:
    """With every two hours a second round would not come while the test waits; an event brings it."""
    asked: list[bool] = []

    async def events() -> list[AnnouncedEvent]:
        asked.append(True)
        return [AnnouncedEvent("PK", time() - 3600, time() + 86_400 * 400, "now and for long")]

    with Platform() as platform:
        hasty = replace(probe(tmp_path, platform.url, every=TWO_HOURS * 1e4, least=60.0), events=events)
        made = go(hasty, until=2)
    assert asked and len(made) >= 2
