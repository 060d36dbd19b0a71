"""Redact: a raw OONI record without anything that no fact is taken from, with times to the minute.

It is an allow-list: only what ``document`` names is kept, so an unforeseen field never leaves.  Of headers, those on a
list keep their values; all keep their names, which rules compare.  A page in which no known block page was found
becomes its title and as many blanks as its text was long: the rules need the length, and the text may say something
about its reader.  If the title agrees with the one that the helper saw, only the words that both have stay.
"""

import re
from base64 import b64encode
from typing import Any

import msgspec

from fanous.analysis.rules.pages import same_title
from fanous.errors import Rejected
from fanous.model.measurement import ParsedMeasurement
from fanous.sources.ooni.document import (
    Binary,
    repair,
)
from fanous.sources.ooni.keep import fields_of, leaf_only, responses
from fanous.sources.ooni.values import NO_NETWORK, TITLE_BEGINS, bytes_of, input_of
from fanous.sources.redaction import digest, quiet_url, to_minute, without_names, without_seconds

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
"""Headers whose value leaves the store; in lower case."""

URL_HEADERS = frozenset({"location", "content-location", "refresh"})
"""Headers whose value is a URL, which leaves without what names a visit."""

_OF_SOMEBODY = re.compile(
    r"cookie|auth|session|token|user|client|account|mail|phone|forward|trace|request|visitor|device|customer"
    r"|etag|nonce|ray|timer|nel|report|served-by|cache|(?:^|-)(?:id|ip|age|amz|fb)(?:-|$)"
)
"""Words in names of headers that tell one visit or one visitor: their values never leave, whatever the page is."""

NETWORK_TYPES = frozenset({"wifi", "mobile", "vpn", "wired_ethernet", "usb", "unknown"}) | NO_NETWORK
"""Values of the annotation ``network_type``; it is a free text, of which no other leaves."""

LONGEST_NAME = 64
"""Letters of the name of a header; longer ones are values in the wrong place."""

LONGEST_BODY = 64 << 20
"""Bytes: the most blanks that a page becomes, so that a forged record cannot blow up."""


def redact(data: bytes, parsed: ParsedMeasurement, keep_pages: bool = False) -> bytes:
    """The record as it may leave the store.

    Args:
        parsed: what the source made of ``data``.
        keep_pages: a known block page was found, so the pages are evidence and stay (times to the minute).

    Raises:
        Rejected: it is not a JSON object.
    """
    document = _decoded(data)
    kept = fields_of(document)
    header = parsed.measurement
    kept["measurement_uid"] = digest(header.uid)
    kept["report_id"] = digest(header.probe)
    kept.pop("probe_id", None)
    kept["measurement_start_time"] = to_minute(header.started_at)
    kept.pop("test_start_time", None)
    quiet = _Quiet(input_of(kept.get("input")), _helper_title(kept.get("test_keys")), keep_pages)
    for response in responses(kept.get("test_keys")):
        quiet.response(response)
    quiet.steps(kept.get("test_keys"))
    _quiet_header(kept)
    return msgspec.json.encode(kept)


_FREE_TEXTS = ("software_name", "software_version", "test_version", "probe_network_name")


def _quiet_header(kept: dict[str, Any]) -> None:
    for name in _FREE_TEXTS:
        if isinstance(kept.get(name), str):
            kept[name] = without_names(kept[name])
    noted = kept.get("annotations")
    if isinstance(noted, dict) and noted.get("network_type") not in NETWORK_TYPES:
        noted.pop("network_type", None)


def _helper_title(keys: Any) -> str:
    """The title that the test helper saw; empty = none.  No user is named in it: the helper has none."""
    control = keys.get("control") if isinstance(keys, dict) else None
    page = control.get("http_request") if isinstance(control, dict) else None
    title = page.get("title") if isinstance(page, dict) else None
    return title.strip() if isinstance(title, str) else ""


def _decoded(data: bytes) -> dict[str, Any]:
    document = _json(data)
    if document is None:
        document = _json(repair(data))
    if not isinstance(document, dict):
        raise Rejected("not a JSON object")
    return document


def _json(data: bytes) -> Any:
    """``None`` = it is not valid JSON."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Quiet:
    """Takes what names a visit or a visitor out of the parts of one record.

    Args:
        asked: the URL that was to be measured, which is public.
        title: that of the helper's page.
        keep_pages: a known block page was found.
    """

    def __init__(self, asked: str, title: str, keep_pages: bool) -> None:
        self._asked = asked
        self._title = title
        self._keep_pages = keep_pages

    def response(self, response: dict[str, Any]) -> None:
        for name in ("headers", "headers_list"):
            if name in response:
                response[name] = self._headers(response[name])
        body = response.get("body")
        if isinstance(body, str):
            response["body"] = without_names(without_seconds(body)) if self._keep_pages else self._blank(body)
        elif isinstance(body, dict):
            response["body"] = self._binary(body)

    def steps(self, keys: Any) -> None:
        """URLs, failures and chains of certificates, at any depth."""
        for one in keys if isinstance(keys, list) else keys.values() if isinstance(keys, dict) else ():
            if isinstance(one, dict | list):
                self.steps(one)
        if not isinstance(keys, dict):
            return
        if isinstance(keys.get("url"), str):
            keys["url"] = self._url(keys["url"])
        if isinstance(keys.get("failure"), str):
            keys["failure"] = without_names(keys["failure"])
        if "peer_certificates" in keys:
            keys["peer_certificates"] = leaf_only(keys["peer_certificates"])

    def _url(self, url: str) -> str:
        return url if url == self._asked else quiet_url(url, self._keep_pages)

    def _headers(self, headers: Any) -> Any:
        if isinstance(headers, dict):
            return {_name(name): self._value(str(name), value) for name, value in headers.items()}
        if isinstance(headers, list):
            pairs = (pair for pair in headers if isinstance(pair, list) and len(pair) == 2)
            return [[_name(name), self._value(str(name), value)] for name, value in pairs]
        return None

    def _value(self, name: str, value: Any) -> Any:
        lower = name.lower()
        if isinstance(value, dict):
            raw = bytes_of(Binary(value["data"])) if isinstance(value.get("data"), str) else None
            kept = self._value(name, (raw or b"").decode("latin-1")).encode("latin-1", "replace")
            return {"data": b64encode(kept).decode(), "format": "base64"}
        if not isinstance(value, str):
            return ""
        if lower in URL_HEADERS:
            return self._url(value)
        if lower in KEPT_HEADERS or (self._keep_pages and not _OF_SOMEBODY.search(lower)):
            return without_names(without_seconds(value))
        return ""

    def _blank(self, body: str) -> str:
        """The page's title, and blanks up to its length in bytes."""
        title = self._quiet_title(_title(body))
        size = min(len(body.encode("utf-8", "replace")), LONGEST_BODY)
        return title + " " * (size - len(title.encode("utf-8", "replace")))

    def _quiet_title(self, tag: str) -> str:
        """A title, with its tag, in the words that the helper's has too; one that differs keeps its own."""
        begin, bracket, text = tag.partition(">")
        text, opening, rest = text.partition("<")
        begin = begin[: len(TITLE_BEGINS[0])] if bracket else begin
        if bracket and text.strip() != self._title and same_title(text.strip(), self._title):
            theirs = set(self._title.casefold().split())
            text = " ".join([word for word in text.split() if word.casefold() in theirs]) + NOT_ALL
        elif text.strip() != self._title:
            text = without_names(text)
        return begin + bracket + text + opening + rest

    def _binary(self, body: dict[str, Any]) -> dict[str, Any] | None:
        data = body.get("data")
        raw = bytes_of(Binary(data)) if isinstance(data, str) else None
        if raw is None:
            return None
        text = raw.decode("latin-1")
        if self._keep_pages:
            kept = without_names(without_seconds(text)).encode("latin-1")
        else:
            kept = self._quiet_title(_title(text)).encode("latin-1", "replace").ljust(len(raw))[: len(raw)]
        return {"data": b64encode(kept).decode(), "format": "base64"}


NOT_ALL = " ..."
"""Ends a title of which words were left out, so that it does not equal the helper's."""


def _name(name: Any) -> str:
    return without_names(str(name)[:LONGEST_NAME])


def _title(body: str) -> str:
    for begin in TITLE_BEGINS:
        start = body.find(begin)
        if start >= 0:
            end = body.find("<", start + 1)
            return without_seconds(body[start : end + 1] if end >= 0 else body[start : start + 1000])
    return ""
