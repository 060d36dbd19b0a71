"""Servers: ClickHouse as a server for tests - fronts before the in-process engine, or a real cluster."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlsplit

import clickhouse_connect
import pytest

_NUMBERS = count(1)

REAL = os.environ.get("FANOUS_TEST_CLICKHOUSE", "")
"""``user:password@host:8123`` and perhaps ``?cluster=NAME``, of a ClickHouse that may be written to."""

CORE_PLACES = ("in process", *(["real_cluster"] if REAL else []))
"""Of facts, in which `make test` looks; at servers it looks where a test is marked ``EVERYWHERE``."""

OTHER_PLACES = ("one_server", "two_shards")

EVERYWHERE = pytest.mark.parametrize(
    "store",
    [*CORE_PLACES, pytest.param("one_server", marks=pytest.mark.matrix), "two_shards"],
    indirect=True,
)
"""Marks what `make test` tries at servers too, which are two that share the rows: what is written is read again, by
each kind of question.  One server alone, whose tables are those of the process, is tried by ``make test-long``."""


class Server:
    """Somewhere a new database can be made.

    Attributes:
        host: ``127.0.0.1:8123``, or with ``user:password@`` before it.
        more: what follows a database's name in the URL: ``?cluster=NAME``.
    """

    def __init__(self, host: str, more: str = "") -> None:
        self.host, self.more = host, more

    def new_database(self) -> str:
        """URL of facts without tables."""
        name = f"fanous{next(_NUMBERS)}"
        self._command(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
        return f"clickhouse://{self.host}/{name}{quote(self.more, safe='?=')}"

    def drop(self, url: str) -> None:
        """Remove the database: an engine looks after each that it has, many times a second."""
        self._command(f"DROP DATABASE {urlsplit(url).path.strip('/')}")

    def _command(self, *statements: str) -> None:
        client = clickhouse_connect.get_client(dsn=f"clickhouse://{self.host}/default")
        for statement in statements:
            client.command(statement + (f" ON CLUSTER '{self.more.partition('=')[2]}'" if self.more else ""))
        client.close()


@contextmanager
def front(folder: Path, *other: str) -> Iterator[str]:
    """The port of a front end in a separate process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.front", str(folder), *other],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "the front did not start"
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=30)
