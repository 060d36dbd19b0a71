"""ICS: announced events out of an iCalendar file (RFC 5545).

A small strict reader in place of a library: a watch needs four properties of an event, and what this cannot
read exactly - recurring events, durations, local times without a zone - it refuses by line, where a lenient
reader would put a watch at the wrong hour.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fanous.errors import FanousError

LONGEST = 4 << 20
"""Characters; a calendar of a country's public events has some 100 KB."""

_PROPERTY = re.compile(r"([A-Za-z0-9-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\";]*)*)*):(.*)")
_INSTANT = re.compile(r"\d{8}T\d{6}Z?")
REFUSED = ("RRULE", "RDATE", "EXRULE", "DURATION")


@dataclass(frozen=True, slots=True)
class Event:
    """Unix seconds, UTC, half-open."""

    title: str
    start: float
    end: float


@dataclass(slots=True)
class _Open:
    line: int
    properties: dict[str, tuple[dict[str, str], str]] = field(default_factory=dict)
    inner: int = 0


def read_calendar(path: Path) -> list[Event]:
    """The events of a file; see ``read_events``.

    Raises:
        FanousError: also where the file cannot be read.
    """
    try:
        return read_events(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise FanousError(f"cannot read the calendar {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FanousError(f"{path} is not UTF-8, which a calendar has to be: {error}") from error


def read_events(text: str, name: str) -> list[Event]:
    """The events of a calendar, by start; cancelled ones are left out.

    Raises:
        FanousError: it is no calendar, or an event cannot be read exactly; the message names the line.
    """
    if len(text) > LONGEST or not text.lstrip("\ufeff").upper().startswith("BEGIN:VCALENDAR"):
        raise FanousError(f"{name} is not an iCalendar file: it does not begin with BEGIN:VCALENDAR")
    events: list[Event] = []
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
            events += _event(event, name)
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


def _event(event: _Open, name: str) -> list[Event]:
    where = f"{name}, event of line {event.line}"
    properties = event.properties
    if properties.get("STATUS", ({}, ""))[1].upper() == "CANCELLED":
        return []
    for key in REFUSED:
        if key in properties:
            raise FanousError(
                f"{where}: {key} is not read; write each date as an event with DTSTART and DTEND"
            )
    if "DTSTART" not in properties:
        raise FanousError(f"{where}: it has no DTSTART")
    start, whole_day = _instant(*properties["DTSTART"], where)
    if "DTEND" in properties:
        end, _ = _instant(*properties["DTEND"], where)
    elif whole_day:
        end = start + timedelta(days=1)
    else:
        raise FanousError(f"{where}: it has no DTEND")
    if end <= start:
        raise FanousError(f"{where}: it ends before it begins")
    title = _text(properties.get("SUMMARY", ({}, ""))[1]) or "an event without a title"
    return [Event(title, start.timestamp(), end.timestamp())]


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
