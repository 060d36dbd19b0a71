"""Page: what an HTTP response shows - body, title, headers - from the shapes that probes wrote (df-001)."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from fanous.sources.ooni.document import Binary, Response, Text, repair

TITLE_BEGINS = ("<title", "<TITLE", "<Title")
LONGEST_TITLE = 500
"""Characters; the test helper cuts its own at this length too."""

MOST_HEADERS = 500
"""Most servers send no more than about 100."""

LONGEST_VALUE = 8192
"""Characters kept of a header's value."""

_ENCODINGS = (
    r"(utf-8|iso-8859-\d{1,2}|windows-\d{3,4}|koi8-[ru]|gb2312|gbk|gb18030|big5"
    r"|shift_jis|euc-jp|euc-kr|tis-620)\b"
)
"""The legacy encodings of web pages: no codec that is slow or does more than map bytes to letters."""

CHARSET = re.compile(r"charset=\"?" + _ENCODINGS, re.IGNORECASE)
META_CHARSET = re.compile(
    rb"<meta\s[^>]{0,200}?charset\s{0,4}=\s{0,4}[\"']?" + _ENCODINGS.encode(), re.IGNORECASE
)
BEFORE_META = 1024
"""Bytes in which a page names its own encoding (HTML, "prescan a byte stream to determine its encoding")."""

_LISTED = msgspec.json.Decoder(list[tuple[str, Text]])
_MAPPED = msgspec.json.Decoder(dict[str, Text])


class PageRecord(NamedTuple):
    """What came back.  ``length`` is in bytes, -1 = unknown; ``headers`` are in the order received."""

    body: str
    length: int
    headers: list[tuple[str, str]]


def page_of(response: Response, place: str, notes: list[str]) -> PageRecord:
    """Body as text and headers; what cannot be read is noted and empty."""
    headers = headers_of(response.headers_list) or headers_of(response.headers)
    body = response.body
    if body is None:
        return PageRecord("", -1, headers)
    if isinstance(body, str):
        return PageRecord(body, _bytes_in(body), headers)
    raw = bytes_of(body)
    if raw is None:
        notes.append(f"{place}.body: not base64")
        return PageRecord("", -1, headers)
    return PageRecord(raw.decode(_charset(headers, raw), "replace"), len(raw), headers)


_RUN = 2048
"""Characters: a page in Latin letters has few others, and most runs of this length none."""


def _bytes_in(text: str) -> int:
    """Length in UTF-8.  A run in ASCII has it already; one emoji would have the whole page encoded."""
    if text.isascii():
        return len(text)
    runs = [text[start : start + _RUN] for start in range(0, len(text), _RUN)]
    return sum(len(run) if run.isascii() else len(run.encode("utf-8", "replace")) for run in runs)


def bytes_of(value: Binary) -> bytes | None:
    """The bytes; ``None`` = they cannot be read."""
    try:
        return b64decode(value.data) if value.data is not None else None
    except (Base64Error, ValueError):
        return None


def headers_of(raw: Raw) -> list[tuple[str, str]]:
    """(name, value) of each header, from a list of pairs or a map; empty if there are none."""
    start = bytes(memoryview(raw)[:1])
    try:
        if start == b"[":
            return [(name, _text(value)) for name, value in _LISTED.decode(raw)[:MOST_HEADERS]]
        if start == b"{":
            return [(name, _text(value)) for name, value in list(_MAPPED.decode(raw).items())[:MOST_HEADERS]]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return list(_odd_headers(_untyped(raw)))[:MOST_HEADERS]
    return []


def _untyped(raw: Raw) -> Any:
    """Whatever it is, with what is not legal in it replaced; ``None`` where that does not help."""
    try:
        return msgspec.json.decode(repair(bytes(raw).decode("utf-8", "replace").encode()))
    except (msgspec.DecodeError, RecursionError):
        return None


def title_of(body: str) -> str:
    """Text of the first ``<title>``; empty = none."""
    for begin in TITLE_BEGINS:
        start = body.find(begin)
        if start >= 0:
            start = body.find(">", start, start + LONGEST_TITLE) + 1
            if start:
                return body[start : start + LONGEST_TITLE].partition("<")[0].strip()
    return ""


def header_named(headers: list[tuple[str, str]], name: str) -> str:
    """Value of the first header called ``name`` (lower case); empty = none."""
    for key, value in headers:
        if len(key) == len(name) and key.lower() == name:
            return value
    return ""


def _odd_headers(headers: Any) -> Iterator[tuple[str, str]]:
    """Pairs of which a part makes sense: a value that is a number, or a list of values."""
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    for pair in pairs:
        if isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str):
            values = pair[1] if isinstance(pair[1], list) else [pair[1]]
            for value in values:
                if isinstance(value, dict) and isinstance(value.get("data"), str):
                    yield pair[0], _text(Binary(value["data"]))
                elif isinstance(value, str | int | float):
                    yield pair[0], str(value)[:LONGEST_VALUE]


def _text(value: Text) -> str:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE]
    raw = bytes_of(value) if value is not None else None
    return raw[:LONGEST_VALUE].decode("utf-8", "replace") if raw else ""


def _charset(headers: list[tuple[str, str]], raw: bytes) -> str:
    """As the header says, or else the page itself."""
    named = CHARSET.search(header_named(headers, "content-type"))
    if named:
        return named[1]
    own = META_CHARSET.search(raw, 0, BEFORE_META)
    return own[1].decode("ascii") if own else "utf-8"
