"""Redact: a raw OONI record without anything that no fact is taken from, with times to the minute.

It is an allow-list: only what ``document`` names is kept, so an unforeseen field never leaves.  Of headers, those on a
list keep their values; all keep their names, which rules compare.  A page in which no known block page was found
becomes its title and as many blanks as its text was long: the rules need the length, and the text may say something
about its reader.  If the title agrees with the one that the helper saw, only the words that both have stay.
"""

import re
from base64 import b64encode
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from fanous.analysis.rules.pages import same_title
from fanous.errors import Rejected
from fanous.model.measurement import ParsedMeasurement
from fanous.sources.marks import ANNOTATION, RECORDED
from fanous.sources.ooni import nettests
from fanous.sources.ooni.document import (
    Binary,
    Header,
    HealthKeys,
    StepKeys,
    TorKeys,
    TorTarget,
    TransferKeys,
    WebKeys,
    repair,
)
from fanous.sources.ooni.values import NO_NETWORK, TITLE_BEGINS, bytes_of, input_of
from fanous.sources.redaction import digest, pruned, quiet_url, to_minute, without_names, without_seconds

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

_KEYS: dict[str, type[Struct]] = {
    "web_connectivity": WebKeys,
    "tor": TorKeys,
    "ndt": TransferKeys,
    "dash": TransferKeys,
    nettests.TEST_NAME: HealthKeys,
    **dict.fromkeys(nettests.PLATFORMS, StepKeys),
}


_LEADING = ("requests", "response", "control", "http_request")


def redact(data: bytes, parsed: ParsedMeasurement, keep_pages: bool = False) -> bytes:
    """The record as it may leave the store.

    Args:
        parsed: what the source made of ``data``.
        keep_pages: a known block page was found, so the pages are evidence and stay (times to the minute).

    Raises:
        Rejected: it is not a JSON object.
    """
    document = _decoded(data)
    test_name = str(document.get("test_name"))
    kept = pruned(document, _wanted(Header))
    if isinstance(document.get("annotations"), dict) and ANNOTATION in document["annotations"]:
        kept["annotations"][ANNOTATION] = document["annotations"][ANNOTATION]
    if RECORDED in document:
        kept[RECORDED] = document[RECORDED]
    keys = _KEYS.get(test_name)
    if keys is TorKeys and isinstance(document.get("test_keys"), dict):
        kept["test_keys"] = {"targets": _tor_targets(document["test_keys"].get("targets"))}
    elif keys is not None:
        kept["test_keys"] = pruned(document.get("test_keys"), _wanted(keys))
    header = parsed.measurement
    kept["measurement_uid"] = digest(header.uid)
    kept["report_id"] = digest(header.probe)
    kept.pop("probe_id", None)
    kept["measurement_start_time"] = to_minute(header.started_at)
    kept.pop("test_start_time", None)
    quiet = _Quiet(input_of(kept.get("input")), _helper_title(kept.get("test_keys")), keep_pages)
    for response in _responses(kept.get("test_keys")):
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


@cache
def _wanted(kind: Any) -> Any:
    """The keys that a structure of ``document`` reads, as ``pruned`` takes them."""
    if get_origin(kind) is Union or type(kind).__name__ == "UnionType":
        kinds = [each for each in get_args(kind) if each is not type(None)]
        return _wanted(kinds[0]) if len(kinds) == 1 else None
    if get_origin(kind) is list:
        return [_wanted(get_args(kind)[0])]
    if get_origin(kind) is dict:
        return {"*": _wanted(get_args(kind)[1])}
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        return None
    hints = get_type_hints(kind)
    names = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    return {name: _wanted(hints[field]) for field, name in names.items()}


def _tor_targets(targets: Any) -> Any:
    wanted = _wanted(TorTarget)
    return pruned(targets, [wanted] if isinstance(targets, list) else {"*": wanted})


def _responses(keys: Any) -> list[dict[str, Any]]:
    """All maps that hold a response; they are found by way of ``_LEADING`` and nowhere else."""
    if isinstance(keys, list):
        return [found for each in keys for found in _responses(each)]
    if not isinstance(keys, dict):
        return []
    own = [keys] if keys.keys() & {"headers", "headers_list", "body"} else []
    below = [keys[name] for name in _LEADING if name in keys]
    targets = keys.get("targets")
    below += list(targets.values()) if isinstance(targets, dict) else [targets]
    return own + [found for each in below for found in _responses(each)]


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
            keys["peer_certificates"] = _leaf_only(keys["peer_certificates"])

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

_MAIL_IN_DER = re.compile(
    rb"[A-Za-z0-9.+_\-]{2,64}+@[A-Za-z0-9\-]{2,63}+\.[A-Za-z]{2}|\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
)
"""A mail address in a certificate, or the attribute that holds one (PKCS #9, 1.2.840.113549.1.9.1)."""


def _leaf_only(chain: Any) -> Any:
    """The first certificate, which is all that is read; none if it names a mail address."""
    leaf = chain[:1] if isinstance(chain, list) else []
    text = leaf[0].get("data") if leaf and isinstance(leaf[0], dict) else leaf[0] if leaf else None
    raw = bytes_of(Binary(text)) if isinstance(text, str) else None
    return [] if raw is None or _MAIL_IN_DER.search(raw) else [{"data": text, "format": "base64"}]


def _name(name: Any) -> str:
    return without_names(str(name)[:LONGEST_NAME])


def _title(body: str) -> str:
    for begin in TITLE_BEGINS:
        start = body.find(begin)
        if start >= 0:
            end = body.find("<", start + 1)
            return without_seconds(body[start : end + 1] if end >= 0 else body[start : start + 1000])
    return ""
