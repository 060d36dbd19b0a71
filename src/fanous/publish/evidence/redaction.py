"""Redaction: turns a stored record into one that may leave the store, and says under which terms it does."""

from fanous.analysis.rules import Fingerprint
from fanous.errors import FanousError
from fanous.model.measurement import Layer, ParsedMeasurement, Record
from fanous.pipeline.judge import known_fingerprints
from fanous.sources.measurements import MEASUREMENTS
from fanous.sources.publishers import SOURCES


def redacted(record: Record, found: dict[str, Fingerprint] | None = None) -> Record:
    """The record with minutes, ASNs and resolver ASNs, and without anything that no fact is taken from.

    Args:
        found: gets the fingerprints that were found in the record, by id.

    Raises:
        FanousError: no source of this name is known, so nothing is known of what may leave the store.
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
    return Record(record.source, source.redact(record.data, parsed, bool(known)))


def _fingerprints_in(parsed: ParsedMeasurement) -> dict[str, Fingerprint]:
    find, country = known_fingerprints().find, parsed.measurement.country
    pages = (o for o in parsed.observations if o.layer is Layer.HTTP)
    return {match.id: match for page in pages for match in find(page, country)}


UNSTATED = {
    "licence": "none stated",
    "attribution": "",
    "remark": "ask whoever packed it before passing it on",
}


def licence_of(name: str) -> dict[str, str]:
    """Licence, attribution and remark of a source of measurements or of series, as a bundle states them."""
    source = SOURCES.get(name)
    if source is None:
        return UNSTATED
    remark = source.remark or f"series of {source.title}"
    return {"licence": source.licence, "attribution": source.credit, "remark": remark}
