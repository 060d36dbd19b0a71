"""Salvage: everything of a record that can be read, where some of it cannot.

The quick way decodes straight into the typed structure.  Where a field has another type than the format
says, the record is taken apart field by field, what still makes sense is kept ("443" is a port), and each
loss is noted with its place and reason.
"""

import re
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder
from msgspec.structs import fields

from fanous.errors import Rejected

T = TypeVar("T")

MAX_NOTES = 20
"""A record in which more than this is wrong is described well enough by the first."""

MAX_ITEMS = 2_000_000
"""Members of all lists and objects of one record; real ones have thousands, and each costs some 100 bytes."""

ROOMY = 1 << 20
"""Bytes.  A shorter record cannot have too many members."""

_LOST = object()

_NOT_JSON = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"|-?Infinity\b|NaN\b',
    re.DOTALL,
)
_LONE_SURROGATE = re.compile(
    rb"(\\\\)|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


@cache
def _cached(kind: Hashable, strict: bool) -> Decoder[Any]:
    return Decoder(kind, strict=strict)


def _decoder(kind: Any, strict: bool) -> Decoder[Any]:
    return _cached(kind, strict)


def decode(data: bytes | Raw, kind: type[T], place: str, notes: list[str]) -> T | None:
    """``data`` as ``kind``, with what could not be read added to ``notes``.

    Returns:
        ``None`` where nothing of it could be read.

    Raises:
        Rejected: it is not JSON, is nested too deep or has too many members.
    """
    try:
        return _whole_or_parts(data, kind, place, notes)
    except (DecodeError, UnicodeDecodeError) as error:
        raise Rejected(f"not JSON: {error}") from error
    except RecursionError as error:
        raise Rejected("nested deeper than any measurement is") from error


def _whole_or_parts(data: bytes | Raw, kind: type[T], place: str, notes: list[str]) -> T | None:
    try:
        whole: T = _decoder(kind, True).decode(data)
    except ValidationError:
        kept = _salvage(data, kind, place, notes)
        return None if kept is _LOST else kept
    return whole


def check_size(data: bytes) -> None:
    """Raises ``Rejected`` for a record that would take far more memory decoded than it has bytes."""
    if len(data) > ROOMY and data.count(b",") > MAX_ITEMS:
        raise Rejected(f"more than {MAX_ITEMS:,} values in one record, which no measurement has")


def repair(data: bytes) -> bytes:
    """What Python's and other writers put out although JSON does not have it, made legal.

    ``NaN`` and ``Infinity`` become null, half a surrogate pair becomes U+FFFD.
    """
    legal = _NOT_JSON.sub(lambda m: m[0] if m[0].startswith(b'"') else b"null", data)
    return _LONE_SURROGATE.sub(lambda m: m[0] if m[1] or m[2] else rb"\ufffd", legal)


def _salvage(data: bytes | Raw, kind: Any, place: str, notes: list[str]) -> Any:
    try:
        return _decoder(kind, False).decode(data)
    except ValidationError as error:
        kept = _take_apart(data, kind, place, notes)
        if kept is _LOST:
            _note(notes, f"{place}: {str(error).split(' - at ')[0]}")
        return kept
    except (DecodeError, UnicodeDecodeError) as error:
        _note(notes, f"{place}: {error}")
        return _LOST
    except RecursionError:
        _note(notes, f"{place}: nested deeper than any measurement is")
        return _LOST


def _take_apart(data: bytes | Raw, kind: Any, place: str, notes: list[str]) -> Any:
    first = bytes(data[:64] if isinstance(data, bytes) else memoryview(data)[:64]).lstrip()[:1]
    for member in get_args(kind) if get_origin(kind) in (Union, type(int | str)) else (kind,):
        container = get_origin(member) or member
        if first == b"[" and container is list:
            return _each(data, get_args(member)[0], place, notes)
        if first == b"{" and container is dict:
            return _values(data, get_args(member)[1], place, notes)
        if first == b"{" and isinstance(member, type) and issubclass(member, Struct):
            return _fields(data, member, place, notes)
    return _LOST


def _each(data: bytes | Raw, kind: Any, place: str, notes: list[str]) -> list[Any]:
    raws = msgspec.json.decode(data, type=list[Raw])
    kept = (_salvage(raw, kind, f"{place}[{n}]", notes) for n, raw in enumerate(raws))
    return [value for value in kept if value is not _LOST]


def _values(data: bytes | Raw, kind: Any, place: str, notes: list[str]) -> dict[str, Any]:
    raws = msgspec.json.decode(data, type=dict[str, Raw])
    kept = {key: _salvage(raw, kind, f"{place}.{key[:60]}", notes) for key, raw in raws.items()}
    return {key: value for key, value in kept.items() if value is not _LOST}


def _fields(data: bytes | Raw, kind: type[Struct], place: str, notes: list[str]) -> Struct:
    raws = msgspec.json.decode(data, type=dict[str, Raw])
    kept: dict[str, Any] = {}
    for field in fields(kind):
        if field.encode_name in raws:
            value = _salvage(raws[field.encode_name], field.type, f"{place}.{field.name}", notes)
            if value is not _LOST:
                kept[field.name] = value
    return kind(**kept)


def _note(notes: list[str], text: str) -> None:
    if len(notes) < MAX_NOTES:
        notes.append(text)
