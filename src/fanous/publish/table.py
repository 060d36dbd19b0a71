"""Table: incidents as CSV and as JSON, and any rows as CSV and Parquet, for people who count and compare.

CSV has one row per incident and text that a spreadsheet cannot take for a formula; JSON has each incident as
``fanous confirm --json`` gives it, with its sentence and address.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from fanous.base.text import printable
from fanous.model.incident import Incident
from fanous.model.instant import HOUR
from fanous.publish.credits import credit_line
from fanous.publish.document import Document, incident_document, known_document, users_of
from fanous.publish.edition import Edition, incident_path
from fanous.publish.filter import IncidentFilter
from fanous.questions.country import data_ended, known_until
from fanous.refdata.countries import country_name
from fanous.store.protocol import Store
from fanous.wording.language import ENGLISH
from fanous.wording.narrative import sentence

COLUMNS = (
    *("id", "provenance", "country", "country_name", "kind", "status", "scope", "access"),
    *(
        "targets",
        "mechanisms",
        "entities",
        "onset",
        "onset_earliest",
        "onset_latest",
        "end",
        "hours",
        "known_until",
    ),
    *("confirmed_at", "confidence", "users_mean", "users_low", "users_high", "level_mean", "level_worst"),
    *("measurements", "networks", "sources", "sentence", "url", "named"),
    *(
        "end_earliest",
        "end_latest",
        "basis",
        "first_published_at",
        "reached",
        "reached_earliest",
        "reached_latest",
    ),
)
"""Columns of the CSV: times in RFC 3339, UTC; ``hours`` of an open incident is its length so far, or up to the end of
the data about it (``known_until``); ``users_*`` are empty without user figures; the items of a list are separated by
spaces; ``named`` is what may be called cut (``telegram``, or ``telegram/client`` if only its web client is);
``sources`` are whose data it rests on, with their licences; an unknown value is empty.
"""

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # the wide forms are meant
"""First characters that make spreadsheets calculate instead of show, in some languages the wide forms too (OWASP, *CSV
Injection*)."""

_NEXT_CELL = re.compile(f"(?<=[;|])(?=[{''.join(map(re.escape, FORMULA))}])")
"""Where a cell with a formula would begin for a spreadsheet that takes semicolons as separators, as in most of Europe.
"""


def as_csv(store: Store, incidents: Sequence[Incident], edition: Edition) -> bytes:
    """CSV (RFC 4180) in UTF-8, in the order given."""
    return rows_csv(COLUMNS, (_row(store, incident, edition) for incident in incidents)).encode()


def _row(store: Store, incident: Incident, edition: Edition) -> dict[str, Any]:
    document = incident_document(incident)
    users, level = users_of(document), document["level"] or {}
    end = known_until(store, incident, edition.now) if incident.end is None else incident.end
    return document | {
        "country": incident.country,
        "country_name": country_name(incident.country),
        "targets": " ".join(incident.targets),
        "named": " ".join(incident.named),
        "mechanisms": " ".join(incident.mechanisms),
        "entities": " ".join(incident.entities),
        "hours": round(max(0.0, end - incident.onset) / HOUR, 2),
        **known_document(data_ended(store, incident, edition.now)),
        "users_mean": users.get("mean"),
        "users_low": users.get("low"),
        "users_high": users.get("high"),
        "level_mean": level.get("mean"),
        "level_worst": level.get("worst"),
        "measurements": incident.evidence.measurements,
        "networks": incident.evidence.networks,
        "sources": credit_line(incident, ENGLISH).removeprefix("Data: "),
        "sentence": sentence(incident),
        "url": edition.permanent(incident_path(incident)),
    }


def cell(value: Any) -> Any:
    """Text is shown, never calculated."""
    if not isinstance(value, str):
        return value
    text = _NEXT_CELL.sub(" ", printable(value))
    return f"'{text}" if text.startswith(FORMULA) else text


def as_json(store: Store, incidents: Sequence[Incident], wanted: IncidentFilter, edition: Edition) -> bytes:
    """One document."""
    document = {
        "query": wanted.query,
        "url": edition.permanent("/incidents", **wanted.query),
        "synthetic": store.is_synthetic,
        "count": len(incidents),
        "incidents": [listed(store, incident, edition) for incident in incidents],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def listed(store: Store, incident: Incident, edition: Edition) -> Document:
    """An incident as the API lists it."""
    about = {
        "country": incident.country,
        "url": edition.permanent(incident_path(incident)),
        "sentence": sentence(incident),
        "synthetic": incident.provenance.is_synthetic,
    }
    return about | incident_document(incident) | known_document(data_ended(store, incident, edition.now))


def rows_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell(row[name]) for name in columns] for row in rows)
    return out.getvalue()


def rows_parquet(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as Parquet, with times as times and lists as lists.

    Args:
        columns: name -> type of the values, as Frictionless calls it, or ``list`` (of texts); ``None`` may be among
            them.
    """
    import pyarrow as pa  # imported here: it takes a fifth of a second
    from pyarrow import parquet

    kinds = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "list": pa.list_(pa.string()),
        "datetime": pa.timestamp("s", "UTC"),
    }
    values = {
        name: [datetime.fromisoformat(row[name]) if row[name] is not None else None for row in rows]
        if kind == "datetime"
        else [row[name] for row in rows]
        for name, kind in columns.items()
    }
    schema = pa.schema([pa.field(name, kinds[kind]) for name, kind in columns.items()])
    out = io.BytesIO()
    parquet.write_table(pa.table(values, schema), out, compression="zstd")
    return out.getvalue()
