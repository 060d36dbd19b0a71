"""ICS: announced events out of an iCalendar file (RFC 5545).

A small strict reader in place of a library: an announced event needs five properties, and what this cannot
read exactly it refuses by line, where a lenient reader would put an event at the wrong hour.  Recurring events
alone are left out and named: a calendar of holidays has some, and its other events are no worse for them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fanous.errors import FanousError

LONGEST = 4 << 20
"""Characters; a calendar of a country's public events has some 100 KB."""

_PROPERTY = re.compile(r"([A-Za-z0-9-]+)((?:;[^:\";]*(?:\"[^\"]*\"[^:\";]*)*)*):(.*)")
_INSTANT = re.compile(r"\d{8}T\d{6}Z?")
_DURATION = re.compile(
    r"\+?P(?:(?P<weeks>\d{1,4})W|(?:(?P<days>\d{1,5})D)?"
    r"(?P<time>T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,8})S)?)?)"
)
"""Section 3.3.6; one that is negative ends before it begins."""

RECURRING = ("RRULE", "RDATE", "EXRULE")

OnLeftOut = Callable[[str], None]
"""Called with what was left out and why, in words."""


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """Unix seconds, UTC, half-open."""

    title: str
    start: float
    end: float


@dataclass(slots=True)
class _Open:
    line: int
    properties: dict[str, tuple[dict[str, str], str]] = field(default_factory=dict)
    inner: int = 0


def read_calendar(path: Path, on_left_out: OnLeftOut) -> list[CalendarEvent]:
    """The events of a file; see ``read_events``.

    Raises:
        FanousError: also where the file cannot be read.
    """
    try:
        return read_events(path.read_text(encoding="utf-8"), str(path), on_left_out)
    except OSError as error:
        raise FanousError(f"cannot read the calendar {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FanousError(f"{path} is not UTF-8, which a calendar has to be: {error}") from error


def read_events(text: str, name: str, on_left_out: OnLeftOut) -> list[CalendarEvent]:
    """The events of a calendar, by start; cancelled ones are left out, and recurring ones are named.

    Raises:
        FanousError: it is no calendar, or an event cannot be read exactly; the message names the line.
    """
    if len(text) > LONGEST or not text.lstrip("\ufeff").upper().startswith("BEGIN:VCALENDAR"):
        raise FanousError(f"{name} is not an iCalendar file: it does not begin with BEGIN:VCALENDAR")
    events: list[CalendarEvent] = []
    event: _Open | None = None
    for number, line in _unfolded(text):
        match = _PROPERTY.fullmatch(line)
        if match is None:
            raise FanousError(f"{name}, line {number}: {line[:60]!r} is no property (NAME:value)")
        key, value = match[1].upper(), match[3]
        if (key, value.upper()) == ("BEGIN", "VEVENT"):
            event = _Open(number)
        elif event is not None and key in ("BEGIN", "END") and value.upper() != "VEVENT":
            event.inner += 1 if key == "BEGIN" else -1  # alarms have times of their own
        elif event is not None and key == "END":
            events += _event(event, name, on_left_out)
            event = None
        elif event is not None and not event.inner:
            event.properties[key] = _parameters(match[2]), value
    if event is not None:
        raise FanousError(f"{name}: the event of line {event.line} does not end")
    return sorted(events, key=lambda one: (one.start, one.title))


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """(1-based number, line), with continued lines put together."""
    whole: list[tuple[int, str]] = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        if line[:1] in (" ", "\t") and whole:
            whole[-1] = (whole[-1][0], whole[-1][1] + line[1:])
        elif line:
            whole.append((number, line))
    return iter(whole)


def _parameters(text: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.split(";") if one)
    return {key.upper(): value.strip('"') for key, _, value in pairs}


def _event(event: _Open, name: str, on_left_out: OnLeftOut) -> list[CalendarEvent]:
    where = f"{name}, event of line {event.line}"
    properties = event.properties
    title = _text(properties.get("SUMMARY", ({}, ""))[1]) or "an event without a title"
    if properties.get("STATUS", ({}, ""))[1].upper() == "CANCELLED":
        return []
    recurs = next((key for key in RECURRING if key in properties), None)
    if recurs:
        on_left_out(
            f"{where}: {title[:60]!r} is left out, for {recurs} is not read: write each date as an event "
            "with DTSTART and DTEND"
        )
        return []
    if "DTSTART" not in properties:
        raise FanousError(f"{where}: it has no DTSTART")
    start, whole_day = _instant(*properties["DTSTART"], where)
    end = _end(properties, start, whole_day, where)
    if end <= start:
        raise FanousError(f"{where}: it ends before it begins")
    return [CalendarEvent(title, start.timestamp(), end.timestamp())]


def _end(
    properties: dict[str, tuple[dict[str, str], str]], start: datetime, whole_day: bool, where: str
) -> datetime:
    if "DTEND" in properties and "DURATION" in properties:
        raise FanousError(f"{where}: it has both DTEND and DURATION")
    if "DTEND" in properties:
        return _instant(*properties["DTEND"], where)[0]
    if "DURATION" in properties:
        return _after(start, properties["DURATION"][1], whole_day, where)
    if whole_day:
        return start + timedelta(days=1)
    raise FanousError(f"{where}: it has no DTEND and no DURATION")


def _after(start: datetime, text: str, whole_day: bool, where: str) -> datetime:
    """Days and weeks are the clock's, hours are exact: they differ where summer time begins or ends."""
    found = _DURATION.fullmatch(text.upper())
    if found is None or not any(found.groupdict().values()):
        raise FanousError(f"{where}: {text[:30]!r} is no duration such as PT3H or P2D")
    if whole_day and found["time"]:
        raise FanousError(f"{where}: a whole day lasts whole days, not {text[:30]!r}")
    weeks, days, hours, minutes, seconds = (
        int(found[part] or 0) for part in ("weeks", "days", "hours", "minutes", "seconds")
    )
    try:
        day = start + timedelta(weeks=weeks, days=days)
        return day.astimezone(UTC) + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise FanousError(f"{where}: {text[:30]!r} ends in no year that there is") from None


def _instant(parameters: dict[str, str], value: str, where: str) -> tuple[datetime, bool]:
    """The instant, and whether it is a whole day (which begins at midnight in its zone, else in UTC)."""
    zone = _zone(parameters.get("TZID"), where)
    try:
        if parameters.get("VALUE", "").upper() == "DATE":
            return datetime.strptime(value, "%Y%m%d").replace(tzinfo=zone or UTC), True
        if not _INSTANT.fullmatch(value):
            raise ValueError(value)
        moment = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")
    except ValueError:
        raise FanousError(f"{where}: {value[:30]!r} is no date or time") from None
    if value.endswith("Z"):
        return moment.replace(tzinfo=UTC), False
    if zone is None:
        raise FanousError(f"{where}: {value} is a local time without TZID: say in which zone")
    return moment.replace(tzinfo=zone), False


def _zone(name: str | None, where: str) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FanousError(f"{where}: no time zone {name[:60]!r} (IANA names, such as Asia/Karachi)") from None


def _text(value: str) -> str:
    """RFC 5545 section 3.3.11."""
    plain = re.sub(r"\\([nN,;\\])", lambda m: " " if m[1] in "nN" else m[1], value)
    return plain.strip()[:500]
