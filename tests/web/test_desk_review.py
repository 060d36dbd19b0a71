"""The review queue: what waits, how it would read, and what is decided, on a real ledger."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from fanous.model.incident import Incident, Status
from fanous.pipeline import detect, ingest
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.web.templates import whole
from fanous.wording.language import LANGUAGES
from fanous.wording.narrative import lede
from tests.commands import fanous
from tests.copies import copy_of
from tests.web.deskhand import Deskhand
from tests.web.test_desk_login import TOKEN
from tests.web.visits import NOW, Reader

WHO = "the duty editor"
T = TypeVar("T")


@dataclass
class House:
    """A store with one national claim that waits, its desk, and its readers."""

    owner: OneThread
    hand: Deskhand
    reader: Reader

    def incident(self) -> Incident:
        return self.ask(lambda store: store.ledger.incidents("PK")[0])

    def ask(self, question: Callable[[Store], T]) -> T:
        return asyncio.run(self.owner.ask(question))

    def decide(self, decision: str, **fields: str) -> httpx.Response:
        page = f"/desk/incidents/{self.incident().id}"
        return self.hand.post(page, decision=decision, **({"by": WHO, "text": "seen by two"} | fields))


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, small_rally: Path) -> Path:
    """A store in which a national claim waits."""
    folder = tmp_path_factory.mktemp("waiting") / "store"
    with open_store(folder) as store:
        store.ledger.hold_national(True)
        ingest.ingest(store, "ooni", [small_rally])
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[House]:
    with OneThread(lambda: open_store(folder)) as owner:
        app = application(owner.ask, Site(clock=lambda: NOW, token=TOKEN))
        hand = Deskhand(app)
        hand.login(TOKEN)
        yield House(owner, hand, Reader(app))


@pytest.fixture
def house(tmp_path: Path, waiting: Path) -> Iterator[House]:
    with opened(copy_of(waiting, tmp_path / "store")) as one:
        yield one


def test_waiting_incidents_come_first_with_the_sentence_to_be_published(house: House) -> None:
    waiting = house.incident()
    assert waiting.held_by == "review"
    queue = house.hand.get("/desk").text
    assert queue.index(waiting.id) < queue.index("Open incidents")
    page = house.hand.get(f"/desk/incidents/{waiting.id}").text
    house.decide("approve")
    published = whole(lede(house.incident(), LANGUAGES["en"]).text)
    assert "Confirmed; now ended" in published
    whole_lede = f"Synthetic: a staged event. It says nothing about Pakistan. {published}"
    assert whole_lede in house.reader.get(f"/PK/{waiting.id}").text
    assert whole_lede in queue
    assert whole_lede in page
    assert published not in house.hand.get("/desk").text.partition("Open incidents")[0]


def test_approving_is_logged_and_published(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fanous"):
        answer = house.decide("approve")
    assert answer.headers["location"] == f"/desk/incidents/{house.incident().id}?done=Approve"
    assert "Approved." in house.hand.get(answer.headers["location"]).text
    assert "desk_done action=Approve" in caplog.text
    assert WHO in caplog.text
    assert f"Approved by {WHO}: seen by two" in house.reader.get(f"/PK/{house.incident().id}").text


def test_the_desk_does_what_the_command_does(tmp_path: Path, waiting: Path) -> None:
    with opened(copy_of(waiting, tmp_path / "desk")) as house:
        house.decide("approve")
        label = house.incident().id
        by_desk = house.ask(lambda store: store.ledger.revisions(label))
    folder = copy_of(waiting, tmp_path / "command")
    fanous("incidents", "approve", label, "--by", WHO, "--note", "seen by two", "--store", folder)
    with open_store(folder) as store:
        by_command = store.ledger.revisions(label)
    assert [(one.reasons, one.incident) for one in by_desk] == [
        (one.reasons, one.incident) for one in by_command
    ]


def test_what_is_approved_can_be_held_again_and_detection_does_not_free_it(house: House) -> None:
    house.decide("approve")
    house.decide("hold")
    held = house.incident()
    assert (held.status, held.held_by, held.confirmed_at) == (Status.SUSPECTED, "person", None)
    assert (
        "Held by the duty editor until it has been reviewed: seen by two"
        in house.reader.get(f"/PK/{held.id}").text
    )
    house.ask(lambda store: detect.detect(store, "PK", held.onset, NOW))
    assert house.incident() == held
    house.decide("approve")
    assert house.incident().status is Status.ENDED


def test_a_decision_needs_a_name_and_what_was_typed_stays(house: House) -> None:
    before = house.incident()
    answer = house.decide("approve", by="", text="a long text")
    assert answer.status_code == 422
    assert "Sign it with a role or a name" in answer.text
    assert "a long text" in answer.text
    assert house.incident() == before
    assert house.decide("", by=WHO).status_code == 422
    assert house.decide("retract", by="x" * 200).status_code == 422


def test_what_was_revised_while_the_page_was_open_is_not_decided_blindly(house: House) -> None:
    label = house.incident().id
    seen = re.search(r'name="seen" value="([0-9]+)"', house.hand.get(f"/desk/incidents/{label}").text)
    assert seen is not None
    assert house.decide("approve", seen=seen[1]).status_code == 303
    answer = house.decide("retract", seen=seen[1], text="from an old page")
    assert (answer.status_code, "It was revised after you opened the page" in answer.text) == (422, True)
    assert "from an old page</textarea>" in answer.text
    assert house.incident().status is Status.ENDED
    assert house.decide("retract", seen=str(int(seen[1]) + 1)).status_code == 303


def test_of_contrary_decisions_at_once_one_is_taken_and_the_other_is_told(house: House) -> None:
    seen = re.search(
        r'name="seen" value="([0-9]+)"', house.hand.get(f"/desk/incidents/{house.incident().id}").text
    )
    assert seen is not None
    fields = {"seen": seen[1], "text": "at the same moment"}
    with ThreadPoolExecutor(4) as pool:
        both = pool.map(lambda decision: house.decide(decision, **fields), ("approve", "retract") * 2)
        assert sorted(answer.status_code for answer in both) == [303, 422, 422, 422]
    told = house.ask(lambda store: store.ledger.revisions(store.ledger.incidents("PK")[0].id))
    assert len(told) == int(seen[1]) + 1


def test_there_is_no_page_of_an_incident_that_is_not_there(house: House) -> None:
    assert house.hand.get("/desk/incidents/PK-2023-9999").status_code == 404


def test_the_desk_speaks_every_language(house: House) -> None:
    label = house.incident().id
    for code, language in LANGUAGES.items():
        for path in ("/desk", f"/desk/incidents/{label}"):
            text = house.hand.get(f"{path}?lang={code}").text
            assert f'<html lang="{code}" dir="{language.direction}">' in text
            assert language.say("Log out") in text
            assert code == "en" or text.count(' lang="en"') == 1, path  # the link to English, and no text


def test_a_note_is_published_kept_by_detection_and_removed(house: House) -> None:
    house.decide("approve")
    label = house.incident().id
    house.decide("note", text="The operator says <b>it was maintenance</b>.\r\n\r\nWe asked again.")
    for page in (house.reader.get(f"/PK/{label}").text, house.hand.get(f"/desk/incidents/{label}").text):
        assert "maintenance&lt;/b&gt;.</bdi><br><bdi>We asked again.</bdi>" in page
        assert f"Note by {WHO}" in page
    noted = house.incident()
    house.ask(lambda store: detect.detect(store, "PK", noted.onset, NOW))
    assert house.incident() == noted
    assert house.reader.get(f"/PK/{label}.json").json()["note"]["by"] == WHO
    house.decide("note", text="")
    assert house.incident().note is None


def test_a_role_takes_the_place_of_a_name_in_everything_that_was_signed(house: House) -> None:
    house.decide("approve", by="Ayesha Khan", text="seen by two")
    house.decide("note", by="Ayesha Khan")
    label = house.incident().id
    assert "Ayesha Khan" in house.reader.get(f"/PK/{label}").text
    house.decide("role", name="Ayesha Khan", role="the night editor")
    for path in (f"/PK/{label}", f"/PK/{label}.json", f"/api/v1/incidents/{label}", "/feed.json"):
        assert "Ayesha" not in house.reader.get(path).text, path
    assert "Approved by the night editor: seen by two" in house.reader.get(f"/PK/{label}").text
    assert house.decide("role", name="", role="x").status_code == 422


def test_what_waits_is_public_only_as_far_as_the_operator_says(house: House) -> None:
    label = house.incident().id
    paths = (f"/PK/{label}", f"/PK/{label}.json", f"/api/v1/incidents/{label}", f"/PK/{label}/card.png")
    lists = ("/", "/PK", "/PK/feed.json", "/api/v1/incidents", "/incidents", "/corrections")
    assert [house.reader.get(path).status_code for path in paths] == [200] * 4
    house.ask(lambda store: store.ledger.hide_held(True))
    with opened_again(house) as (hand, reader):
        assert [reader.get(path).status_code for path in paths] == [404] * 4
        for path in lists:
            assert label not in reader.get(path).text, path
        for path in ("/", "/PK", "/target/x"):
            assert "one may be under way that is not shown" in reader.get(path).text, path
            assert "No ongoing disruption" not in reader.get(path).text, path
        page = hand.get(f"/desk/incidents/{label}").text
        assert "Readers do not see this incident." in page
        assert "Network by network" in page and "<svg" in page
        measurements = f"/desk/incidents/{label}/measurements"
        assert f'href="{measurements}"' in page
        listed = hand.get(measurements).text
        assert int(re.search(r"<h1>([0-9,]+) measurements saw it", listed)[1].replace(",", "")) > 100  # type: ignore[index]
        second, elsewhere = f"{measurements}?page=2", f"/PK/{label}/measurements"
        assert f'href="{second}"' in listed and elsewhere not in listed
        assert hand.get(second).text != listed == hand.get(f"{measurements}?page=x").text
        assert reader.get(elsewhere).status_code == 404
        hand.post(f"/desk/incidents/{label}", decision="approve", by=WHO)
        assert [reader.get(path).status_code for path in paths] == [200] * 4


def test_what_was_public_and_is_held_is_seen_as_held_even_then(house: House) -> None:
    house.ask(lambda store: store.ledger.hide_held(True))
    house.decide("approve")
    house.decide("hold")
    text = house.reader.get(f"/PK/{house.incident().id}").text
    assert "Held by the duty editor" in text
    assert "Suspected" in text


@contextmanager
def opened_again(house: House) -> Iterator[tuple[Deskhand, Reader]]:
    """The same store with nothing on its shelf."""
    app = application(house.owner.ask, Site(clock=lambda: NOW, token=TOKEN))
    hand = Deskhand(app)
    hand.login(TOKEN)
    yield hand, Reader(app)
