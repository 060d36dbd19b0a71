"""What people put into the ledger in addition to the incidents."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.claim import Claim, Said
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Approval, Scope
from fanous.model.reason import as_written
from fanous.store.local import open_store
from fanous.store.location import StoreLocation
from fanous.store.protocol import Store
from tests.store.cases import NOON, incident

CLAIM = Claim(
    "NetBlocks", Said.DISRUPTED, "PK", NOON, NOON + 3600, targets=("x",), scope=Scope.NATION, hours=7
)
RALLY = AnnouncedEvent("PK", NOON, NOON + 7200, "A rally", ("x",))


@pytest.fixture
def store(tmp_path: Path, ledger_url: str) -> Iterator[Store]:
    location = StoreLocation(tmp_path / "archive", f"chdb://{tmp_path}/facts", ledger_url)
    with open_store(location) as opened:
        yield opened


def test_claims_come_back_as_they_were_with_labels_by_country(store: Store) -> None:
    first = store.ledger.add_claim(CLAIM, at=1.0)
    other = store.ledger.add_claim(replace(CLAIM, country="IR"), at=2.0)
    second = store.ledger.add_claim(replace(CLAIM, since=NOON - 60), at=3.0)
    assert [c.id for c in (first, other, second)] == ["PK-claim-1", "IR-claim-1", "PK-claim-2"]
    assert store.ledger.claims("PK") == [second, first]
    assert first == replace(CLAIM, id="PK-claim-1", recorded_at=1.0)
    assert len(store.ledger.claims()) == 3
    assert store.ledger.claims("PK", since=NOON + 3600) == [], "a window is half-open"
    assert store.ledger.claims("PK", until=NOON) == [second]


def test_an_event_that_is_registered_twice_keeps_its_first_time(store: Store) -> None:
    first = store.ledger.add_event(RALLY, at=1.0)
    again = store.ledger.add_event(RALLY, at=NOON + 60)
    assert again == first
    assert store.ledger.events("PK") == store.ledger.events(None, NOON + 7199, NOON + 9000) == [first]
    assert store.ledger.events(None, NOON + 7200) == store.ledger.events(None, None, NOON) == []
    assert store.ledger.add_event(replace(RALLY, title="Another"), at=1.0).id == "PK-watch-2"


def test_the_latest_approval_counts(store: Store) -> None:
    store.ledger.approve(Approval("PK-2023-0001", 1, "Ayesha", 1.0))
    store.ledger.approve(Approval("PK-2023-0001", 3, "Bilal", 2.0, "seen again"))
    assert store.ledger.approvals() == {
        "PK-2023-0001": Approval("PK-2023-0001", 3, "Bilal", 2.0, "seen again")
    }


def test_a_ledger_from_before_these_tables_opens_and_loses_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        known = store.ledger.put(incident(), as_written("first"))
    with closing(sqlite3.connect(tmp_path / "store" / "ledger.sqlite")) as ledger, ledger:
        for table in ("claims", "watches", "approvals"):
            ledger.execute(f"DROP TABLE {table}")
    with open_store(tmp_path / "store") as store:
        assert store.ledger.incidents("PK") == [known]
        assert (store.ledger.claims(), store.ledger.events()) == ([], [])
        store.ledger.add_claim(CLAIM)


def test_a_damaged_claim_or_event_is_named(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.ledger.add_claim(CLAIM)
        store.ledger.add_event(RALLY)
    with closing(sqlite3.connect(tmp_path / "store" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE claims SET document = '{}'")
        ledger.execute("UPDATE watches SET document = '{}'")
    with open_store(tmp_path / "store") as store:
        with pytest.raises(FanousError, match="holds a claim that cannot be read"):
            store.ledger.claims()
        with pytest.raises(FanousError, match="holds an announced event that cannot be read"):
            store.ledger.events()


def test_whatever_is_added_to_the_ledger_is_counted_as_written(store: Store) -> None:
    counts = [store.ledger.written()]
    label = store.ledger.put(incident(), as_written("found")).id
    counts.append(store.ledger.written())
    for add in (
        lambda: store.ledger.retract(label, as_written("wrong")),
        lambda: store.ledger.add_claim(CLAIM),
        lambda: store.ledger.add_event(RALLY),
        lambda: store.ledger.approve(Approval(label, 1, "Ayesha", NOON, "read")),
    ):
        add()
        counts.append(store.ledger.written())
    assert len(set(counts)) == len(counts)
    store.ledger.retract(label, as_written("wrong"))
    store.ledger.add_event(RALLY)
    assert store.ledger.written() == counts[-1]
