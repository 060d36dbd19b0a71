"""Redaction: how a stored record of each source becomes one that may leave the store."""

from collections.abc import Callable

from fanous.analysis.rules import Fingerprint
from fanous.errors import FanousError
from fanous.model.measurement import ParsedMeasurement
from fanous.model.observation import Layer
from fanous.model.record import Record
from fanous.pipeline.judge import known_fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.redact import redact as redact_ooni
from fanous.sources.ooni_csv.redact import redact as redact_ooni_csv

Redactor = Callable[[bytes, ParsedMeasurement, bool], bytes]
"""The record's bytes, what the source made of them, whether a known page was found in it -> what may
leave; raises ``Rejected``."""


def _ooni(data: bytes, parsed: ParsedMeasurement, known_page: bool) -> bytes:
    return redact_ooni(data, parsed, keep_pages=known_page)


def _ooni_csv(data: bytes, parsed: ParsedMeasurement, _known_page: bool) -> bytes:
    return redact_ooni_csv(data, parsed)


REDACTORS: dict[str, Redactor] = {"edge": _ooni, "ooni": _ooni, "ooni-csv": _ooni_csv}
"""Source -> what takes out of its records all that must not leave."""


def redacted(record: Record, found: dict[str, Fingerprint] | None = None) -> Record:
    """The record with minutes, ASNs and resolver ASNs, and without anything that no fact is taken from.

    Args:
        found: gets the fingerprints that were found in the record, by id.

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
    parsed = MEASUREMENT_SOURCES[record.source].parse(record)
    known = _fingerprints_in(parsed)
    if found is not None:
        found |= known
    return Record(record.source, redact(record.data, parsed, bool(known)))


def _fingerprints_in(parsed: ParsedMeasurement) -> dict[str, Fingerprint]:
    find, country = known_fingerprints().find, parsed.measurement.country
    pages = (o for o in parsed.observations if o.layer is Layer.HTTP)
    return {match.id: match for page in pages for match in find(page, country)}
