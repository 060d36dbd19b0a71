"""Answer: reads what publishers answer in JSON.

What a reader needs of an answer is a msgspec structure, so what is missing or has another type is named; fields that
no structure names may come and go.  Needs no numpy, since a light probe reads the answers of Globalping and RIPE Atlas.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Raw

from fanous.errors import Rejected

T = TypeVar("T")

LATEST = 7_258_118_400
"""The year 2200: no measurement or event is later."""

Moment = Annotated[float, Meta(ge=0, le=LATEST)]
"""Unix seconds."""

Rejects = tuple[tuple[int, str], ...]
"""(1-based number of the entry; reason) of what cannot be used."""


def decoded(data: bytes | Raw, kind: type[T], what: str) -> T:
    """A JSON document.

    Args:
        what: whose answer it is, and about what, for messages.

    Raises:
        Rejected: it is not JSON, or has another form.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise Rejected(f"{what} no longer has the known form: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        is_page = bytes(data).lstrip()[:1] == b"<"
        raise Rejected("a web page in place of data" if is_page else f"not JSON: {error}") from error


def converted(value: Any, kind: type[T], what: str) -> T:
    """A part of a document that was decoded already.

    Raises:
        Rejected: it has another form.
    """
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Rejected(f"{what}: {error}") from None


def read_each(entries: Iterable[Any], read: Callable[[Any], T | None]) -> tuple[tuple[T, ...], Rejects]:
    """What ``read`` makes of each entry, unless that is ``None``, and the entries for which it raised ``Rejected``."""
    usable: list[T] = []
    rejects: list[tuple[int, str]] = []
    for number, entry in enumerate(entries, 1):
        try:
            content = read(entry)
        except Rejected as reason:
            rejects.append((number, str(reason)))
        else:
            usable += [] if content is None else [content]
    return tuple(usable), tuple(rejects)


def field(document: Any, *names: str) -> Any:
    """``document[a][b]...``; ``None`` if it is missing or null."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document
