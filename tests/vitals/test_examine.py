"""One look at a real store and a real inbox, and what Prometheus reads of it."""

import os
from pathlib import Path

from fanous.probes.metrics import render
from fanous.store import Store, open_store
from fanous.vitals.ailments import find_ailments
from fanous.vitals.examine import examine, queue
from fanous.vitals.exposition import metrics
from tests.store.cases import NOON, judged

HOUR = 3600.0


def filled(folder: Path, hours_after: float = 0.0) -> Store:
    store = open_store(folder, clock=lambda: NOON + hours_after * HOUR)
    for hour in range(30):
        at = NOON - hour * HOUR
        ahead = 600.0 if hour < 3 else -60.0
        uid, defect = f"m{hour}", "vpn" if hour % 2 else ""
        one = judged(uid, started_at=at + ahead, software="probe 3", defect=defect)
        store.append([one], rules_version="1", received_at=at)
    return store


def test_a_store_tells_who_delivered_when_and_in_what_state(tmp_path: Path) -> None:
    with filled(tmp_path / "store") as store:
        (arrivals,) = store.arrivals(0)
        assert (arrivals.source, arrivals.last, arrivals.measurements) == ("ooni", NOON, 30)
        assert arrivals.bins == tuple(int(NOON - hour * HOUR) for hour in reversed(range(30)))
        (sound,) = store.soundness(NOON - 9.5 * HOUR)
        assert (sound.software, sound.measurements, sound.unsound) == ("probe 3", 10, 5)
        clocks = store.clocks(0, 120.0)
        assert (clocks.measurements, clocks.ahead) == (30, 3)
        assert store.clocks(0, 700.0).ahead == 0


def test_a_store_that_nothing_came_into_for_hours_is_ill(tmp_path: Path) -> None:
    with filled(tmp_path / "store", hours_after=5) as store:
        vitals = examine(store, [tmp_path], [], NOON, {})
        assert [one.kind for one in find_ailments(vitals)] == ["source_silent", "clocks_ahead"]


def test_a_country_that_waits_for_detection_waits_since_it_was_first_seen(tmp_path: Path) -> None:
    with filled(tmp_path / "store") as store:
        store.mark_undetected({"PK": (NOON - HOUR, NOON), "IR": (NOON, NOON)})
        vitals = examine(store, [], [], 1000.0, {"PK": 10.0})
        assert vitals.undetected == {"PK": 10.0, "IR": 1000.0}


def test_what_waits_in_an_inbox_is_as_old_as_its_oldest_file(tmp_path: Path) -> None:
    assert queue(tmp_path).since is None
    for name, at in (("1.jsonl", 100), ("2.jsonl", 200), ("3.jsonl.part", 50)):
        (tmp_path / name).write_text("{}\n")
        os.utime(tmp_path / name, (at, at))
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "0.jsonl").write_text("{}\n")
    seen = queue(tmp_path)
    assert (seen.files, seen.since, seen.apart, seen.bytes) == (2, 100, 1, 12)


def test_prometheus_reads_every_figure_and_what_is_wrong(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with filled(tmp_path / "store", hours_after=5) as store:
        vitals = examine(store, [tmp_path], [inbox], NOON + 100, {})
    text = render(metrics(vitals, find_ailments(vitals)))
    for line in (
        f'fanous_source_last_received_timestamp_seconds{{source="ooni"}} {int(NOON)}',
        'fanous_source_measurements{source="ooni"} 30',
        'fanous_software_unsound{software="probe 3"} 10',
        "fanous_clock_ahead_measurements 3",
        f'fanous_inbox_files{{inbox="{inbox}"}} 0',
        "fanous_undetected_countries 0",
        'fanous_ailments{kind="source_silent"} 1',
    ):
        assert f"\n{line}\n" in text, text
    assert all(line.startswith(("#", "fanous_")) for line in text.splitlines())
