"""Engine: the one client through which facts are read and written, in-process or on a server.

Both speak the ClickHouse dialect through ``clickhouse-connect``.  The in-process engine can host one folder
a process at a time; after ``close`` another may be opened.
"""

import logging
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from fanous.errors import FanousError
from fanous.store.columns import Columns, mend
from fanous.store.disk import FULL
from fanous.store.location import StoreLocation
from fanous.store.schema import TABLES, ddl

_DISK_FULL = ("No space left on device", "NOT_ENOUGH_SPACE", "Not enough space")
# How the client says that a value does not fit its column depends on the column.
_UNFIT = (UnicodeError, OverflowError, struct.error, TypeError, ValueError, ClickHouseError)
# It writes a stack trace for each value that does not fit, which ``insert`` then mends.
logging.getLogger("clickhouse_connect.driver.transform").setLevel(logging.CRITICAL)


class Engine:
    """A client with the tables made.

    Args:
        location: whose facts; the caller holds its lock.
    """

    def __init__(self, location: StoreLocation) -> None:
        self._client = _connect(location)
        with _engine_errors(f"open the facts at {location.facts}"):
            for statement in ddl():
                self._client.command(statement)

    def close(self) -> None:
        self._client.close()

    def run(self, sql: str, **parameters: Any) -> None:
        """A statement without an answer."""
        with _engine_errors("write facts"):
            self._client.command(sql, parameters=parameters or None)

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The answer, row by row."""
        with _engine_errors("read facts"):
            return [tuple(row) for row in self._client.query(sql, parameters=parameters or None).result_rows]

    def columns(self, sql: str, **parameters: Any) -> list[list[Any]]:
        """The answer, column by column; empty where there are no rows."""
        with _engine_errors("read facts"):
            result = self._client.query(sql, parameters=parameters or None, column_oriented=True)
            return [list(column) for column in result.result_columns]

    def insert(self, table: str, columns: Columns) -> None:
        """Add rows, on the disk when this returns."""
        if not next(iter(columns.values())):
            return
        kinds = {name: TABLES[table].columns[name] for name in columns}
        try:
            self._insert(table, columns, kinds)
        except _UNFIT as error:
            if _is_disk_full(error):
                raise
            self._insert(table, mend(columns, kinds), kinds)

    def _insert(self, table: str, columns: Columns, kinds: Mapping[str, str]) -> None:
        # The token is new for each attempt of ours, so that only a repetition by the client's own
        # transport is taken for one: rows removed and written again must go in again.
        with _engine_errors(f"write {table}"):
            self._client.insert(
                table,
                list(columns.values()),
                column_names=list(columns),
                column_type_names=list(kinds.values()),
                column_oriented=True,
                settings={"insert_deduplication_token": uuid4().hex},
            )


def _connect(location: StoreLocation) -> Client:
    folder = location.engine_folder
    if folder is None:
        with _engine_errors(f"reach the facts at {location.facts}"):
            return clickhouse_connect.get_client(dsn=location.facts, autogenerate_session_id=False)
    if "?" in str(folder):
        raise FanousError(f"the engine cannot open a path with a question mark: {folder}")
    here = Path.cwd()  # importing chdb 4.4 may leave the process in another folder
    try:
        with _engine_errors(f"open the facts at {folder}"):
            return clickhouse_connect.get_client(interface="chdb", path=str(folder))
    except ImportError as error:
        raise FanousError("the store needs the server parts: pip install 'fanous[server]'") from error
    finally:
        os.chdir(here)


@contextmanager
def _engine_errors(what: str) -> Iterator[None]:
    """Name what the operator can mend; any other error of the engine is a bug and rises as it is."""
    try:
        yield
    except ClickHouseError as error:
        if _is_disk_full(error):
            raise FanousError(f"cannot {what}: the disk is full; {FULL}", permanent=False) from error
        if "already initialized with path" in str(error):
            raise FanousError(
                f"cannot {what}: this process has another store open; close it first"
            ) from error
        raise


def _is_disk_full(error: Exception) -> bool:
    return any(words in str(error) for words in _DISK_FULL)
