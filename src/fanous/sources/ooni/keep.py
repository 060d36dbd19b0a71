"""Keep: which parts of a record are stored: the fields that rules read, by nettest, and no others.

Regardless of its writer (a stranger's probe, our own, a file), a record is decoded into the structures of
``document`` and written again, so an unforeseen field is never stored; each text that remains has its form (``forms``).
A page identical to the test helper's is
reduced to its title and as many blanks as it was long: no later rule can need more.  A page that failed, differs or has
nothing to be compared with stays, so that later rules can judge it, without anything that may identify its reader.
Headers keep their value if they are on a list or, on a page that stays, if their name does not suggest a visitor.
Of a chain of certificates, only the leaf stays, without any mail addresses and persons.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct

from fanous.analysis.rules.fingerprints import LONGEST_BODY, READ_OF_LONGER
from fanous.analysis.rules.pages import LEAST_PROPORTION, same_title
from fanous.model.measurement import Layer, Observation, Observer, ParsedMeasurement, Record
from fanous.sources.ooni.document import (
    NULL,
    Binary,
    Document,
    HelperPage,
    Response,
    ShownCertificate,
    StepKeys,
    Text,
    TorKeys,
    Transaction,
    WebKeys,
    decode,
)
from fanous.sources.ooni.failures import failure_of
from fanous.sources.ooni.forms import settle
from fanous.sources.ooni.identity import content_of, stamped
from fanous.sources.ooni.parse import Decoded, decode_record, parse_whole
from fanous.sources.ooni.steps import digest_of, without_persons
from fanous.sources.ooni.values import (
    LONGEST_TITLE,
    LONGEST_URL,
    TITLE_BEGINS,
    PageRecord,
    bytes_of,
    count_of,
    headers_of,
    input_of,
    page_of,
    title_of,
)
from fanous.sources.redaction import (
    AT_SIGNS,
    HIDDEN,
    is_token,
    quiet_url,
    without_devices,
    without_names,
    without_seconds,
)

KEPT_HEADERS = frozenset(
    (
        *("server", "date", "content-type", "content-length", "content-language", "content-encoding"),
        *(
            "transfer-encoding",
            "connection",
            "keep-alive",
            "cache-control",
            "pragma",
            "expires",
            "last-modified",
        ),
        *("vary", "accept-ranges", "allow", "retry-after", "alt-svc", "upgrade", "mime-version"),
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


def take(record: Record) -> tuple[Record, ParsedMeasurement]:
    """A record as it is stored, and its measurement, read from the whole record except for what names a person.

    Raises:
        Rejected: it cannot be used.
    """
    decoded, parsed = parse_whole(record)
    quieted: dict[str, str] = {}
    decoded = _settle_all(decoded, quieted)
    header, content = decoded.header, parsed.measurement.content
    header.measurement_uid = parsed.measurement.uid or header.measurement_uid
    written = encoded(decoded)
    if quieted:
        seen = tuple([_quiet(one, quieted) for one in parsed.observations])
        parsed = replace(parsed, observations=seen)
    data = stamped(written, content) if content else written
    return Record(
        record.source,
        data,
        record.file,
        record.line,
        record.items,
        record.duplicates,
        record.provenance,
        record.published,
    ), parsed


def kept(data: bytes) -> bytes:
    """A record of a probe as it is stored.

    Raises:
        Rejected: it is not a JSON object, or too costly.
    """
    return encoded(settled(data))


def settled(data: bytes) -> Decoded:
    """The parts of a record that are stored.

    Raises:
        Rejected: it is not a JSON object, or too costly.
    """
    decoded, _ = decode_record(data, [])
    return _settle_all(decoded, {})


def kept_own(data: bytes) -> bytes:
    """A record of this machine's own probe as it is stored and sent.

    Others know only what is sent, so its identity is taken from that: a collector that received it, and OONI
    which published it, derive the same.
    """
    written = kept(data)
    return stamped(written, content_of(written))


def _quiet(one: Observation, quieted: dict[str, str]) -> Observation:
    """The fact with its URLs and title as they are stored."""
    said = (one.url, one.location, one.title)
    if (
        one.layer not in (Layer.HTTP, Layer.TRANSFER)
        or one.vantage is not Observer.PROBE
        or quieted.keys().isdisjoint(said)
    ):
        return one
    url, location, title = (quieted.get(text, text) for text in said)
    return replace(one, url=url, location=location, title=title)


def _settle_all(decoded: Decoded, quieted: dict[str, str]) -> Decoded:
    """Args:
    quieted: receives URLs and titles that are stored in another form, each with that form.
    """
    header, keys = decoded
    settle(header)
    if keys is None and isinstance(header, Document) and header.test_keys is not NULL:
        keys = decode(header.test_keys, StepKeys, "test_keys", [])  # all nettests have steps in common
    if keys is not None:
        settle(keys)
        _settle(keys, input_of(header.input), quieted)
    return Decoded(header, keys)


def encoded(decoded: Decoded) -> bytes:
    header, keys = decoded
    if isinstance(header, Document):
        header.test_keys = NULL if keys is None else Raw(msgspec.json.encode(keys))
    return msgspec.json.encode(header)


def _settle(keys: Struct, asked: str, quieted: dict[str, str]) -> None:
    """Remove what is not kept from pages, URLs, headers and certificates.

    Args:
        asked: the URL that was to be measured, which is public.
    """
    control = keys.control if isinstance(keys, WebKeys) and failure_of(keys.control_failure) is None else None
    theirs = control.http_request if control else None
    if isinstance(keys, WebKeys):
        _settle_web(keys, asked, quieted)
    for steps in steps_of(keys):
        for transaction in steps.requests or ():
            _settle_transaction(transaction, theirs, asked, quieted)
        for handshake in (*(steps.tls_handshakes or ()), *(steps.quic_handshakes or ())):
            if handshake.peer_certificates is not NULL:
                handshake.peer_certificates = Raw(_leaf(bytes(handshake.peer_certificates)))


def _settle_web(keys: WebKeys, asked: str, quieted: dict[str, str]) -> None:
    """The URLs of downloads and of the question to the helper, and the helper's headers."""
    question = keys.x_control_request
    if question is not None and question.http_request:
        question.http_request = _url(question.http_request, asked, quieted)
    for download in keys.x_transfers or ():
        if download.url:
            download.url = _url(download.url, asked, quieted)
    page = keys.control.http_request if keys.control else None
    if page is not None and page.headers is not UNSET:
        page.headers = [
            (name[:LONGEST_NAME], _header(name.lower(), value, same=True))
            for name, value in headers_of(page.headers)
        ]


def _url(url: str, asked: str, quieted: dict[str, str]) -> str:
    """A URL without anything that names a visit, unless it is the one that was to be measured."""
    clean = url if url == asked else quiet_url(url, keeps_values=True)
    if clean != url:
        quieted[url[:LONGEST_URL]] = clean[:LONGEST_URL]
    return clean


def steps_of(keys: Struct) -> Iterator[StepKeys]:
    if isinstance(keys, StepKeys):
        yield keys
    elif isinstance(keys, TorKeys) and keys.targets:
        yield from keys.targets.values() if isinstance(keys.targets, dict) else keys.targets


def _settle_transaction(
    transaction: Transaction, theirs: HelperPage | None, asked: str, quieted: dict[str, str]
) -> None:
    request, response = transaction.request, transaction.response
    if request and request.url:
        request.url = _url(request.url, asked, quieted)
    if response is None:
        return
    page = page_of(response, "", [])
    same = theirs is not None and failure_of(transaction.failure) is None and _is_same(response, page, theirs)
    if page.length > 0:
        if theirs is not None and same:
            response.body, title = _title_alone(page, title_of_helper(theirs.title))
            if title != title_of(page.body):
                quieted[title_of(page.body)] = title
        else:
            response.body = _without_readers(response.body)
    if page.headers or response.headers is not UNSET or response.headers_list is not UNSET:
        pairs = []
        for name, value in page.headers:
            lower = name.lower()
            clean = _header(lower, value, same)
            if lower == "location" and clean != value:
                quieted[value] = clean
            pairs.append((name[:LONGEST_NAME], clean))
        response.headers_list, response.headers = pairs, UNSET


def _is_same(response: Response, page: PageRecord, theirs: HelperPage) -> bool:
    """Is it the helper's page, as far as can be told?  This is stricter than the rules (``likeness``), since what
    is not kept cannot be judged again."""
    code = response.code or 0
    if failure_of(theirs.failure) is not None or code != theirs.status_code or not code or code // 100 == 3:
        return False
    title, their_title = title_of(page.body), title_of_helper(theirs.title)
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


def blank(body: str, length: int, their_title: str) -> str:
    """A page's title, and blanks up to ``length`` bytes."""
    title = quiet_title(body, their_title)
    return title + " " * (length - len(title.encode("utf-8", "replace")))


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


def _header(name: str, value: str, same: bool) -> str:
    if name in URL_HEADERS:
        return quiet_url(value, keeps_values=True)
    if name in KEPT_HEADERS:
        return value
    return "" if same or is_personal(name) else without_readers(value)


@lru_cache(maxsize=4096)
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

_NUMBERING = re.compile(
    r"""[=:"'\d](?:(?<!\d)[A-Za-z0-9_\-]{16,}+=*+|(?<=\d)(?<![\w.\-]\d)(?:[ ()\-]?+\d){9,30}+(?!\w))"""
)
"""A token that is a value (of a session, a form, a visit; names of files stay), or ten digits or more, as of telephones
and accounts; what counts visits to a site has a letter before it."""

LEAST_NUMBERING = 10
"""Characters."""


def without_readers(text: str) -> str:
    """The text of a page that stays, without anything that may identify or address its reader, at the same length.

    Less is taken than from what is published (``without_names``): notices are known by their offices' addresses,
    numbers and files.
    """
    if len(text) >= LEAST_NUMBERING:
        text = _NUMBERING.sub(_unnumbered, without_devices(text))
    for at, domain in _MAIL_DOMAINS.items():
        if at in text:
            text = _without_mail(text, domain)
    return text


def _unnumbered(found: re.Match[str]) -> str:
    first = found[0][0]
    if first.isdigit():
        return _hide(found[0])
    return first + _hide(found[0][1:]) if is_token(found[0]) else found[0]


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


def leaf_only(chain: Any) -> Any:
    """The first certificate, which is all that is read, without persons and mail addresses; none if it
    cannot be read where it may name one."""
    try:
        shown = msgspec.convert(chain[:1] if isinstance(chain, list) else [], list[ShownCertificate | str])
    except msgspec.ValidationError:
        return []
    first = next(iter(shown), None)
    leaf = ShownCertificate(first) if isinstance(first, str) else first
    der = bytes_of(Binary(leaf.data)) if leaf is not None else None
    if leaf is None or der is None:
        return []
    quiet = without_persons(der)
    if quiet is None:
        return []
    kept = {"data": leaf.data if quiet is der else b64encode(quiet).decode(), "format": "base64"}
    digest = digest_of(leaf, der)
    return [kept if digest == sha256(quiet).hexdigest() else kept | {"x_sha256": digest}]


@lru_cache(maxsize=2048)
def _leaf(chain: bytes) -> bytes:
    """The same in JSON; sites show the same chain again and again."""
    try:
        return msgspec.json.encode(leaf_only(msgspec.json.decode(chain)))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return b"[]"
