"""The desk's other pages: events, claims, alerts, and the monitor's own health."""

from dataclasses import replace
from typing import Any

import pytest

from fanous.model.alert import AlertGroup, AlertState, Delivery, Happening, Priority
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Kind
from fanous.model.instant import from_iso
from fanous.model.vitals import Backlog, Need, Spell
from fanous.pipeline.vitals import Ailment, Disk, HeardNetwork, PullStates, Vitals, Workings
from fanous.publish.alerts.channel import Attempt, Channel
from fanous.publish.alerts.senders import SENDERS
from fanous.publish.alerts.settings import Alerting
from fanous.web.desk_pages import PAGES
from fanous.wording.language import LANGUAGES
from tests.each import each
from tests.web.deskhand import Deskhand
from tests.web.small_store import SmallStore
from tests.web.test_desk_login import inside
from tests.web.visits import NOW

EVENT = {
    "country": "pk",
    "title": "Election",
    "start": "2024-02-08T08:00",
    "end": "2024-02-08T17:00",
    "targets": "x, youtube",
}
CLAIM = {
    "who": "NetBlocks",
    "what": "blocking",
    "country": "PK",
    "since": "2023-12-17T14:00",
    "until": "2023-12-17T23:00",
    "networks": "AS17557 45595",
    "targets": "x",
    "level": "4",
    "hours": "7",
    "scope": "nation",
}
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20240208
SUMMARY:Election day
END:VEVENT
END:VCALENDAR
"""


class Outbox:
    """One delivery of each state."""

    def __init__(self) -> None:
        self.revived: list[Any] = []

    def deliveries(self, _state: AlertState | None = None) -> list[Delivery]:
        return [
            Delivery(
                str(state),
                "hook",
                "PK-2023-0042",
                1,
                0,
                Happening.OPENED,
                state,
                NOW,
                NOW,
                1,
                None,
                "refused <b>",
                AlertGroup("PK", "AS9541", Kind.BLOCKING, Priority.SITE, is_confirmed=True, is_staged=False),
            )
            for state in AlertState
        ]

    def revive(self, keys: Any, _now: float) -> int:
        self.revived.append(keys)
        return 1


class Ledger(SmallStore):
    outbox: Any = None

    def add_event(self, event: AnnouncedEvent) -> AnnouncedEvent:
        self.announced.append(replace(event, id=f"PK-watch-{len(self.announced) + 1}", registered_at=NOW))
        return self.announced[-1]

    def undetected(self) -> dict[str, tuple[float, float]]:
        return {"KE": (0.0, 1.0)}


def ledger() -> Ledger:
    store = Ledger()
    store.outbox = Outbox()
    return store


def test_every_page_opens_in_every_language_from_the_navigation() -> None:
    hand = inside(ledger(), workings=ill(), alerting=Alerting(channels={"hook": hook()}))
    listed = [f"/desk{page.path}" for page in PAGES if page.title]
    queue = hand.get("/desk").text
    for path in listed:
        assert f'href="{path}"' in queue
        for code, language in LANGUAGES.items():
            answer = hand.get(f"{path}?lang={code}")
            assert answer.status_code == 200, path
            assert language.say("Log out") in answer.text


def test_an_event_is_registered_on_the_clock_of_its_country() -> None:
    store = ledger()
    assert inside(store).post("/desk/events", **EVENT).headers["location"] == "/desk/events?done=Announce"
    (event,) = store.announced
    assert (event.start, event.targets) == (from_iso("2024-02-08T03:00Z"), ("x", "youtube"))


def test_a_pasted_calendar_is_imported_and_one_that_says_nothing_is_refused() -> None:
    store = ledger()
    hand = inside(store)
    assert hand.post("/desk/events", country="PK", calendar=CALENDAR).status_code == 303
    assert [(one.title, one.start) for one in store.announced] == [
        ("Election day", from_iso("2024-02-07T19:00Z"))
    ]
    for text in ("hello", CALENDAR.replace("DTSTART;VALUE=DATE:20240208", "STATUS:CANCELLED")):
        answer = hand.post("/desk/events", country="PK", calendar=text)
        assert answer.status_code == 422
        assert "calendar" in answer.text
        urdu = hand.post("/desk/events?lang=ur", country="PK", calendar=text).text
        assert "iCalendar فائل نہیں" in urdu or "کوئی تقریب نہیں" in urdu
    assert len(store.announced) == 1


def test_what_an_import_leaves_out_is_said_once() -> None:
    hand = inside(ledger())
    second = (
        "BEGIN:VEVENT\nDTSTART:20240301T000000Z\nRRULE:FREQ=DAILY\nSUMMARY:Prayer\nEND:VEVENT\nEND:VCALENDAR"
    )
    answer = hand.post("/desk/events", country="PK", calendar=CALENDAR.replace("END:VCALENDAR", second))
    assert answer.status_code == 303
    page = hand.get(answer.headers["location"]).text
    assert "Registered." in page
    assert "RRULE is not supported" in page
    assert "RRULE" not in hand.get("/desk/events").text
    unusable = "BEGIN:VCALENDAR\n" + second
    urdu = hand.post("/desk/events?lang=ur", country="PK", calendar=unusable).text
    assert "RRULE\u2069 نہیں چلتا" in urdu
    assert "is not supported" not in urdu


@each(
    ("changed", "why"),
    [
        ({"country": "XX"}, "not the code of a country"),
        ({"start": "tomorrow"}, "not a date and time"),
        ({"start": "0001-01-01T00:00"}, "between the years 1990 and 2100"),
        ({"end": "2024-02-08T08:00"}, "later than the start"),
        ({"title": " "}, "needs a title"),
        ({"title": "t" * 201}, "a title of at most 200 characters"),
        ({"targets": "x, ???"}, "neither a platform nor a domain"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused(changed: dict[str, str], why: str) -> None:
    store = ledger()
    answer = inside(store).post("/desk/events", **(EVENT | changed))
    assert (answer.status_code, why in answer.text, store.announced) == (422, True, [])


def test_a_claim_is_recorded_with_only_what_was_said_and_checked() -> None:
    store = ledger()
    hand = inside(store)
    assert hand.post("/desk/claims", **CLAIM).headers["location"] == "/desk/claims?done=RecordClaim"
    (claim,) = store.said
    assert (claim.networks, claim.level, claim.hours, claim.quote) == ((17557, 45595), 0.04, 7.0, "")
    hand.post(
        "/desk/claims", **(CLAIM | {"level": "", "hours": "", "scope": "", "networks": "", "targets": ""})
    )
    assert (store.said[1].level, store.said[1].hours, store.said[1].scope) == (None, None, None)
    assert "Cannot tell" in hand.get("/desk/claims").text
    hand.post("/desk/claims", **CLAIM)  # a form sent twice
    hand.post("/desk/claims", **(CLAIM | {"level": "4,5 %"}))
    assert [one.level for one in store.said] == [0.04, None, 0.045]
    assert f"17 December 2023, {CLAIM['since'][11:16]}" in hand.get("/desk/claims").text


@each(
    ("changed", "why"),
    [
        ({"what": "sabotage"}, "choose what they say"),
        ({"networks": "PTCL"}, "not a network number"),
        ({"networks": "AS99999999999"}, "a network is not a number"),
        ({"targets": "http://"}, "neither a platform nor a domain"),
        ({"level": "half"}, "number from 0 to 100"),
        ({"level": "140"}, "number from 0 to 100"),
        ({"hours": "nan"}, "have to be a number"),
        ({"since": "noon"}, "not a date and time"),
        ({"until": "2001-01-01T00:00"}, "later than the start"),
        ({"who": ""}, "a name is needed"),
        ({"link": "javascript:alert(1)"}, "not a web address"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(changed: dict[str, str], why: str) -> None:
    store = ledger()
    answer = inside(store).post("/desk/claims", **(CLAIM | changed))
    assert (answer.status_code, why in answer.text, store.said) == (422, True, [])


def hook() -> Channel:
    return Channel("hook", "webhook", "https://user:password@hook.example/")


def hand_of(monkeypatch: pytest.MonkeyPatch, why: str) -> tuple[Deskhand, list[str]]:
    sent: list[str] = []

    async def send(_channel: Channel, message: Any, _now: float) -> Attempt:
        sent.append(message.title)
        return Attempt(why)

    monkeypatch.setitem(SENDERS, "webhook", replace(SENDERS["webhook"], send=send))
    return inside(ledger(), alerting=Alerting(channels={"hook": hook()})), sent


def test_a_channel_is_tested_and_its_answer_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    hand, sent = hand_of(monkeypatch, "")
    assert hand.post("/desk/alerts/test", channel="hook").headers["location"] == "/desk/alerts?done=Test"
    assert len(sent) == 1
    assert hand.post("/desk/alerts/test", channel="nope").status_code == 422
    assert hand.post("/desk/alerts/test", channel="hook", csrf="x").status_code == 403
    assert len(sent) == 1


def test_a_channel_that_refuses_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    hand, _ = hand_of(monkeypatch, "status 410")
    answer = hand.post("/desk/alerts/test", channel="hook")
    assert (answer.status_code, "hook: status 410" in answer.text) == (422, True)


def test_the_history_of_alerts_has_their_state_and_never_an_address() -> None:
    store = ledger()
    hand = inside(store, alerting=Alerting(channels={"hook": hook()}))
    text = hand.get("/desk/alerts").text
    for word in ("Waiting", "Sent", "Given up", "Not sent", "refused &lt;b&gt;"):
        assert word in text
    assert "password" not in text
    assert "hook.example" not in text
    assert hand.post("/desk/alerts").headers["location"] == "/desk/alerts?done=RetryAlerts"
    assert store.outbox.revived == [None]


def ill() -> Workings:
    states = PullStates([("ioda", "PK"), ("ooni", "PK")])
    states.note("ioda", "PK", NOW - 3600)
    states.note("ioda", "PK", NOW - 60, "503 from api.ioda <b>")
    ailing = Ailment("disk_low", "/data", "0.5 GB of 100 are free under /data", "free some space")
    return Workings(
        vitals=lambda: Vitals(
            NOW,
            NOW,
            disks=(Disk("/data", 500_000_000, 100_000_000_000),),
            backlogs=(Backlog("/inbox", 3, 9, None, 0),),
        ),
        ailments=lambda: [ailing],
        feed=lambda: [
            Spell("queue_old", "/inbox", "4 files wait", "run it", NOW - 9000, NOW - 8000, NOW - 7000)
        ],
        pulls=states.all,
        heard=lambda: [HeardNetwork("PK", 17557, NOW - 7200, True)],
        needs=lambda: [Need("server", "typst", False, "pip install 'fanous[server]'", "reports as PDF")],
        collector="127.0.0.1:8471",
    )


def test_the_health_page_says_what_is_broken_and_how_to_put_it_right() -> None:
    text = inside(ledger(), workings=ill()).get("/desk/health").text
    for said in (
        "0.5 GB of 100 are free under /data",
        "free some space",
        "503 from api.ioda &lt;b&gt;",
        "reports as PDF",
        "AS17557",
        "Silent for longer than usual",
        "127.0.0.1:8471",
        "3 files",
        "0.5 GB of 100 GB",
        "Kenya",
        "1 problem ended in the last 30 days",
    ):
        assert said in text, said


def test_a_source_is_known_by_its_last_attempt_success_and_error() -> None:
    states = PullStates([("ioda", "PK")])
    (one,) = states.all()
    assert (one.tried_at, one.succeeded_at, one.why) == (None, None, "")
    states.note("ioda", "PK", 10.0)
    states.note("ioda", "PK", 20.0, "refused")
    assert (one.tried_at, one.succeeded_at, one.why) == (20.0, 10.0, "refused")
    states.note("ioda", "PK", 30.0)
    assert (one.succeeded_at, one.why) == (30.0, "")
