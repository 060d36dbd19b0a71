"""A separate store for each test.

The in-process engine hosts one store a process at a time and opens another in 40 ms after ``close``.  A
test that needs two at once, or a kill, starts processes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.store.local import open_store
from fanous.store.location import at_urls
from fanous.store.protocol import Store
from tests.postgres import PostgresServer, postgres, programs
from tests.store.servers import CORE_PLACES, OTHER_PLACES, REAL, Server, front


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The in-process engine of another process, reached over HTTP."""
    with front(tmp_path_factory.mktemp("server") / "engine") as port:
        yield Server(f"127.0.0.1:{port}")


@pytest.fixture(scope="session")
def two_shards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two such engines that share the rows of every table."""
    folder = tmp_path_factory.mktemp("shards")
    with front(folder / "second") as other, front(folder / "first", other) as port:
        yield Server(f"127.0.0.1:{port}", "?cluster=two")


@pytest.fixture(scope="session")
def real_cluster() -> Server:
    if not REAL:
        pytest.skip("no ClickHouse server: FANOUS_TEST_CLICKHOUSE names none (user:password@host:8123)")
    host, mark, more = REAL.partition("?")
    return Server(host, mark + more)


@pytest.fixture(params=[*CORE_PLACES, *(pytest.param(one, marks=pytest.mark.matrix) for one in OTHER_PLACES)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty one, with its facts in each of the places where they can be, or some of them (``CORE_PLACES``)."""
    if request.param == "in process":
        with open_store(tmp_path / "store") as opened:
            yield opened
        return
    server: Server = request.getfixturevalue(request.param)
    facts = server.new_database()
    with open_store(at_urls(str(tmp_path / "archive"), facts, str(tmp_path / "l.sqlite"))) as opened:
        yield opened
    server.drop(facts)


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
