"""Clock: the times that tables write, as unix seconds."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from fanous.errors import FanousError

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?")
_NUMBER = re.compile(r"(?:\d{9,10}|\d{13})(?:\.\d+)?")
_MILLISECONDS = 1e11
"""Whole parts of 13 digits are milliseconds: those of any time since September 2001."""
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? +", re.IGNORECASE)
_CLOCK = (
    r"(?:,?[ T]+(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?: ?(?P<half>[AaPp][Mm]))?"
    r"(?: ?(?P<zone>Z|(?:UTC|GMT)?[+-]\d{1,2}(?::?[0-5]\d)?)(?: \([^()]*\))?)?)?"
)
_LOOSE = tuple(
    re.compile(pattern + _CLOCK)
    for pattern in (
        r"(?P<year>\d{4})(?P<dash>[-/])(?P<month>\d{1,2})(?P=dash)(?P<day>\d{1,2})",
        r"(?P<day>\d{1,2})[- ](?P<month>[A-Za-z]{3,9})\.?,?[- ](?P<year>\d{4})",
        r"(?P<month>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
    )
)
"""What is no ISO 8601: ``2025/12/1 0:00``, ``11-Nov-2019 00:00``, ``Dec 1, 2025 9:30 PM``, and JavaScript's
``Mon Dec 01 2025 00:00:00 GMT+0000 (Coordinated Universal Time)``.  A month that is a number stands behind
the year: other orders cannot be told apart."""


def zone_of(text: str) -> tzinfo:
    """``Asia/Tehran``, ``+06:30`` or ``UTC``.

    Raises:
        FanousError: neither.
    """
    offset = _offset(text.strip())
    if offset is not None:
        return offset
    try:
        return UTC if text.strip() in ("", "UTC", "Z") else ZoneInfo(text.strip())
    except (ValueError, OSError, KeyError):  # an unknown zone is a KeyError, a folder an OSError
        raise FanousError(f"{text!r} is no time zone: name one such as Asia/Tehran or +03:30") from None


def reader(zone: tzinfo) -> Callable[[str], float]:
    """A function from the text of a time to unix seconds; it raises ``ValueError`` for what is none.

    A local time that the clock showed twice is the first of both.
    """

    @lru_cache(maxsize=4096)  # tables repeat each time for every place
    def instant(text: str) -> float:
        moment = _moment(text.strip(), zone)
        return moment.timestamp()

    return instant


def _offset(text: str) -> tzinfo | None:
    found = _OFFSET.fullmatch(text)
    if found is None or int(found[2]) >= 24:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return timezone(offset if found[1] == "+" else -offset)


def _moment(text: str, zone: tzinfo) -> datetime:
    if text[-4:].upper() in (" UTC", " GMT"):
        return _moment(text[:-4].rstrip(), UTC)
    if _NUMBER.fullmatch(text):
        seconds = float(text) if float(text) < _MILLISECONDS else float(text) / 1000
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=zone)
    text = _WEEKDAY.sub("", text)
    found = next((found for pattern in _LOOSE if (found := pattern.fullmatch(text))), None)
    moment = datetime.fromisoformat(text) if found is None else _read(found)
    if not 1970 < moment.year < 2200:
        raise ValueError("the year is out of range")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _read(found: re.Match[str]) -> datetime:
    hour, _, rest = (found["clock"] or "00:00").partition(":")
    half = (found["half"] or "").lower()
    if half and not 1 <= int(hour) <= 12:
        raise ValueError(f"{hour} is no hour of half a day")
    hours = int(hour) % 12 + 12 * (half == "pm") if half else int(hour)
    date = f"{found['year']}-{_month(found['month']):02}-{int(found['day']):02}"
    moment = datetime.fromisoformat(f"{date}T{hours:02}:{rest}")
    return moment if not found["zone"] else moment.replace(tzinfo=_named_offset(found["zone"]))


def _month(word: str) -> int:
    if word.isdigit():
        return int(word)
    month = _MONTHS.get(word[:3].lower())
    if month is None or not calendar.month_name[month].lower().startswith(word.lower()):
        raise ValueError(f"{word} is no month")
    return month


def _named_offset(text: str) -> tzinfo:
    offset = UTC if text == "Z" else _offset(text)
    if offset is None:
        raise ValueError(f"{text} is no offset from UTC")
    return offset
