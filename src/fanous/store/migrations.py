"""Migrations: what brings the tables of facts from each format to the next, on a store that is in use.

Each statement may be run again: a process that dies half-way leaves the rest to the next one.  Rows are never
rewritten here; what a new format has to know of old measurements comes from the archive (``fanous rejudge``).
To add one: raise ``schema.FORMAT``, add its entry here, and a fixture of the format before it to the tests.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from fanous import __version__
from fanous.errors import FanousError
from fanous.store.columns import Columns, ticks
from fanous.store.schema import FACTS, FIND_SEGMENT, FORMAT, TABLES, Layout


class Tables(Protocol):
    """What a migration asks of an engine (``store.engine.Engine``)."""

    def tables(self) -> set[str]: ...

    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...

    def run(self, sql: str) -> None: ...

    def insert(self, table: str, columns: Columns) -> None: ...


def _to_2(layout: Layout) -> Iterator[str]:
    """Rows of a segment are found by an index; before, removing some read the column of all."""
    for table in FACTS:
        rows = layout.rows_of(table)
        yield f"ALTER TABLE {rows} ADD {FIND_SEGMENT.replace('INDEX', 'INDEX IF NOT EXISTS', 1)}"
        yield f"ALTER TABLE {rows} MATERIALIZE INDEX find_segment"


MIGRATIONS: Mapping[int, Callable[[Layout], Iterator[str]]] = {2: _to_2}
"""Format -> the statements that lead to it from the one before."""


def bring_up_to_date(
    engine: Tables,
    layout: Layout,
    migrations: Mapping[int, Callable[[Layout], Iterator[str]]] = MIGRATIONS,
    to: int = FORMAT,
) -> None:
    """Make the tables where there are none, and lead older ones to the present format.

    Raises:
        FanousError: a newer Fanous wrote them.
    """
    known = engine.tables()
    if "measurements" in known and "versions" in known:
        found = engine.rows("SELECT max(version) FROM versions")[0][0] or 1
    else:
        found = 1 if "measurements" in known else 0
    if found > to:
        raise FanousError(
            f"the facts of this store were written by a newer Fanous (format {found}, this one knows {to}): "
            "install that version, or name another store"
        )
    for table in TABLES.values():
        for statement in layout.create(table):
            engine.run(statement)
    for version in range(max(found, 1) + 1, to + 1) if found else ():
        for statement in migrations[version](layout):
            engine.run(statement)
        _remember(engine, version)
    if not found:
        _remember(engine, to)


def _remember(engine: Tables, version: int) -> None:
    engine.insert("versions", {"version": [version], "since": [ticks(time.time())], "fanous": [__version__]})
