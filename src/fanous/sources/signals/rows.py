"""Rows: the rows of a file of series, the numbers and times in tables, and the series that bins make."""

import calendar
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import FanousError
from fanous.model.series import Ints, SeriesKey, SourceSeries
from fanous.sources.connector import WHOLE_FILE, OnProgress, OnReject, OnRepeat, Reading
from fanous.sources.csv_file import CsvFile, Row


class CsvRows(CsvFile):
    """The rows of a file of series, each once."""

    def __init__(
        self,
        path: Path,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None,
    ) -> None:
        super().__init__(path, on_reject, on_progress)
        self._on_repeat = on_repeat

    def rows(self, required: Sequence[str] = ()) -> Iterator[Row]:
        """As of any CSV file; a row that repeats an earlier one exactly is reported."""
        seen: set[bytes] = set()
        for line, fields in super().rows(required):
            digest = blake2b("\0".join(fields).encode("utf-8", "replace"), digest_size=16).digest()
            if digest in seen:
                self._on_repeat(line)
                continue
            seen.add(digest)
            yield line, fields
        if self.line == 1:
            self._on_reject(WHOLE_FILE, "there are no rows below the line with the names of the columns")

    @property
    def decimal(self) -> str:
        """The decimal separator of this file."""
        return "." if self.comma == "," else ","


NOTHING = frozenset(
    {"", "\\n", "null", "none", "nan", "na", "n/a", "nil", "undefined", "-", "--", "\u2013", "\u2014", "#n/a"}
    | {"<na>", "#null!", "#num!", "#value!", "#div/0!", "#ref!"}
)
"""What exporters and spreadsheets write for a missing value, in lower case."""


def is_nothing(text: str) -> bool:
    """Does a field say that there is no value?"""
    return text.strip().lower() in NOTHING


LARGEST = 1e18
"""No signal counts more; larger values would not stay finite once converted to our unit, or added up."""


def number(text: str, decimal: str = ".") -> float | None:
    """The value of a field; NaN = the source says that it has none, ``None`` = it is not a number.

    Values below 0 are accepted: Monash's index of Táchira, July 2019, goes 40, 7, -1, 20.

    Args:
        decimal: a comma if the file writes its decimals like that; a point is understood too.
    """
    text = text.strip()
    if decimal == "," and "." not in text:
        text = text.replace(",", ".")
    if is_nothing(text):
        return float("nan")
    try:
        value = float(text) if len(text) <= 40 and "_" not in text else float("inf")
    except ValueError:
        return None
    return None if abs(value) > LARGEST else value


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
"""Formats other than ISO 8601: ``2025/12/1 0:00``, ``11-Nov-2019 00:00``, ``Dec 1, 2025 9:30 PM``, and JavaScript's
``Mon Dec 01 2025 00:00:00 GMT+0000 (Coordinated Universal Time)``.  A numeric month follows
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
        raise FanousError(f"{text!r} is not a time zone such as Asia/Tehran or +03:30") from None


def reader(zone: tzinfo) -> Callable[[str], float | None]:
    """A function from the text of a time to Unix seconds; it returns ``None`` for anything else.

    A local time that the clock showed twice is the first of both.
    """

    @lru_cache(maxsize=4096)  # tables repeat each time for every place
    def instant(text: str) -> float | None:
        try:
            return _moment(text.strip(), zone).timestamp()
        except (ValueError, OverflowError):
            return None

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
        raise ValueError(f"{hour} is not an hour from 1 to 12")
    hours = int(hour) % 12 + 12 * (half == "pm") if half else int(hour)
    date = f"{found['year']}-{_month(found['month']):02}-{int(found['day']):02}"
    moment = datetime.fromisoformat(f"{date}T{hours:02}:{rest}")
    if not found["zone"]:
        return moment
    offset = UTC if found["zone"] == "Z" else _offset(found["zone"])
    if offset is None:
        raise ValueError(f"{found['zone']} is not an offset from UTC")
    return moment.replace(tzinfo=offset)


def _month(word: str) -> int:
    if word.isdigit():
        return int(word)
    month = _MONTHS.get(word[:3].lower())
    if month is None or not calendar.month_name[month].lower().startswith(word.lower()):
        raise ValueError(f"{word} is not a month")
    return month


def series_of(key: SeriesKey, step: int, bins: Mapping[int, float], licence: str = "") -> SourceSeries:
    """A series of bins (when each begins -> its value) given in any order."""
    times = sorted(bins)
    values = np.array([bins[at] for at in times], np.float64)
    return SourceSeries(key, step, np.array(times, np.int64), values, licence)


def binned(
    starts: Iterable[int], values: Iterable[Any], gather: Callable[[list[Any]], float]
) -> dict[int, float]:
    """One value for each bin, gathered from those of its rows."""
    together: dict[int, list[Any]] = {}
    for start, value in zip(starts, values, strict=True):
        together.setdefault(start, []).append(value)
    return {start: gather(several) for start, several in together.items()}


def reading_of(levels: SourceSeries, times: list[int] | Ints, lines: list[int] | Ints) -> Reading:
    """A series with the lines of its ``times``, both of shape (m,); every time is one of its bins."""
    at: Ints = np.searchsorted(levels.times, np.asarray(times, np.int64)).astype(np.int64)
    return Reading(levels, np.asarray(lines, np.int64), at)


def numbered(series: list[SourceSeries]) -> Iterator[Reading]:
    """Readings of a file without lines: its values are counted instead, from 1."""
    first = 1
    for levels in series:
        count = len(levels)
        yield Reading(levels, np.arange(first, first + count), np.arange(count))
        first += count


def median_step(times: Ints, default: int) -> int:
    """The most frequent distance between neighbouring, ascending times; ``default`` if there are fewer than two."""
    gaps = np.diff(times)
    if not len(gaps):
        return default
    distances, counts = np.unique(gaps, return_counts=True)
    return int(distances[np.argmax(counts)])


def begins(key: SeriesKey, step: int, times: Ints) -> Ints:
    """The beginnings of bins whose times are as the signal's publisher writes them."""
    return times - step if SIGNALS[key.signal].stamped_at_end else times
