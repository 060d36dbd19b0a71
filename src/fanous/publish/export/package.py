"""Package: the folder of an export, with a ``datapackage.json`` that describes it all (Frictionless v1)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.publish.export.forms import as_csv, as_geojson, as_parquet
from fanous.publish.export.tables import TABLES, ExportScope, ExportTable, LeftOut
from fanous.refdata.atomic import replace_file
from fanous.refdata.sources import SOURCES
from fanous.store.protocol import Store

MEDIA = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
}


@dataclass(frozen=True, slots=True)
class Exported:
    """Attributes:
    rows: by table.
    left_out: why -> how many.
    """

    files: tuple[Path, ...]
    rows: dict[str, int]
    left_out: dict[str, int]


def export(store: Store, wanted: ExportScope, folder: Path, now: float) -> Exported:
    """Write all tables; a file is whole or not there.

    Raises:
        FanousError: the folder cannot be written.
    """
    left, written, counts = LeftOut(), list[Path](), dict[str, int]()
    resources: list[dict[str, Any]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in TABLES:
            rows = list(table.rows(store, wanted, left))
            counts[table.name] = len(rows)
            forms = {"csv": as_csv(table, rows), "parquet": as_parquet(table, rows)}
            if table.name == "incidents":
                forms["geojson"] = as_geojson(rows)
            for ending, content in forms.items():
                path = folder / f"{table.name}.{ending}"
                replace_file(path, content)
                written.append(path)
                resources.append(_resource(table, ending, content))
        described = _package(wanted, resources, left, now)
        path = folder / "datapackage.json"
        replace_file(path, msgspec.json.format(msgspec.json.encode(described), indent=2))
    except OSError as error:
        raise FanousError(f"cannot write the export into {folder}: {error}; name another with -o") from error
    return Exported((*written, path), counts, left.counts)


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
        return described
    fields = [{"name": name, "type": kind, "description": text} for name, kind, text in table.fields]
    return described | {
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "schema": {"fields": fields, "primaryKey": list(table.key), "missingValues": [""]},
    }


def _package(
    wanted: ExportScope, resources: list[dict[str, Any]], left: LeftOut, now: float
) -> dict[str, Any]:
    open_ones = [source for source in SOURCES.values() if source.is_open and source.page]
    return {
        "profile": "data-package",
        "name": "fanous-open-data" if wanted.country is None else f"fanous-{wanted.country.lower()}",
        "title": "Fanous: disruptions of the internet",
        "description": "Each row names its licence. What other sources give under a non-commercial or "
        "unclear licence is left out, and what rests on it.",
        "created": to_iso(now),
        "licenses": [{"title": wanted.licence, "name": wanted.licence.replace(" ", "-")}],
        "sources": [{"title": one.title, "path": one.page} for one in open_ones],
        "synthetic": wanted.notice or None,
        "left_out": left.counts,
        "resources": resources,
    }
