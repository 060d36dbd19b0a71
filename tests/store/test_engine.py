"""A server of facts that is away, or refuses, is said in words."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.store.engine import Engine
from fanous.store.location import at_urls
from fanous.store.schema import TABLES, Layout
from tests.store.servers import REAL, Server


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: a connection is refused
        port = taken.getsockname()[1]
        with pytest.raises(FanousError, match="check that the server is running") as refusal:
            Engine(at_urls("/a", f"clickhouse://me:hush@127.0.0.1:{port}/fanous", "/l"))
    assert "hush" not in str(refusal.value)


def test_a_database_that_is_not_there_is_to_be_made(one_server: Server) -> None:
    with pytest.raises(FanousError, match="CREATE DATABASE"):
        Engine(at_urls("/a", f"clickhouse://{one_server.host}/nothing", "/l"))


def test_a_store_that_is_written_to_loads_no_pandas(tmp_path: Path) -> None:
    """Its versions are written when it is opened first."""
    look = (
        "import sys; from pathlib import Path; from fanous.store.local import open_store\n"
        f"with open_store(Path({str(tmp_path / 'store')!r})): print('pandas' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.split() == ["False"]


def test_a_cluster_has_replicated_rows_on_every_shard_and_one_table_over_them() -> None:
    rows, together = Layout("two").create(TABLES["verdicts"])
    assert rows.startswith("CREATE TABLE IF NOT EXISTS verdicts_rows ON CLUSTER 'two' (")
    assert "ENGINE = ReplicatedMergeTree ORDER BY" in rows
    assert "non_replicated" not in rows
    assert together == (
        "CREATE TABLE IF NOT EXISTS verdicts ON CLUSTER 'two' AS verdicts_rows "
        "ENGINE = Distributed('two', currentDatabase(), verdicts_rows, cityHash64(uid))"
    )
    levels, _ = Layout("two").create(TABLES["levels"])
    assert "ENGINE = ReplicatedReplacingMergeTree(fetched_at) ORDER BY" in levels


def test_statements_for_a_cluster_have_met_a_real_one() -> None:
    if not REAL:
        pytest.skip(
            "no ClickHouse server: FANOUS_TEST_CLICKHOUSE names none, so the tests of the store ran "
            "in the process, over HTTP, and on two shards that the tests play"
        )
    assert REAL  # each test with a store has run there
