"""Calendars of announced events, read strictly."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanous.errors import FanousError
from fanous.ics import Event, read_calendar, read_events
from fanous.model.instant import from_iso


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])


def event(*lines: str) -> str:
    return calendar("BEGIN:VEVENT", *lines, "END:VEVENT")


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
    ],
)
def test_an_event_has_its_hours(lines: tuple[str, ...], start: str, end: str) -> None:
    found = read_events(event("SUMMARY:Rally", *lines), "c.ics")
    assert found == [Event("Rally", from_iso(start), from_iso(end))]


def test_titles_are_unfolded_and_unescaped() -> None:
    text = event("SUMMARY:Virtual\\, very", "  long rally\\nin Lahore", "DTSTART;VALUE=DATE:20240208")
    assert read_events(text, "c.ics")[0].title == "Virtual, very long rally in Lahore"


def test_alarms_and_cancelled_events_are_left_out() -> None:
    day = "DTSTART;VALUE=DATE:20240208"
    alarm = ("BEGIN:VALARM", "DURATION:PT1H", "DTSTART:rubbish", "END:VALARM")
    assert len(read_events(event(day, *alarm), "c.ics")) == 1
    assert read_events(event(day, "STATUS:CANCELLED"), "c.ics") == []


def test_events_come_by_their_start() -> None:
    days = ("20240210", "20240208", "20240209")
    lines = [x for day in days for x in ("BEGIN:VEVENT", f"DTSTART;VALUE=DATE:{day}", "END:VEVENT")]
    starts = [one.start for one in read_events(calendar(*lines), "c.ics")]
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
        (event("DTSTART;VALUE=DATE:20240208", "RRULE:FREQ=DAILY"), "RRULE is not read"),
        (event("DTSTART:20231217T160000Z", "DURATION:PT3H"), "DURATION is not read"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_by_its_place(text: str, why: str) -> None:
    with pytest.raises(FanousError, match=why.replace("(", r"\(")):
        read_events(text, "c.ics")


@given(st.text(max_size=200))
def test_rubbish_is_refused_in_words(text: str) -> None:
    try:
        assert read_events(event(*text.splitlines()), "c.ics") is not None
    except FanousError as error:
        assert "c.ics" in str(error)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match=r"c\.ics"):
        read_calendar(tmp_path / "c.ics")
    (tmp_path / "d.ics").write_bytes(b"BEGIN:VCALENDAR\xff")
    with pytest.raises(FanousError, match="UTF-8"):
        read_calendar(tmp_path / "d.ics")
