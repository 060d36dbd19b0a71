"""From a revision in the ledger to what a real receiver got."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.model.alert import AlertState
from fanous.model.incident import Incident, Interval, Status
from fanous.model.instant import DAY, from_iso
from fanous.publish.alerts.channel import MOST_ATTEMPTS
from fanous.publish.alerts.dispatch import Dispatcher
from fanous.publish.alerts.message import Sender
from fanous.publish.alerts.senders.alertmanager import RENEW, STANDS
from fanous.publish.alerts.settings import Alerting
from tests.analysis.incidents.test_news import BACK, CLIENT, WHOLE
from tests.charts.events import ONGOING, SUSPECTED, incident
from tests.publish.alerts.outbox import NOW, SECRET, Told, configured
from tests.publish.alerts.receivers import Receiver, is_genuine, mail_server, web_server

SUSPICION, CONFIRMED = incident(**SUSPECTED), incident(**ONGOING)


def webhook(receiver: Receiver, folder: Path, more: str = "", rules: str = "") -> Alerting:
    channel = f'[alerts.channels.desk]\nwebhook = "{receiver.url}/hook"\nsecret = "{SECRET}"\n{more}'
    return configured(folder, channel, rules)


def types(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"] for _, _, body in receiver.posts]


def test_a_receiver_is_told_once_signed_and_under_a_key(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        told.put(CONFIRMED)
        assert told.look(alerting, Sender("https://fanous.example")).sent == 1
        assert told.look(alerting).sent == 0
    ((path, headers, body),) = receiver.posts
    document = json.loads(body)
    assert path == "/hook"
    assert is_genuine(SECRET, headers, body, float(headers["webhook-timestamp"]))
    assert headers["webhook-id"] == document["id"]
    assert document["type"] == "incident.confirmed"
    assert document["url"] == "https://fanous.example/PK/PK-2023-0001"
    assert document["incident"]["status"] == "confirmed"


def test_each_change_is_one_message_and_more_of_the_same_is_none(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        known = told.put(SUSPICION)
        for claim in (
            SUSPICION,
            replace(SUSPICION, confidence=0.999),
            CONFIRMED,
            incident(),
            replace(incident(), status=Status.RETRACTED),
        ):
            told.put(claim, known.id)
            told.look(alerting)
            told.now_is += 120
    assert types(receiver) == [
        "incident.opened",
        "incident.confirmed",
        "incident.ended",
        "incident.corrected",
    ]
    assert len({headers["webhook-id"] for _, headers, _ in receiver.posts}) == 4
    assert {one.state for one in told.ledger.outbox.deliveries()} == {AlertState.SENT}


def test_what_is_on_again_is_told_as_news_to_who_heard_of_its_end(tmp_path: Path) -> None:
    told = Told(tmp_path)
    over = incident()
    assert over.end is not None
    again = replace(CONFIRMED, intervals=(*over.intervals, Interval(over.end + DAY, None)))
    with web_server() as receiver:
        known = told.put(over)
        told.look(webhook(receiver, tmp_path))
        told.now_is += 120
        told.put(again, known.id)
        told.look(webhook(receiver, tmp_path, rules='on = ["ended"]'))
    assert types(receiver) == ["incident.ended", "incident.opened"]


def test_what_widens_and_narrows_is_told_once_each(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        known = told.put(CLIENT)
        told.look(alerting)
        for claim in (WHOLE, replace(WHOLE, confidence=0.9), BACK, replace(BACK, confidence=0.91)):
            told.now_is += 120
            told.put(claim, known.id)
            told.look(alerting)
    assert types(receiver) == ["incident.confirmed", "incident.widened", "incident.narrowed"]
    _, wider, narrower = (json.loads(body) for _, _, body in receiver.posts)
    assert wider["title"] == "Widened: Confirmed: Telegram (web client and app) blocked on Zong in Pakistan."
    assert "It has widened to Telegram." in wider["text"]
    assert narrower["title"] == "Narrowed: Confirmed: Telegram's web client blocked on Zong in Pakistan."
    assert "It has narrowed; still cut: Telegram's web client." in narrower["text"]


def test_what_changed_before_it_was_sent_is_one_message(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        known = told.put(SUSPICION)
        told.put(CONFIRMED, known.id)
        told.look(alerting)
    assert types(receiver) == ["incident.confirmed"]
    assert [one.state for one in told.ledger.outbox.deliveries()] == [AlertState.DROPPED, AlertState.SENT]


def test_a_claim_that_was_taken_back_before_anyone_heard_it_is_not_told(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        known = told.put(CONFIRMED)
        told.put(replace(CONFIRMED, status=Status.RETRACTED), known.id)
        told.look(alerting)
    assert receiver.posts == []


def test_a_claim_that_may_have_arrived_is_taken_back(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server(Receiver(status=[503, 200])) as receiver:  # who knows what it did with it
        alerting = webhook(receiver, tmp_path)
        known = told.put(CONFIRMED)
        assert told.look(alerting).failed == 1
        told.put(replace(CONFIRMED, status=Status.RETRACTED), known.id)
        told.look(alerting)
    assert types(receiver) == ["incident.confirmed", "incident.corrected"]


def test_a_failure_is_tried_again_when_its_time_comes_under_the_same_key(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server(Receiver(status=[503, 429, 200], headers={"Retry-After": "120"})) as receiver:
        alerting = webhook(receiver, tmp_path)
        told.put(CONFIRMED)
        for after, sent in ((0, 0), (119, 0), (120, 0), (239, 0), (240, 1)):
            told.now_is = NOW + after
            assert told.look(alerting).sent == sent
    assert len(receiver.posts) == 3
    assert len({headers["webhook-id"] for _, headers, _ in receiver.posts}) == 1
    assert len({body for _, _, body in receiver.posts}) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 410, 301])
def test_a_refusal_for_good_is_given_up_and_can_be_tried_again(status: int, tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server(Receiver(status=[status, 200])) as receiver:
        alerting = webhook(receiver, tmp_path)
        told.put(CONFIRMED)
        assert told.look(alerting).dead == 1
        (dead,) = told.ledger.outbox.deliveries(AlertState.DEAD)
        assert str(status) in dead.why
        assert told.look(alerting).sent == 0
        assert told.ledger.outbox.revive([dead.key], told.now()) == 1
        assert told.look(alerting).sent == 1
    assert len({headers["webhook-id"] for _, headers, _ in receiver.posts}) == 1


def test_patience_ends(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server(Receiver(status=[500])) as receiver:
        alerting = webhook(receiver, tmp_path)
        told.put(CONFIRMED)
        for _ in range(MOST_ATTEMPTS + 2):
            told.look(alerting)
            told.now_is += 3601
    assert len(receiver.posts) == MOST_ATTEMPTS
    assert [one.state for one in told.ledger.outbox.deliveries()] == [AlertState.DEAD]


def test_old_news_is_not_revived_where_newer_took_its_place(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server(Receiver(status=[400, 200])) as receiver:
        alerting = webhook(receiver, tmp_path)
        known = told.put(SUSPICION)
        told.look(alerting)
        told.put(CONFIRMED, known.id)
        told.look(alerting)
        assert told.ledger.outbox.revive(None, told.now()) == 0
    assert [one.state for one in told.ledger.outbox.deliveries()] == [AlertState.DROPPED, AlertState.SENT]


def test_quiet_hours_hold_a_message_and_the_morning_tells_what_is_so_then(tmp_path: Path) -> None:
    told = Told(tmp_path, now_is=from_iso("2023-12-17T18:00Z"))
    with web_server() as receiver:
        quiet = 'quiet = ["22:00-07:00"]\nzone = "Asia/Karachi"\n'
        alerting = webhook(receiver, tmp_path, quiet)
        known = told.put(SUSPICION)
        assert told.look(alerting).sent == 0
        (waiting,) = told.ledger.outbox.deliveries(AlertState.WAITING)
        assert waiting.due_at == from_iso("2023-12-18T02:00Z")
        told.put(incident(), known.id)
        told.now_is = from_iso("2023-12-18T02:00Z")
        told.look(alerting)
    assert types(receiver) == ["incident.ended"]


def test_a_channel_that_is_gone_from_the_configuration_is_given_up(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server(Receiver(status=[500])) as receiver:
        told.put(CONFIRMED)
        told.look(webhook(receiver, tmp_path))
    told.now_is += 60
    assert told.look(Alerting()).dead == 1


def test_one_channel_that_fails_holds_no_other_up(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        channels = (
            f'[alerts.channels.desk]\nwebhook = "{receiver.url}"\nsecret = "{SECRET}"\n'
            f'[alerts.channels.gone]\nwebhook = "http://127.0.0.1:1/"\nsecret = "{SECRET}"\n'
            '[[alerts.rules]]\nchannels = ["gone"]\n'
        )
        alerting = configured(tmp_path, channels)
        told.put(CONFIRMED)
        done = told.look(alerting)
    assert (done.sent, done.failed) == (1, 1)


def test_a_receiver_that_fails_is_asked_once_a_pass(tmp_path: Path) -> None:
    """Each attempt may take half a minute, and until the pass is over no channel hears of anything newer."""
    told = Told(tmp_path)
    for country in ("PK", "IR", "KE"):
        told.put(replace(CONFIRMED, country=country))
    with web_server(Receiver(status=[500, 500, 204])) as receiver:
        alerting = webhook(receiver, tmp_path)
        assert [told.look(alerting).failed for _ in range(2)] == [1, 1]
        assert len(receiver.posts) == 2
        assert told.look(alerting).sent == 1  # the third, while the others wait for their time
        told.now_is += 60
        assert told.look(alerting).sent == 2


def test_a_mail_says_the_status_and_carries_its_key(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with mail_server() as receiver:
        address = (
            f"mailto://127.0.0.1:{receiver.port}/?from=fanous@example.org&to=desk@example.org&mode=insecure"
        )
        alerting = configured(tmp_path, f'[alerts.channels.desk]\napprise = "{address}"\nlanguage = "ur"\n')
        told.put(SUSPICION)
        assert told.look(alerting).sent == 1
    (mail,) = receiver.mails
    (sent,) = told.ledger.outbox.deliveries(AlertState.SENT)
    assert mail["X-Fanous-Alert"] == sent.key
    assert "مشتبہ" in mail["Subject"]
    assert "\u2068" not in mail["Subject"], "clients draw such marks as boxes"
    assert sent.key not in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has one


@pytest.mark.parametrize(("form", "most"), [("post", 280), ("sms", 160)])
def test_a_short_form_has_no_title_and_keeps_its_length(form: str, most: int, tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        address = receiver.url.replace("http", "json")
        alerting = configured(tmp_path, f'[alerts.channels.desk]\napprise = "{address}"\nform = "{form}"\n')
        told.put(SUSPICION)
        assert told.look(alerting).sent == 1
    ((_, _, body),) = receiver.posts
    document = json.loads(body)
    assert document["title"] == ""
    assert document["message"].startswith("Suspected: X (Twitter) may have been blocked")
    assert len(document["message"]) <= most


def test_a_mail_server_that_is_away_is_tried_again(tmp_path: Path) -> None:
    told = Told(tmp_path)
    address = "mailto://127.0.0.1:1/?from=fanous@example.org&to=desk@example.org&mode=insecure"
    alerting = configured(tmp_path, f'[alerts.channels.desk]\napprise = "{address}"\n')
    told.put(SUSPICION)
    assert told.look(alerting).failed == 1
    (waiting,) = told.ledger.outbox.deliveries(AlertState.WAITING)
    assert waiting.why


@pytest.mark.parametrize(
    ("claim", "ends"),
    [
        (lambda: CONFIRMED, None),
        (lambda: incident(), incident().end),
    ],
)
def test_an_alertmanager_keeps_an_open_incident_and_resolves_one_that_is_over(
    claim: Callable[[], Incident], ends: float | None, tmp_path: Path
) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = configured(tmp_path, f'[alerts.channels.desk]\nalertmanager = "{receiver.url}"\n')
        told.put(claim())
        told.look(alerting)
    ((path, _, body),) = receiver.posts
    (alert,) = json.loads(body)
    assert path == "/api/v2/alerts"
    assert alert["labels"] == {
        "alertname": "InternetDisruption",
        "country": "PK",
        "incident": "PK-2023-0001",
    }
    over = from_iso(alert["endsAt"])
    assert over == ends if ends is not None else over > told.now() + STANDS


def test_an_open_incident_is_repeated_each_hour_for_an_alertmanager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = configured(tmp_path, f'[alerts.channels.desk]\nalertmanager = "{receiver.url}"\n')
        told.put(CONFIRMED)
        told.look(alerting)
        dispatcher = Dispatcher(told.ask, alerting, Sender())
        for seconds, posts in ((0.0, 1), (RENEW - 1, 1), (RENEW, 2), (RENEW + 1, 2), (2 * RENEW, 3)):
            monkeypatch.setattr("fanous.publish.alerts.dispatch.time.monotonic", lambda now=seconds: now)
            asyncio.run(dispatcher.tell(alerting.channels["desk"]))
            assert len(receiver.posts) == posts
