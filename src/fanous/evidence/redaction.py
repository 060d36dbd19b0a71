"""Redaction: how a stored record of each source becomes one that may leave the store."""

from collections.abc import Callable

from fanous.connectors import CONNECTORS
from fanous.connectors.ooni.redact import redact as redact_ooni
from fanous.connectors.ooni_csv.redact import redact as redact_ooni_csv
from fanous.errors import FanousError
from fanous.judging import known_fingerprints
from fanous.model.measurement import Bundle
from fanous.model.observation import Layer
from fanous.model.record import Record

Redactor = Callable[[bytes, Bundle], bytes]
"""The record's bytes and what the connector made of them -> what may leave; raises ``Rejected``."""


def _ooni(data: bytes, parsed: Bundle) -> bytes:
    return redact_ooni(data, parsed, keep_pages=_block_page_found(parsed))


REDACTORS: dict[str, Redactor] = {"ooni": _ooni, "ooni-csv": redact_ooni_csv}
"""Source -> what takes out of its records all that must not leave."""


def redacted(record: Record) -> Record:
    """The record with minutes, ASNs and resolver ASNs, and without anything that no fact is taken from.

    Raises:
        FanousError: nobody has said what of this source may leave the store.
        Rejected: the record cannot be used.
    """
    redact = REDACTORS.get(record.source)
    if redact is None:
        raise FanousError(
            f"records of {record.source!r} cannot be packed: this version does not know what of them may "
            "leave the store"
        )
    parsed = CONNECTORS[record.source].parse(record)
    return Record(record.source, redact(record.data, parsed))


def _block_page_found(parsed: Bundle) -> bool:
    find, country = known_fingerprints().find, parsed.measurement.country
    pages = (o for o in parsed.observations if o.layer is Layer.HTTP and o.body)
    return any(find(page, country) for page in pages)
