"""Clock: the times that tables write, as unix seconds."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from fanous.errors import FanousError

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?")
_NUMBER = re.compile(r"\d{9,10}(?:\.\d+)?")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_CLOCK = r"(?:,?[ T]+(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?: ?(?P<half>[AaPp][Mm]))?)?"
_NAMED = (
    re.compile(r"(?P<day>\d{1,2})[- ](?P<month>[A-Za-z]{3,9})\.?,?[- ](?P<year>\d{4})" + _CLOCK),
    re.compile(r"(?P<month>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})" + _CLOCK),
)
"""``11-Nov-2019 00:00``, ``1 December 2025``, ``Dec 1, 2025 9:30 PM``."""
_MILLISECONDS = re.compile(r"\d{12,13}")
_SLASHES = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?=$|[ T])")
"""Year first; other orders cannot be told apart."""


def zone_of(text: str) -> tzinfo:
    """``Asia/Tehran``, ``+06:30`` or ``UTC``.

    Raises:
        FanousError: neither.
    """
    found = _OFFSET.fullmatch(text.strip())
    if found and int(found[2]) < 24:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return timezone(offset if found[1] == "+" else -offset)
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


def _moment(text: str, zone: tzinfo) -> datetime:
    if text[-4:].upper() in (" UTC", " GMT"):
        return _moment(text[:-4].rstrip(), UTC)
    if _NUMBER.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC).replace(tzinfo=zone)
    if _MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC).replace(tzinfo=zone)
    named = next((found for pattern in _NAMED if (found := pattern.fullmatch(text))), None)
    moment = datetime.fromisoformat(_SLASHES.sub(_dashes, text) if named is None else _iso(named))
    if not 1970 < moment.year < 2200:
        raise ValueError("the year is out of range")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _dashes(found: re.Match[str]) -> str:
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"


def _iso(found: re.Match[str]) -> str:
    """A time whose month is a word, as ISO 8601 has it."""
    word = found["month"].lower()
    month = _MONTHS.get(word[:3])
    if month is None or not calendar.month_name[month].lower().startswith(word):
        raise ValueError(f"{found['month']} is no month")
    hour, _, rest = (found["clock"] or "00:00").partition(":")
    half = (found["half"] or "").lower()
    if half and not 1 <= int(hour) <= 12:
        raise ValueError(f"{hour} is no hour of half a day")
    hours = int(hour) % 12 + 12 * (half == "pm") if half else int(hour)
    return f"{found['year']}-{month:02}-{int(found['day']):02}T{hours:02}:{rest}"
