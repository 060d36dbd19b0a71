"""Parse: one raw OONI record -> its header and everything it observed.  Pure.

What cannot be read is noted in ``Bundle.bogus`` and the rest is used; only a record without an object, a
nettest's name or a time is rejected.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import TypeVar

import msgspec

from fanous.connectors.ooni import messenger, tor, transfer, web
from fanous.connectors.ooni.document import Document, Steps, TorKeys, TransferKeys, WebKeys
from fanous.connectors.ooni.header import input_of, measurement_of
from fanous.connectors.ooni.place import LONGEST_URL, host_and_port
from fanous.connectors.ooni.salvage import check_size, decode, repair
from fanous.errors import Rejected
from fanous.model.measurement import Bundle
from fanous.model.observation import Observation
from fanous.model.record import Record
from fanous.refdata.platforms import target_of

K = TypeVar("K")

_NULLS = (b"null", b"")


def parse(record: Record) -> Bundle:
    """The measurement in ``record`` with its observations; raises ``Rejected``."""
    data = record.data
    check_size(data)
    try:
        return _parse(data, [])
    except Rejected:
        legal = repair(data)
        if legal == data:
            raise
        return _parse(
            legal, ["NaN, Infinity or half a surrogate pair, which JSON does not have: read as null"]
        )


def _parse(data: bytes, notes: list[str]) -> Bundle:
    document = decode(data, Document, "record", notes)
    if document is None:
        raise Rejected("not a JSON object")
    name = document.test_name or ""
    target, control_failure, defect = "", None, ""
    observations: tuple[Observation, ...] = ()
    if name == "web_connectivity":
        keys = _keys(document, WebKeys, notes)
        url = web.url_of(input_of(document.input)[:LONGEST_URL], keys)
        target = target_of(host_and_port(url)[0])
        control_failure = web.control_failure_of(keys)
        observations = _all(web.observe(url, target, keys, notes) if keys else None)
    elif name in messenger.PLATFORMS:
        target = messenger.PLATFORMS[name]
        steps = _keys(document, Steps, notes)
        observations = _all(messenger.observe(name, steps, notes) if steps else None)
        defect = messenger.defect_of(name, document.test_version, observations)
    elif name == "tor":
        target = tor.TARGET
        relays = _keys(document, TorKeys, notes)
        observations = _all(tor.observe(relays, notes) if relays else None)
    elif name in ("ndt", "dash"):
        target = name
        rates = _keys(document, TransferKeys, notes)
        observations = _all(transfer.observe(name, rates) if rates else None)
    header = measurement_of(document, lambda: canonical_hash(data), target, defect, notes)
    return Bundle(header, observations, control_failure, tuple(notes))


def _keys(document: Document, kind: type[K], notes: list[str]) -> K | None:
    """The ``test_keys`` of a nettest; ``None`` where they are null or cannot be read."""
    if bytes(memoryview(document.test_keys)[:4]) in _NULLS:
        notes.append("test_keys: missing")
        return None
    return decode(document.test_keys, kind, "test_keys", notes)


def _all(observations: Iterator[Observation] | None) -> tuple[Observation, ...]:
    return tuple(observations) if observations is not None else ()


def canonical_hash(data: bytes) -> str:
    """Identity of a record that has none: SHA-256 of it with sorted keys, less ``probe_ip``.

    Spacing and the order of keys do not matter, so the same measurement from two files is one.
    """
    try:
        content = msgspec.json.decode(data)
        content.pop("probe_ip", None)
        data = msgspec.json.encode(content, order="sorted")
    except (msgspec.MsgspecError, UnicodeError, RecursionError, AttributeError):
        return sha256(data).hexdigest()  # legal enough for its header, not for a canonical form
    return sha256(data).hexdigest()
