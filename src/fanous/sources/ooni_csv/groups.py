"""Groups: brings the rows of one measurement together and counts repeated ones, with flat memory.

The rows of a measurement stand up to tens of thousands of rows apart, so a file of any size goes through a
temporary SQLite database, which lives on disk and vanishes when it is closed.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby

from fanous.errors import FanousError

BATCH = 5000
"""Rows written at once; 5000 of them are some 3 MB."""

CACHE_KIB = 32_768
"""Memory that SQLite may use for pages before it writes to disk."""

_SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE rows (
        uid TEXT NOT NULL, digest BLOB NOT NULL, line INTEGER NOT NULL, data BLOB NOT NULL,
        copies INTEGER NOT NULL, PRIMARY KEY (uid, digest)
    ) WITHOUT ROWID;
"""
_ADD = """
    INSERT INTO rows VALUES (?, ?, ?, ?, 1)
    ON CONFLICT (uid, digest) DO UPDATE SET copies = copies + 1
"""
_IN_ORDER = "SELECT uid, line, data, copies FROM rows ORDER BY uid"


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A distinct row.

    Attributes:
        line: 1-based, where it first stood.
        data: its non-empty fields as a JSON object.
        copies: how often it stood in the file.
    """

    line: int
    data: bytes
    copies: int


class Grouping:
    """A temporary table of rows; a context manager."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._waiting: list[tuple[str, bytes, int, bytes]] = []

    def __enter__(self) -> "Grouping":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, uid: str, line: int, data: bytes) -> None:
        """Remember one row of ``uid``."""
        self._waiting.append((uid, blake2b(data, digest_size=16).digest(), line, data))
        if len(self._waiting) >= BATCH:
            self._write()

    def groups(self) -> Iterator[tuple[str, Iterator[CsvRow]]]:
        """Each ``uid`` in order with its distinct rows; the rows are in no order."""
        self._write()
        cursor = self._database.execute(_IN_ORDER)
        for uid, rows in groupby(cursor, key=lambda row: str(row[0])):
            yield uid, (CsvRow(line, data, copies) for _, line, data, copies in rows)

    def _write(self) -> None:
        try:
            self._database.execute("BEGIN")
            self._database.executemany(_ADD, self._waiting)
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise FanousError(
                f"Cannot sort the rows in the folder for temporary files: {error}. Free some space there, "
                "or name another one in SQLITE_TMPDIR."
            ) from error
        self._waiting.clear()
