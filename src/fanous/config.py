"""Config: reads what a person wrote in TOML, finds the folder of the user's data, and says well what is wrong.

Each part of Fanous declares its own tables as ``Section`` and owns their meaning; here they are only converted.  A
complaint names file, line, table and key, and the nearest right word: a typing mistake must not silently become a
default.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec
from msgspec import Meta, Struct, ValidationError, inspect

from fanous.errors import FanousError
from fanous.model.incident import Interval
from fanous.model.instant import from_iso

T = TypeVar("T")
Decode = Callable[[type, Any], Any]

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

Text = Annotated[str, Meta(min_length=1)]
Some = Annotated[tuple[T, ...], Meta(min_length=1)]
"""A list that must not be empty."""

Asn = Annotated[
    int,
    Meta(gt=0, lt=2**32, extra={"needed": ("an ASN such as 17557", "network numbers (AS17557 is 17557)")}),
]
CountryCode = Annotated[
    str, Meta(pattern="^[A-Z]{2}$", extra={"needed": ("an ISO 3166-1 code such as 'PK'", "ISO 3166-1 codes")})
]
"""Two capital letters; whether a country has them is for reference data to say.  ``needed`` is what complaints ask for,
as one and as many, where the type and its bounds do not say it well."""


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A table that a person writes.

    Fields may be of any type that msgspec reads, and of ``Path`` (a relative one stands beside the file, wherever one
    calls from), ``ZoneInfo``, ``Instant``, or a class with ``from_toml(text)``.  What types cannot say is checked in
    ``__post_init__``, which raises ``WrongKey``.
    """


class Instant(float):
    """Unix seconds of a date or time; without a zone it is UTC."""

    @classmethod
    def from_toml(cls, value: Any) -> "Instant":
        text = value.isoformat() if isinstance(value, (date, datetime)) else value
        try:
            return cls(from_iso(text))
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f"{value!r} is no time such as 2023-12-17T15:00:00Z") from None


class Address(str):
    """Where to listen, as ``HOST:PORT``; port 0 = any that is free."""

    __slots__ = ()

    @classmethod
    def from_toml(cls, text: str) -> Self:
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65_535:
            raise ValueError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8470")
        return cls(text)

    @property
    def host(self) -> str:
        return self.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        return int(self.rpartition(":")[2])


class WrongKey(ValueError):
    """A key of a section is wrong, or does not go with another one.  The message says why.

    Attributes:
        key: of the section, or below it, such as ``rules[1].channels`` (counted from 1).
    """

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key


@contextmanager
def about(key: str) -> Iterator[None]:
    """What is found wrong meanwhile by a part that knows no file is wrong about ``key``."""
    try:
        yield
    except FanousError as error:
        raise WrongKey(key, str(error)) from None


def read(path: Path, kind: type[T]) -> T:
    """A whole file.

    Raises:
        FanousError: it cannot be read, or something in it is unknown or wrong.
    """
    return parse(text_of(path), kind, path)


def text_of(path: Path) -> str:
    """Raises ``FanousError`` where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FanousError(f"{path} cannot be read as TOML: {error}") from None


def parse(text: str, kind: type[T], file: str | Path) -> T:
    """The same from the text of a file; ``file`` is for complaints."""
    return convert(toml(text, file), kind, file, text=text)


def toml(text: str, file: str | Path) -> dict[str, Any]:
    """Raises ``FanousError`` where the text is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FanousError(f"{file} cannot be read as TOML: {error}") from None


def section(config: Path | None, name: str, kind: type[T]) -> T:
    """One table of a configuration file; the defaults where there is none, or no file.

    Raises:
        FanousError: the file cannot be read, has a table that nobody knows, or something in this one is wrong.
    """
    values = read_config(config).get(name, {}) if config is not None else {}
    return convert(values, kind, config or "defaults", name)


def read_config(config: Path) -> dict[str, Any]:
    """The tables of a configuration file.

    Raises:
        FanousError: it cannot be read, or has a table that nobody knows.
    """
    if not config.exists():
        raise FanousError(f"no configuration file {config}")
    document = toml(text_of(config), config)
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


def convert(values: Any, kind: type[T], file: str | Path, name: str = "", text: str = "") -> T:
    """A table as ``kind``.

    Args:
        file: that the values are from; relative paths stand beside it.
        name: of the table; empty = the whole file.
        text: of the file, so that a complaint can name the line; empty = it names none.

    Raises:
        FanousError: a key is unknown, missing or wrong.
    """

    def decode(custom: type, value: Any) -> Any:
        if not isinstance(value, str) and custom is not Instant:
            raise ValueError(f"a text is needed, not {value!r}")
        if custom is Path:
            if not value:
                raise ValueError(f"a text is needed, not {value!r}")
            return (Path(file).parent / Path(value).expanduser()).absolute()
        if custom is ZoneInfo:
            return _zone(value)
        try:
            return custom.from_toml(value)  # type: ignore[attr-defined]  # what a ``Section`` may hold
        except FanousError as error:
            raise ValueError(str(error)) from None

    try:
        return msgspec.convert(values, kind, dec_hook=decode)
    except ValidationError as error:
        raise wrong(file, *_explained(error, values, kind, name, decode), text=text) from None


def wrong(file: str | Path, name: str, key: str, why: str, *, text: str = "") -> FanousError:
    """The error to raise about ``key`` in the table ``name``, such as ``event[2].on[1]`` (counted from 1)."""
    line = line_of(text, name, key)
    return FanousError(
        f"{file}{f':{line}' if line else ''}: {f'[{name}] ' if name else ''}{f'{key}: ' if key else ''}{why}"
    )


_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\[\.\.\.\]")
_KEY = re.compile(r"Object (contains unknown|missing required) field `(.+)`")


def _explained(
    error: ValidationError, value: Any, kind: Any, name: str, decode: Decode
) -> tuple[str, str, str]:
    """Table, key, and what is wrong, from msgspec's path: its own words name types of Python, and no entry of a
    dictionary."""
    said, _, path = str(error).rpartition(" - at `$")
    found, single = inspect.type_info(kind), None
    for step in _STEP.finditer(path if said else ""):
        found = _chosen(found, value)
        if step[1]:
            name = f"{name}.{step[1]}" if name else step[1]
            (found,) = (field.type for field in found.fields if field.encode_name == step[1])
            value = value[step[1]]
        elif not step[2]:
            return _entry_explained(value, found.value_type.cls, name, decode)
        elif isinstance(value[int(step[2])], dict):
            name, value, found = f"{name}[{int(step[2]) + 1}]", value[int(step[2])], _item(found)
        else:
            single = value[int(step[2])]
            break
    if isinstance(error.__cause__, WrongKey):
        table, _, key = f"{name}.{error.__cause__.key}".removeprefix(".").rpartition(".")
        return table, key, str(error.__cause__)
    if about_key := _KEY.match(said or str(error)):
        known = [field.encode_name for field in _chosen(found, value).fields]
        hint = nearest(about_key[2], known) or f"; known are {', '.join(known)}"
        unknown = about_key[1] == "contains unknown"
        return name, about_key[2], f"there is no such key{hint}" if unknown else "it is missing"
    table, _, key = name.rpartition(".")
    return table, key, said if error.__cause__ else _refusal(found, value, single, name)


def _entry_explained(value: dict[str, Any], kind: Any, name: str, decode: Decode) -> tuple[str, str, str]:
    """The same of the first entry of a dictionary that is wrong."""
    for entry, one in value.items():
        try:
            msgspec.convert(one, kind, dec_hook=decode)
        except ValidationError as error:
            return _explained(error, one, kind, f"{name}.{entry}" if name else entry, decode)
    raise AssertionError("one of them was wrong a moment ago")


def _refusal(found: Any, value: Any, single: Any, name: str) -> str:
    """Why ``value``, or ``single`` of a list, is not what a type asks for."""
    chosen = _chosen(found, value)
    wanted, one = (_chosen(_item(chosen), single), single) if single is not None else (chosen, value)
    if isinstance(wanted, (inspect.EnumType, inspect.LiteralType)) and isinstance(one, str):
        return none_of(one, _words(wanted))
    needed = _needed(found, name)[0] if isinstance(value, list) or not _is_list(chosen) else "a list"
    pattern = getattr(wanted, "pattern", None)
    hint = isinstance(one, str) and pattern and re.match(pattern, one.upper())
    return f"{needed} is needed, not {value!r}" + (f"; did you mean {one.upper()!r}?" if hint else "")


def _chosen(found: Any, value: Any) -> Any:
    """The type itself: without its notes, and of several the one that ``value`` was meant for."""
    if isinstance(found, inspect.Metadata):
        return _chosen(found.type, value)
    if not isinstance(found, inspect.UnionType):
        return found
    kinds = [_chosen(one, value) for one in found.types if not isinstance(one, inspect.NoneType)]
    tables = [one for one in kinds if isinstance(one, (inspect.StructType, inspect.DictType))]
    return next((one for one in kinds if (one in tables) == isinstance(value, dict)), kinds[0])


def _is_list(found: Any) -> bool:
    return isinstance(found, (inspect.ListType, inspect.VarTupleType, inspect.TupleType))


def _item(found: Any) -> Any:
    return found.item_types[0] if isinstance(found, inspect.TupleType) else found.item_type


def _words(found: inspect.EnumType | inspect.LiteralType) -> list[str]:
    return [str(one) for one in (found.cls if isinstance(found, inspect.EnumType) else found.values)]


def _needed(found: Any, name: str) -> tuple[str, str]:
    """What a type asks for, as one and as many."""
    match found:
        case inspect.Metadata(extra={"needed": (one, many)}):
            return one, many
        case inspect.Metadata():
            return _needed(found.type, name)
        case inspect.UnionType():
            return _needed(next(one for one in found.types if not isinstance(one, inspect.NoneType)), name)
        case inspect.BoolType():
            return "true or false", "true or false"
        case inspect.IntType() | inspect.FloatType():
            bounds = (f" from {found.ge:g}" if found.ge is not None else "") + (
                f" to {found.le:g}" if found.le is not None else ""
            )
            whole = "whole " if isinstance(found, inspect.IntType) else ""
            return f"a {whole}number{bounds}", f"{whole}numbers{bounds}"
        case inspect.DateType():
            return "a date such as 2023-11-14", "dates such as 2023-11-14"
        case inspect.StructType() | inspect.DictType():
            return f"a table [{name.rpartition('.')[2]}]", f"tables [[{name}]]"
        case _ if _is_list(found):
            many = _needed(_item(found), name)[1]
            return f"a list of {many}", f"lists of {many}"
    return "a text", "texts"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        hint = nearest(name, sorted(available_timezones()))
        raise ValueError(f"{name!r} is no time zone such as 'Africa/Nairobi'{hint}") from None


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


def check_web_address(key: str, address: str) -> None:
    """Refuse what is no address of the web; an empty one is none at all.

    Raises:
        WrongKey: without the address, which may hold a password.
    """
    parts = split_url(address)
    if address and (parts is None or parts.scheme not in ("http", "https") or not parts.hostname):
        hint = nearest(address.partition(":")[0], ("http", "https"))
        raise WrongKey(key, f"an address such as 'https://fanous.example' is needed{hint}")


def split_url(text: str) -> SplitResult | None:
    """Its parts; ``None`` = its brackets or its port are none."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


# The old readers, until every part of Fanous has its sections.


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


def config_table(config: Path | None, name: str) -> Table:
    """One table of a configuration file; an empty one where there is none, or no file.

    Raises:
        FanousError: the file cannot be read, or has a table that nobody knows.
    """
    values = read_config(config).get(name, {}) if config is not None else {}
    return Table(str(config or "defaults"), name, values)
