"""Calendars of announced events: what is read, and what is left out and why."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanous.errors import FanousError
from fanous.model.instant import from_iso
from fanous.sources import ics
from fanous.sources.ics import CalendarEvent, EventLeftOut, OnLeftOut, read_calendar, read_events
from tests.each import each


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])


def event(*lines: str) -> str:
    return calendar("BEGIN:VEVENT", *lines, "END:VEVENT")


def said_to(left_out: list[str]) -> OnLeftOut:
    return lambda one: left_out.append(str(one))


def unexpected(why: EventLeftOut) -> None:
    raise AssertionError(why)


def read(text: str, country: str = "ZZ") -> list[CalendarEvent]:
    return read_events(text, "c.ics", country, unexpected)


def zone(name: str, offset: str) -> list[str]:
    """A calendar's own definition of a time zone that never changes its clock."""
    standard = ("BEGIN:STANDARD", "DTSTART:19700101T000000", f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}")
    return ["BEGIN:VTIMEZONE", f"TZID:{name}", *standard, "END:STANDARD", "END:VTIMEZONE"]


VOTE = ("BEGIN:VEVENT", "SUMMARY:Vote", "DTSTART:20240208T030000Z", "DTEND:20240208T120000Z", "END:VEVENT")


@each(
    ("lines", "start", "end"),
    [
        (("DTSTART:20231217T160000Z", "DTEND:20231217T190000Z"), "2023-12-17T16:00Z", "2023-12-17T19:00Z"),
        (
            ("DTSTART;TZID=Asia/Karachi:20231217T210000", "DTEND;TZID=Asia/Karachi:20231218T000000"),
            "2023-12-17T16:00Z",
            "2023-12-17T19:00Z",
        ),
        (
            ('DTSTART;TZID="Asia/Karachi":20231217T210000', "DTEND:20231217T190000Z"),
            "2023-12-17T16:00Z",
            "2023-12-17T19:00Z",
        ),
        (("DTSTART;VALUE=DATE:20240208",), "2024-02-08", "2024-02-09"),
        (("DTSTART;VALUE=DATE:20240208", "DTEND;VALUE=DATE:20240210"), "2024-02-08", "2024-02-10"),
        (("DTSTART:20231217T160000Z", "DURATION:PT3H"), "2023-12-17T16:00Z", "2023-12-17T19:00Z"),
        (("DTSTART:20231217T160000Z", "DURATION:P1DT1H30M5S"), "2023-12-17T16:00Z", "2023-12-18T17:30:05Z"),
        (("DTSTART:20231217T160000Z", "DURATION:+P2W"), "2023-12-17T16:00Z", "2023-12-31T16:00Z"),
        (("DTSTART;VALUE=DATE:20240208", "DURATION:P2D"), "2024-02-08", "2024-02-10"),
        (  # the clocks go forward: a day is 23 hours, 24 hours are a day and an hour of the clock's
            ("DTSTART;TZID=Europe/Berlin:20240330T120000", "DURATION:P1D"),
            "2024-03-30T11:00Z",
            "2024-03-31T10:00Z",
        ),
        (
            ("DTSTART;TZID=Europe/Berlin:20240330T120000", "DURATION:PT24H"),
            "2024-03-30T11:00Z",
            "2024-03-31T11:00Z",
        ),
    ],
)
def test_an_event_has_its_hours(lines: tuple[str, ...], start: str, end: str) -> None:
    found = read(event("SUMMARY:Rally", *lines))
    assert found == [CalendarEvent("Rally", from_iso(start), from_iso(end))]


def test_titles_are_unfolded_and_unescaped() -> None:
    text = event("SUMMARY:Virtual\\, very", "  long rally\\nin Lahore", "DTSTART;VALUE=DATE:20240208")
    assert read(text)[0].title == "Virtual, very long rally in Lahore"


def test_alarms_and_cancelled_events_are_left_out() -> None:
    day = "DTSTART;VALUE=DATE:20240208"
    alarm = ("BEGIN:VALARM", "DURATION:PT1H", "DTSTART:rubbish", "END:VALARM")
    assert len(read(event(day, *alarm))) == 1
    assert read(event(day, "STATUS:CANCELLED")) == []


def test_events_come_by_their_start() -> None:
    days = ("20240210", "20240208", "20240209")
    lines = [x for day in days for x in ("BEGIN:VEVENT", f"DTSTART;VALUE=DATE:{day}", "END:VEVENT")]
    starts = [one.start for one in read(calendar(*lines))]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("country", "start", "end"),
    [("PK", "2024-02-07T19:00Z", "2024-02-08T19:00Z"), ("ZZ", "2024-02-08", "2024-02-09")],
)
def test_a_whole_day_is_one_of_the_country(country: str, start: str, end: str) -> None:
    (found,) = read(event("SUMMARY:Vote", "DTSTART;VALUE=DATE:20240208"), country)
    assert found == CalendarEvent("Vote", from_iso(start), from_iso(end))


def test_a_whole_day_is_23_hours_where_summer_time_begins() -> None:
    (found,) = read(event("DTSTART;VALUE=DATE:20240331", "DTEND;VALUE=DATE:20240401"), "DE")
    assert (found.start, found.end - found.start) == (from_iso("2024-03-30T23:00Z"), 23 * 3600)


@pytest.mark.parametrize("name", ["Customized Time Zone", "/example.org/Clock of the office", "Asia/Karachi"])
def test_the_time_zones_that_a_calendar_defines_are_used(name: str) -> None:
    """Two calendars may mean different clocks by one name, whichever is read first."""
    lines = ("BEGIN:VEVENT", f"DTSTART;TZID={name}:20240208T080000", "DURATION:PT1H", "END:VEVENT")
    starts = [read(calendar(*lines, *zone(name, offset)))[0].start for offset in ("+0500", "+0530")]
    assert starts == [from_iso("2024-02-08T03:00Z"), from_iso("2024-02-08T02:30Z")]


def test_summer_time_is_the_calendars_own() -> None:
    """Pakistan's of 2008, by Outlook's kind of definition, whose rules begin in 1601."""
    rules = [
        *("BEGIN:VTIMEZONE", "TZID:Pakistan Standard Time"),
        *("BEGIN:STANDARD", "DTSTART:16011101T000000", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SA"),
        *("TZOFFSETFROM:+0600", "TZOFFSETTO:+0500", "END:STANDARD"),
        *("BEGIN:DAYLIGHT", "DTSTART:16010601T000000", "RRULE:FREQ=YEARLY;BYMONTH=6;BYDAY=1SU"),
        *("TZOFFSETFROM:+0500", "TZOFFSETTO:+0600", "END:DAYLIGHT", "END:VTIMEZONE"),
    ]
    events = [
        (
            "BEGIN:VEVENT",
            f"DTSTART;TZID=Pakistan Standard Time:2008{day}T080000",
            "DURATION:PT1H",
            "END:VEVENT",
        )
        for day in ("0208", "0708")
    ]
    starts = [one.start for one in read(calendar(*rules, *events[0], *events[1]))]
    assert starts == [from_iso("2008-02-08T03:00Z"), from_iso("2008-07-08T02:00Z")]


def test_windows_names_of_time_zones_are_known() -> None:
    (found,) = read(event("DTSTART;TZID=Pakistan Standard Time:20240208T080000", "DURATION:PT1H"))
    assert found.start == from_iso("2024-02-08T03:00Z")


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=YEARLY;BYHOUR=1,2,3", "FREQ=RARELY", "", "UNTIL=x;FREQ=YEARLY"]
)
def test_a_definition_that_cannot_be_read_spoils_only_what_uses_it(rule: str) -> None:
    lines = zone("Office", "+0500")
    lines.insert(3, f"RRULE:{rule}")
    left_out: list[str] = []
    events = ("BEGIN:VEVENT", "DTSTART;TZID=Office:20240208T080000", "DURATION:PT1H", "END:VEVENT", *VOTE)
    found = read_events(calendar(*lines, *events), "c.ics", "ZZ", said_to(left_out))
    assert [one.title for one in found] == ["Vote"]
    (why,) = left_out
    assert "no time zone “Office”" in why


@pytest.mark.parametrize("text", ["", "BEGIN:VCARD", "x" * 100])
def test_what_is_not_a_calendar_is_refused(text: str) -> None:
    with pytest.raises(FanousError, match=r"c\.ics is not an iCalendar file"):
        read(text)


@each(
    ("lines", "why"),
    [
        (("nonsense",), "“nonsense”"),
        ((), "no DTSTART"),
        (("DTSTART:20231217T160000Z",), "no DTEND"),
        (("DTSTART:20231217T160000", "DTEND:20231217T190000"), "without TZID"),
        (("DTSTART;TZID=Mars/Base:20231217T160000", "DTEND:20231217T190000Z"), "no time zone “Mars/Base”"),
        (("DTSTART;TZID=../etc:20231217T160000", "DTEND:20231217T190000Z"), "no time zone “../etc”"),
        (("DTSTART;TZID=Asia:20231217T160000", "DTEND:20231217T190000Z"), "no time zone “Asia”"),
        (("DTSTART;TZID=a,b:20231217T160000", "DTEND:20231217T190000Z"), "no time zone"),
        (("DTSTART:20231317T160000Z", "DTEND:20231217T190000Z"), "not a date or time"),
        (("DTSTART:2023121 T160000Z", "DTEND:20231217T190000Z"), "not a date or time"),
        (("DTSTART;VALUE=DATE:20231217T160000Z",), "not a date or time"),
        (("DTSTART:P1D",), "not a date or time"),
        (("DTSTART:20231217T190000Z", "DTEND:20231217T160000Z"), "ends before"),
        (("DTSTART:20231217T160000Z", "DURATION:3 hours"), "not a duration"),
        (("DTSTART:20231217T160000Z", "DURATION:P"), "not a duration"),
        (("DTSTART:20231217T160000Z", "DURATION:PT"), "not a duration"),
        (("DTSTART:20231217T160000Z", "DURATION:P1DT"), "not a duration"),
        (("DTSTART:20231217T160000Z", "DURATION:-PT3H"), "not a duration"),
        (("DTSTART:20231217T160000Z", "DURATION:PT0S"), "ends before"),
        (("DTSTART:99991217T160000Z", "DURATION:P9999W"), "years 1 to 9999"),
        (("DTSTART;TZID=Asia/Karachi:00010101T000000", "DTEND:20231217T190000Z"), "years 1 to 9999"),
        (("DTSTART;VALUE=DATE:99991231",), "years 1 to 9999"),
        (
            ("DTSTART;TZID=America/Lima:99991231T200000", "DTEND;TZID=America/Lima:99991231T210000"),
            "years 1 to 9999",
        ),
        (("DTSTART;VALUE=DATE:20240208", "DURATION:PT3H"), "whole days"),
        (("DTSTART:20231217T160000Z", "DTEND:20231217T170000Z", "DURATION:PT1H"), "both"),
        (("DTSTART;VALUE=DATE:20240209", "RRULE:FREQ=WEEKLY"), "RRULE"),
    ],
)
def test_an_event_that_cannot_be_read_exactly_is_left_out_once_and_the_others_are_read(
    lines: tuple[str, ...], why: str
) -> None:
    left_out: list[str] = []
    text = calendar("BEGIN:VEVENT", "SUMMARY:Rally", *lines, "END:VEVENT", *VOTE)
    assert [one.title for one in read_events(text, "c.ics", "ZZ", said_to(left_out))] == ["Vote"]
    (said,) = left_out
    assert said.startswith("c.ics, event of line 3: ") and why in said


def test_a_recurring_event_is_named() -> None:
    left_out: list[str] = []
    text = event("SUMMARY:Friday prayer", "DTSTART;VALUE=DATE:20240209", "RRULE:FREQ=WEEKLY")
    assert read_events(text, "c.ics", "PK", said_to(left_out)) == []
    (why,) = left_out
    assert why.startswith("c.ics, event of line 3: “Friday prayer” is left out: RRULE is not supported")


def test_an_event_that_does_not_end_is_left_out() -> None:
    left_out: list[str] = []
    text = calendar("BEGIN:VEVENT", "DTSTART;VALUE=DATE:20240208", *VOTE, "BEGIN:VEVENT", "SUMMARY:Rally")
    assert [one.title for one in read_events(text, "c.ics", "ZZ", said_to(left_out))] == ["Vote"]
    assert [why.partition(": ")[0] for why in left_out] == [
        "c.ics, event of line 3",
        "c.ics, event of line 10",
    ]
    assert all("END:VEVENT is missing" in why for why in left_out)


def test_what_stands_outside_of_events_spoils_none() -> None:
    other = ("BEGIN:VTODO", "DTSTART:rubbish", "nonsense", "END:VTODO")
    assert [one.title for one in read(calendar("nonsense", *other, *VOTE))] == ["Vote"]


@pytest.mark.parametrize("text", ["A" + ";" * 60_000, 'A;b="c"' * 9_000, 'A;b="' + "c" * 60_000])
def test_a_line_without_a_value_is_left_out_at_once(text: str) -> None:
    left_out: list[str] = []
    assert read_events(event(text, "DTSTART;VALUE=DATE:20240208"), "c.ics", "ZZ", said_to(left_out)) == []
    assert len(left_out) == 1 and len(left_out[0]) < 300


@given(st.text(max_size=200))
def test_rubbish_is_left_out_in_words(text: str) -> None:
    left_out: list[str] = []
    for lines in (
        calendar(*text.splitlines()),
        event(*text.splitlines()),
        calendar(*zone(text, text), *VOTE),
    ):
        read_events(lines, "c.ics", "PK", said_to(left_out))
    assert all(why.startswith("c.ics, event of line ") for why in left_out)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match=r"c\.ics"):
        read_calendar(tmp_path / "c.ics", "PK", unexpected)
    (tmp_path / "d.ics").write_bytes(b"BEGIN:VCALENDAR\xff")
    with pytest.raises(FanousError, match="UTF-8"):
        read_calendar(tmp_path / "d.ics", "PK", unexpected)


def test_a_calendar_of_ten_thousands_of_events_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is written to the disk by itself: 20,000 took more than a minute, with the store held."""
    monkeypatch.setattr(ics, "MOST_COMPONENTS", 3)
    with pytest.raises(FanousError, match="more than 3 events and time zones"):
        read(event(*["END:VEVENT", "BEGIN:VEVENT"] * 3))
    monkeypatch.setattr(ics, "MOST_EVENTS", 1)
    with pytest.raises(FanousError, match="2 events; 1 can be registered at once"):
        read(
            event("DTSTART;VALUE=DATE:20240208", "END:VEVENT", "BEGIN:VEVENT", "DTSTART;VALUE=DATE:20240209")
        )
