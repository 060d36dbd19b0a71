"""The only place where a request can change the ledger."""

import logging
from typing import Any

import pytest

from fanous.model.incident import Status
from fanous.web.admin import is_token
from fanous.web.answers import Site
from tests.charts.events import ONGOING, incident
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, Reader, reader

TOKEN = "0123456789abcdef0123456789abcdef"
RETRACT = "/admin/incidents/PK-2023-0042/retract"
CLAIM = {
    "who": "NetBlocks",
    "what": "blocking",
    "country": "pk",
    "since": "2023-12-17",
    "until": "2023-12-18",
}
WHY = {"by": "Ayesha", "reason": "it was the platform itself"}


def door(store: SmallStore, token: str = TOKEN) -> Reader:
    return reader(store, Site(clock=lambda: NOW, token=token))


def test_without_a_token_in_the_configuration_there_is_no_door() -> None:
    client = door(SmallStore([incident(**ONGOING)]), token="")
    assert client.post(RETRACT, WHY, authorization="Bearer ").status_code == 404


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}0"]
)
def test_requests_without_the_token_change_nothing_and_are_logged(
    header: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = SmallStore([incident(**ONGOING)])
    with caplog.at_level(logging.INFO, "fanous"):
        answer = door(store).post(RETRACT, WHY, authorization=header)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert store.facts.known[0].status is Status.CONFIRMED
    assert "admin_refused" in caplog.text
    assert TOKEN not in caplog.text


def test_a_claim_is_taken_back_in_a_persons_name_and_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    store = SmallStore([incident(**ONGOING)])
    client = door(store)
    with caplog.at_level(logging.INFO, "fanous"):
        answer = client.post(RETRACT, WHY, authorization=f"Bearer {TOKEN}")
    assert answer.json()["status"] == "retracted"
    assert "Withdrawn by Ayesha: it was the platform itself" in client.get("/PK/PK-2023-0042").text
    assert "admin_done" in caplog.text
    assert "Ayesha" in caplog.text
    assert TOKEN not in caplog.text


def test_what_others_say_can_be_added() -> None:
    store = SmallStore([incident(**ONGOING)])
    answer = door(store).post("/admin/claims", CLAIM, authorization=f"Bearer {TOKEN}")
    assert answer.json() == {"id": "PK-claim-1"}
    assert store.said[0].country == "PK"


@each(
    ("path", "told", "why"),
    [
        (RETRACT, {"by": "", "reason": "x"}, "needs a person's name and a reason"),
        (RETRACT, {"by": "Ayesha"}, "missing required field `reason`"),
        (RETRACT, WHY | {"also": 1}, "unknown field `also`"),
        (RETRACT, {"by": "Ayesha", "reason": "x" * 3000}, "more than 2,000 characters"),
        (RETRACT, {"by": "Ayesha", "reason": "x" * 70_000}, "larger than 64 KiB"),
        ("/admin/incidents/PK-2023-9999/retract", WHY, "no incident PK-2023-9999"),
        ("/admin/incidents/PK-2023-0042/approve", {"by": "Ayesha"}, "not held for review"),
        ("/admin/claims", CLAIM | {"country": "XX"}, "is not an ISO 3166-1 code"),
        ("/admin/claims", CLAIM | {"until": "2023-12-17"}, "must be before until"),
        ("/admin/claims", CLAIM | {"who": " "}, "a name is needed"),
        ("/admin/claims", CLAIM | {"since": "yesterday"}, "yesterday"),
        ("/admin/claims", CLAIM | {"who": "\u202e\u200b"}, "a name is needed"),
        ("/admin/claims", CLAIM | {"link": "http://["}, "its link is not a web address"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_what_is_wrong(path: str, told: Any, why: str) -> None:
    store = SmallStore([incident(**ONGOING)])
    answer = door(store).post(path, told, authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 422
    assert why in answer.json()["error"]
    assert store.facts.known[0].status is Status.CONFIRMED
    assert store.said == []


@each("body", [b'{"\xff": 1}', b"\xff", b"[" * 60_000, b"", b"[]", b'{"since": NaN}'])
def test_a_body_that_is_no_document_is_refused_and_no_bug(body: bytes) -> None:
    client = door(SmallStore([incident(**ONGOING)]))
    assert client.post(RETRACT, body, authorization=f"Bearer {TOKEN}").status_code == 422


def test_a_page_is_right_at_once_after_an_action() -> None:
    client = door(SmallStore([incident(**ONGOING)]))
    assert "1 confirmed internet disruption" in client.get("/").text
    client.post(RETRACT, WHY, authorization=f"Bearer {TOKEN}")
    assert "1 confirmed internet disruption" not in client.get("/").text


def test_the_door_is_for_posts_alone() -> None:
    assert door(SmallStore()).get(RETRACT).status_code == 405


@pytest.mark.parametrize(
    ("header", "token", "fits"),
    [
        ("bearer abc", "abc", True),
        ("Bearer  abc ", "abc", True),
        ("Bearer abc", "", False),
        ("Bearer ", "", False),
    ],
)
def test_a_token_is_compared_whole(header: str, token: str, fits: bool) -> None:
    assert is_token(header, token) is fits
