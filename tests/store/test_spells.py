"""The feed of a monitor's own ailments, in each kind of ledger."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fanous.model.vitals import Spell
from fanous.store.database import KEPT, MOST, Key
from fanous.store.ledger import Ledger
from fanous.store.local import open_store
from tests.store.cases import NOON

FULL: Key = ("disk_low", "/var")
LATE: Key = ("detection_late", "PK")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger(ledger_url)
    yield opened
    opened.close()


def look(ledger: Ledger, at: float, *keys: Key, says: str = "it is") -> None:
    ledger.note_ailments(dict.fromkeys(keys, (says, "mend it")), at)


def spell(key: Key, began: float, seen: float, ended: float | None = None, says: str = "it is") -> Spell:
    return Spell(*key, says, "mend it", began, seen, ended)


def test_an_ailment_that_stays_is_one_entry_with_when_it_was_last_seen(ledger: Ledger) -> None:
    for minute in range(5):
        look(ledger, NOON + 60 * minute, FULL, says=f"{minute}")
    assert ledger.ailments(NOON + 300) == [spell(FULL, NOON, NOON + 240, says="4")]


def test_it_ends_with_the_look_that_does_not_find_it_and_may_begin_again(ledger: Ledger) -> None:
    look(ledger, NOON, FULL)
    look(ledger, NOON + 60, LATE)
    look(ledger, NOON + 120, LATE)
    look(ledger, NOON + 180, FULL, LATE)
    assert ledger.ailments(NOON + 200) == [
        spell(FULL, NOON + 180, NOON + 180),
        spell(LATE, NOON + 60, NOON + 180),
        spell(FULL, NOON, NOON, NOON + 60),
    ]


def test_it_outlives_a_restart(ledger_url: str) -> None:
    for at, keys in ((NOON, (FULL, LATE)), (NOON + 3600, (LATE,))):
        ledger = Ledger(ledger_url)
        look(ledger, at, *keys)
        ledger.close()
    ledger = Ledger(ledger_url)
    assert ledger.ailments(NOON + 3600) == [
        spell(LATE, NOON, NOON + 3600),
        spell(FULL, NOON, NOON, NOON + 3600),
    ]
    ledger.close()


def test_what_ended_is_forgotten_after_thirty_days_and_what_goes_on_never(ledger: Ledger) -> None:
    look(ledger, NOON, FULL, LATE)
    look(ledger, NOON + 60, LATE)
    assert len(ledger.ailments(NOON + 60 + KEPT)) == 2
    assert ledger.ailments(NOON + 61 + KEPT) == [spell(LATE, NOON, NOON + 60)]
    look(ledger, NOON + 61 + KEPT, LATE)
    assert ledger.ailments(NOON) == [spell(LATE, NOON, NOON + 61 + KEPT)]


def test_it_does_not_grow_forever(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST >= 500
    monkeypatch.setattr("fanous.store.database.MOST", 3)
    for minute in range(20):
        look(ledger, NOON + 60 * minute, *((FULL,) if minute % 2 else ()))
    look(ledger, NOON + 1200)
    assert [one.began_at for one in ledger.ailments(NOON + 1200)] == [NOON + 60 * n for n in (19, 17, 15)]


def test_a_clock_that_is_set_back_breaks_nothing(ledger: Ledger) -> None:
    look(ledger, NOON, FULL)
    look(ledger, NOON + 60)
    look(ledger, NOON, FULL)
    assert ledger.ailments(NOON) == [spell(FULL, NOON, NOON)]


def test_while_all_is_well_nothing_is_written(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    ledger = Ledger(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")  # other writers wait for this one
        look(ledger, NOON)
    ledger.close()


def test_a_store_from_before_this_table_opens(tmp_path: Path) -> None:
    with open_store(tmp_path / "store"):
        pass
    with closing(sqlite3.connect(tmp_path / "store" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("DROP TABLE ailments")
    with open_store(tmp_path / "store") as store:
        store.ledger.note_ailments({FULL: ("it is", "mend it")}, NOON)
        assert store.ledger.ailments(NOON) == [spell(FULL, NOON, NOON)]
