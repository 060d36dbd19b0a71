"""Content: the JSON of a record as it came: limited in size, made legal, and known by its digest.

The same measurement counts once, by whichever route it came.  OONI publishes each as the body that the probe sent, in
an archive whose member is named by its ``measurement_uid``, and again as a line of JSON, rewritten and without that UID
(ooni/backend, api/ooni_api_uploader.py, ``fill_postcan`` and ``fill_jsonl``, commit 98f0025a).  Its API wraps the line
in an answer, and a probe may have sent the same to a collector of ours.  All of these share the content, so its digest
is taken when a record is read, before anything is dropped, and is written at the head of the record.  Only our own
readers write there, and they remove what a file already has there, so a file cannot claim another measurement's
identity.
"""

import re
from hashlib import sha256
from typing import Any

import msgspec

from fanous.sources.ooni.document import TooCostly

OUTSIDE = frozenset(
    {
        "measurement_uid",
        "report_id",
        "probe_ip",
        "probe_id",
        "verification_status",
        "x_collector",
        "x_content",
    }
)
"""Keys written by servers, or that differ between the servers to which one measurement was sent."""

STAMP = b'{"x_content":"'
"""How a record begins that carries its digest."""

DIGITS = 32
"""Hexadecimal digits of the SHA-256: finding other content with the same digest takes 2^128 tries."""

_END = len(STAMP) + DIGITS


def content_of(data: bytes) -> str:
    """The digest of a record's content; spacing, the order of keys and the spelling of numbers do not matter.

    Raises:
        TooCostly: it has more values than any measurement.
    """
    return identified(data)[0]


def identified(data: bytes) -> tuple[str, dict[str, Any] | None]:
    """The digest, and the record as decoded for it; ``None`` = not a legal JSON object.

    Raises:
        TooCostly: it has more values than any measurement.
    """
    check_size(data)
    document = _decoded(data)
    if isinstance(document, dict):
        return digest_of(document), document
    document = _decoded(repair(data)) if document is None else None
    if isinstance(document, dict):
        return digest_of(document), None
    return sha256(data).hexdigest()[:DIGITS], None  # legal enough for its header, not for a canonical form


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def digest_of(document: dict[str, Any]) -> str:
    """The digest of a record that is already decoded."""
    content = {name: value for name, value in document.items() if name not in OUTSIDE}
    try:
        canonical = msgspec.msgpack.encode(content, order="sorted")
    except OverflowError:  # a number of more than 64 bits
        canonical = msgspec.json.encode(content, order="sorted")
    return sha256(canonical).hexdigest()[:DIGITS]


def uid_of(content: str, report: str) -> str:
    """The uid of a measurement without one.

    Different probes may measure the same in the same second if nothing answers, and only the report tells them
    apart.
    """
    return sha256(f"{content} {report}".encode("utf-8", "replace")).hexdigest()[:DIGITS]


def stamped(data: bytes, content: str, uid: str = "") -> bytes:
    """The record with the digest of its content at its head.

    Args:
        uid: ``measurement_uid`` for a record without its own.
    """
    head = STAMP + content.encode() + b'"'
    if uid:
        head += b',"measurement_uid":' + msgspec.json.encode(uid)
    rest = data[1:].lstrip() if data[1:2].isspace() else memoryview(data)[1:]
    return b"".join((head, b"" if rest[:1] == b"}" else b",", rest))


def stamp_of(data: bytes) -> str:
    """The digest at the head of a record; empty if it has none."""
    if not data.startswith(STAMP) or data[_END : _END + 1] != b'"':
        return ""
    digest = data[len(STAMP) : _END]
    return digest.decode() if not digest.strip(b"0123456789abcdef") else ""


def unstamped(data: bytes) -> bytes:
    """The record without the digest at its head."""
    return b"{" + data[_END + 1 :].lstrip().removeprefix(b",").lstrip() if stamp_of(data) else data


def canonical_hash(data: bytes) -> str:
    """The uid of a record without one that was stored before records carried the digest of their content (November
    2026): SHA-256 of it with sorted keys, less ``probe_ip``."""
    try:
        content = msgspec.json.decode(data)
        content.pop("probe_ip", None)
        data = msgspec.json.encode(content, order="sorted")
    except (msgspec.MsgspecError, UnicodeError, RecursionError, AttributeError):
        return sha256(data).hexdigest()  # legal enough for its header, not for a canonical form
    return sha256(data).hexdigest()


# --- before it is decoded ----------------------------------------------------------------------------------

MAX_ITEMS = 2_000_000
"""Members of all lists and objects of one record, and lists and objects themselves; real ones have thousands, and each
costs some 100 bytes."""

MAX_PIECES = 4_000_000
"""Quotation marks, and letters that begin NaN or Infinity, of a record that is not legal JSON."""

ROOMY = 1 << 20
"""Bytes.  A shorter record cannot have too many members."""

_NOT_JSON = re.compile(
    rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|-?Infinity\b|NaN\b',
    re.DOTALL,
)
_LONE_SURROGATE = re.compile(
    rb"(\\\\)|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def check_size(data: bytes) -> None:
    """Raises ``Rejected`` for a record that would take far more memory decoded than it has bytes."""
    if len(data) <= ROOMY:
        return
    if data.count(b",") > MAX_ITEMS or data.count(b"[") + data.count(b"{") > MAX_ITEMS:
        raise TooCostly(f"it has more than {MAX_ITEMS:,} values, more than any real measurement")


def repair(data: bytes) -> bytes:
    """Make legal what Python's and other writers produce although JSON does not allow it.

    ``NaN`` and ``Infinity`` become null, half a surrogate pair becomes U+FFFD.

    Raises:
        TooCostly: it has more texts than any measurement.
    """
    if len(data) > ROOMY and data.count(b'"') + data.count(b"I") + data.count(b"N") > MAX_PIECES:
        raise TooCostly("it is not JSON, and has too many texts to be repaired")
    legal = _NOT_JSON.sub(lambda m: m[0] if m[0].startswith(b'"') else b"null", data)
    return _LONE_SURROGATE.sub(lambda m: m[0] if m[1] or m[2] else rb"\ufffd", legal)
