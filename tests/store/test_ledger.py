import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.incident import Status
from fanous.store.ledger import Ledger
from tests.store.cases import NOON, incident


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    yield opened
    opened.close()


def put(ledger: Ledger, known_as: str | None = None, at: float = NOON, **given: object) -> str:
    return ledger.put(incident(**given), "because", known_as, at).id


def test_ids_are_numbered_by_country_and_year_of_onset(ledger: Ledger) -> None:
    assert put(ledger) == "PK-2023-0001"
    assert put(ledger) == "PK-2023-0002"
    assert put(ledger, country="IR") == "IR-2023-0001"
    assert put(ledger, onset=NOON + 365 * 86400) == "PK-2024-0001"


def test_numbers_go_on_after_9999(ledger: Ledger, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.sqlite") as file:
        for number in (999, 9999, 10000):
            file.execute("insert into incidents values (?, 'PK', 2023, ?, 0)", (f"PK-2023-{number}", number))
    file.close()
    assert put(ledger) == "PK-2023-10001"


def test_the_same_claim_again_is_no_revision(ledger: Ledger) -> None:
    name = put(ledger)
    assert put(ledger, name) == name
    assert put(ledger, name, id="PK-2020-0007") == name  # the label is no part of the claim
    assert len(ledger.revisions(name)) == 1


def test_a_changed_claim_is_appended_and_the_old_one_stays(ledger: Ledger) -> None:
    name = put(ledger, at=NOON)
    put(ledger, name, at=NOON + 60, end=NOON + 3600, status=Status.ENDED)
    first, second = ledger.revisions(name)
    assert (first.n, first.at, first.incident) == (1, NOON, incident(id=name))
    assert (second.n, second.at, second.reason) == (2, NOON + 60, "because")
    assert ledger.incident(name) == second.incident
    assert ledger.incidents(None, None, None) == [second.incident]


def test_a_retraction_is_a_revision_with_its_reason(ledger: Ledger) -> None:
    name = put(ledger)
    taken_back = ledger.retract(name, "it was us", NOON + 60)
    assert taken_back == incident(id=name, status=Status.RETRACTED, reason="it was us")
    assert ledger.retract(name, "again", NOON + 90) == taken_back
    assert [revision.reason for revision in ledger.revisions(name)] == ["because", "it was us"]


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (None, None, True),
        (NOON + 3599, None, True),
        (NOON + 3600, None, False),  # half-open: it ended then
        (None, NOON, False),
        (None, NOON + 1, True),
        (NOON + 60, NOON + 120, True),
    ],
)
def test_incidents_are_those_that_overlap_the_window(
    ledger: Ledger, since: float | None, until: float | None, found: bool
) -> None:
    put(ledger, end=NOON + 3600)
    assert bool(ledger.incidents("PK", since, until)) == found


def test_an_incident_that_goes_on_overlaps_all_that_follows(ledger: Ledger) -> None:
    put(ledger)
    assert len(ledger.incidents("PK", NOON + 1e8, NOON + 2e8)) == 1
    assert ledger.incidents("IR", None, None) == []


def test_only_the_latest_revision_is_asked(ledger: Ledger) -> None:
    name = put(ledger)
    put(ledger, name, end=NOON + 3600)
    assert ledger.incidents("PK", NOON + 7200, None) == []


def test_an_unknown_incident_is_said_to_be_unknown(ledger: Ledger) -> None:
    assert (ledger.incident("PK-1999-0001"), ledger.revisions("PK-1999-0001")) == (None, [])
    with pytest.raises(FanousError, match="no incident PK-1999-0001"):
        ledger.retract("PK-1999-0001", "why", None)
    with pytest.raises(FanousError, match="no incident PK-1999-0001"):
        put(ledger, "PK-1999-0001")


def test_what_is_written_is_there_after_reopening(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    first = Ledger(url)
    claimed = first.put(incident(), "because", None, NOON)
    first.close()
    second = Ledger(url)
    assert second.incidents("PK", None, None) == [claimed] == [replace(incident(), id="PK-2023-0001")]
    second.close()


def test_a_ledger_of_a_newer_fanous_is_refused(tmp_path: Path, ledger: Ledger) -> None:
    with sqlite3.connect(tmp_path / "ledger.sqlite") as file:
        file.execute("update meta set value = '99' where key = 'format'")
    file.close()
    with pytest.raises(FanousError, match=r"newer Fanous \(format 99"):
        Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("not a database at all, but a text of some length" * 10)
    with pytest.raises(FanousError, match="cannot use the ledger"):
        Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")


@pytest.mark.parametrize("url", ["nonsense", "oddsql://host/db"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(FanousError, match="the ledger cannot be kept in"):
        Ledger(url)
