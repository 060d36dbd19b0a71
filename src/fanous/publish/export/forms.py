"""Forms: rows as CSV (RFC 4180), Parquet and GeoJSON (RFC 7946)."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from fanous.publish.export.tables import ExportTable, Row


def as_csv(table: ExportTable, rows: Sequence[Row]) -> bytes:
    """UTF-8; what is not known is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [name for name, _, _ in table.fields], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_parquet(table: ExportTable, rows: Sequence[Row]) -> bytes:
    """zstd; instants as timestamps in UTC."""
    import pyarrow as pa  # here: a fifth of a second
    from pyarrow import parquet

    kinds = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64()}
    kinds["boolean"] = pa.bool_()
    kinds["datetime"] = pa.timestamp("s", "UTC")
    schema = pa.schema([pa.field(name, kinds[kind]) for name, kind, _ in table.fields])
    columns = {name: [_typed(row[name], kind) for row in rows] for name, kind, _ in table.fields}
    out = io.BytesIO()
    parquet.write_table(pa.table(columns, schema), out, compression="zstd")
    return out.getvalue()


def _typed(value: Any, kind: str) -> Any:
    return datetime.fromisoformat(value) if kind == "datetime" and value is not None else value


def as_geojson(rows: Sequence[Row]) -> bytes:
    """Incidents without a geometry: Fanous knows countries and networks, no places on the ground."""
    features = [{"type": "Feature", "id": row["id"], "geometry": None, "properties": row} for row in rows]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})
