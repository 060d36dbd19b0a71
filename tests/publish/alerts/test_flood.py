"""Many alerts at once are few messages, and hold up nothing that matters more."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest

from fanous.model.alert import AlertState, Priority
from fanous.model.incident import Incident, Kind, Scope, Status
from fanous.model.instant import HOUR
from fanous.model.measurement import Provenance
from fanous.publish.alerts.channel import Pace
from fanous.publish.alerts.dispatch import MOST_GROUPS, MOST_TOGETHER, Dispatcher, route
from fanous.publish.alerts.group import group_of
from fanous.publish.alerts.message import Sender
from fanous.store.protocol import Store
from tests.charts.events import NATION, ONGOING, SUSPECTED, incident
from tests.each import each
from tests.publish.alerts.outbox import NOW, SECRET, Told, configured
from tests.publish.alerts.receivers import Receiver, mail_server, web_server
from tests.publish.alerts.test_dispatch import webhook

WAIT, INTERVAL = Pace().group_wait, Pace().interval

TRUE: dict[str, Any] = ONGOING | {
    "entities": ("AS59257", "AS17557"),
    "scope": Scope.MULTI_ISP,
    "targets": ("x",),
}


def made_up(n: int, **given: Any) -> Incident:
    """A confirmed incident as one line with many names can cause it."""
    return incident(**(ONGOING | {"entities": ("AS9541",), "targets": (f"site{n}.example.com",)} | given))


def messages(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _, _, body in receiver.posts]


def alerts(receiver: Receiver) -> list[dict[str, Any]]:
    """All that were sent, each as it would be alone."""
    return [one for message in messages(receiver) for one in message["alerts"] or [message]]


def names(found: Iterable[dict[str, Any]]) -> list[str]:
    return [target for one in found for target in one["incident"]["targets"]]


@each(
    ("claim", "priority", "network"),
    [
        (NATION, Priority.NATION, ""),
        (TRUE, Priority.NETWORKS, ""),
        ({"entities": ("PK-PB",), "scope": Scope.REGION}, Priority.NETWORKS, ""),
        ({"entities": ("AS9541",)}, Priority.PLATFORM, "AS9541"),
        ({"entities": ("AS9541",), "targets": ("",), "kind": Kind.OUTAGE}, Priority.PLATFORM, "AS9541"),
        ({"entities": ("AS9541",), "targets": ("bbc.com", "x")}, Priority.PLATFORM, "AS9541"),
        ({"entities": ("AS9541",), "targets": ("bbc.com",)}, Priority.SITE, "AS9541"),
    ],
)
def test_what_reaches_further_is_more_urgent(claim: dict[str, Any], priority: Priority, network: str) -> None:
    group = group_of(incident(**claim))
    assert (group.priority, group.network) == (priority, network)


def test_a_true_alert_leaves_within_a_minute_of_a_flood(tmp_path: Path) -> None:
    """45 made-up incidents in 40 s used up the hour's 30 messages, and the true one waited for 58 minutes."""
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        for second in range(0, 40, 2):
            for n in range(3 if second < 10 else 2):
                told.put(made_up(10 * second + n))
            told.now_is = NOW + second
            told.tell(alerting)
        true = told.put(incident(**TRUE))
        began = told.now_is
        while true.id not in [one["incident"]["id"] for one in alerts(receiver)]:
            told.now_is += 2
            told.tell(alerting)
            assert told.now_is <= began + 60
        assert told.now_is - began <= WAIT + 2
        told.now_is = began + INTERVAL
        told.tell(alerting)
    assert [one["type"] for one in messages(receiver)] == [
        "incidents.grouped",
        "incident.confirmed",
        "incidents.grouped",
    ]
    assert len(messages(receiver)[0]["alerts"]) > WAIT
    assert messages(receiver)[0]["title"].startswith("Pakistan, Cybernet (StormFiber): ")
    assert len(alerts(receiver)) == len({one["id"] for one in alerts(receiver)}) == 46


def test_a_flood_of_suspicions_holds_up_nothing_confirmed(tmp_path: Path) -> None:
    told = Told(tmp_path)
    unsure = SUSPECTED | {"targets": ("youtube",)}
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        for _ in range(2):
            told.put(made_up(1, **unsure))
            told.look(alerting)
        told.put(made_up(2, targets=("x",)))
        assert told.look(alerting).sent == 1
    assert [one["type"] for one in alerts(receiver)] == ["incident.opened", "incident.confirmed"]


def test_the_most_urgent_is_sent_first_even_if_it_came_last(tmp_path: Path) -> None:
    told = Told(tmp_path)
    claims = [made_up(1), made_up(2, targets=("x",)), incident(**TRUE), incident(**(ONGOING | NATION))]
    with web_server() as receiver:
        late = [claims.pop()]

        def more_comes() -> None:
            while late:
                told.put(late.pop())

        receiver.on_arrival = more_comes
        for claim in claims:
            told.put(claim)
        told.look(webhook(receiver, tmp_path))
    assert [one["incident"]["scope"] for one in messages(receiver)] == ["multi_isp", "nation", "isp", "isp"]
    assert names(messages(receiver)[2:]) == ["x", "site1.example.com"]


def test_a_slow_channel_holds_up_no_other(tmp_path: Path) -> None:
    """Until December 2026 all channels took part in one pass, and waited for the slowest."""
    told = Told(tmp_path)
    told.put(made_up(1))
    go_on = Event()

    def hold() -> None:
        go_on.wait(10)

    with web_server() as receiver, web_server(Receiver(on_arrival=hold)) as slow:
        second = f'[alerts.channels.slow]\nwebhook = "{slow.url}"\nsecret = "{SECRET}"\n'
        rule = '[[alerts.rules]]\nchannels = ["slow"]\n'
        alerting = webhook(receiver, tmp_path, f"group_wait = 0\n{second}group_wait = 0\n{rule}")

        async def two_channels() -> None:
            dispatcher = Dispatcher(told.ask, alerting, Sender())
            waiting = asyncio.create_task(dispatcher.tell(alerting.channels["slow"]))
            await dispatcher.tell(alerting.channels["desk"])
            told.put(incident(**TRUE))
            await dispatcher.tell(alerting.channels["desk"])
            assert (waiting.done(), len(receiver.posts)) == (False, 2)
            go_on.set()
            await waiting

        asyncio.run(two_channels())
    assert len(slow.posts) == 2


def test_each_group_has_its_own_number_of_messages_an_hour(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path, "per_hour = 2\n")
        for n, network in enumerate(("AS9541", "AS9541", "AS59257")):
            told.put(made_up(n, entities=(network,)))
            assert told.look(alerting).sent == (n != 1)
        (waiting,) = told.ledger.outbox.deliveries(AlertState.WAITING)
        assert waiting.due_at == NOW + HOUR / 2
        told.now_is += HOUR / 2
        assert told.look(alerting).sent == 1
    assert names(alerts(receiver)) == ["site0.example.com", "site2.example.com", "site1.example.com"]


def test_many_groups_at_once_that_are_equally_urgent_are_one_message(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        for n in range(MOST_GROUPS + 1):
            told.put(made_up(n, entities=(f"AS{n + 1}",)))
        told.look(webhook(receiver, tmp_path))
    (message,) = messages(receiver)
    assert message["title"] == "Pakistan: 4 alerts (4 confirmed)"


def test_no_message_holds_more_than_the_store_can_write_in_a_moment(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        for n in range(MOST_TOGETHER + 1):
            told.put(made_up(n))
        told.look(alerting)
        told.now_is += INTERVAL
        told.look(alerting)
    assert [len(one["alerts"]) for one in messages(receiver)] == [MOST_TOGETHER, 0]
    assert len({one["id"] for one in alerts(receiver)}) == MOST_TOGETHER + 1


def test_a_correction_is_as_urgent_as_the_claim_was(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        claim = told.put(incident(**(ONGOING | NATION)))
        told.look(alerting)
        narrower = replace(made_up(1), id=claim.id)
        for n, revision in enumerate((narrower, replace(narrower, status=Status.RETRACTED))):
            told.now_is += INTERVAL
            told.put(revision, claim.id)
            told.put(made_up(n + 2, targets=("youtube",)))
            told.look(alerting)
    assert [one["type"].partition(".")[2] for one in messages(receiver)] == [
        "confirmed",
        *("corrected", "confirmed") * 2,
    ]
    of_claim = [one for one in told.ledger.outbox.deliveries() if one.incident == claim.id]
    assert {one.group.priority for one in of_claim} == {Priority.NATION}


def test_corrections_stand_first_in_a_message_and_are_all_named(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path)
        claims = [told.put(made_up(n)) for n in range(30)]
        told.look(alerting)
        told.now_is += INTERVAL
        told.put(made_up(30, confidence=0.999))
        for claim in claims:
            told.put(replace(claim, status=Status.RETRACTED), claim.id)
        told.look(alerting)
    flood, taken_back = messages(receiver)
    assert flood["title"] == "Pakistan, Cybernet (StormFiber): 30 alerts (30 confirmed)"
    assert (
        flood["text"].splitlines()[0] == "Several alerts came close together and were put into one message."
    )
    assert flood["text"].splitlines()[-1] == "10 more are not listed here."
    assert taken_back["title"] == (
        "Correction: Pakistan, Cybernet (StormFiber): 31 alerts (30 corrections, 1 confirmed)"
    )
    lines = taken_back["text"].splitlines()
    assert [line.startswith("Correction: Retracted: ") for line in lines] == [False, *[True] * 30, False]
    assert lines[-1] == "1 more is not listed here."


def test_a_repeated_message_has_the_same_alerts_and_no_new_ones(tmp_path: Path) -> None:
    """Its key is the same, so a receiver that has it would not look for anything new in it."""
    told = Told(tmp_path)
    with web_server(Receiver(status=[503, 200])) as receiver:
        alerting = webhook(receiver, tmp_path)
        told.put(made_up(1)), told.put(made_up(2))
        assert told.look(alerting).failed == 1
        told.put(made_up(3))
        told.now_is += 15
        told.look(alerting)
        told.now_is += INTERVAL
        told.look(alerting)
    first, second, *later = messages(receiver)
    assert first == second
    assert len(later) == 1
    assert sorted(names(alerts(receiver)[2:])) == [f"site{n}.example.com" for n in (1, 2, 3)]


def test_what_changed_meanwhile_is_told_after_the_repeated_message(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server(Receiver(status=[503, 200])) as receiver:
        alerting = webhook(receiver, tmp_path)
        claims = [told.put(made_up(n)) for n in range(2)]
        told.look(alerting)
        told.put(replace(claims[0], status=Status.RETRACTED), claims[0].id)
        for _ in range(3):
            told.now_is += INTERVAL
            told.look(alerting)
    first, *later = messages(receiver)
    assert [one["type"] for one in later if one["id"] == first["id"]] == ["incident.confirmed"]
    assert sorted(one["type"] for one in later) == ["incident.confirmed", "incident.corrected"]
    assert told.ledger.outbox.deliveries(AlertState.WAITING) == []


def test_staged_events_share_no_message_with_real_ones(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = webhook(receiver, tmp_path, "exercises = true\n")
        for n in range(2 * (MOST_GROUPS + 1)):
            provenance = Provenance.SYNTHETIC if n % 2 else Provenance.REAL
            told.put(made_up(n, provenance=provenance, entities=(f"AS{n + 1}",)))
        told.look(alerting)
    titles = [one["title"] for one in messages(receiver)]
    assert sorted(title.startswith("[Synthetic] Pakistan: 4 alerts ") for title in titles) == [False, True]


def test_what_an_earlier_version_queued_is_sent(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server(Receiver(status=[503, 200])) as receiver:
        alerting = webhook(receiver, tmp_path)
        told.put(made_up(1)), told.put(made_up(2, entities=("AS59257",)))
        route(cast(Store, told), alerting)
        told.ledger._database.rows("DELETE FROM alert_groups")
        assert told.look(alerting).failed == 1
        told.now_is += 15
        assert told.look(alerting).sent == 1
    first, second = messages(receiver)
    assert first == second
    assert len(first["alerts"]) == 2


def test_an_alertmanager_is_given_each_alert_of_a_message(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        alerting = configured(tmp_path, f'[alerts.channels.desk]\nalertmanager = "{receiver.url}"\n')
        told.put(made_up(1)), told.put(made_up(2))
        told.look(alerting)
    ((_, _, body),) = receiver.posts
    found = json.loads(body)
    assert [one["labels"]["incident"] for one in found] == ["PK-2023-0001", "PK-2023-0002"]


@pytest.mark.parametrize("code", ["en", "ur", "fa", "ar", "fr", "es"])
def test_a_mail_about_several_names_each_with_its_status(code: str, tmp_path: Path) -> None:
    told = Told(tmp_path)
    with mail_server() as receiver:
        address = f"mailto://127.0.0.1:{receiver.port}/?from=a@example.org&to=b@example.org&mode=insecure"
        channel = f'[alerts.channels.desk]\napprise = "{address}"\nlanguage = "{code}"\n'
        alerting = configured(tmp_path, channel)
        told.put(made_up(1)), told.put(made_up(2))
        assert told.look(alerting).sent == 1
    (mail,) = receiver.mails
    body = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has one
    assert all(f"site{n}.example.com" in body and f"PK-2023-000{n}" in body for n in (1, 2))
    assert ("2 alerts (2 confirmed)" in str(mail["Subject"])) is (code == "en")
    assert len({one.message for one in told.ledger.outbox.deliveries()}) == 1
