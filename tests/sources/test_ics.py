"""Calendars of announced events, read strictly."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanous.errors import FanousError
from fanous.model.instant import from_iso
from fanous.sources.ics import CalendarEvent, read_calendar, read_events


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])


def event(*lines: str) -> str:
    return calendar("BEGIN:VEVENT", *lines, "END:VEVENT")


def unexpected(why: str) -> None:
    raise AssertionError(why)


def read(text: str) -> list[CalendarEvent]:
    return read_events(text, "c.ics", unexpected)


@pytest.mark.parametrize(
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
    ("text", "why"),
    [
        ("", "not an iCalendar"),
        ("BEGIN:VCARD", "not an iCalendar"),
        (calendar("nonsense"), "line 3: 'nonsense'"),
        (calendar("BEGIN:VEVENT", "DTSTART;VALUE=DATE:20240208"), "does not end"),
        (event("SUMMARY:x"), "no DTSTART"),
        (event("DTSTART:20231217T160000Z"), "no DTEND"),
        (event("DTSTART:20231217T160000", "DTEND:20231217T190000"), "without TZID"),
        (event("DTSTART;TZID=Mars/Base:20231217T160000", "DTEND:20231217T190000Z"), "no time zone"),
        (event("DTSTART;TZID=../etc:20231217T160000", "DTEND:20231217T190000Z"), "no time zone"),
        (event("DTSTART:20231317T160000Z", "DTEND:20231217T190000Z"), "no date or time"),
        (event("DTSTART:20231217T190000Z", "DTEND:20231217T160000Z"), "ends before"),
        (event("DTSTART:20231217T160000Z", "DURATION:3 hours"), "no duration"),
        (event("DTSTART:20231217T160000Z", "DURATION:P"), "no duration"),
        (event("DTSTART:20231217T160000Z", "DURATION:PT"), "no duration"),
        (event("DTSTART:20231217T160000Z", "DURATION:P1DT"), "no duration"),
        (event("DTSTART:20231217T160000Z", "DURATION:-PT3H"), "no duration"),
        (event("DTSTART:20231217T160000Z", "DURATION:PT0S"), "ends before"),
        (event("DTSTART:99991217T160000Z", "DURATION:P9999W"), "no year"),
        (event("DTSTART;VALUE=DATE:20240208", "DURATION:PT3H"), "whole days"),
        (event("DTSTART:20231217T160000Z", "DTEND:20231217T170000Z", "DURATION:PT1H"), "both"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_by_its_place(text: str, why: str) -> None:
    with pytest.raises(FanousError, match=why.replace("(", r"\(")):
        read(text)


def test_recurring_events_are_left_out_and_named_and_the_others_are_read() -> None:
    left_out: list[str] = []
    text = calendar(
        *("BEGIN:VEVENT", "SUMMARY:Friday prayer", "DTSTART;VALUE=DATE:20240209", "RRULE:FREQ=WEEKLY"),
        *("END:VEVENT", "BEGIN:VEVENT", "SUMMARY:Vote", "DTSTART;VALUE=DATE:20240208", "END:VEVENT"),
    )
    assert [one.title for one in read_events(text, "c.ics", left_out.append)] == ["Vote"]
    (why,) = left_out
    assert "c.ics, event of line 3: 'Friday prayer' is left out" in why and "RRULE" in why


@pytest.mark.parametrize("text", ["A" + ";" * 60_000, 'A;b="c"' * 9_000, 'A;b="' + "c" * 60_000])
def test_a_line_without_a_value_is_refused_at_once(text: str) -> None:
    with pytest.raises(FanousError, match="no property"):
        read(calendar(text))


@given(st.text(max_size=200))
def test_rubbish_is_refused_in_words(text: str) -> None:
    try:
        assert read(event(*text.splitlines())) is not None
    except FanousError as error:
        assert "c.ics" in str(error)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match=r"c\.ics"):
        read_calendar(tmp_path / "c.ics", unexpected)
    (tmp_path / "d.ics").write_bytes(b"BEGIN:VCALENDAR\xff")
    with pytest.raises(FanousError, match="UTF-8"):
        read_calendar(tmp_path / "d.ics", unexpected)
