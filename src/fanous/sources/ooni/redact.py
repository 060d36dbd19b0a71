"""Redact: a raw OONI record without anything that no fact is taken from, with times to the minute.

It is an allow-list: only what ``document`` names is kept, so an unforeseen field never leaves.  A page in which no
known block page was found becomes its title and as many blanks as its text was long: the rules need the length, and
the text may say something about its reader.
"""

import re
from base64 import b64encode
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

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
from fanous.sources.ooni.values import TITLE_BEGINS, bytes_of
from fanous.sources.redaction import digest, pruned, to_minute, without_seconds

IDENTIFYING = re.compile(
    r"set-cookie|cookie|etag|age|report-to|nel|.*(?:request|trace|correlation|session|amz).*id.*"
    r"|cf-ray|x-fb-.*|x-timer|x-served-by|x-cache.*|x-.*-id|alt-svc-id",
    re.IGNORECASE,
)
"""Headers whose value names one visit; their names stay, since rules compare the names."""

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
    for response in _responses(kept.get("test_keys")):
        _quiet(response, keep_pages)
    return msgspec.json.encode(kept)


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


def _quiet(response: dict[str, Any], keep_pages: bool) -> None:
    for name in ("headers", "headers_list"):
        if name in response:
            response[name] = _headers(response[name])
    body = response.get("body")
    if isinstance(body, str):
        response["body"] = without_seconds(body) if keep_pages else _blank(body)
    elif isinstance(body, dict) and not keep_pages:
        response["body"] = _blank_binary(body)


def _headers(headers: Any) -> Any:
    if isinstance(headers, dict):
        return {str(name): _value(str(name), value) for name, value in headers.items()}
    if isinstance(headers, list):
        return [[p[0], _value(str(p[0]), p[1])] for p in headers if isinstance(p, list) and len(p) == 2]
    return None


def _value(name: str, value: Any) -> Any:
    if IDENTIFYING.fullmatch(name):
        return ""
    return without_seconds(value) if isinstance(value, str) else value


def _blank(body: str) -> str:
    """The page's title, and blanks up to its length in bytes."""
    title = _title(body)
    size = min(len(body.encode("utf-8", "replace")), LONGEST_BODY)
    return title + " " * (size - len(title.encode("utf-8", "replace")))


def _title(body: str) -> str:
    for begin in TITLE_BEGINS:
        start = body.find(begin)
        if start >= 0:
            end = body.find("<", start + 1)
            return without_seconds(body[start : end + 1] if end >= 0 else body[start : start + 1000])
    return ""


def _blank_binary(body: dict[str, Any]) -> dict[str, Any] | None:
    data = body.get("data")
    raw = bytes_of(Binary(data)) if isinstance(data, str) else None
    if raw is None:
        return None
    title = _title(raw.decode("latin-1")).encode("latin-1")
    return {"data": b64encode(title.ljust(len(raw))[: len(raw)]).decode(), "format": "base64"}
