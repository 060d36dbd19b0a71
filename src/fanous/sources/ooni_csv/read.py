"""Read: the rows of a CSV of OONI observations, grouped into one record a measurement.

Counts hold in rows: every row ends in a record (``items``), as a repetition (``duplicates``) or rejected.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from fanous.errors import FanousError
from fanous.model.record import Record
from fanous.sources.connector import OnProgress, OnReject
from fanous.sources.ooni.scrub import scrub
from fanous.sources.ooni_csv.groups import CsvRow, Grouping
from fanous.sources.stream import BROKEN, ByteSource, broken_why, open_source, read_line

SOURCE = "ooni-csv"
VERSION = 1
"""Of the shape of ``Record.data``: ``{"ooni_csv": 1, "rows": [{...}]}``."""

REQUIRED = ("measurement_uid", "probe_cc", "probe_asn", "measurement_start_time", "test_name")

STEPS = ("dns", "tcp", "tls", "http")
"""Steps whose columns begin so; without its failures a step looks as if it had always worked."""

NOTHING = frozenset({"", "\\N", "NULL", "null", "None", "nan", "NaN"})
"""What exporters write where there is no value."""

LONGEST_LINE = 4 << 20
"""Bytes; a row has some 1 KB."""

LONGEST_UID = 200
MOST_ROWS = 5000
"""Distinct rows kept of one measurement; a messenger's has up to about 100."""


def read(path: Path, on_reject: OnReject, on_progress: OnProgress | None = None) -> Iterator[Record]:
    """Records of one file; see ``MeasurementSource.read``."""
    with open_source(path, on_progress) as source, Grouping() as grouping:
        lines = _Lines(source, on_reject)
        _collect(lines, grouping, on_reject, path)
        source.finish()
        for uid, rows in grouping.groups():
            yield _record(path, uid, rows, on_reject)


class _Lines:
    """The lines of the file as text.

    Attributes:
        number: 1-based line given last.
    """

    def __init__(self, source: ByteSource, on_reject: OnReject) -> None:
        self.number = 0
        self._source = source
        self._on_reject = on_reject

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                line, length = read_line(self._source.stream, LONGEST_LINE)
            except BROKEN as error:
                self._on_reject(self.number + 1, broken_why(error))
                return
            if not length:
                return
            self.number += 1
            self._source.tell_progress()
            if length > LONGEST_LINE + 1:
                self._on_reject(self.number, f"a line of {length:,} bytes, which no row is")
                continue
            text = line.decode("utf-8-sig" if self.number == 1 else "utf-8", "replace")
            yield text.replace("\0", "")


def _collect(lines: _Lines, grouping: Grouping, on_reject: OnReject, path: Path) -> None:
    reader = csv.reader(iter(lines))
    columns = _columns(reader, path)
    uid_at = columns.index("measurement_uid")
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            on_reject(lines.number, f"not CSV: {error}")
            continue
        if row is None:
            return
        why = _why_not(row, columns, uid_at)
        if why:
            on_reject(lines.number, why)
            continue
        fields = {name: value for name, value in zip(columns, row, strict=True) if value not in NOTHING}
        grouping.add(row[uid_at].strip(), lines.number, scrub(msgspec.json.encode(fields)))


def _why_not(row: list[str], columns: list[str], uid_at: int) -> str:
    """Why a row cannot be used; empty = it can."""
    if not row:
        return "empty line"
    if len(row) != len(columns):
        return f"{len(row)} fields where the first line names {len(columns)}"
    if row[uid_at].strip() in NOTHING:
        return "no measurement_uid"
    return "the measurement_uid is longer than any" if len(row[uid_at]) > LONGEST_UID else ""


def _columns(reader: Any, path: Path) -> list[str]:
    try:
        columns = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise FanousError(f"{path} is not a CSV file: {error}") from error
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        hint = " It looks like raw measurements: use the source ooni." if "".join(columns)[:1] == "{" else ""
        raise FanousError(
            f"{path} is no CSV of OONI observations: its first line lacks {', '.join(missing)}.{hint}"
        )
    blind = [f"{step}_failure" for step in STEPS if _is_blind(columns, step)]
    if blind:
        raise FanousError(
            f"{path} lacks {', '.join(blind)}: without it everything would look as if it had worked; "
            "export the table with it"
        )
    return columns


def _is_blind(columns: list[str], step: str) -> bool:
    """It has columns of the step, but not the one that says whether it failed."""
    return f"{step}_failure" not in columns and any(name.startswith(f"{step}_") for name in columns)


def _record(path: Path, uid: str, rows: Iterator[CsvRow], on_reject: OnReject) -> Record:
    kept: list[CsvRow] = []
    for row in rows:
        if len(kept) < MOST_ROWS:
            kept.append(row)
            continue
        for _ in range(row.copies):
            on_reject(row.line, f"more than {MOST_ROWS:,} rows of the measurement {uid}")
    kept.sort(key=lambda row: row.line)
    data = b'{"ooni_csv":%d,"rows":[' % VERSION + b",".join(row.data for row in kept) + b"]}"
    duplicates = sum(row.copies - 1 for row in kept)
    return Record(SOURCE, data, str(path), kept[0].line, items=len(kept), duplicates=duplicates)
