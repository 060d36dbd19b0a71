"""What is changed in a ledger past Fanous shows in its chain."""

from collections.abc import Iterator

import pytest

from fanous.model.alert import AlertGroup, AlertState, Happening, Order, Priority
from fanous.model.incident import Approval, Decided, Decision, Kind, Status
from fanous.model.reason import as_written
from fanous.model.vitals import History
from fanous.store import chain
from fanous.store.database import Database
from fanous.store.ledger import Ledger
from tests.store.cases import NOON, incident
from tests.store.test_ledger import run
from tests.store.test_notices import CLAIM, RALLY

NAME = "PK-2023-0001"
GROUP = AlertGroup("PK", "", Kind.BLOCKING, Priority.NATION, is_confirmed=True, is_staged=False)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger(ledger_url)
    yield opened
    opened.close()


@pytest.fixture
def written(ledger: Ledger) -> History:
    """One entry of each kind, and two revisions."""
    ledger.put(incident(), as_written("because"), at=NOON)
    ledger.put(
        incident(end=NOON + 60, status=Status.ENDED), as_written("it ended"), known_as=NAME, at=NOON + 90
    )
    ledger.add_claim(CLAIM, at=NOON)
    ledger.add_event(RALLY, at=NOON)
    ledger.approve(Approval(NAME, 1, "Ayesha", NOON))
    ledger.decide(Decision(NAME, Decided.NAME, "Bilal", NOON, revision=2))
    ledger.name_role("Bilal", "an editor")
    news = ledger.outbox.next_news()
    assert news is not None
    ledger.outbox.route(news, [Order("desk", NAME, 1, Happening.CORRECTED, GROUP)])
    (delivery,) = ledger.outbox.deliveries()
    ledger.outbox.begin([delivery], "X is blocked")
    ledger.outbox.finish([delivery.key], AlertState.SENT, at=NOON + 5)
    history = ledger.history()
    assert history.defects == ()
    assert history.entries == 8
    return history


@pytest.mark.parametrize(
    ("tampered", "defect"),
    [
        ("UPDATE revisions SET onset = onset - 94608000 WHERE n = 1", f"revision {NAME} 1 was changed"),
        ("UPDATE revisions SET at = at - 94608000 WHERE n = 2", f"revision {NAME} 2 was changed"),
        (
            "UPDATE revisions SET document = replace(document, 'imported', 'real')",
            f"revision {NAME} 1 was changed",
        ),
        (
            "UPDATE revisions SET document = replace(document, '\"PK\"', '\"IR\"')",
            f"revision {NAME} 1 was changed",
        ),
        ("DELETE FROM revisions WHERE n = 2", f"revision {NAME} 2 is missing"),
        (
            "INSERT INTO revisions SELECT incident, 3, at, reason, status, onset, ends, document FROM revisions "
            "WHERE n = 2",
            f"revision {NAME} 3 is not in the chain",
        ),
        ("UPDATE claims SET at = 0", "claim PK-claim-1 was changed"),
        ("DELETE FROM watches", "announced event PK-watch-1 is missing"),
        ("UPDATE approvals SET revision = 2", "approval PK-2023-0001"),
        ("UPDATE decisions SET who = 'Ayesha'", "decision 1 was changed"),
        ("UPDATE roles SET role = 'nobody'", "role 1 was changed"),
        ("UPDATE deliveries SET sent_at = sent_at - 3600", "alert "),
        ("UPDATE alert_groups SET message = 'nothing is blocked'", "alert "),
        ("UPDATE chain SET digest = 'forged' WHERE seq = 3", "link 3 does not follow link 2"),
        ("DELETE FROM chain WHERE seq = 3", "link 4 does not follow link 2"),
        ("DELETE FROM chain", "the chain has no beginning"),
    ],
)
def test_what_is_changed_past_it_shows(
    ledger: Ledger, ledger_url: str, written: History, tampered: str, defect: str
) -> None:
    run(ledger_url, tampered)
    assert any(found.startswith(defect) for found in ledger.history().defects), ledger.history().defects


def test_a_head_that_was_kept_shows_what_was_cut_off(
    ledger: Ledger, ledger_url: str, written: History
) -> None:
    run(ledger_url, "DELETE FROM alert_groups", "DELETE FROM deliveries")
    run(ledger_url, "DELETE FROM chain WHERE seq = (SELECT max(seq) FROM chain)")
    shorter = ledger.history()
    assert shorter.defects == (), "what is cut off cleanly shows only to who kept the head"
    assert shorter.head != written.head


def test_a_digest_may_take_the_place_of_a_name(ledger: Ledger, ledger_url: str, written: History) -> None:
    database = Database(ledger_url)
    with database.reading() as connection:
        links = connection.rows("SELECT kind, name, digest, head FROM chain")
        person = chain.digest_of_person("Ayesha", chain.salt_of(connection))
        connection.run("UPDATE approvals SET who = :who", who=person)
    database.close()
    assert not any("Ayesha" in text or "Bilal" in text for link in links for text in link)
    assert ledger.history().defects == ()


def test_an_alert_is_in_it_once_however_often_it_is_finished(ledger: Ledger, written: History) -> None:
    (delivery,) = ledger.outbox.deliveries()
    ledger.outbox.finish([delivery.key], AlertState.SENT, at=NOON + 3600)
    assert ledger.history() == written


def test_what_was_written_before_it_began_is_taken_over(ledger_url: str) -> None:
    first = Ledger(ledger_url)
    first.put(incident(), as_written("because"), at=NOON)
    first.close()
    run(ledger_url, "DELETE FROM chain", "DELETE FROM meta WHERE key = 'chain_salt'")
    run(ledger_url, "INSERT INTO meta VALUES ('provenance', 'unvouched')")
    again = Ledger(ledger_url, clock=lambda: NOON + 60)
    assert again.history().defects == ()
    assert again.history().begins == "2023-12-17T12:01:00Z"
    again.put(incident(), as_written("because"), at=NOON + 60)
    assert (again.history().entries, again.history().defects) == (2, ())
    again.close()
