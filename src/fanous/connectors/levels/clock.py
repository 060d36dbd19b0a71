"""Clock: the times that tables write, as unix seconds."""

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
_DAY_FIRST = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})(?:[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?")


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
    if _NUMBER.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC).replace(tzinfo=zone)
    day_first = _DAY_FIRST.fullmatch(text)
    if day_first:
        month = _MONTHS.get(day_first[2].lower())
        if month is None:
            raise ValueError(f"{day_first[2]} is no month")
        clock = day_first[4] or "00:00"
        clock = clock if clock[2] == ":" else f"0{clock}"
        text = f"{day_first[3]}-{month:02}-{int(day_first[1]):02}T{clock}"
    moment = datetime.fromisoformat(text)
    if not 1970 < moment.year < 2200:
        raise ValueError("the year is out of range")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
