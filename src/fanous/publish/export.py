"""Export: open data as CSV, GeoJSON and Parquet, with a data package that describes it.

    store ─► tables (rows with their licence) ─► forms ─► a folder

Data under a non-commercial or unclear licence, and anything that rests on it, is left out.  A cell of measurements
needs at least ``LEAST_PROBES`` probes, and times are whole minutes.  A *private* export leaves nothing out: it is for
the store's owner, and each row says under which licence it came.  To add a table: its fields and a function that
returns its rows, and its line in ``TABLES``.

Forms are CSV (RFC 4180), Parquet and GeoJSON (RFC 7946); ``datapackage.json`` describes the folder (Frictionless v1).
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from fanous.base.overwrite import write_files
from fanous.errors import FanousError
from fanous.model.incident import Incident
from fanous.model.instant import DAY, HOUR, to_iso
from fanous.model.place import asn_of
from fanous.publish.credits import sources_of
from fanous.publish.document import incident_document, users_of
from fanous.publish.table import rows_csv, rows_parquet
from fanous.sources.connector import OWN_DATA, open_licence
from fanous.sources.publishers import SOURCES
from fanous.store.protocol import Store
from fanous.wording.narrative import sentence

OWN = "edge"
"""The source whose data the operator owns and may license: their own probes."""


def is_open(source: str) -> bool:
    """Whether data of this source may be exported; those of an unknown source may not."""
    return source in SOURCES and SOURCES[source].is_open


Stated = Mapping[str, str]
"""Source of tables -> the open licence that the operator stated for all of its series of a country."""


def stated_licences(store: Store, country: str) -> Stated:
    """Licences of the operator's own tables, as imported by ``fanous ingest csv --licence "CC BY 4.0"``."""
    licences_of: dict[str, set[str]] = {}
    for (key, _), licences in store.facts.series_licences(country).items():
        if key.source in SOURCES and SOURCES[key.source].takes_columns:
            licences_of.setdefault(key.source, set()).update(licences)
    return {
        source: "; ".join(sorted(own)) for source, own in licences_of.items() if all(map(open_licence, own))
    }


def licence_of(sources: tuple[str, ...], own_licence: str, stated: Stated = MappingProxyType({})) -> str:
    """Licence of a row that rests on these sources; empty = it must not be exported.

    Args:
        own: licence of the operator's own data.
    """
    if not sources or not all(is_open(source) or source in stated for source in sources):
        return ""
    terms = {
        stated.get(source)
        or (own_licence if SOURCES[source].licence == OWN_DATA else SOURCES[source].licence)
        for source in sources
    }
    return "; ".join(sorted({own_licence, *terms}))


NO_LICENCE = "unclear: not to be passed on"
"""Licence of a row in a private export whose source states none."""


def terms_of(sources: tuple[str, ...], wanted: "ExportScope", stated: Stated = MappingProxyType({})) -> str:
    """As ``licence_of``; in a private export it is never empty, but lists the terms of all its sources."""
    licence = licence_of(sources, wanted.licence, stated)
    if licence or not wanted.private:
        return licence
    licences = (SOURCES[source].licence if source in SOURCES else "" for source in sources)
    return "; ".join(
        sorted({wanted.licence if licence == OWN_DATA else licence or NO_LICENCE for licence in licences})
    )


LEAST_PROBES = 3
"""Fewest probes behind a public cell, since one or two could be identified as people."""

WINDOW = 7 * DAY
"""Seconds of measurements read at once, which limits memory."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExportScope:
    """What to export, and under which licence.

    Attributes:
        country: ``None`` = all.
        since, until: unix seconds.
        licence: that of the operator's own data.
        private: export everything, for the owner of the store only.
    """

    country: str | None
    since: float
    until: float
    licence: str
    private: bool = False


@dataclass(slots=True)
class LeftOut:
    """How many rows are left out, and why."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, why: str, count: int = 1) -> None:
        self.counts[why] = self.counts.get(why, 0) + count


@dataclass(frozen=True, slots=True)
class ExportTable:
    """The declaration of one table of the export.

    Attributes:
        fields: (name, type of Frictionless and of the Parquet file, what it means); ``list`` is a list of texts, which
            CSV joins into one.
        key: fields that identify a row.
    """

    name: str
    title: str
    fields: tuple[tuple[str, str, str], ...]
    key: tuple[str, ...]
    rows: Callable[[Store, ExportScope, LeftOut], Iterator[Row]]


def incident_rows(store: Store, wanted: ExportScope, omitted: LeftOut) -> Iterator[Row]:
    """The latest revision of each incident, retracted ones included."""
    ledger = _as_seen(store, wanted).ledger
    for incident, licence in _exported(store, wanted, omitted):
        yield _incident_row(incident, ledger.revisions(incident.id)[-1].n, licence)


def _incident_row(incident: Incident, revision: int, licence: str) -> Row:
    document = incident_document(incident)
    users, level = users_of(document), document["level"] or {}
    return {
        "id": incident.id,
        "revision": revision,
        "country": incident.country,
        **{name: document[name] for name in ("kind", "status", "scope", "access")},
        "networks": [entity for entity in incident.entities if asn_of(entity)],
        "targets": list(incident.targets),
        "mechanisms": list(incident.mechanisms),
        "onset": minute(incident.onset),
        "onset_earliest": minute(incident.onset_earliest),
        "onset_latest": minute(incident.onset_latest),
        "end": minute(incident.end),
        "confirmed_at": minute(incident.confirmed_at),
        "confidence": document["confidence"],
        "users_low": users.get("low"),
        "users_high": users.get("high"),
        "measurements": incident.evidence.measurements,
        "probes": incident.evidence.probes,
        "sentence": sentence(incident),
        "provenance": str(incident.provenance),
        "named": list(incident.named),
        "synthetic": incident.provenance.is_synthetic,
        "licence": licence,
        "end_earliest": minute(incident.end_earliest),
        "end_latest": minute(incident.end_latest),
        "reached": minute(incident.reached),
        "reached_earliest": minute(incident.reached_earliest),
        "reached_latest": minute(incident.reached_latest),
        "level_mean": level.get("mean"),
        "level_worst": level.get("worst"),
        "first_published_at": minute(incident.first_published_at),
    }


def network_rows(store: Store, wanted: ExportScope, _left: LeftOut) -> Iterator[Row]:
    """What each network, or region, of the exported incidents saw."""
    for incident, licence in _exported(store, wanted, LeftOut()):
        for network in incident.networks:
            spans = network.intervals
            yield {
                **_of_incident(incident, licence),
                "entity": network.entity,
                "targets": list(network.targets),
                "first": minute(spans[0].start) if spans else None,
                "last": minute(spans[-1].end) if spans else None,
                "periods": len(spans),
                "measurements": network.measurements,
                "probes": network.probes,
                "probability": round(network.probability, 4),
            }


def interval_rows(store: Store, wanted: ExportScope, _left: LeftOut) -> Iterator[Row]:
    """When the exported incidents were on: as a whole, and on each of their networks."""
    for incident, licence in _exported(store, wanted, LeftOut()):
        parts = [
            ("", incident.intervals),
            *((network.entity, network.intervals) for network in incident.networks),
        ]
        for entity, spans in parts:
            for n, span in enumerate(spans, 1):
                yield {
                    **_of_incident(incident, licence),
                    "entity": entity,
                    "n": n,
                    "start": minute(span.start),
                    "end": minute(span.end),
                }


def _exported(store: Store, wanted: ExportScope, omitted: LeftOut) -> Iterator[tuple[Incident, str]]:
    """The incidents that may leave, with their licence."""
    store = _as_seen(store, wanted)
    stated_in = _stated_in(store)
    for incident in store.ledger.incidents(wanted.country, wanted.since, wanted.until):
        sources, stated = sources_of(incident), stated_in(incident)
        if incident.is_provisional:
            omitted.add("incidents that are provisional until earlier measurements are in")
        elif licence := terms_of(sources, wanted, stated):
            yield incident, licence
        else:
            closed = [source for source in sources if not is_open(source) and source not in stated]
            omitted.add(f"incidents that rest on {', '.join(closed)}")


def _as_seen(store: Store, wanted: ExportScope) -> Store:
    """The incident as readers may see it, without what waits for a person; the owner gets all of it."""
    return store if wanted.private else store.for_readers()


def _stated_in(store: Store) -> Callable[[Incident], Stated]:
    """A function from an incident to the ``stated_licences`` of its country, each read once."""
    stated_of: dict[tuple[str, bool], Stated] = {}

    def stated(incident: Incident) -> Stated:
        where = incident.country, incident.provenance.is_synthetic
        if where not in stated_of:
            stated_of[where] = stated_licences(store.of(incident.provenance), incident.country)
        return stated_of[where]

    return stated


def _of_incident(incident: Incident, licence: str) -> Row:
    return {
        "id": incident.id,
        "country": incident.country,
        "kind": str(incident.kind),
        "status": str(incident.status),
        "synthetic": incident.provenance.is_synthetic,
        "licence": licence,
    }


def cell_rows(store: Store, wanted: ExportScope, omitted: LeftOut) -> Iterator[Row]:
    """Measurements by hour, network, target and source; in an open export, only those of the operator's own probes;
    synthetic ones are counted separately."""
    for side in store.sides():
        sources = {one.source: one.measurements for one in side.facts.freshness(wanted.since, wanted.until)}
        for source, count in sources.items() if not wanted.private else ():
            if source != OWN:
                terms = SOURCES[source].licence if source in SOURCES else NO_LICENCE
                omitted.add(f"measurements of {source} ({terms})", count)
        if wanted.private or OWN in sources:  # reading the others only to leave them out would take minutes
            yield from _cells_of(side, wanted, omitted)


def _cells_of(store: Store, wanted: ExportScope, omitted: LeftOut) -> Iterator[Row]:
    for country in [wanted.country] if wanted.country else store.facts.countries():
        since = wanted.since
        while (span := store.facts.measured(country, since)) is not None and span[0] < wanted.until:
            at = span[0] // HOUR * HOUR  # years without a measurement are not read
            since = min(at + WINDOW, wanted.until)
            yield from _cells(store, country, at, since, wanted, omitted)


def _cells(
    store: Store, country: str, since: float, until: float, wanted: ExportScope, omitted: LeftOut
) -> Iterator[Row]:
    votes = store.facts.votes(country, since, until)
    measured: dict[tuple[int, int, str, str], dict[str, bool]] = defaultdict(dict)
    probes: dict[tuple[int, int, str, str], set[str]] = defaultdict(set)
    columns = (votes.uids, votes.times, votes.asns, votes.targets, votes.probes, votes.seen, votes.sources)
    for uid, at, asn, target, probe, seen, source in zip(*(c.tolist() for c in columns), strict=True):
        if source != OWN and not wanted.private:
            continue
        cell = (int(at // HOUR) * HOUR, asn, target, source)
        measured[cell][uid] = measured[cell].get(uid, False) or seen
        probes[cell].add(probe)
    for cell in sorted(measured):
        if len(probes[cell]) < LEAST_PROBES and not wanted.private:
            omitted.add(f"cells with fewer than {LEAST_PROBES} probes")
            continue
        hour, asn, target, source = cell
        yield {
            "country": country,
            "network": f"AS{asn}",
            "target": target,
            "hour": minute(float(hour)),
            "measurements": len(measured[cell]),
            "failed": sum(measured[cell].values()),
            "probes": len(probes[cell]),
            "source": source,
            "synthetic": store.is_synthetic,
            "licence": terms_of((source,), wanted),
        }


def series_rows(store: Store, wanted: ExportScope, omitted: LeftOut) -> Iterator[Row]:
    """Series under an open licence, from public sources and the operator's tables."""
    for side in store.sides():
        yield from _series_of(side, wanted, omitted)


def _series_of(store: Store, wanted: ExportScope, omitted: LeftOut) -> Iterator[Row]:
    names = store.facts.countries()
    for country in [wanted.country] if wanted.country else names:
        licences = store.facts.series_licences(country)
        for series in store.facts.levels(country, wanted.since, wanted.until):
            source = series.key.source
            terms = SOURCES[source].licence if source in SOURCES else NO_LICENCE
            is_stated = False
            if source in SOURCES and SOURCES[source].takes_columns:
                licences_stated = licences.get((series.key, series.step), (terms,))
                terms, is_stated = "; ".join(licences_stated), all(map(open_licence, licences_stated))
            if not is_open(source) and not is_stated and not wanted.private:
                omitted.add(f"series of {source} ({terms})")
                continue
            for at, value in zip(series.times.tolist(), series.values.tolist(), strict=True):
                if not isnan(value):
                    yield {
                        "country": country,
                        "entity": str(series.key.place),
                        "source": source,
                        "signal": series.key.signal,
                        "target": series.key.target,
                        "subtype": series.key.subtype,
                        "at": minute(float(at)),
                        "seconds": series.step,
                        "value": value,
                        "synthetic": store.is_synthetic,
                        "licence": wanted.licence if terms == OWN_DATA else terms,
                    }


def minute(instant: float | None) -> str | None:
    """Whole minutes, since a second could identify one measurement."""
    return None if instant is None else to_iso(instant // 60 * 60)


_LICENCE = ("licence", "string", "licence of this row")
_SYNTHETIC = ("synthetic", "boolean", "true: from a staged event, not a finding")
_COUNTRY = ("country", "string", "ISO 3166-1")
_INCIDENT = (
    ("id", "string", "of the incident"),
    _COUNTRY,
    ("kind", "string", "outage, blocking, throttling, slowdown"),
    ("status", "string", "suspected, confirmed, ended, retracted"),
)

TABLES = (
    ExportTable(
        "incidents",
        "Incidents, as of their latest revision",
        (
            ("id", "string", "label; unchanged when the incident is revised"),
            ("revision", "integer", "the revision that this row shows"),
            _COUNTRY,
            ("kind", "string", "outage, blocking, throttling, slowdown"),
            ("status", "string", "suspected, confirmed, ended, retracted"),
            ("scope", "string", "nation, region, multi_isp, isp, insufficient"),
            ("access", "string", "any, mobile, fixed"),
            ("networks", "list", "ASNs; in CSV separated by spaces"),
            ("targets", "list", "platforms or host names; empty: the line itself"),
            ("mechanisms", "list", "how it was done, in OONI's taxonomy"),
            ("onset", "datetime", "best estimate of the beginning, UTC"),
            ("onset_earliest", "datetime", "empty: already under way when our data begin"),
            ("onset_latest", "datetime", "the first failing bin"),
            ("end", "datetime", "empty: ongoing, or not measured since"),
            ("confirmed_at", "datetime", "empty: never confirmed"),
            ("confidence", "number", "probability of interference, 0 to 1"),
            (
                "users_low",
                "number",
                "share of users, lower bound; empty: cannot be said, or no user figures are known",
            ),
            ("users_high", "number", "the same, upper bound"),
            ("measurements", "integer", "measurements that saw it"),
            ("probes", "integer", "independent probes that saw it"),
            ("sentence", "string", "the claim in words, hedged as its status demands"),
            (
                "provenance",
                "string",
                "real, imported, unvouched, synthetic: the weakest of what it is made of",
            ),
            ("named", "list", "what may be called cut: the target, or target/role if only a role is"),
            (
                "end_earliest",
                "datetime",
                "the last bin or measurement that was bad; empty: no end, or not known",
            ),
            ("end_latest", "datetime", "the first bin or measurement that was good"),
            ("reached", "datetime", "when an outage reached its level; empty: at once, or not known"),
            ("reached_earliest", "datetime", "the last bin above that level"),
            ("reached_latest", "datetime", "by when it was at that level"),
            (
                "level_mean",
                "number",
                "of an outage: share of the baseline left in its main stretch, the figure of its headline; no mean of "
                "the whole; empty: not measured in quantities",
            ),
            ("level_worst", "number", "average share of the baseline left in its worst hour"),
            ("first_published_at", "datetime", "when this monitor first published it"),
            _SYNTHETIC,
            _LICENCE,
        ),
        ("id",),
        incident_rows,
    ),
    ExportTable(
        "networks",
        "What each network of an incident saw",
        (
            *_INCIDENT,
            ("entity", "string", "network or region; the country, for what only its own series show"),
            ("targets", "list", "targets that failed there; in CSV separated by spaces"),
            ("first", "datetime", "when it was first seen there, UTC"),
            ("last", "datetime", "when it was last seen there; empty: ongoing"),
            ("periods", "integer", "number of separate periods"),
            ("measurements", "integer", "measurements that saw it there"),
            ("probes", "integer", "independent probes that saw it there"),
            ("probability", "number", "highest probability of interference that a series there reached"),
            _SYNTHETIC,
            _LICENCE,
        ),
        ("id", "entity"),
        network_rows,
    ),
    ExportTable(
        "intervals",
        "When incidents were on, as a whole and on each network",
        (
            *_INCIDENT,
            ("entity", "string", "network or region; empty: the incident as a whole"),
            ("n", "integer", "number of the interval there, from 1"),
            ("start", "datetime", "UTC"),
            ("end", "datetime", "empty: ongoing"),
            _SYNTHETIC,
            _LICENCE,
        ),
        ("id", "entity", "n"),
        interval_rows,
    ),
    ExportTable(
        "cells",
        "Measurements by hour, network, target and source",
        (
            _COUNTRY,
            ("network", "string", "ASN"),
            ("target", "string", "platform or host name"),
            ("hour", "datetime", "beginning of the hour, UTC"),
            ("measurements", "integer", "measurements made"),
            ("failed", "integer", "how many of these saw the target blocked or slowed down"),
            ("probes", "integer", f"independent probes; in an open export at least {LEAST_PROBES}"),
            ("source", "string", "edge: this monitor's own probes"),
            _SYNTHETIC,
            _LICENCE,
        ),
        ("country", "network", "target", "hour", "source", "synthetic"),
        cell_rows,
    ),
    ExportTable(
        "levels",
        "Ready-made series of open sources",
        (
            _COUNTRY,
            ("entity", "string", "country, region or network"),
            ("source", "string", "who published it"),
            ("signal", "string", "what it measures"),
            ("target", "string", "service whose traffic it is; empty: all traffic"),
            ("subtype", "string", "what else the source distinguishes"),
            ("at", "datetime", "beginning of the bin, UTC"),
            ("seconds", "integer", "width of the bin"),
            ("value", "number", "in the signal's unit"),
            _SYNTHETIC,
            _LICENCE,
        ),
        ("entity", "source", "signal", "target", "subtype", "at", "seconds", "synthetic"),
        series_rows,
    ),
)


def as_csv(table: ExportTable, rows: Sequence[Row]) -> bytes:
    """CSV in UTF-8; unknown values are empty, the items of a list are separated by spaces, and no text is a formula."""
    lists = [name for name, kind, _ in table.fields if kind == "list"]
    flat = (row | {name: " ".join(row[name]) for name in lists} for row in rows)
    return rows_csv([name for name, _, _ in table.fields], flat).encode()


def as_parquet(table: ExportTable, rows: Sequence[Row]) -> bytes:
    """Parquet with zstd; times are UTC timestamps, lists are lists."""
    return rows_parquet({name: kind for name, kind, _ in table.fields}, rows)


def as_geojson(rows: Sequence[Row]) -> bytes:
    """Incidents without a geometry, since Fanous knows countries and networks but no coordinates."""
    features = [{"type": "Feature", "id": row["id"], "geometry": None, "properties": row} for row in rows]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "geojson": "application/geo+json"}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote, and what it had to leave out.

    Attributes:
        rows: by table.
        left_out: reason -> number of rows.
    """

    files: tuple[Path, ...]
    rows: dict[str, int]
    left_out: dict[str, int]


def export(store: Store, wanted: ExportScope, folder: Path, now: float) -> Exported:
    """Write all tables; each file is written completely or not at all.

    Raises:
        FanousError: the folder cannot be written, or contains files that no export wrote.
    """
    omitted, files, counts = LeftOut(), dict[str, bytes](), dict[str, int]()
    resources: list[dict[str, Any]] = []
    used = {name for incident, _ in _exported(store, wanted, LeftOut()) for name in sources_of(incident)}
    synthetic = 0
    try:
        for table in TABLES:
            rows = list(table.rows(store, wanted, omitted))
            synthetic += sum(bool(row["synthetic"]) for row in rows)
            used |= {row["source"] for row in rows if "source" in row}
            counts[table.name] = len(rows)
            forms = {"csv": as_csv(table, rows), "parquet": as_parquet(table, rows)}
            if table.name == "incidents":
                forms["geojson"] = as_geojson(rows)
            for ending, content in forms.items():
                files[f"{table.name}.{ending}"] = content
                resources.append(_resource(table, ending, content))
        described = _package(wanted, resources, used, omitted, now) | {"synthetic": synthetic}
        files["datapackage.json"] = msgspec.json.format(msgspec.json.encode(described), indent=2)
        written = write_files(folder, files)
    except OSError as error:
        raise FanousError(f"cannot write the export into {folder}: {error}; name another with -o") from error
    return Exported(tuple(written), counts, omitted.counts)


def _resource(table: ExportTable, ending: str, content: bytes) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": f"{table.name}-{ending}" if ending != "csv" else table.name,
        "title": table.title,
        "path": f"{table.name}.{ending}",
        "format": ending,
        "mediatype": MEDIA[ending],
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
    if ending != "csv":
        # frictionless 5.21 takes a Parquet file for a table unless told otherwise, and fails at lists in cells.
        return described | {"type": "file"}
    fields = [
        {"name": name, "type": "string" if kind == "list" else kind, "description": text}
        for name, kind, text in table.fields
    ]
    return described | {
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "schema": {"fields": fields, "primaryKey": list(table.key), "missingValues": [""]},
    }


OPEN = (
    "Each row names its licence. Data of other sources under a non-commercial or unclear licence are left out, and so "
    "is what rests on them."
)
PRIVATE = (
    "Private: everything that the store holds, for its owner alone. Each row names the licence under which it came; "
    "many forbid passing it on."
)
"""What ``datapackage.json`` says about an open and about a private export."""


def _package(
    wanted: ExportScope, resources: list[dict[str, Any]], used: Set[str], omitted: LeftOut, now: float
) -> dict[str, Any]:
    """What ``datapackage.json`` says (specs.frictionlessdata.io, version 1); it names the sources that are in it."""
    shown = [source for source in SOURCES.values() if source.page and source.name in used]
    licence = {"title": wanted.licence, "name": wanted.licence.replace(" ", "-")}
    return {
        "profile": "data-package",
        "name": f"fanous-{'private' if wanted.private else 'open'}-data"
        if wanted.country is None
        else f"fanous-{wanted.country.lower()}",
        "title": "Fanous: disruptions of the internet",
        "description": PRIVATE if wanted.private else OPEN,
        "created": to_iso(now),
        **({} if wanted.private else {"licenses": [licence]}),
        "sources": [{"title": source.title, "path": source.page} for source in shown],
        "left_out": omitted.counts,
        "resources": resources,
    }
