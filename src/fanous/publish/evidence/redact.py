"""Redact: cuts archived records to what may leave the store.

Records are strangers' bytes, so a confined reader does it (``pipeline.reader``).
"""

from collections.abc import Iterable
from typing import IO

import msgspec

from fanous.analysis.rules import Fingerprint
from fanous.errors import FanousError
from fanous.model.measurement import Layer, Record
from fanous.pipeline.judge import known_fingerprints
from fanous.pipeline.reader import answered, line_of, record_in
from fanous.publish.evidence.container import LineWriter
from fanous.sources.measurements import MEASUREMENT_SOURCES

MOST_SECONDS, ONE_SECONDS = 900.0, 60.0
"""Seconds for the records of a bundle, and for one record; on an idle machine, the largest bundle that pages pack takes
20 s and a record takes milliseconds.  A reader that was taken over could keep the store waiting for longer."""


class RedactedRecord(msgspec.Struct, frozen=True):
    """One record; not every source's is JSON."""

    data: bytes
    is_json: bool


class RedactedRecords(msgspec.Struct, frozen=True):
    """Records as a part of a bundle (``container.unpack_lines``).

    Attributes:
        fingerprints: ids of the known pages found in them.
    """

    packed: bytes
    count: int
    fingerprints: frozenset[str]


def redact(records: Iterable[Record]) -> RedactedRecords:
    """Records, redacted in a confined process.

    Raises:
        FanousError: one of them cannot be used, or its source is unknown.
    """
    lines = map(line_of, records)
    return answered(
        RedactedRecords, pack_redacted, about="records of the archive", records=lines, patience=MOST_SECONDS
    )


def redact_one(record: Record) -> RedactedRecord:
    """A single record for a page; raises as ``redact``."""
    return answered(
        RedactedRecord,
        read_redacted,
        about="a record of the archive",
        records=[line_of(record)],
        patience=ONE_SECONDS,
    )


# --- in the reader ------------------------------------------------------------------------------------------


def pack_redacted(records: IO[bytes]) -> RedactedRecords:
    writer, fingerprints = LineWriter(), dict[str, Fingerprint]()
    for line in records:
        writer.add(redacted(record_in(line), fingerprints))
    return RedactedRecords(writer.packed(), writer.count, frozenset(fingerprints))


def read_redacted(records: IO[bytes]) -> RedactedRecord:
    data = redacted(record_in(records.read())).data
    try:
        return RedactedRecord(msgspec.json.encode(msgspec.json.decode(data)), is_json=True)
    except msgspec.DecodeError:
        return RedactedRecord(data, is_json=False)


def redacted(record: Record, found: dict[str, Fingerprint] | None = None) -> Record:
    """The record cut to minutes, ASNs and resolver ASNs, without any field that Fanous does not read.

    Args:
        found: receives the fingerprints found in the record, by id.

    Raises:
        FanousError: the source is unknown, so it is not known which fields may leave the store.
        Rejected: the record cannot be used.
    """
    source = MEASUREMENT_SOURCES.get(record.source)
    if source is None:
        raise FanousError(
            f"records of {record.source!r} cannot be packed: this version does not know what of them may "
            "leave the store"
        )
    parsed = source.parse(record)
    find, country = known_fingerprints().find, parsed.measurement.country
    pages = (o for o in parsed.observations if o.layer is Layer.HTTP)
    fingerprints = {match.id: match for page in pages for match in find(page, country)}
    if found is not None:
        found |= fingerprints
    return Record(record.source, source.redact(record.data, parsed, tuple(fingerprints.values())))
