"""A store of its own for each test.

The in-process engine hosts one store a process at a time and opens another in 40 ms after ``close``.  A
test that needs two at once, or a kill, starts processes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.store import Store, open_store
from tests.postgres import PostgresServer, postgres, programs


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    where = programs()
    if where is None:
        pytest.skip("no PostgreSQL on this machine (apt-get install postgresql)")
    with postgres(where) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a new ledger, in each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()
