"""ICS: announced events from an iCalendar file (RFC 5545), read with the icalendar package.

icalendar reads lines, values and time zones.  This module decides, strictly, what an event needs: an event at
the wrong hour is worse than a missing one, so what cannot be read exactly is left out and reported, and the
other events are read.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from icalendar import Timezone, vDDDTypes, vDuration
from icalendar.parser import Contentlines
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from fanous.base.files import text_of_regular
from fanous.base.text import printable
from fanous.errors import FanousError
from fanous.refdata.countries import main_zone

LONGEST = 4 << 20
"""Characters; a calendar of a country's public events has some 100 KB."""

MOST_EVENTS = 2_000
"""Each is registered by itself, with a lasting proof of when."""

MOST_COMPONENTS = 20_000
"""Events and definitions of time zones that are read, cancelled ones too; each takes some 0.1 ms."""

RECURRING = ("RRULE", "RDATE", "EXRULE")

_DAY = re.compile(r"[0-9]{8}")
_DAY_OR_TIME = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")
"""icalendar takes spaces for digits."""

_YEARLY = frozenset(("FREQ", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "WKST"))
"""Parts that a rule for summer time may have.  One by the hour or second would be followed step by step."""

LEFT_OUT = {
    "backwards": "it ends before it begins",
    "duration": "“{given}” is not a duration such as PT3H or P2D",
    "local": "{given} is a local time without TZID: give its time zone",
    "moment": "“{given}” is not a date or time",
    "no_end": "it has no DTEND and no DURATION",
    "no_start": "it has no DTSTART",
    "part_of_day": "an all-day event lasts whole days, not “{given}”",
    "property": "“{given}” is not a property (NAME:value)",
    "recurs": "{given} is not supported: write each date as an event with DTSTART and DTEND",
    "two_ends": "it has both DTEND and DURATION",
    "unended": "its END:VEVENT is missing",
    "unread": "it cannot be read ({given})",
    "years": "it is not within the years 1 to 9999",
    "zone": "no time zone “{given}” (neither defined in the calendar nor an IANA name, such as Asia/Karachi)",
}
"""Code -> why an event is left out."""


@dataclass(frozen=True, slots=True)
class EventLeftOut:
    """An event that is left out.

    Attributes:
        calendar: its name or path, for messages.
        line: at which the event begins, from 1.
        title: empty = not known.
        why: one of ``LEFT_OUT``, with ``given`` in place of its placeholder.
    """

    calendar: str
    line: int
    title: str
    why: str
    given: str

    def __str__(self) -> str:
        what = f"“{self.title}” is left out" if self.title else "left out"
        return f"{self.calendar}, event of line {self.line}: {what}: {self.why.format(given=self.given)}"


class _Unusable(ValueError):
    def __init__(self, code: str, given: str = "") -> None:
        super().__init__(code, given)
        self.code, self.given = code, given


OnLeftOut = Callable[[EventLeftOut], None]
"""Called once for each event that is left out."""

_Properties = Mapping[str, tuple[Mapping[str, object], str]]
"""Name -> parameters, and the value without its escapes."""


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """Unix seconds, UTC, half-open."""

    title: str
    start: float
    end: float


def read_calendar(path: Path, country: str, on_left_out: OnLeftOut) -> list[CalendarEvent]:
    """The events of a file; see ``read_events``.

    Raises:
        FanousError: also if the file cannot be read.
    """
    try:
        text = text_of_regular(path, 4 * LONGEST, "a calendar of events")
        return read_events(text, str(path), country, on_left_out)
    except OSError as error:
        raise FanousError(f"cannot read the calendar {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FanousError(f"{path} is not UTF-8, as a calendar must be: {error}") from error


def read_events(text: str, name: str, country: str, on_left_out: OnLeftOut) -> list[CalendarEvent]:
    """The events of a calendar by start, without those that are cancelled.

    Args:
        name: of the file, for messages.
        country: where the events take place: all-day events are in its main time zone (UTC for an unknown country).

    Raises:
        FanousError: the text is not a calendar.
    """
    if len(text) > LONGEST or not text.lstrip("\ufeff").upper().startswith("BEGIN:VCALENDAR"):
        raise FanousError(f"{name} is not an iCalendar file: it does not begin with BEGIN:VCALENDAR")
    components = list(islice(_components(text), MOST_COMPONENTS + 1))
    if len(components) > MOST_COMPONENTS:
        raise FanousError(f"{name} has more than {MOST_COMPONENTS:,} events and time zones: split it")
    zones = _Zones([lines for _, kind, lines in components if kind == "VTIMEZONE"], country)
    events: list[CalendarEvent] = []
    for number, kind, lines in components:
        if kind != "VEVENT":
            continue
        title = ""
        try:
            properties = _properties(lines)
            if _value(properties, "STATUS").upper() == "CANCELLED":
                continue
            title = (
                _value(properties, "SUMMARY").replace("\n", " ").strip()[:500] or "an event without a title"
            )
            events.append(CalendarEvent(title, *_bounds(properties, zones)))
        except (ValueError, OverflowError) as error:
            if isinstance(error, _Unusable):
                code, given = error.code, error.given
            else:
                code, given = ("years", "") if isinstance(error, OverflowError) else ("unread", str(error))
            on_left_out(EventLeftOut(name, number, printable(title[:60]), LEFT_OUT[code], printable(given)))
    if len(events) > MOST_EVENTS:
        raise FanousError(
            f"{name} has {len(events):,} events; {MOST_EVENTS:,} can be registered at once: split it"
        )
    return sorted(events, key=lambda one: (one.start, one.title))


def _components(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """(1-based line, ``VEVENT`` or ``VTIMEZONE``, lines) of each, without an event's alarms, which have their
    own times."""
    kind, begun, lines, inner = "", 0, list[str](), 0
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        keyword, _, named = line.rstrip().upper().partition(":")
        if keyword == "BEGIN" and named in ("VEVENT", "VTIMEZONE"):
            if kind:
                yield begun, kind, lines
            kind, begun, lines, inner = named, number, [line], 0
        elif kind == "VEVENT" and keyword in ("BEGIN", "END") and named != kind:
            inner += 1 if keyword == "BEGIN" else -1
        elif kind and not inner:
            lines.append(line)
            if (keyword, named) == ("END", kind):
                yield begun, kind, lines
                kind = ""
    if kind:
        yield begun, kind, lines


def _properties(lines: list[str]) -> _Properties:
    """
    Raises:
        ValueError: the event does not end, or a line of it is not a property.
    """
    if lines[-1].rstrip().upper() != "END:VEVENT":
        raise _Unusable("unended")
    found: dict[str, tuple[Mapping[str, object], str]] = {}
    for line in filter(None, Contentlines.from_ical("\r\n".join(lines))):
        try:
            name, parameters, value = line.parts()
        except ValueError:
            raise _Unusable("property", line[:60]) from None
        found[name.upper()] = parameters, value
    return found


def _value(properties: _Properties, name: str) -> str:
    return properties[name][1] if name in properties else ""


def _bounds(properties: _Properties, zones: "_Zones") -> tuple[float, float]:
    """Start and end of an event, in Unix seconds.

    Raises:
        ValueError, OverflowError: they cannot be given exactly.
    """
    recurs = next((key for key in RECURRING if key in properties), None)
    if recurs:
        raise _Unusable("recurs", recurs)
    if "DTSTART" not in properties:
        raise _Unusable("no_start")
    if "DTEND" in properties and "DURATION" in properties:
        raise _Unusable("two_ends")
    start, whole_day = zones.instant(*properties["DTSTART"])
    if "DTEND" in properties:
        end, _ = zones.instant(*properties["DTEND"])
    elif "DURATION" in properties:
        end = _after(start, _value(properties, "DURATION"), whole_day)
    elif whole_day:
        end = start + timedelta(days=1)
    else:
        raise _Unusable("no_end")
    first, last = start.astimezone(UTC).timestamp(), end.astimezone(UTC).timestamp()
    if last <= first:
        raise _Unusable("backwards")
    return first, last


def _after(start: datetime, text: str, whole_day: bool) -> datetime:
    """Add a duration: days and weeks follow local time, hours are exact, which differs when summer time begins or
    ends."""
    days, separator, hours = text.upper().partition("T")
    try:
        if days.startswith("-") or not (hours or days[1:]) or text.upper().endswith("T"):
            raise ValueError(text)
        nominal: timedelta = vDuration.from_ical(days)
        exact: timedelta = vDuration.from_ical(f"PT{hours}")
    except ValueError:
        raise _Unusable("duration", text[:30]) from None
    if whole_day and separator:
        raise _Unusable("part_of_day", text[:30])
    return (start + nominal).astimezone(UTC) + exact


class _Zones:
    """Time zones by name: those that the calendar defines itself, then those of the IANA database.

    icalendar resolves names too, but it remembers the zones of every calendar that a process has read, and two
    calendars may mean different clocks by ``Customized Time Zone``.
    """

    def __init__(self, definitions: list[list[str]], country: str) -> None:
        self._home = ZoneInfo(main_zone(country))
        self._own: dict[str, tzinfo] = {}
        for lines in definitions:
            # icalendar and dateutil raise all of these for a damaged definition.  Events that use it are
            # left out, unless the database knows its name.
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                zone = Timezone.from_ical("\r\n".join(lines))
                if not isinstance(zone, Timezone):
                    continue
                rules = [rule for part in zone.subcomponents for rule in part.rrules]
                if all(rule["FREQ"] == ["YEARLY"] and rule.keys() <= _YEARLY for rule in rules):
                    self._own[zone.tz_name] = zone.to_tz(lookup_tzid=False)

    def instant(self, parameters: Mapping[str, object], value: str) -> tuple[datetime, bool]:
        """The instant, and whether it is a whole day, which begins at midnight.

        Raises:
            ValueError: it is not an instant, or its time zone is unknown.
        """
        zone = self._named(str(parameters["TZID"])) if "TZID" in parameters else None
        wanted = _DAY if str(parameters.get("VALUE", "")).upper() == "DATE" else _DAY_OR_TIME
        try:
            moment = vDDDTypes.from_ical(value) if wanted.fullmatch(value) else None
        except ValueError:
            moment = None
        if not isinstance(moment, date):
            raise _Unusable("moment", value[:30])
        if not isinstance(moment, datetime):
            return datetime.combine(moment, time(), zone or self._home), True
        if moment.tzinfo is None and zone is None:
            raise _Unusable("local", value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)), False

    def _named(self, name: str) -> tzinfo:
        if name in self._own:
            return self._own[name]
        try:
            return ZoneInfo(WINDOWS_TO_OLSON.get(name, name))
        except (KeyError, ValueError, OSError):
            raise _Unusable("zone", name[:60]) from None
