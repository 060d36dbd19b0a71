"""nats-server as Debian has it (2.10): a collector, the writer and ``fanous queue``, from an empty stream on."""

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.store.local import open_store
from tests.collector.probe import REPORT_ID, body
from tests.collector.server import client, collector
from tests.peers.programs import free_port, program, running

pytestmark = pytest.mark.peers


def fanous(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def test_debians_server_carries_measurements_from_a_collector_to_a_store(tmp_path: Path) -> None:
    server = program("nats-server", "nats-server")
    version = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    port = free_port()
    config = tmp_path / "nats.conf"
    config.write_text(
        f"listen: 127.0.0.1:{port}\nmax_payload: 32MB\n"
        f'jetstream {{ store_dir: "{tmp_path}/jetstream", sync_interval: always, max_file_store: 1T }}\n'
    )
    url = f"nats://127.0.0.1:{port}?replicas=1&gigabytes=1"
    with running([server, "-c", str(config)], tmp_path / "nats.log", f"127.0.0.1:{port}"):
        empty = json.loads(fanous("queue", url, "--json"))
        assert [part["messages"] for part in empty["parts"]] == [0, 0, 0], version
        assert empty["refused"] == []
        with collector("--queue", url) as running_collector, client(running_collector) as probe:
            for number in range(3):
                probe.post(f"/report/{REPORT_ID}", json=body(number)).raise_for_status()
        assert json.loads(fanous("queue", url, "--json"))["parts"][0]["messages"] == 3
        assert "stored 3" in fanous("drain", "--queue", url, "--store", str(tmp_path / "store"))
        assert json.loads(fanous("queue", url, "--json"))["refused"] == [], (
            "an emptied stream has none either"
        )
    with open_store(tmp_path / "store") as store:
        assert store.facts.countries() == ["PK"]
