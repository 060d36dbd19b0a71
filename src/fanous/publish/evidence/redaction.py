"""Redaction: how a stored record of each source becomes one that may leave the store.

Licences: under which terms the records of each source are passed on, and whom to name.
"""

from collections.abc import Callable

from fanous.analysis.rules import Fingerprint
from fanous.errors import FanousError
from fanous.model.measurement import Layer, ParsedMeasurement, Record
from fanous.pipeline.judge import known_fingerprints
from fanous.sources.connector import SOURCES
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.redact import redact as redact_ooni
from fanous.sources.ooni_csv import redact as redact_ooni_csv

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


LICENCES: dict[str, dict[str, str]] = {
    "edge": {
        "licence": "the packer's to license",
        "attribution": "",
        "remark": "measurements of the packer's own probes",
    },
    "ooni": {
        "licence": "CC BY-NC-SA 4.0",
        "attribution": "OONI, Open Observatory of Network Interference, https://ooni.org",
        "remark": "measurements of OONI's network",
    },
    "ooni-csv": {
        "licence": "CC BY-NC-SA 4.0",
        "attribution": "OONI, Open Observatory of Network Interference, https://ooni.org",
        "remark": "a table of OONI's observations",
    },
}
"""Source -> licence, attribution, remark (https://ooni.org/about/data-policy)."""

UNSTATED = {
    "licence": "none stated",
    "attribution": "",
    "remark": "ask whoever packed it before passing it on",
}


def licence_of(source: str) -> dict[str, str]:
    """Of a source of measurements or of series."""
    if source in SOURCES:
        known = SOURCES[source]
        return {"licence": known.licence, "attribution": known.credit, "remark": f"series of {known.title}"}
    return LICENCES.get(source, UNSTATED)
