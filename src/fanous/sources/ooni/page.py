"""Page: a response as a probe recorded it (df-001): how it is read, and how much of it is kept.

A page identical to the test helper's is reduced to its title and padded with spaces to its length: no later rule can
need more.  A page that failed, differs or has nothing to be compared with stays, so that later rules can judge it,
without anything that may identify its reader.  Headers keep their value if they are on a list or, on a page that stays,
if their name does not suggest a visitor.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from fanous.analysis.rules.fingerprints import LONGEST_BODY, LONGEST_NOTICE, READ_OF_LONGER
from fanous.analysis.rules.pages import LEAST_PROPORTION, same_title
from fanous.sources.ooni.document import Binary, HelperPage, Response, Text, Transaction, WebKeys
from fanous.sources.ooni.values import LONGEST_URL, count_of, failure_of
from fanous.sources.redaction import (
    AT_SIGNS,
    HIDDEN,
    quiet_url,
    without_devices,
    without_names,
    without_seconds,
)

# --- reading --------------------------------------------------------------------------------------------

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
"""The legacy encodings of web pages, without codecs that are slow or do more than map bytes to letters."""

CHARSET = re.compile(r"charset=\"?" + _ENCODINGS, re.IGNORECASE)
META_CHARSET = re.compile(
    rb"<meta\s[^>]{0,200}?charset\s{0,4}=\s{0,4}[\"']?" + _ENCODINGS.encode(), re.IGNORECASE
)
BEFORE_META = 1024
"""Bytes in which a page names its own encoding (HTML, "prescan a byte stream to determine its encoding")."""


class PageRecord(NamedTuple):
    """The page that came back.  ``length`` is in bytes, -1 = unknown; ``headers`` are in the order received; an empty
    title means that it has none."""

    body: str
    length: int
    headers: list[tuple[str, str]]
    title: str


def page_of(response: Response, place: str, notes: list[str]) -> PageRecord:
    """Body as text, headers and title; unreadable parts are noted and left empty.  It is read once, and kept with the
    response."""
    known: PageRecord | None = response.__dict__.get("page")
    if known is None:
        headers = headers_of(response.headers_list) or headers_of(response.headers)
        body, length = _body_of(response, headers, place, notes)
        known = response.__dict__["page"] = PageRecord(body, length, headers, title_of(body))
    return known


def _body_of(
    response: Response, headers: list[tuple[str, str]], place: str, notes: list[str]
) -> tuple[str, int]:
    """The body as text, and its length."""
    body = response.body
    if body is None:
        return "", -1
    if isinstance(body, str):
        # Python keeps the UTF-8 of a text, once the record's digest needed it: counting then only copies.
        return body, len(body) if body.isascii() else len(body.encode("utf-8", "replace"))
    raw = bytes_of(body)
    if raw is None:
        notes.append(f"{place}.body: not base64")
        return "", -1
    length = count_of(body.x_length)
    if length >= len(raw):
        return raw.decode("utf-8", "replace") + " " * min(length - len(raw), _PADDED), length
    return raw.decode(_charset(headers, raw), "replace"), len(raw)


_PADDED = LONGEST_NOTICE + 1
"""Spaces that represent the rest of a page: rules read only that it is longer than a notice."""


def bytes_of(value: Binary) -> bytes | None:
    """The bytes; ``None`` = they cannot be read."""
    try:
        return b64decode(value.data) if value.data is not None else None
    except (Base64Error, ValueError):
        return None


_PAIRS, _NAMED = list[tuple[str, Text]], dict[str, Text]


def headers_of(given: Any) -> list[tuple[str, str]]:
    """(name, value) of each header, from a list of pairs or a map; empty if there are none."""
    try:
        if isinstance(given, list):
            # Are they lists of name and value in text, as nearly all are?  Then nothing has to be converted.
            if (
                {*map(type, given)} == {list}
                and {*map(len, given)} == {2}
                and ({*map(type, chain.from_iterable(given))} == {str})
            ):
                return [(name, value[:LONGEST_VALUE]) for name, value in given[:MOST_HEADERS]]
            pairs = msgspec.convert(given, _PAIRS)
            return [(name, _text(value)) for name, value in pairs[:MOST_HEADERS]]
        if isinstance(given, dict):
            if {*map(type, given.values())} == {str}:
                return [(name, value[:LONGEST_VALUE]) for name, value in islice(given.items(), MOST_HEADERS)]
            named = msgspec.convert(given, _NAMED)
            return [(name, _text(value)) for name, value in islice(named.items(), MOST_HEADERS)]
    except (msgspec.ValidationError, RecursionError):
        return list(_odd_headers(given))[:MOST_HEADERS]
    return []


def title_place(body: str) -> tuple[int, int]:
    """Where the text of the first ``<title>`` begins and ends; equal = there is none."""
    for begin in TITLE_BEGINS:
        start = body.find(begin)
        if start >= 0:
            start = body.find(">", start, start + LONGEST_TITLE) + 1
            if start:
                text = body[start : start + LONGEST_TITLE].partition("<")[0]
                return start + len(text) - len(text.lstrip()), start + len(text.rstrip())
    return 0, 0


def title_of(body: str) -> str:
    """Text of the first ``<title>``; empty = none."""
    start, end = title_place(body)
    return body[start:end]


def by_name(headers: list[tuple[str, str]]) -> dict[str, str]:
    """The value of the first header of each name, in lower case."""
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.lower(), value)
    return found


def _odd_headers(headers: Any) -> Iterator[tuple[str, str]]:
    """Pairs whose value makes sense: a number, or a list of values."""
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
    """The encoding that the header states, otherwise the page itself."""
    named = CHARSET.search(by_name(headers).get("content-type", ""))
    if named:
        return named[1]
    own = META_CHARSET.search(raw, 0, BEFORE_META)
    return own[1].decode("ascii") if own else "utf-8"


# --- keeping --------------------------------------------------------------------------------------------

KEPT_HEADERS = frozenset(
    (
        *("server", "date", "content-type", "content-length", "content-language", "content-encoding"),
        *("transfer-encoding", "connection", "keep-alive", "cache-control", "pragma", "expires"),
        *(
            "last-modified",
            "vary",
            "accept-ranges",
            "allow",
            "retry-after",
            "alt-svc",
            "upgrade",
            "mime-version",
        ),
        *("strict-transport-security", "x-frame-options", "x-content-type-options", "x-xss-protection"),
        *(
            "referrer-policy",
            "x-powered-by",
            "www-authenticate",
            "proxy-authenticate",
            "x-squid-error",
            "via",
        ),
    )
)
"""Headers whose value is always kept; in lower case."""

URL_HEADERS = frozenset({"location", "content-location", "refresh"})
"""Headers whose value is a URL, which is kept without anything that names a visit."""

PERSONAL = re.compile(
    r"cookie|auth|session|token|user|client|account|mail|phone|forward|visitor|device|customer"
    r"|trace|request|nonce|etag|(?:^|-)(?:id|ip|ray)(?:-|$)"
)
"""Words in header names that identify a visit or a visitor: their values are never kept, on any page."""

UNTITLED_PROPORTION = 0.95
"""Ratio of the shorter page to the longer from which two pages without a title count as the same."""

NOT_ALL = " ..."
"""Ends a title whose words were partly left out, so that it does not equal the helper's."""


def reduce_pages(
    keys: WebKeys | None, transactions: Iterable[Transaction], asked: str, quieted: dict[str, str]
) -> None:
    """Take out of the URLs and pages of one record what names a visit or a visitor.

    Args:
        keys: of web_connectivity; ``None`` = another nettest, which has no helper.
        asked: the URL that was to be measured, which is public.
        quieted: receives URLs and titles that are kept in another form, each with that form.
    """
    control = keys.control if keys is not None and failure_of(keys.control_failure) is None else None
    visit = _Visit(asked, control.http_request if control else None, quieted)
    if keys is not None:
        visit.reduce_web(keys)
    for transaction in transactions:
        visit.reduce(transaction)


class _Visit:
    """See ``reduce_pages``.

    Args:
        theirs: the page that the test helper got; ``None`` = it got none.
    """

    def __init__(self, asked: str, theirs: HelperPage | None, quieted: dict[str, str]) -> None:
        self._asked = asked
        self._theirs = theirs
        self._quieted = quieted

    def reduce_web(self, keys: WebKeys) -> None:
        """The URLs of downloads and of the question to the helper, and the headers that the helper got."""
        question = keys.x_control_request
        if question is not None and question.http_request:
            question.http_request = self.url(question.http_request)
        for download in keys.x_transfers or ():
            if download.url:
                download.url = self.url(download.url)
        page = keys.control.http_request if keys.control else None
        if page is not None and page.headers is not UNSET:
            page.headers = [_header(name, value, same=True) for name, value in headers_of(page.headers)]

    def url(self, url: str) -> str:
        """A URL without anything that names a visit, unless it is the one that was to be measured."""
        clean = url if url == self._asked else _quiet_url(url)
        if clean != url:
            self._quieted[url[:LONGEST_URL]] = clean[:LONGEST_URL]
        return clean

    def reduce(self, transaction: Transaction) -> None:
        """Reduce a transaction to what is kept of it."""
        request, response, theirs = transaction.request, transaction.response, self._theirs
        if request and request.url:
            request.url = self.url(request.url)
        if response is None:
            return
        page = page_of(response, "", [])
        same = (
            theirs is not None
            and failure_of(transaction.failure) is None
            and _is_same(response, page, theirs)
        )
        if page.length > 0:
            if theirs is not None and same:
                response.body, title = _title_alone(page, title_of_helper(theirs.title))
                if title != page.title:
                    self._quieted[page.title] = title
            else:
                response.body = _without_readers(response.body)
        if page.headers or response.headers is not UNSET or response.headers_list is not UNSET:
            response.headers_list = [_header(name, value, same) for name, value in page.headers]
            response.headers = UNSET
            for (name, value), (_, clean) in zip(page.headers, response.headers_list, strict=True):
                if clean is not value and name.lower() == "location" and clean != value:
                    self._quieted[value] = clean


def _is_same(response: Response, page: PageRecord, theirs: HelperPage) -> bool:
    """Is it the helper's page, as far as can be told?  This is stricter than the rules (``likeness``), since what
    is not kept cannot be judged again."""
    code = response.code or 0
    if failure_of(theirs.failure) is not None or code != theirs.status_code or not code or code // 100 == 3:
        return False
    title, their_title = page.title, title_of_helper(theirs.title)
    if title and title.casefold() == their_title.casefold():
        return True
    short, long = sorted((page.length, count_of(theirs.body_length)))
    proportion = short / long if short > 0 else 0.0
    if title or their_title:
        is_part = bool(response.body_is_truncated) and short == page.length
        return (is_part or proportion > LEAST_PROPORTION) and same_title(title, their_title) is True
    return proportion > UNTITLED_PROPORTION


def title_of_helper(title: Any) -> str:
    """The title that the test helper saw; empty = none.  It names no user, since the helper has none."""
    return title[:LONGEST_TITLE].strip() if isinstance(title, str) else ""


def _title_alone(page: PageRecord, their_title: str) -> tuple[Binary, str]:
    """A body reduced to its title, and the title."""
    tag = quiet_title(page.body, their_title)
    data = tag.encode("utf-8", "replace")[: page.length]
    return Binary(b64encode(data).decode(), "base64", page.length), title_of(tag)


def quiet_title(body: str, their_title: str) -> str:
    """A page's title, with its tag, reduced to the words that the helper's has too; a different title is kept."""
    begin, bracket, text = _title_tag(body).partition(">")
    text, opening, rest = text.partition("<")
    begin = begin[: len(TITLE_BEGINS[0])] if bracket else begin
    if bracket and text.strip() != their_title and same_title(text.strip(), their_title):
        theirs = set(their_title.casefold().split())
        text = " ".join([word for word in text.split() if word.casefold() in theirs]) + NOT_ALL
    elif text.strip() != their_title:
        text = without_names(text)
    return begin + bracket + text + opening + rest


def _title_tag(body: str) -> str:
    for begin in TITLE_BEGINS:
        start = body.find(begin)
        if start >= 0:
            end = body.find("<", start + 1)
            return without_seconds(body[start : end + 1] if end >= 0 else body[start : start + 1000])
    return ""


LONGEST_NAME = 64
"""Most letters of a header's name; longer ones are values in the wrong place."""


def _header(name: str, value: str, same: bool) -> tuple[str, str]:
    """A header as it is kept.

    Args:
        same: the helper got the same page.
    """
    name, worth = _WORTHS[name]
    if worth is _Worth.VALUE:
        return name, value
    if worth is _Worth.URL:
        return name, _quiet_url(value)
    if same or worth is _Worth.NOTHING:
        return name, ""
    return name, _known_value(value) if len(value) <= LONGEST_KNOWN else without_readers(value)


class _Worth(Enum):
    """How much of a header's value is kept: all, that of a URL, what does not identify a reader, or nothing."""

    VALUE = auto()
    URL = auto()
    TEXT = auto()
    NOTHING = auto()


class _Worths(dict[str, tuple[str, _Worth]]):
    """A header's name -> as it is kept, and the worth of the value; short names are remembered."""

    def __missing__(self, name: str) -> tuple[str, _Worth]:
        lower = name.lower()
        if lower in KEPT_HEADERS:
            worth = _Worth.VALUE
        elif lower in URL_HEADERS:
            worth = _Worth.URL
        else:
            worth = _Worth.NOTHING if is_personal(lower) else _Worth.TEXT
        if len(name) > LONGEST_NAME:
            return name[:LONGEST_NAME], worth
        if len(self) >= _MOST_NAMES:
            self.clear()
        return self.setdefault(name, (name, worth))


_MOST_NAMES = 4096
_WORTHS = _Worths()


def _quiet_url(url: str) -> str:
    return _known_url(url) if len(url) <= LONGEST_KNOWN else quiet_url(url, keeps_values=True)


@lru_cache(maxsize=4096)
def _known_url(url: str) -> str:
    return quiet_url(url, keeps_values=True)


def is_personal(name: str) -> bool:
    """May the value of a header of this name (in lower case) identify a person?"""
    return PERSONAL.search(name) is not None


OFFICES = (
    *(
        "support",
        "help",
        "helpdesk",
        "info",
        "abuse",
        "contact",
        "noc",
        "admin",
        "webmaster",
        "security",
        "service",
    ),
    *("care", "customer", "legal", "office", "press", "sales", "it", "block", "filter", "report", "complain"),
)
"""How the address of an office begins in a notice."""

_MAIL_DOMAINS = {
    at: re.compile(re.escape(at) + r"[\w\-]{1,63}+(?:\.[\w\-]{1,63}+){1,4}+", re.ASCII) for at in AT_SIGNS
}
_MAIL_NAME = re.compile(r"[\w.+\-]{1,64}\Z", re.ASCII)
_OFFICE = re.compile(rf"(?:{'|'.join(OFFICES)})(?![a-z])", re.IGNORECASE)

_TOKEN = re.compile(
    r"""([=:"'])(?=[A-Za-z0-9_\-]{16})(?=[A-Za-z_\-]*+\d)(?=[\d_\-]*+[A-Za-z])([A-Za-z0-9_\-]++=*+)""",
    re.ASCII,
)
"""A token that is a value, of a session, a form or a visit; names of files stay."""

_NUMBER = re.compile(r"\d(?=[\d ()\-]{9})(?<![\w.\-]\d)(?:[ ()\-]?+\d){9,30}+(?!\w)")
"""Ten digits or more, as of telephones and accounts; ids by which sites count visits have a letter before them."""

LEAST_NUMBERING = 10
"""Characters."""


def without_readers(text: str) -> str:
    """The text of a page that stays, without anything that may identify or address its reader, at the same length.

    Less is taken than from what is published (``without_names``): notices are known by their offices' addresses,
    numbers and files.
    """
    if len(text) >= LEAST_NUMBERING:
        text = _TOKEN.sub(lambda found: found[1] + _hide(found[2]), without_devices(text))
        text = _NUMBER.sub(lambda found: _hide(found[0]), text)
    for at, domain in _MAIL_DOMAINS.items():
        if at in text:
            text = _without_mail(text, domain)
    return text


LONGEST_KNOWN = 128
"""Characters of a URL or of a header's value whose form is remembered: servers say the same again and again."""


@lru_cache(maxsize=4096)
def _known_value(value: str) -> str:
    return without_readers(value)


def _without_mail(text: str, domain: re.Pattern[str]) -> str:
    parts, at = [], 0
    for found in domain.finditer(text):
        name = _MAIL_NAME.search(text, max(at, found.start() - 64), found.start())
        if name and not _OFFICE.match(name[0]):
            parts += [text[at : name.start()], _hide(text[name.start() : found.end()])]
            at = found.end()
    return "".join([*parts, text[at:]]) if parts else text


def _hide(text: str) -> str:
    return HIDDEN * len(text)


def _without_readers(body: Text) -> Text:
    if isinstance(body, str):
        if len(body) <= LONGEST_BODY:
            return without_readers(body)
        rest = " " * len(body[READ_OF_LONGER:].encode("utf-8", "replace"))
        return without_readers(body[:READ_OF_LONGER]) + rest
    raw = bytes_of(body) if body is not None else None
    if body is None or raw is None:
        return None
    part = raw if len(raw) <= LONGEST_BODY else raw[:READ_OF_LONGER]
    quiet = without_readers(part.decode("latin-1")).encode("latin-1").ljust(len(raw))
    return Binary(b64encode(quiet).decode(), "base64", body.x_length)
