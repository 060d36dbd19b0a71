"""Config: reads TOML files written by people, finds the user's data folder, and explains what is wrong.

Each part of Fanous declares its own tables as a ``Section`` and owns their meaning; this module only converts
them. An error names the file, table and key, and the nearest valid word: a typing mistake must not silently
become a default.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec
from msgspec import Meta, Struct, ValidationError, inspect

from fanous.base.files import text_of_regular
from fanous.errors import FanousError
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
"""One file serves all commands; each reads the tables it needs."""

MOST_BYTES = 4 << 20
"""Bytes of a TOML file; a monitor of all countries needs some 20 KB."""

MOST_KEYS = 64
"""Parts of a dotted key (``a.b.c``); ours have three.  tomllib's time grows with the square of their number."""

_LONG_KEY = re.compile(rf"(?<![\w-])(?:(?:[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MOST_KEYS}}}")

MOST_SHOWN = 100
"""Characters shown of a wrong value: it may be the whole file."""

MOST_LISTED = 12
"""How many valid words an error lists when it also suggests the nearest one."""

Text = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
Some = Annotated[tuple[T, ...], Meta(min_length=1)]
"""A list that must not be empty."""

Asn = Annotated[
    int,
    Meta(gt=0, lt=2**32, extra={"needed": ("an ASN such as 17557", "network numbers (AS17557 is 17557)")}),
]
CountryCode = Annotated[
    str,
    Meta(pattern=r"^[A-Z]{2}\Z", extra={"needed": ("an ISO 3166-1 code such as 'PK'", "ISO 3166-1 codes")}),
]
"""Two capital letters; reference data decides whether a country has this code.  ``needed`` is what errors ask
for, in the singular and the plural, if the type and its bounds do not describe it well."""


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A table written by a person.

    Fields may be of any type that msgspec reads (lists are tuples, and dictionaries hold sections), and of ``Path``
    (relative to the file's folder, not to the current one), ``ZoneInfo``, ``Instant``, or a class with
    ``from_toml(text)``.  What types cannot say is checked in ``__post_init__``, which raises ``WrongKey``.
    """


class Instant(float):
    """Unix seconds of a date or time; without a zone it is UTC."""

    @classmethod
    def from_toml(cls, value: Any) -> "Instant":
        text = value.isoformat() if isinstance(value, (date, datetime)) else value
        try:
            return cls(from_iso(text))
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f"{shown(value)} is not a time such as 2023-12-17T15:00:00Z") from None


class Hours:
    """Hours of a day in some time zone, such as ``22:00-07:00``."""

    def __init__(self, start: time, end: time) -> None:
        self.start, self.end = start, end

    @classmethod
    def from_toml(cls, text: str) -> "Hours":
        first, _, last = text.partition("-")
        try:
            return cls(*(datetime.strptime(one.strip(), "%H:%M").time() for one in (first, last)))
        except ValueError:
            raise ValueError(f"{shown(text)} is not like '22:00-07:00'") from None


class Address(str):
    """Where to listen, as ``HOST:PORT``; port 0 = any free port."""

    __slots__ = ()

    @classmethod
    def from_toml(cls, text: str) -> Self:
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65_535:
            raise ValueError(f"{shown(text)} is not HOST:PORT, such as 127.0.0.1:8470")
        return cls(text)

    @property
    def host(self) -> str:
        return self.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        return int(self.rpartition(":")[2])


class OptionalAddress(Address):
    """An address; ``none`` in the file, or empty here, = nowhere."""

    __slots__ = ()

    @classmethod
    def from_toml(cls, text: str) -> Self:
        return cls() if text == "none" else super().from_toml(text)


class WrongKey(ValueError):
    """A key of a section is wrong, or conflicts with another one.  The message says why.

    Attributes:
        key: the key in the section, or below it, such as ``rules[1].channels`` (counted from 1).
    """

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key


@contextmanager
def about(key: str) -> Iterator[None]:
    """Attribute a ``FanousError`` from code that knows nothing about files to ``key``."""
    try:
        yield
    except FanousError as error:
        raise WrongKey(key, str(error)) from None


def read(path: Path, kind: type[T]) -> T:
    """Read a whole file.

    Raises:
        FanousError: it cannot be read, or something in it is unknown or wrong.
    """
    return parse(text_of(path), kind, path)


def text_of(path: Path) -> str:
    """The text of a file; raises ``FanousError`` if there is none."""
    try:
        return text_of_regular(path, MOST_BYTES, "a configuration")
    except (OSError, UnicodeDecodeError) as error:
        raise FanousError(f"{path} cannot be read as TOML: {error}") from None


def parse(text: str, kind: type[T], file: str | Path) -> T:
    """As ``read``, from the file's text; ``file`` is only for error messages."""
    return convert(toml(text, file), kind, file, text=text)


def toml(text: str, file: str | Path) -> dict[str, Any]:
    """The parsed text; raises ``FanousError`` if it is not TOML."""
    if _LONG_KEY.search(text):
        raise FanousError(f"{file} cannot be read as TOML: a key has more than {MOST_KEYS} parts")
    try:
        return tomllib.loads(text)
    except ValueError as error:  # tomllib's own, or Python's about a number of thousands of digits
        raise FanousError(f"{file} cannot be read as TOML: {error}") from None
    except RecursionError:
        raise FanousError(
            f"{file} cannot be read as TOML: it is nested more deeply than any such file"
        ) from None


def section(
    config: Path | None, name: str, kind: type[T], tables: Mapping[str, type[Struct]] = MappingProxyType({})
) -> T:
    """One table of a configuration file; the defaults if there is no such table, or no file.

    Args:
        tables: name -> others; an unknown key that one of them has is reported with its name.

    Raises:
        FanousError: the file cannot be read, has an unknown table, or something in this table is wrong.
    """
    values = read_config(config).get(name, {}) if config is not None else {}
    for key in values.keys() - _keys(kind) if tables else ():
        if there := [f"[{table}]" for table, one in tables.items() if key in _keys(one)]:
            near = nearest(key, sorted(_keys(kind)))
            others = f"{' and '.join(there)} {'have' if there[1:] else 'has'} {key!r}"
            why = f"unknown key{near}{' ' if near else '; '}{others}"
            raise wrong(config or "defaults", name, key, why)
    return convert(values, kind, config or "defaults", name)


def _keys(kind: type) -> set[str]:
    """The keys that a table may have."""
    found = inspect.type_info(kind)
    return {one.encode_name for one in found.fields} if isinstance(found, inspect.StructType) else set()


def read_config(config: Path) -> dict[str, Any]:
    """The tables of a configuration file.

    Raises:
        FanousError: it cannot be read, or has an unknown table.
    """
    if not config.exists():
        raise FanousError(
            f"configuration file not found: {config}; check --config, or write one with `fanous init`"
        )
    document = toml(text_of(config), config)
    for name, table in document.items():
        if name not in TABLES:
            near = get_close_matches(name, TABLES, 1)
            hint = (
                f"did you mean [{near[0]}]?"
                if near
                else f"known tables: {', '.join(f'[{t}]' for t in TABLES)}"
            )
            raise FanousError(f"{config}: unknown table [{name[:MOST_SHOWN]}]; {hint}")
        if not isinstance(table, dict):
            raise FanousError(f"{config}: `{name}` must be a table: [{name}]")
    return document


def convert(values: Any, kind: type[T], file: str | Path, name: str = "", text: str = "") -> T:
    """Convert a table to ``kind``.

    Args:
        file: where the values come from; relative paths start in its folder.
        name: name of the table; empty = the whole file.
        text: text of the file, so that an error can name the line; empty = no line is named.

    Raises:
        FanousError: a key is unknown, missing or wrong.
    """

    def decode(custom: type, value: Any) -> Any:
        if custom is not Instant and not (value and isinstance(value, str)):
            raise ValueError(f"a string is needed, not {shown(value)}")
        if custom is Path:
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
    name, key = name[:MOST_SHOWN], key[:MOST_SHOWN]
    return FanousError(
        f"{file}{f':{line}' if line else ''}: {f'[{name}] ' if name else ''}{f'{key}: ' if key else ''}{why}"
    )


_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\[\.\.\.\]")
_KEY = re.compile(r"Object (contains unknown|missing required) field `(.+)`")


def _explained(
    error: ValidationError, value: Any, kind: Any, name: str, decode: Decode
) -> tuple[str, str, str]:
    """Table, key and problem, from msgspec's path: its own messages name Python types, and no entry of a
    dictionary.
    """
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
            name, value, found = f"{name}[{int(step[2]) + 1}]", value[int(step[2])], found.item_type
        else:
            single = value[int(step[2])]
            break
    if isinstance(error.__cause__, WrongKey):
        table, _, key = f"{name}.{error.__cause__.key}".removeprefix(".").rpartition(".")
        return table, key, str(error.__cause__)
    if about_key := _KEY.match(said or str(error)):
        known = [field.encode_name for field in _chosen(found, value).fields]
        hint = nearest(about_key[2], known) or f"; known keys: {', '.join(known)}"
        unknown = about_key[1] == "contains unknown"
        return name, about_key[2], f"unknown key{hint}" if unknown else "it is missing"
    table, _, key = name.rpartition(".")
    return table, key, said if error.__cause__ else _refusal(found, value, single, name)


def _entry_explained(value: dict[str, Any], kind: Any, name: str, decode: Decode) -> tuple[str, str, str]:
    """The same for the first wrong entry of a dictionary."""
    for entry, one in value.items():
        try:
            msgspec.convert(one, kind, dec_hook=decode)
        except ValidationError as error:
            return _explained(error, one, kind, f"{name}.{entry}" if name else entry, decode)
    raise AssertionError("one of them was wrong a moment ago")


def _refusal(found: Any, value: Any, single: Any, name: str) -> str:
    """Why ``value``, or ``single`` in a list, does not fit a type."""
    chosen = _chosen(found, value)
    wanted, one = (_chosen(chosen.item_type, single), single) if single is not None else (chosen, value)
    if isinstance(wanted, (inspect.EnumType, inspect.LiteralType)) and isinstance(one, str):
        known = wanted.cls if isinstance(wanted, inspect.EnumType) else wanted.values
        return none_of(one, [str(word) for word in known])
    is_list = isinstance(chosen, inspect.VarTupleType)
    needed = "a list" if is_list and not isinstance(value, list) else _needed(found, name)[0]
    pattern = getattr(wanted, "pattern", None)
    hint = isinstance(one, str) and pattern and re.match(pattern, one.upper())
    return f"{needed} is needed, not {shown(value)}" + (f"; did you mean {one.upper()!r}?" if hint else "")


def _chosen(found: Any, value: Any) -> Any:
    """The type without its annotations; of several, the one ``value`` was meant for."""
    if isinstance(found, inspect.Metadata):
        return _chosen(found.type, value)
    if not isinstance(found, inspect.UnionType):
        return found
    kinds = [_chosen(one, value) for one in found.types if not isinstance(one, inspect.NoneType)]
    tables = [one for one in kinds if isinstance(one, (inspect.StructType, inspect.DictType))]
    return next((one for one in kinds if (one in tables) == isinstance(value, dict)), kinds[0])


def _needed(found: Any, name: str) -> tuple[str, str]:
    """What a type requires, in the singular and the plural."""
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
            bounds = "" if found.ge is None else f" from {found.ge:g}"
            bounds += "" if found.le is None else f" to {found.le:g}"
            whole = "whole " if isinstance(found, inspect.IntType) else ""
            return f"a {whole}number{bounds}", f"{whole}numbers{bounds}"
        case inspect.DateType():
            return "a date such as 2023-11-14", "dates such as 2023-11-14"
        case inspect.StructType() | inspect.DictType():
            return f"a table [{name.rpartition('.')[2]}]", f"tables [[{name}]]"
        case inspect.VarTupleType():
            many = _needed(found.item_type, name)[1]
            return f"a list of {many}", f"lists of {many}"
    return "a string", "strings"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = nearest(name, sorted(available_timezones()))
        raise ValueError(f"{shown(name)} is not a time zone such as 'Africa/Nairobi'{hint}") from None


def nearest(word: str, known: Sequence[str]) -> str:
    """``; did you mean 'x'?`` for the nearest of ``known``; empty if none is close."""
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {str(near[0])!r}?" if near else ""


def shown(value: object) -> str:
    """A wrong value as a message quotes it."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def none_of(value: str, known: Sequence[str]) -> str:
    """Why a word is not one of the few that are valid."""
    hint = nearest(value, known)
    if hint and len(known) > MOST_LISTED:
        return f"{shown(value)} is not one of {len(known)} known values{hint}"
    return f"{shown(value)} is not one of {', '.join(known)}{hint}"


_HEADER = re.compile(r"\s*\[(\[?)\s*([\w.-]+)\s*\]")


def line_of(text: str, name: str, key: str) -> int:
    """Line (from 1) of ``key`` in the table ``name``, or of the table if the key is missing; 0 = unknown.

    An inline table (``{...}``) is on the line of the key that holds it.
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


def load_environment(path: Path) -> None:
    """Set the variables in a file of secrets, if it exists, as systemd's ``EnvironmentFile`` does.

    Variables that are already set keep their values.

    Raises:
        FanousError: others than its owner may read it, or a line of it is neither a comment nor NAME=VALUE.
    """
    try:
        text, mode = path.read_text(encoding="utf-8"), path.stat().st_mode
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise FanousError(f"cannot read {path}: {error}") from error
    if mode & 0o077:
        raise FanousError(f"{path} holds secrets, and others may read it: `chmod 600 {path}`")
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        name, separator, value = line.partition("=")
        if not line or line.startswith("#"):
            continue
        if not separator or not name.isidentifier() or "\0" in value:
            raise FanousError(f"{path}:{number}: write NAME=VALUE")
        os.environ.setdefault(name, value.strip().strip("\"'"))


def data_folder() -> Path:
    """The folder for a user's data (XDG base directories; a relative path is ignored).

    Raises:
        FanousError: this user has no home.
    """
    base = os.environ.get("XDG_DATA_HOME", "")
    if Path(base).is_absolute():
        return Path(base) / "fanous"
    try:
        return Path.home() / ".local" / "share" / "fanous"
    except RuntimeError:  # a user id without an entry, as containers give one
        raise FanousError(
            f"user {os.getuid()} of this machine has no home folder: set HOME or XDG_DATA_HOME to a folder that it owns"
        ) from None


def check_web_address(key: str, address: str) -> None:
    """Refuse anything but a web address; empty = none is set.

    Raises:
        WrongKey: the message omits the address, which may contain a password.
    """
    parts = split_url(address)
    if address and (parts is None or parts.scheme not in ("http", "https") or not parts.hostname):
        hint = nearest(address.partition(":")[0], ("http", "https"))
        raise WrongKey(key, f"an address such as 'https://fanous.example' is needed{hint}")


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts on this machine, where plain http cannot be tampered with."""


def split_url(text: str) -> SplitResult | None:
    """The parts of a URL; ``None`` = its brackets or port are malformed."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def without_login(url: str) -> str:
    """A URL for messages and logs, without the login that may be in it."""
    parts = split_url(url)
    return "..." if parts is None else parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
