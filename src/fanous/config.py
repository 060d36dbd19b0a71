"""Config: reads what a person wrote in TOML, and finds the folder of the user's data.

Every complaint names file, table and key.  A key that nobody knows is an error with the nearest one that is known: a
typing mistake must not silently become a default.  What a table says belongs to the part of Fanous that it is about:
each reads its own with ``config_table``.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from fanous.errors import FanousError
from fanous.model.incident import Interval
from fanous.model.instant import from_iso

TABLES = (
    "store",
    "review",
    "sources",
    "run",
    "web",
    "clock",
    "rounds",
    "probe",
    "collector",
    "alerts",
    "retention",
)
"""One file serves all commands, and each reads what it needs of it."""


MOST_LISTED = 12
"""Words that a complaint lists where the nearest one is named as well."""


@dataclass(frozen=True, slots=True)
class Table:
    """Typed access to one table.

    Attributes:
        file: for messages.
        name: ``event[2].on[1]``, counted from 1; empty = the top.
        whole: the whole file, so that a complaint can name the line; empty = unknown.
    """

    file: str
    name: str
    values: Mapping[str, Any]
    whole: str = ""

    TIMES: ClassVar = ("intervals", "sessions")

    def allow(self, *keys: str) -> None:
        """Complain about any key but these."""
        for key in self.values:
            if key not in keys:
                hint = nearest(key, keys) or f"; known are {', '.join(keys)}"
                raise self.wrong(key, f"there is no such key{hint}")

    def wrong(self, key: str, why: str) -> FanousError:
        """The error to raise about ``key``."""
        where = f"[{self.name}] " if self.name else ""
        line = line_of(self.whole, self.name, key)
        return FanousError(f"{self.file}{f':{line}' if line else ''}: {where}{key}: {why}")

    @contextmanager
    def about(self, key: str) -> Iterator[None]:
        """What is found wrong meanwhile by a part that knows no file is wrong about ``key``."""
        try:
            yield
        except FanousError as error:
            raise self.wrong(key, str(error)) from None

    def has(self, key: str) -> bool:
        return key in self.values

    def text(self, key: str, *, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str) or (not value and default is None):
            raise self.wrong(key, f"a text is needed, not {value!r}")
        return value

    def integer(self, key: str, *, default: int, least: float = -inf, most: float = inf) -> int:
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"a whole number{_bounds(least, most)} is needed, not {value!r}")
        return value

    def number(self, key: str, *, default: float, least: float = -inf, most: float = inf) -> float:
        value = self._get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"a number{_bounds(least, most)} is needed, not {value!r}")
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"true or false is needed, not {value!r}")
        return value

    def one_of(self, key: str, known: Sequence[str], *, default: str | None = None) -> str:
        value = self.text(key, default=default)
        if value not in known and value != default:
            raise self.wrong(key, none_of(value, known))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        found = tuple(self._list(key))
        if not found or not all(isinstance(value, str) and value for value in found):
            raise self.wrong(key, f"a list of texts is needed, not {self.values[key]!r}")
        return found

    def integers(self, key: str) -> tuple[int, ...]:
        found = tuple(self._list(key))
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in found):
            raise self.wrong(
                key, f"a list of whole numbers is needed (AS17557 is 17557), not {self.values[key]!r}"
            )
        return found

    def numbers(self, key: str) -> tuple[float, ...]:
        found = self._list(key)
        if not found or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in found):
            raise self.wrong(key, f"a list of numbers is needed, not {self.values[key]!r}")
        return tuple(float(number) for number in found)

    def lists(self, key: str) -> tuple[tuple[str, ...], ...]:
        """A list of lists of texts."""
        found = self._list(key)
        if not found or not all(
            isinstance(n, list) and n and all(isinstance(t, str) for t in n) for n in found
        ):
            raise self.wrong(key, f"a list of lists of texts is needed, not {self.values[key]!r}")
        return tuple(tuple(texts) for texts in found)

    def country(self) -> str:
        code = self.text("country")
        if len(code) != 2 or not code.isascii() or not code.isupper():
            hint = nearest(code.upper(), (code.upper(),)) if len(code) == 2 and code.isascii() else ""
            raise self.wrong("country", f"{code!r} is no ISO 3166-1 code such as 'PK'{hint}")
        return code

    def table(self, key: str) -> "Table":
        value = self._get(key, None)
        if not isinstance(value, dict):
            raise self.wrong(key, f"a table [{key}] is needed, not {value!r}")
        return Table(self.file, self._below(key), value, self.whole)

    def tables(self, key: str) -> list["Table"]:
        """The tables of a list; none where the key is missing."""
        found = self._list(key) if self.has(key) else []
        if not all(isinstance(value, dict) for value in found):
            raise self.wrong(key, f"a list of tables [[{self._below(key)}]] is needed")
        names = [f"{self._below(key)}[{nth}]" for nth in range(1, len(found) + 1)]
        return [Table(self.file, name, value, self.whole) for name, value in zip(names, found, strict=True)]

    def instant(self, key: str) -> float:
        """Unix seconds of a date or time; without a zone it is UTC."""
        return self._instant(key, self._get(key, None))

    def window(self) -> tuple[float, float]:
        since, until = self.instant("since"), self.instant("until")
        if since >= until:
            raise self.wrong("until", "it must lie after since")
        return since, until

    def intervals(self) -> tuple[Interval, ...]:
        """From ``intervals = [[start, end], ...]`` and ``sessions = [{days, hours, zone}]``, in order."""
        found = [self._interval(pair) for pair in (self._list("intervals") if self.has("intervals") else [])]
        for sessions in self.tables("sessions"):
            found += sessions.daily()
        if not found:
            raise self.wrong("intervals", "say when it was on: intervals = [[start, end]] or [[...sessions]]")
        found.sort(key=lambda interval: interval.start)
        for before, after in pairwise(found):
            if before.end is None or before.end > after.start:
                raise self.wrong("intervals", "two of them overlap")
        return tuple(found)

    def daily(self) -> list[Interval]:
        """The same hours on several days, on a country's clock (``zone``)."""
        self.allow("days", "hours", "zone")
        zone = self.zone()
        return [self._session(day, hours, zone) for day in self._days() for hours in self.texts("hours")]

    def _days(self) -> list[date]:
        days = self._list("days")
        if not all(type(day) is date for day in days):
            raise self.wrong("days", "dates are needed, as in [2023-11-14, 2023-11-15]")
        return days

    def zone(self, *, default: str | None = None) -> ZoneInfo:
        name = self.text("zone", default=default)
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            hint = nearest(name, sorted(available_timezones()))
            raise self.wrong("zone", f"{name!r} is no time zone such as 'Africa/Nairobi'{hint}") from None

    def _session(self, day: date, hours: str, zone: ZoneInfo) -> Interval:
        first, dash, last = hours.partition("-")
        try:
            start, end = (datetime.strptime(text.strip(), "%H:%M").time() for text in (first, last))
        except ValueError:
            raise self.wrong("hours", f"{hours!r} is not like '07:15-11:00'") from None
        ends_on = day if dash and end > start else day + timedelta(days=1)
        return Interval(
            datetime.combine(day, start, zone).timestamp(), datetime.combine(ends_on, end, zone).timestamp()
        )

    def _interval(self, pair: Any) -> Interval:
        if not isinstance(pair, list) or len(pair) not in (1, 2):
            raise self.wrong("intervals", f"[start, end] is needed ([start] = it goes on), not {pair!r}")
        start = self._instant("intervals", pair[0])
        end = self._instant("intervals", pair[1]) if len(pair) == 2 else None
        if end is not None and end <= start:
            raise self.wrong("intervals", f"{pair[1]} does not lie after {pair[0]}")
        return Interval(start, end)

    def _instant(self, key: str, value: Any) -> float:
        text = value.isoformat() if isinstance(value, (date, datetime)) else value
        try:
            return from_iso(text)
        except (ValueError, TypeError, AttributeError):
            raise self.wrong(key, f"{value!r} is no time such as 2023-12-17T15:00:00Z") from None

    def _get(self, key: str, default: Any) -> Any:
        if key in self.values:
            return self.values[key]
        if default is None:
            near = get_close_matches(key, list(self.values), n=1)
            raise self.wrong(key, "it is missing" + (f" (there is {near[0]!r})" if near else ""))
        return default

    def _list(self, key: str) -> list[Any]:
        value = self._get(key, None)
        if not isinstance(value, list):
            raise self.wrong(key, f"a list is needed, not {value!r}")
        return value

    def _below(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def _bounds(least: float, most: float) -> str:
    return (f" from {least:g}" if least > -inf else "") + (f" to {most:g}" if most < inf else "")


def nearest(word: str, known: Sequence[str]) -> str:
    """``; did you mean 'x'?`` for the nearest of ``known``; empty = none is near."""
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {str(near[0])!r}?" if near else ""


def none_of(value: str, known: Sequence[str]) -> str:
    """Why a word is wrong of which only a few are known."""
    hint = nearest(value, known)
    if hint and len(known) > MOST_LISTED:
        return f"{value!r} is none of {len(known)}{hint}"
    return f"{value!r} is none of {', '.join(known)}{hint}"


_HEADER = re.compile(r"\s*\[(\[?)\s*([\w.-]+)\s*\]")


def line_of(text: str, name: str, key: str) -> int:
    """Line (from 1) of ``key`` in the table ``name``, or of the table where the key is missing; 0 = unknown.

    A table that is written inline (``{...}``) counts to the key that holds it.
    """
    counts: dict[str, int] = {}
    here, begins = "", 0 if name else 1
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            outer, _, last = header[2].rpartition(".")
            path = f"{_now(outer, counts)}.{last}" if outer else last
            if header[1]:
                counts[path] = counts.get(path, 0) + 1
                path = f"{path}[{counts[path]}]"
            here = path
            begins = number if here == name else begins
        elif here == name and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    if begins or not name:
        return begins if text else 0
    outer, _, last = name.rpartition(".")
    return line_of(text, outer, last.partition("[")[0])


def _now(path: str, counts: dict[str, int]) -> str:
    """``event.on`` -> ``event[2].on`` while the second ``[[event]]`` is being read."""
    out = ""
    for part in path.split("."):
        out = f"{out}.{part}" if out else part
        out = f"{out}[{counts[out]}]" if out in counts else out
    return out


def data_folder() -> Path:
    """Where programs keep what belongs to a user (XDG base directories: a relative path is ignored)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "fanous"


def network_numbers(table: Table, key: str) -> tuple[int, ...]:
    """ASNs; none where the key is missing."""
    found = table.integers(key) if table.has(key) else ()
    for asn in found:
        if not 0 < asn < 2**32:
            raise table.wrong(key, f"{asn} is no ASN such as 17557")
    return found


def web_address(table: Table, key: str) -> str:
    """An address of the web; empty where the key is missing.  A complaint does not repeat it: it may hold a
    password."""
    address = table.text(key, default="")
    parts = split_url(address)
    if address and (parts is None or parts.scheme not in ("http", "https") or not parts.hostname):
        hint = nearest(address.partition(":")[0], ("http", "https"))
        raise table.wrong(key, f"an address such as 'https://fanous.example' is needed{hint}")
    return address


def split_url(text: str) -> SplitResult | None:
    """Its parts; ``None`` = its brackets or its port are none."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def read_config(config: Path) -> dict[str, Any]:
    """The tables of a configuration file.

    Raises:
        FanousError: it cannot be read, or has a table that nobody knows.
    """
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FanousError(f"no configuration file {config}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FanousError(f"{config} cannot be read as TOML: {error}") from None
    for name, table in document.items():
        if name not in TABLES:
            near = get_close_matches(name, TABLES, 1)
            hint = (
                f"did you mean [{near[0]}]?" if near else f"known are {', '.join(f'[{t}]' for t in TABLES)}"
            )
            raise FanousError(f"{config}: unknown table [{name}]; {hint}")
        if not isinstance(table, dict):
            raise FanousError(f"{config}: `{name}` must be a table: [{name}]")
    return document


def config_table(config: Path | None, name: str) -> Table:
    """One table of a configuration file; an empty one where there is none, or no file.

    Raises:
        FanousError: the file cannot be read, or has a table that nobody knows.
    """
    values = read_config(config).get(name, {}) if config is not None else {}
    return Table(str(config or "defaults"), name, values)
