"""Query: reads the parameters of a request as a typed question, or explains what is wrong with them.

An unknown parameter is refused by name.  A refusal is a problem document (RFC 9457), which a program can act on
and a person can read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from http import HTTPStatus
from typing import TypeVar

import msgspec
from msgspec import inspect
from starlette.requests import Request
from starlette.responses import Response

from fanous.model.instant import from_iso
from fanous.text import printable
from fanous.web.api.types import Problem

PROBLEM_MEDIA = "application/problem+json"


class Wrong(Exception):
    """An invalid question, answered with a problem document.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


LONGEST_DETAIL = 500
"""Characters; it may quote what was asked, which others may have put into a link."""


def problem_body(status: int, detail: str) -> bytes:
    return msgspec.json.encode(Problem(HTTPStatus(status).phrase, status, printable(detail)[:LONGEST_DETAIL]))


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    kept = {"Cache-Control": "no-store"} | (headers or {})
    return Response(problem_body(status, detail), status, media_type=PROBLEM_MEDIA, headers=kept)


Question = TypeVar("Question", bound=msgspec.Struct)


def question_of(request: Request, kind: type[Question]) -> Question:
    """Raises:
    Wrong: an unknown or repeated name, or a value of the wrong form.
    """
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    known = kind.__struct_fields__
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known) or 'none'}"
            raise Wrong(400, f"unknown parameter {name}: {hint}")
        if names.count(name) > 1:
            raise Wrong(400, f"{name} is given twice")
    values = {name: value.upper() if name in CAPITALS else value for name, value in given}
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("`$.")[2].rstrip("`")
        if name not in values:
            raise Wrong(400, _missing(kind, values)) from None
        raise Wrong(
            400, f"{name}: {dict(given)[name]!r} does not fit; expected: {_needed(name, kind)}"
        ) from None


CAPITALS = ("country", "network")
"""Parameters that may be given in lower case as well."""


def _fields(kind: type[Question]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described.fields


def _missing(kind: type[Question], values: Mapping[str, str]) -> str:
    lacking = [one.name for one in _fields(kind) if one.required and one.name not in values]
    return f"{' and '.join(lacking)}: needed, but not given"


def _needed(name: str, kind: type[Question]) -> str:
    """What a parameter has to be, since msgspec's own messages have Python types and regular expressions."""
    (found,) = (one.type for one in _fields(kind) if one.name == name)
    told = {}
    if isinstance(found, inspect.Metadata):
        told, found = found.extra_json_schema or {}, found.type
    if isinstance(found, inspect.IntType):
        return f"a whole number from {found.ge} to {found.le}"
    if isinstance(found, inspect.LiteralType):
        return f"one of {', '.join(map(str, found.values))}"
    example = f", such as {told['examples'][0]}" if "examples" in told else ""
    return f"{told.get('description', 'a text')}{example}"


def moment(text: str | msgspec.UnsetType, name: str) -> float | None:
    """RFC 3339, or a date alone.

    Raises:
        Wrong: it is not a time.
    """
    if text is msgspec.UNSET:
        return None
    try:
        return msgspec.convert(text.upper(), datetime).astimezone(UTC).timestamp()
    except (msgspec.ValidationError, OverflowError):
        pass
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        raise Wrong(400, f"{name}: {text} is not a date or time such as 2023-12-17T15:00:00Z") from None


def window(
    since: str | msgspec.UnsetType, until: str | msgspec.UnsetType
) -> tuple[float | None, float | None]:
    """Both ends of a window; in the wrong order they are exchanged, as on the page ``/explore``.

    Raises:
        Wrong: one is not a time.
    """
    first, last = moment(since, "since"), moment(until, "until")
    if first is not None and last is not None and first > last:
        return last, first
    return first, last


Key = tuple[int, str, int]
"""Position of an item in a list: negative seconds, so that the newest comes first; label; revision."""


def cursor_of(key: Key) -> str:
    """The cursor for the position after an item."""
    return f"{-key[0]}.{key[1]}.{key[2]}"


def place_of(cursor: str | None) -> Key | None:
    """The position in a cursor; ``types.CURSOR`` has already checked its form."""
    if cursor is None:
        return None
    at, label, n = cursor.split(".")
    return -int(at), label, int(n)
