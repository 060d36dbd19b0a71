"""What only another method takes back is one notice: on the first page, in the feeds, and in no alert."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fanous.analysis.detectors.detector import Reads
from fanous.analysis.detectors.registry import version_of
from fanous.model.incident import Incident, MethodChange, Status
from fanous.pipeline.judge import rules_version
from fanous.pipeline.revise import method_version, write_changes
from fanous.publish.alerts.channel import AlertRule, Channel
from fanous.publish.alerts.dispatch import route
from fanous.publish.alerts.senders.webhook import new_secret
from fanous.publish.alerts.settings import Alerting
from fanous.publish.edition import Edition
from fanous.publish.feeds import corrections_feed, feed_of
from fanous.questions.claims import corrections, method_changes
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.wording.language import ENGLISH
from tests.store.cases import NOON, incident
from tests.web.visits import Reader

LATER, HOUR = NOON + 10_000.0, 3600.0
TODAYS: dict[str, Any] = {"rules_version": rules_version(), "detector_version": version_of(Reads.VOTES)}
FORMER: dict[str, Any] = {"rules_version": "2026.1", "detector_version": "2026.1"}
DESK = Channel("desk", "webhook", "https://desk.example/", secret=new_secret())
ALERTING = Alerting(channels={DESK.name: DESK}, rules=(AlertRule((DESK.name,)),))


class Clock:
    now = NOON + HOUR

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path, clock: Clock) -> Iterator[Store]:
    with open_store(folder, clock=clock) as opened:
        yield opened


def published(store: Store, versions: dict[str, Any], method: str) -> list[Incident]:
    """Three incidents that those versions found, and of which a channel was told."""
    store.ledger.note_method(method)
    found = [incident(entities=(f"AS{n}",), **versions) for n in (17557, 45669, 59257)]
    put = [store.ledger.put(replace(one, onset=NOON + n), one.reasons) for n, one in enumerate(found)]
    route(store, ALERTING)
    return put


def found_again(store: Store, clock: Clock, found: list[Incident]) -> None:
    """What a detection writes that finds only these."""
    clock.now = LATER
    store.ledger.note_method(method_version())
    write_changes(store, "PK", found, NOON - HOUR, LATER)
    route(store, ALERTING)


def alerted(store: Store) -> list[int]:
    """The revisions that the channel is told of."""
    return sorted(one.n for one in store.ledger.outbox.deliveries())


def titles(store: Store) -> tuple[list[str], list[str]]:
    """Of the entries of the feed that are as new as the detection, and of the feed of corrections."""
    edition = Edition(ENGLISH, "https://monitor.example", LATER + HOUR)
    latest, gone = feed_of(store, edition), corrections_feed(store, edition)
    return [one.title for one in latest.entries if one.updated >= LATER], [one.title for one in gone.entries]


NOTICE = "The method changed on 17 December 2023"


def test_what_another_method_takes_back_is_one_notice_and_one_message(store: Store, clock: Clock) -> None:
    first, second, _ = published(store, FORMER, "former")
    found_again(
        store,
        clock,
        [
            replace(first, **TODAYS),
            replace(second, **TODAYS, status=Status.SUSPECTED, confirmed_at=None, rule=""),
        ],
    )
    assert method_changes(store) == [MethodChange(LATER, revised=3, corrected=2, unvouched=0)]
    assert [one.by_method for one in corrections(store)] == [True, True]
    assert titles(store) == ([NOTICE], [NOTICE])
    assert alerted(store) == [1, 1, 1, 2, 2]
    groups = {one.group for one in store.ledger.outbox.deliveries() if one.n == 2}
    assert len(groups) == 1, "the channel gets both in one message"


def test_what_measurements_take_back_is_told_one_by_one(store: Store, clock: Clock) -> None:
    first, *_ = published(store, TODAYS, method_version())
    found_again(store, clock, [first])
    assert method_changes(store) == []
    assert [one.by_method for one in corrections(store)] == [False, False]
    latest, gone = titles(store)
    assert len(latest) == len(gone) == 2 and NOTICE not in (*latest, *gone)
    assert alerted(store) == [1, 1, 1, 2, 2]


def test_what_another_method_confirms_is_news_all_the_same(store: Store, clock: Clock) -> None:
    """A true event must not go unheard because it was confirmed in the hour of an upgrade."""
    unsure = {**FORMER, "status": Status.SUSPECTED, "confirmed_at": None, "rule": ""}
    put = published(store, unsure, "former")
    sure = [replace(one, **TODAYS, status=Status.CONFIRMED, confirmed_at=NOON, rule="C2") for one in put]
    found_again(store, clock, sure)
    latest, gone = titles(store)
    assert len(latest) == 4 and gone == [NOTICE]
    assert 2 in alerted(store)


def test_the_notice_is_on_the_first_page_for_a_month_and_stays_among_the_corrections(
    store: Store, clock: Clock, folder: Path
) -> None:
    published(store, FORMER, "former")
    found_again(store, clock, [])
    store.close()
    with OneThread(lambda: open_store(folder, read_only=True, clock=clock)) as owner:
        for after, is_there in ((HOUR, True), (31 * 24 * HOUR, False)):
            visitor = Reader(application(owner.ask, Site(clock=lambda: LATER + after)))  # noqa: B023
            page = visitor.get("/").text
            assert (f"{NOTICE}." in page) is is_there
            assert "narrowed or retracted: 3;" in page or not is_there
            assert "Retracted in the last 30 days" not in page
            listed = visitor.get("/corrections").text
            assert f"{NOTICE}." in listed and listed.count("No longer claimed") == 3


def test_a_store_that_never_had_another_method_announces_none(store: Store, clock: Clock) -> None:
    published(store, TODAYS, method_version())
    store.ledger.note_method(method_version())
    assert [one.since for one in store.ledger.methods()] == [None]
    found_again(store, clock, [])
    assert method_changes(store) == []


def test_an_old_retraction_that_is_labelled_anew_is_not_retracted_anew(store: Store, clock: Clock) -> None:
    first, *_ = published(store, TODAYS, method_version())
    store.ledger.retract(first.id, ())
    clock.now = LATER
    gone = store.ledger.incident(first.id)
    assert gone is not None
    store.ledger.put(replace(gone, confidence=0.5), gone.reasons, known_as=gone.id)
    assert store.ledger.incidents(retracted=LATER) == []
    assert [one.id for one in store.ledger.incidents(retracted=NOON)] == [first.id]
    assert [one.id for one in store.ledger.incidents(revised=LATER)] == [first.id]
