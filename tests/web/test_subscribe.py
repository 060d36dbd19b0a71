"""Every way to follow what a reader is looking at."""

import re
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import icalendar
import pytest

from fanous.model.event import AnnouncedEvent
from fanous.model.instant import DAY, from_iso
from fanous.web.answers import Site
from tests.charts.events import ONGOING, incident
from tests.hostile import HOSTILE, planted
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, Reader, reader

CHANNELS = ("https://mastodon.example/@fanous", "https://t.me/fanous")
SITE = Site(url="https://fanous.example", clock=lambda: NOW, channels=CHANNELS)
ELECTION = AnnouncedEvent(
    "PK",
    from_iso("2024-02-08T03:00Z"),
    from_iso("2024-02-08T12:00Z"),
    "General election",
    ("x",),
    "PK-watch-1",
    NOW - DAY,
)
EVENTS = (
    ELECTION,
    replace(
        ELECTION,
        country="KE",
        id="KE-watch-1",
        title="Exams, second; part",
        targets=(),
        start=NOW - 9,
        end=NOW,
    ),
    replace(ELECTION, id="PK-watch-2", start=NOW - 800 * DAY, end=NOW - 799 * DAY),
)


def visiting(*events: AnnouncedEvent) -> Reader:
    known = [replace(incident(**ONGOING), id="PK-2023-0001")]
    return reader(SmallStore(known, announced=list(events or EVENTS)), SITE)


def test_it_offers_what_belongs_to_the_filter_and_all_of_it_answers() -> None:
    visitor = visiting()
    text = visitor.get("/subscribe?country=PK&kind=blocking").text
    assert "<h1>Subscribe: Pakistan, Blocking</h1>" in text
    main = text[text.index("<main") : text.index("</main>")]
    addresses = [one.replace("&amp;", "&") for one in re.findall(r'href="(/[^"]+)"', main)]
    wanted = {
        "/incidents",
        "/incidents/feed.atom",
        "/incidents/feed.json",
        "/incidents.csv",
        "/incidents.json",
    }
    assert {f"{path}?country=PK&kind=blocking" for path in wanted} <= set(addresses)
    assert {"/events.ics?country=PK", "/corrections/feed.atom"} <= set(addresses)
    assert [visitor.get(one).status_code for one in addresses] == [200] * len(addresses)
    for channel in CHANNELS:
        assert f'href="{channel}"' in text


def test_a_page_leads_to_the_ways_to_follow_its_place() -> None:
    visitor = visiting()
    for page, leads_to in (
        ("/", "/subscribe"),
        ("/PK", "/subscribe?country=PK"),
        ("/target/x", "/subscribe?target=x"),
        ("/incidents?kind=outage", "/subscribe?kind=outage"),
        ("/PK/PK-2023-0001", "/subscribe?country=PK"),
    ):
        assert f'href="{leads_to}"' in visitor.get(page).text, page


def test_the_calendar_holds_what_is_announced() -> None:
    answer = visiting().get("/events.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    events = icalendar.Calendar.from_ical(answer.text).walk("VEVENT")
    assert [str(one["summary"]) for one in events] == [
        "Pakistan: General election",
        "Kenya: Exams, second; part",
    ]
    first = events[0]
    assert first.decoded("dtstart").timestamp() == ELECTION.start
    assert first.decoded("dtend").timestamp() == ELECTION.end
    assert str(first["url"]) == "https://fanous.example/PK/PK-watch-1"
    assert "Watched above all: X (Twitter)" in str(first["description"])
    assert "It is never evidence, and confirms nothing" in str(first["description"])
    assert len({str(one["uid"]) for one in events}) == 2


def test_an_event_of_a_site_without_an_address_has_no_relative_one() -> None:
    """A program keeps the calendar, and not where it came from."""
    store = SmallStore(announced=[ELECTION])
    (event,) = icalendar.Calendar.from_ical(reader(store).get("/events.ics").text).walk("VEVENT")
    assert "url" not in event


def test_whole_days_there_are_whole_days_in_every_calendar() -> None:
    begins, ends = (from_iso(f"2024-02-{day}T19:00Z") for day in ("07", "09"))
    text = visiting(replace(ELECTION, start=begins, end=ends)).get("/events.ics").text
    event = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (date(2024, 2, 8), date(2024, 2, 10))
    assert "DTSTART;VALUE=DATE:20240208" in text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_a_calendar_of_one_country_in_the_language_asked_for(language: str) -> None:
    text = visiting().get(f"/events.ics?country=KE&lang={language}").text
    calendar = icalendar.Calendar.from_ical(text)
    (one,) = calendar.walk("VEVENT")
    assert str(one["summary"]).startswith({"en": "Kenya:", "ur": "کینیا:"}[language])
    assert str(calendar["x-wr-calname"]).startswith("Fanous: ")


def test_foreign_text_adds_no_line_to_the_calendar() -> None:
    bad = replace(ELECTION, title=f"{HOSTILE}\r\nEND:VCALENDAR", targets=(HOSTILE,))
    text = visiting(bad).get("/events.ics").text
    unfolded = text.replace("\r\n ", "")
    assert planted(unfolded) == []
    assert unfolded.count("\r\nEND:VCALENDAR") == 1


def test_an_entry_of_an_atom_feed_links_to_its_alert() -> None:
    visitor = visiting()
    root = ElementTree.fromstring(visitor.get("/incidents/feed.atom").text)
    atom = "{http://www.w3.org/2005/Atom}"
    (link,) = [one for one in root.iter(f"{atom}link") if one.get("rel") == "related"]
    assert link.get("type") == "application/cap+xml"
    assert link.get("href") == "https://fanous.example/PK/PK-2023-0001.cap"
    assert visitor.get("/PK/PK-2023-0001.cap").status_code == 200


def test_a_calendar_without_an_event_ahead_says_so_and_counts_nothing() -> None:
    text = visiting(replace(ELECTION, start=NOW - 9, end=NOW)).get("/subscribe").text
    assert "No announced event is coming up." in text
    assert "0 announced" not in text
