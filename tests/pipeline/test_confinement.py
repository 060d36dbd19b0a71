"""Code of a stranger that runs inside a reader reaches neither the key, the ledger, other records nor the network.

The same code in a child that is not confined reaches all of it, so each row of the table can fail.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fanous.base.confine import available
from fanous.base.forkserver import ForkServer
from fanous.collector.inbox import Journal, sealed_files
from fanous.pipeline import ingest, workers
from fanous.pipeline.judge import Ingested
from fanous.pipeline.workers import judged_by
from fanous.publish.signer import KEY_FILE, make_key
from fanous.store.local import open_store
from tests.pipeline.hostile_reader import REACHED, REFUSED, SECRET, attempts, hostile, lying, unconfined


@pytest.fixture
def record(rally: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A record in the folder of a monitor with a key, a store and an inbox that hold other records, and sockets."""
    some = tmp_path / "some.jsonl"
    some.write_bytes(b"".join(rally.read_bytes().splitlines(keepends=True)[:3]))
    monkeypatch.setenv(SECRET, "secret")
    make_key(tmp_path / KEY_FILE)
    with open_store(tmp_path / "store") as store:
        ingest.ingest(store, "ooni", [some], detects=False)
    journal = Journal(tmp_path / "inbox")
    journal.write([b'{"measurement_uid": "of another sender"}'], 1.7e9)
    journal.seal()
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as control,
    ):
        udp.bind(("127.0.0.1", 0))
        control.bind(str(tmp_path / "control.sock"))
        control.listen()
        known = {
            "key": str(tmp_path / KEY_FILE),
            "ledger": str(tmp_path / "store" / "ledger.sqlite"),
            "inbox": str(*sealed_files(tmp_path / "inbox")),
            "archive": str(next((tmp_path / "store" / "archive").rglob("*.zst"))),
            "control": str(tmp_path / "control.sock"),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "pid": os.getpid(),
        }
        (tmp_path / "mine.jsonl").write_text(json.dumps(known))
        yield tmp_path / "mine.jsonl"


def test_code_inside_a_reader_reaches_its_own_file_and_nothing_else(record: Path) -> None:
    assert not available().gaps, f"this kernel cannot confine a reader: {available().gaps}"
    tally = Ingested()
    with closing(judged_by(1, hostile, [record], tally)) as judged:
        assert list(judged) == []
    said = dict(reject.why.split(": ") for reject in tally.rejects)
    assert set(said) == {name for name, _ in attempts(record)}
    assert {name for name, outcome in said.items() if outcome != REFUSED} == set()
    assert not record.with_name("left-behind").exists()


@pytest.mark.parametrize("name", ["pickle", "another-file", "rubbish", "place"])
def test_a_reader_that_answers_anything_else_costs_its_own_file_only(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "ENDING_SECONDS", 0.2)
    file = tmp_path / f"{name}.jsonl"
    file.write_bytes(b"{}\n")
    tally = Ingested()
    with closing(judged_by(1, lying, [file], tally)) as judged:
        assert list(judged) == []
    (reject,) = tally.rejects
    assert reject.file == str(file)
    how = "crashed (SIGSEGV)" if name == "place" else "sent something that is not an answer"
    assert f"{how} here, twice: the rest of the file is left out" in reject.why
    assert not (tmp_path / "exploded").exists()


def test_without_the_confinement_the_same_code_reaches_all_of_it(record: Path) -> None:
    server = ForkServer()
    child = server.start(unconfined, record)
    try:
        assert set(child.connection.recv().values()) == {REACHED}
    finally:
        child.end()
        server.stop()
