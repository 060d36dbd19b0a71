"""Redaction: turns a stored record into one that may leave the store, and gives the licence under which it does."""

from fanous.analysis.rules import Fingerprint
from fanous.errors import FanousError
from fanous.model.measurement import Layer, ParsedMeasurement, Record
from fanous.pipeline.judge import known_fingerprints
from fanous.sources.measurements import MEASUREMENTS
from fanous.sources.publishers import SOURCES


def redacted(record: Record, found: dict[str, Fingerprint] | None = None) -> Record:
    """The record cut to minutes, ASNs and resolver ASNs, without any field that Fanous does not read.

    Args:
        found: receives the fingerprints found in the record, by id.

    Raises:
        FanousError: the source is unknown, so it is not known which fields may leave the store.
        Rejected: the record cannot be used.
    """
    source = MEASUREMENTS.get(record.source)
    if source is None or source.measurements is None or source.redact is None:
        raise FanousError(
            f"records of {record.source!r} cannot be packed: this version does not know what of them may "
            "leave the store"
        )
    parsed = source.measurements.parse(record)
    known = _fingerprints_in(parsed)
    if found is not None:
        found |= known
    return Record(record.source, source.redact(record.data, parsed, tuple(known.values())))


def _fingerprints_in(parsed: ParsedMeasurement) -> dict[str, Fingerprint]:
    find, country = known_fingerprints().find, parsed.measurement.country
    pages = (o for o in parsed.observations if o.layer is Layer.HTTP)
    return {match.id: match for page in pages for match in find(page, country)}


UNSTATED = {
    "licence": "none stated",
    "attribution": "",
    "remark": "ask whoever packed it before passing it on",
}


def source_terms(name: str) -> dict[str, str]:
    """Licence, attribution and remark of a source of measurements or of series, as a bundle states them."""
    source = SOURCES.get(name)
    if source is None:
        return UNSTATED
    remark = source.remark or f"series of {source.title}"
    return {"licence": source.licence, "attribution": source.credit, "remark": remark}
