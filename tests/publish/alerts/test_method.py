"""What a change of the method takes back is one message to each channel that was alerted to any of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fanous.model.alert import AlertState
from fanous.model.incident import Incident, Status
from fanous.model.reason import Reason
from fanous.publish.alerts.group import METHOD_SETTLES
from fanous.publish.alerts.message import Sender
from fanous.publish.alerts.settings import Alerting
from tests.charts.events import ONGOING, incident
from tests.publish.alerts.outbox import NOW, SECRET, Told, configured
from tests.publish.alerts.receivers import Receiver, web_server
from tests.publish.alerts.test_dispatch import webhook
from tests.publish.alerts.test_flood import messages, names

VERSIONS = Reason("versions", {"rules": "2026.99", "detectors": "2026.99"})
UNSUPPORTED = Reason("not_supported")


def claimed(target: str, **given: Any) -> Incident:
    return incident(**(ONGOING | {"targets": (target,)} | given))


def alerted(told: Told, alerting: Alerting, *claims: Incident) -> list[Incident]:
    """The incidents, of which the channels know."""
    told.ledger.note_method("one")
    put = [told.put(claim) for claim in claims]
    told.look(alerting)
    told.now_is += 600
    return put


def taken_back(told: Told, *claims: Incident, reasons: tuple[Reason, ...] = (VERSIONS, UNSUPPORTED)) -> None:
    told.ledger.note_method("two")
    for claim in claims:
        told.ledger.retract(claim.id, reasons)


def passes(told: Told, alerting: Alerting, seconds: float, step: float = 60.0) -> None:
    until = told.now_is + seconds
    while told.now_is < until:
        told.now_is += step
        told.tell(alerting)


def since(receiver: Receiver, n: int) -> list[dict[str, Any]]:
    return messages(receiver)[n:]


def test_it_lists_all_that_the_channel_was_alerted_to_in_one_message(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        put = alerted(told, alerting, *(claimed(name) for name in ("x", "youtube", "bbc.com", "whatsapp")))
        before = len(messages(receiver))
        for claim in put[:3]:  # country after country
            taken_back(told, claim)
            passes(told, alerting, 0.7 * METHOD_SETTLES, step=300)
        assert since(receiver, before) == []
        passes(told, alerting, 2 * METHOD_SETTLES, step=300)
        (notice,) = since(receiver, before)
    assert notice["type"] == "incidents.grouped"
    assert notice["title"].startswith("The method changed on ")
    assert sorted(names(notice["alerts"])) == ["bbc.com", "x", "youtube"]
    assert {one["incident"]["status"] for one in notice["alerts"]} == {"retracted"}
    first, *lines = notice["text"].splitlines()
    assert first.startswith("This is a change of method, not news about any event.")
    assert "narrowed or retracted: 3" in first
    assert all(any(claim.id in line for line in lines) for claim in put[:3])
    assert told.ledger.outbox.deliveries(AlertState.WAITING) == []


def test_one_incident_is_a_notice_too(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        put = alerted(told, alerting, claimed("x"))
        taken_back(told, *put)
        assert (
            told.look(alerting, Sender("https://fanous.example")).sent == 1
        )  # by hand nothing is waited for
        notice = messages(receiver)[-1]
    assert notice["title"].startswith("The method changed on ")
    assert notice["url"] == "https://fanous.example/corrections"
    assert f"https://fanous.example/PK/{put[0].id}" in notice["text"]


def test_a_channel_that_was_alerted_to_none_of_it_hears_nothing(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as desk, web_server() as other:
        alerting = configured(
            tmp_path,
            f'[alerts.channels.desk]\nwebhook = "{desk.url}/hook"\nsecret = "{SECRET}"\n'
            f'[alerts.channels.other]\nwebhook = "{other.url}/hook"\nsecret = "{SECRET}"\n'
            '[[alerts.rules]]\nchannels = ["other"]\ntargets = ["youtube"]\n',
            'targets = ["x", "telegram"]',
        )
        put = alerted(told, alerting, claimed("x"), claimed("youtube"), claimed("telegram"))
        before = len(messages(desk)), len(messages(other))
        taken_back(told, put[0], put[2])
        told.look(alerting)
        assert (len(messages(desk)), len(messages(other))) == (before[0] + 1, before[1])
        assert sorted(names(messages(desk)[-1]["alerts"])) == ["telegram", "x"]


def test_what_measurements_take_back_does_not_wait_for_the_notice(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        put = alerted(told, alerting, claimed("x"), claimed("youtube"))
        before = len(messages(receiver))
        taken_back(told, put[0])
        taken_back(told, put[1], reasons=(UNSUPPORTED,))
        passes(told, alerting, 300)
        (correction,) = since(receiver, before)
        assert correction["type"] == "incident.corrected"
        assert names([correction]) == ["youtube"]
        passes(told, alerting, METHOD_SETTLES)
        assert names(since(receiver, before)[1]["alerts"]) == ["x"]


@pytest.mark.parametrize("waits", [True, False])
def test_what_was_taken_back_before_it_was_sent_is_never_sent(tmp_path: Path, waits: bool) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        told.ledger.note_method("one")
        put = told.put(claimed("x"))
        taken_back(told, put)
        if waits:
            passes(told, alerting, 2 * METHOD_SETTLES)
        else:
            told.look(alerting)
        assert messages(receiver) == []


def test_an_incident_that_ends_while_the_notice_waits_is_told_once(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        (put,) = alerted(told, alerting, claimed("x", entities=("AS59257", "AS17557")))
        before = len(messages(receiver))
        told.ledger.note_method("two")
        unsure = replace(put, status=Status.SUSPECTED, confirmed_at=None, reasons=(VERSIONS,))
        told.put(unsure, known_as=put.id)
        passes(told, alerting, 120)
        assert since(receiver, before) == []
        ended = replace(unsure, status=Status.ENDED, end=NOW + 60, reasons=())
        told.put(ended, known_as=put.id)
        passes(told, alerting, 2 * METHOD_SETTLES)
        (only,) = since(receiver, before)
        assert only["type"] == "incident.corrected"  # the claim that it was confirmed, and its end
