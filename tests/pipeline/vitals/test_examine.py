"""One look at a real store and a real inbox, and what Prometheus reads of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.collector.inbox import backlogs
from fanous.pipeline.status import metrics
from fanous.pipeline.vitals import examine, find_ailments
from fanous.probe.metrics import render
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.copies import copy_of
from tests.store.cases import NOON, judged

HOUR = 3600.0


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store into which a measurement came in each of thirty hours; never opened, but copied."""
    folder = tmp_path_factory.mktemp("thirty") / "store"
    with open_store(folder, clock=lambda: NOON) as store:
        for hour in range(30):
            at = NOON - hour * HOUR
            ahead = 600.0 if hour < 3 else -60.0
            uid, defect = f"m{hour}", "vpn" if hour % 2 else ""
            one = judged(uid, started_at=at + ahead, software="probe 3", defect=defect)
            store.append([one], rules_version="1", received_at=at)
    return folder


@pytest.fixture
def store(thirty: Path, tmp_path: Path) -> Iterator[Store]:
    """At the last of these hours."""
    with open_store(copy_of(thirty, tmp_path / "store"), clock=lambda: NOON) as opened:
        yield opened


@pytest.fixture
def later(thirty: Path, tmp_path: Path) -> Iterator[Store]:
    """Five hours after it."""
    with open_store(copy_of(thirty, tmp_path / "store"), clock=lambda: NOON + 5 * HOUR) as opened:
        yield opened


def test_a_store_tells_who_delivered_when_and_in_what_state(store: Store) -> None:
    (arrivals,) = store.facts.arrivals(0)
    assert (arrivals.source, arrivals.last, arrivals.measurements) == ("ooni", NOON, 30)
    assert arrivals.bins == tuple(int(NOON - hour * HOUR) for hour in reversed(range(30)))
    (sound,) = store.facts.soundness(NOON - 9.5 * HOUR)
    assert (sound.software, sound.measurements, sound.unsound) == ("probe 3", 10, 5)
    clocks = store.facts.clocks(0, 120.0)
    assert (clocks.measurements, clocks.ahead) == (30, 3)
    assert store.facts.clocks(0, 700.0).ahead == 0


def test_a_store_that_nothing_came_into_for_hours_is_ill(later: Store, tmp_path: Path) -> None:
    vitals = examine(later, [tmp_path], [], NOON, {})
    assert [one.kind for one in find_ailments(vitals)] == ["source_silent", "clocks_ahead"]


def test_a_country_that_waits_for_detection_waits_since_it_was_first_seen(store: Store) -> None:
    store.ledger.mark_undetected({"PK": (NOON - HOUR, NOON), "IR": (NOON, NOON)})
    vitals = examine(store, [], [], 1000.0, {"PK": 10.0})
    assert vitals.undetected == {"PK": 10.0, "IR": 1000.0}


def test_prometheus_reads_every_figure_and_what_is_wrong(later: Store, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    vitals = examine(later, [tmp_path], backlogs([inbox]), NOON + 100, {})
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
