import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.incident import BACKFILL, Incident, Status
from fanous.model.reason import as_written
from fanous.store import database
from fanous.store.cache import Cache
from fanous.store.database import Database
from fanous.store.ledger import Ledger
from tests.store.cases import NOON, incident


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger(ledger_url)
    yield opened
    opened.close()


def run(url: str, *statements: str) -> None:
    """Statements past the ledger, on its database."""
    opened = Database(url)
    with opened.reading() as connection:
        for statement in statements:
            connection.run(statement)
    opened.close()


def put(ledger: Ledger, known_as: str | None = None, at: float = NOON, **given: object) -> str:
    return ledger.put(incident(**given), as_written("because"), known_as=known_as, at=at).id


def test_ids_are_numbered_by_country_and_year_of_onset(ledger: Ledger) -> None:
    assert put(ledger) == "PK-2023-0001"
    assert put(ledger) == "PK-2023-0002"
    assert put(ledger, country="IR") == "IR-2023-0001"
    assert put(ledger, onset=NOON + 365 * 86400) == "PK-2024-0001"


def test_numbers_go_on_after_9999(ledger: Ledger, ledger_url: str) -> None:
    insert = "insert into incidents values ('PK-2023-{0}', 'PK', 2023, {0}, 0)"
    run(ledger_url, *(insert.format(number) for number in (999, 9999, 10000)))
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
    assert (second.n, second.at, second.reasons) == (2, NOON + 60, as_written("because"))
    assert ledger.incident(name) == second.incident
    assert ledger.incidents(None, None, None) == [second.incident]


def test_a_retraction_is_a_revision_with_its_reason(ledger: Ledger) -> None:
    name = put(ledger)
    taken_back = ledger.retract(name, as_written("it was us"), at=NOON + 60)
    assert taken_back == incident(id=name, status=Status.RETRACTED, reasons=as_written("it was us"))
    assert ledger.retract(name, as_written("again"), at=NOON + 90) == taken_back
    assert [one.id for one in ledger.incidents(retracted=NOON + 60)] == [name]
    assert ledger.incidents(retracted=NOON + 61) == []
    assert [revision.reasons for revision in ledger.revisions(name)] == [
        as_written("because"),
        as_written("it was us"),
    ]


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
        ledger.retract("PK-1999-0001", as_written("why"))
    with pytest.raises(FanousError, match="no incident PK-1999-0001"):
        put(ledger, "PK-1999-0001")


def test_what_is_written_is_there_after_reopening(ledger_url: str) -> None:
    first = Ledger(ledger_url)
    claimed = first.put(incident(), as_written("because"), at=NOON)
    first.close()
    second = Ledger(ledger_url)
    assert second.incidents("PK", None, None) == [claimed] == [replace(incident(), id="PK-2023-0001")]
    second.close()


def test_a_ledger_of_a_newer_fanous_is_refused(ledger: Ledger, ledger_url: str) -> None:
    run(ledger_url, "update meta set value = '99' where key = 'format'")
    with pytest.raises(FanousError, match=r"newer Fanous \(format 99"):
        Ledger(ledger_url)


def test_incidents_of_one_moment_are_in_order_of_their_ids(ledger: Ledger) -> None:
    for country in ("PK", "IR", "PK"):
        put(ledger, country=country)
    ids = ["IR-2023-0001", "PK-2023-0001", "PK-2023-0002"]
    assert [one.id for one in ledger.incidents(None, None, None)] == ids


def test_two_writers_at_once_never_give_one_number_twice(ledger_url: str) -> None:
    ledgers = [Ledger(ledger_url) for _ in range(4)]
    given: list[str] = []
    threads = [
        threading.Thread(target=lambda own=own: given.extend(put(own) for _ in range(10))) for own in ledgers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == [f"PK-2023-{number:04d}" for number in range(1, 41)]
    for own in ledgers:
        own.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("not a database at all, but a text of some length" * 10)
    with pytest.raises(FanousError, match="cannot use the ledger"):
        Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")


@pytest.mark.parametrize("url", ["nonsense", "oddsql://host/db", "mysql://me:secret@host/db"])
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(FanousError, match="cannot keep the ledger in") as refusal:
        Ledger(url)
    assert "secret" not in str(refusal.value)


def test_what_did_not_change_is_not_decoded_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []
    own = database._decode
    monkeypatch.setattr(database, "_DECODED", Cache(1 << 20, lambda kept: len(kept[0])))

    def noted(document: str) -> Incident:
        decoded.append(document)
        return own(document)

    monkeypatch.setattr(database, "_decode", noted)
    name = put(ledger)
    put(ledger)
    ledger.incidents()
    before = len(decoded)
    assert len(ledger.incidents()) == 2
    assert len(decoded) == before
    put(ledger, name, at=NOON + 60, status=Status.ENDED)
    assert [one.status for one in ledger.incidents() if one.id == name] == [Status.ENDED]
    assert len(decoded) == before + 1


def test_revisions_that_are_kept_decoded_are_limited_by_their_bytes(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database._DECODED, "most", 100_000)
    name = put(ledger)
    for turn in range(60):
        put(ledger, name, at=NOON + turn, status=Status.ENDED if turn % 2 else Status.CONFIRMED)
        ledger.incidents()
    assert 0 < database._DECODED.size <= 100_000
    assert len(ledger.revisions(name)) > 50


def test_when_it_was_first_published_stays_from_revision_to_revision(ledger: Ledger) -> None:
    name = put(ledger, held_by=BACKFILL)
    assert ledger.revisions(name)[-1].incident.first_published_at is None, "nothing was claimed yet"
    put(ledger, name, at=NOON + 60)
    put(ledger, name, at=NOON + 120, confidence=0.5)
    ledger.retract(name, as_written("it was us"), at=NOON + 180)
    told = [one.incident.first_published_at for one in ledger.revisions(name)]
    assert told == [None, NOON + 60, NOON + 60, NOON + 60]
