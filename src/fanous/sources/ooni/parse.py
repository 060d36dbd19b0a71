"""Parse: one raw OONI record to its header and everything that it observed.  Pure.

What cannot be read is noted in ``ParsedMeasurement.bogus``, and the rest is used.  A record is rejected only if it is
not a JSON object, or lacks a nettest's name or a time.
"""

from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from fanous.errors import Rejected
from fanous.model.measurement import Observation, ParsedMeasurement, Record
from fanous.refdata.platforms import target_of
from fanous.sources.ooni import nettests, web
from fanous.sources.ooni.document import (
    Document,
    Header,
    HealthKeys,
    StepKeys,
    TorKeys,
    TransferKeys,
    WebDocument,
    WebKeys,
    check_size,
    decode,
    repair,
)
from fanous.sources.ooni.effort import TooCostly, bounded
from fanous.sources.ooni.identity import canonical_hash, stamp_of, uid_of
from fanous.sources.ooni.values import LONGEST_URL, clip, host_and_port, input_of, measurement_of

K = TypeVar("K", bound=Struct)

KEYS: dict[str, type[Struct]] = {
    "web_connectivity": WebKeys,
    "tor": TorKeys,
    "ndt": TransferKeys,
    "dash": TransferKeys,
    nettests.TEST_NAME: HealthKeys,
    **dict.fromkeys(nettests.PLATFORMS, StepKeys),
}
"""Nettest -> the structure of its ``test_keys``."""

_NULLS = (b"null", b"")
_web_document = msgspec.json.Decoder(WebDocument)
_WEB = b'"web_connectivity"'
_EDGE = 500
"""Bytes at either end of a record in which probes write ``test_name``."""


class Decoded(NamedTuple):
    """A record as structures; ``keys`` are ``None`` where there are none that are read."""

    header: Header
    keys: Struct | None


class _Found(NamedTuple):
    """What a nettest's keys gave."""

    target: str = ""
    observations: tuple[Observation, ...] = ()
    control_failure: str | None = None
    defect: str = ""


def parse(record: Record) -> ParsedMeasurement:
    """The measurement in ``record`` with its observations; raises ``Rejected``."""
    return parse_whole(record)[1]


def parse_whole(record: Record) -> tuple[Decoded, ParsedMeasurement]:
    """The same, and the record as it was decoded for it; raises ``Rejected``."""
    data, notes = record.data, list[str]()
    decoded, data = decode_record(data, notes)
    found = _found(decoded, notes)
    header = decoded.header
    content = stamp_of(data)
    measurement = measurement_of(
        header, lambda: _own_uid(data, content, header), found.target, found.defect, notes, content
    )
    return decoded, ParsedMeasurement(measurement, found.observations, found.control_failure, tuple(notes))


def decode_record(data: bytes, notes: list[str]) -> tuple[Decoded, bytes]:
    """``data`` as structures, and the JSON that was read, which is ``data`` unless it had to be made legal.

    Raises:
        Rejected: it is not a JSON object, or too costly.
    """
    check_size(data)
    try:
        return _decoded(data, notes), data
    except TooCostly:
        raise
    except Rejected:
        legal = repair(data)
        if legal == data:
            raise
        notes[:] = ["NaN, Infinity or half a surrogate pair, which JSON does not have: read as null"]
        return _decoded(legal, notes), legal


def _decoded(data: bytes, notes: list[str]) -> Decoded:
    whole = _web_at_once(data)
    if whole is not None:
        return Decoded(whole, whole.test_keys)
    document = decode(data, Document, "record", notes)
    if document is None:
        raise Rejected("not a JSON object")
    kind = KEYS.get(document.test_name or "")
    return Decoded(document, keys_of(document, kind, notes) if kind else None)


def _web_at_once(data: bytes) -> WebDocument | None:
    """A sound record of web_connectivity; ``None`` = it is another, or has to be taken apart."""
    if _WEB not in data[-_EDGE:] and _WEB not in data[:_EDGE]:
        return None
    try:
        document = _web_document.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return document if document.test_name == "web_connectivity" and document.test_keys else None


def _found(decoded: Decoded, notes: list[str]) -> _Found:
    """What the keys of any nettest give; nothing for one that makes no observations."""
    name, keys = decoded.header.test_name or "", decoded.keys
    if name == "web_connectivity":
        return _web(decoded.header, keys if isinstance(keys, WebKeys) else None, notes)
    if name in nettests.PLATFORMS:
        steps = keys if isinstance(keys, StepKeys) else StepKeys()
        observations = tuple(bounded(nettests.observe_messenger(name, steps, notes)))
        defect = nettests.messenger_defect(name, decoded.header.test_version, observations)
        return _Found(nettests.PLATFORMS[name], observations, None, defect)
    if name == "tor":
        targets = keys if isinstance(keys, TorKeys) else TorKeys()
        return _Found(nettests.TARGET, tuple(bounded(nettests.observe_tor(targets, notes))))
    if name == nettests.TEST_NAME:
        look = keys if isinstance(keys, HealthKeys) else None
        defect = nettests.health_defect(look)
        observations = () if defect else tuple(bounded(nettests.observe_health(look)))
        return _Found("", observations, nettests.control_failure_of(look), defect)
    if name in ("ndt", "dash"):
        rates = keys if isinstance(keys, TransferKeys) else TransferKeys()
        return _Found(name, tuple(nettests.observe_rates(name, rates)))
    return _Found()


def _web(header: Header, keys: WebKeys | None, notes: list[str]) -> _Found:
    url = web.url_of(input_of(header.input)[:LONGEST_URL], keys)
    target = target_of(host_and_port(url)[0])
    observations = tuple(bounded(web.observe(url, target, keys, notes))) if keys else ()
    return _Found(target, observations, web.control_failure_of(keys))


def keys_of(document: Document, kind: type[K], notes: list[str]) -> K | None:
    """The ``test_keys`` of a nettest; ``None`` where they are null or cannot be read."""
    if bytes(memoryview(document.test_keys)[:4]) in _NULLS:
        notes.append("test_keys: missing")
        return None
    return decode(document.test_keys, kind, "test_keys", notes)


def _own_uid(data: bytes, content: str, header: Header) -> str:
    return uid_of(content, clip(header.report_id)) if content else canonical_hash(data)
