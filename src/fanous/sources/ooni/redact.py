"""Redact: reduces a raw OONI record to what facts are read from, with times to the minute.

It is an allow-list: only what ``document`` names is kept, so an unforeseen field never leaves.  Headers on a
list keep their values; all keep their names, which rules compare.  A page in which no known block page was found
becomes its title and as many blanks as its text was long: the rules need the length, and the text may say something
about its reader.  If the title agrees with the one that the helper saw, only the words common to both stay.
"""

import re
from base64 import b64encode
from typing import Any

import msgspec

from fanous.errors import Rejected
from fanous.model.measurement import ParsedMeasurement
from fanous.sources.ooni.document import (
    Binary,
    repair,
)
from fanous.sources.ooni.keep import (
    KEPT_HEADERS,
    LONGEST_NAME,
    URL_HEADERS,
    blank,
    fields_of,
    leaf_only,
    quiet_title,
    responses,
    title_of_helper,
)
from fanous.sources.ooni.values import NETWORK_TYPES, bytes_of, input_of
from fanous.sources.redaction import digest, quiet_url, to_minute, without_names, without_seconds

_OF_SOMEBODY = re.compile(
    r"cookie|auth|session|token|user|client|account|mail|phone|forward|trace|request|visitor|device|customer"
    r"|etag|nonce|ray|timer|nel|report|served-by|cache|(?:^|-)(?:id|ip|age|amz|fb)(?:-|$)"
)
"""Words in header names that identify a visit or a visitor: their values never leave, on any page."""

LONGEST_BODY = 64 << 20
"""Most bytes of blanks that a page becomes, so that a forged record cannot explode in size."""


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
    for name in ("probe_id", "x_collector"):
        kept.pop(name, None)
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
    control = keys.get("control") if isinstance(keys, dict) else None
    page = control.get("http_request") if isinstance(control, dict) else None
    return title_of_helper(page.get("title")) if isinstance(page, dict) else ""


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
    """Removes anything that names a visit or a visitor from the parts of one record.

    Args:
        asked: the URL that was to be measured, which is public.
        title: the helper's page title.
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
            response["body"] = self._of_title(body) if "x_length" in body else self._binary(body)

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
        return blank(body, min(len(body.encode("utf-8", "replace")), LONGEST_BODY), self._title)

    def _of_title(self, body: dict[str, Any]) -> str | None:
        """A page of which only the title was stored."""
        length, data = body["x_length"], body.get("data")
        title = bytes_of(Binary(data)) if isinstance(data, str) else None
        if title is None or not isinstance(length, int) or length < len(title):
            return None
        return blank(title.decode("utf-8", "replace"), min(length, LONGEST_BODY), self._title)

    def _binary(self, body: dict[str, Any]) -> dict[str, Any] | None:
        data = body.get("data")
        raw = bytes_of(Binary(data)) if isinstance(data, str) else None
        if raw is None:
            return None
        text = raw.decode("latin-1")
        if self._keep_pages:
            kept = without_names(without_seconds(text)).encode("latin-1")
        else:
            kept = quiet_title(text, self._title).encode("latin-1", "replace").ljust(len(raw))[: len(raw)]
        return {"data": b64encode(kept).decode(), "format": "base64"}


def _name(name: Any) -> str:
    return without_names(str(name)[:LONGEST_NAME])
