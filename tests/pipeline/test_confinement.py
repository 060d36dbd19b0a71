"""Code of a stranger that runs inside a reader reaches neither the key, the ledger, other records nor the network.

The same code in a child that is not confined reaches all of it, so each row of the table can fail.
"""

import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from fanous.base.confine import available
from fanous.base.forkserver import ForkServer
from fanous.cli import events as events_commands
from fanous.cli import refdata as refdata_commands
from fanous.collector.inbox import Journal, sealed_files
from fanous.errors import FanousError
from fanous.model.measurement import Provenance, Record
from fanous.pipeline import ingest, pull, pull_ooni, reader, refetch, remote, replay, series, workers
from fanous.pipeline.judge import Ingested, judge_record
from fanous.pipeline.workers import judged_by
from fanous.publish.evidence import pack, redact, verify
from fanous.publish.signer import KEY_FILE, make_key
from fanous.refdata import update
from fanous.sources import ics
from fanous.sources.connector import About, Query
from fanous.sources.ooni import bucket
from fanous.sources.ooni.bucket import Bucket
from fanous.sources.publishers import SourceSettings
from fanous.sources.remote.client import RemoteResponse, RemoteServer
from fanous.sources.signals import mrt
from fanous.store.archive import Reference
from fanous.store.local import open_store
from tests.pipeline.hostile_reader import (
    REACHED,
    REFUSED,
    SECRET,
    attempts,
    hostile,
    hostile_files,
    hostile_judge,
    hostile_lines,
    hostile_lists,
    hostile_outcome,
    hostile_pieces,
    hostile_recomputed,
    hostile_records,
    hostile_round,
    lying,
    outcomes,
    silent,
    unconfined,
    work_of,
)


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
            "folder": str(tmp_path),
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
    assert_all_refused(said, record)


def assert_all_refused(said: dict[str, str], record: Path) -> None:
    assert set(said) == {name for name, _ in attempts(json.loads(record.read_bytes()))}
    assert {name for name, outcome in said.items() if outcome != REFUSED} == set()
    assert not record.with_name("left-behind").exists()


def judging_again(record: Path) -> str:
    judge = partial(hostile_judge, json.loads(record.read_bytes()))
    with open_store(record.parent / "store") as store:
        (step, *_) = replay.rejudge_segments(store, judge, rules_version="other", everything=True)
    return step.rejected[0].split(": ", 1)[1]


def a_page(record: Path) -> str:
    with pytest.raises(FanousError) as raised:
        redact.redact_one(Record("ooni", record.read_bytes()))
    return str(raised.value)


def packing(record: Path) -> str:
    with pytest.raises(FanousError) as raised:
        redact.redact([Record("ooni", record.read_bytes())])
    return str(raised.value)


def computing_a_bundle(record: Path) -> str:
    gathered = SimpleNamespace(known=json.loads(record.read_bytes()), window=SimpleNamespace(country="PK"))
    with pytest.raises(FanousError) as raised:
        pack._computed(cast(pack.Gathered, gathered))
    return str(raised.value)


def checking_a_bundle(record: Path) -> str:
    with pytest.raises(FanousError) as raised:
        verify.verify_apart(record)
    return str(raised.value)


def pulling(record: Path) -> str:
    """The answer of a publisher, or of whoever answers in its place."""
    ask = Query("PK", 0, 86_400)
    with pytest.raises(FanousError) as raised:
        next(pull.fetch("ioda", ask, lambda _url: record.read_bytes(), time.time, []))
    return str(raised.value)


def ordering(record: Path) -> str:
    """The answer of a service that orders measurements."""
    with pytest.raises(FanousError) as raised:
        list(remote.one_round("globalping", SourceSettings(), "PK", [], 0, print))
    return str(raised.value)


def listing(record: Path) -> str:
    """The lists of a bucket; the reader fetches them itself."""
    there = SimpleNamespace(address=record.read_text(), patience=None)
    with pytest.raises(FanousError) as raised:
        pull_ooni.listed(cast(Bucket, there), "PK", (), (), 0.0)
    return str(raised.value)


def importing_series(record: Path) -> str:
    with open_store(record.parent / "other") as store, pytest.raises(FanousError) as raised:
        series.ingest_series(store, "csv", [record], About("PK"))
    return str(raised.value)


def fetching_again(record: Path) -> str:
    with pytest.raises(FanousError) as raised:
        refetch.refetched([Reference("https://example.org/object", 1, "")], "ooni")
    return str(raised.value)


READERS = (
    judging_again,
    a_page,
    packing,
    computing_a_bundle,
    checking_a_bundle,
    pulling,
    ordering,
    importing_series,
    fetching_again,
)


@pytest.mark.parametrize("reading", READERS)
def test_so_does_code_inside_every_other_reader(
    reading: Callable[[Path], str], record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "read_redacted", hostile_records)
    monkeypatch.setattr(redact, "pack_redacted", hostile_records)
    monkeypatch.setattr(pack, "recomputed", hostile_recomputed)
    monkeypatch.setattr(verify, "outcome_of", hostile_outcome)
    monkeypatch.setattr(pull, "read_pieces", hostile_pieces)
    answer = RemoteResponse(200, "OK", {}, record.read_bytes())
    monkeypatch.setattr(remote, "play_round", hostile_round)
    monkeypatch.setattr(RemoteServer, "answer", lambda _server, _request: answer)
    monkeypatch.setattr(series, "read_files", hostile_files)
    monkeypatch.setattr(refetch, "read_lines", hostile_lines)
    monkeypatch.setattr(bucket, "fetch_object", lambda _address, _folder: record)
    assert_all_refused(json.loads(reading(record)), record)


def test_code_inside_the_reader_of_lists_reaches_other_machines_and_nothing_else(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_ooni, "list_uploads", hostile_lists)
    said = json.loads(listing(record))
    assert {name for name, outcome in said.items() if outcome != REFUSED} == {"a connection", "a datagram"}


def hostile_text(text: str, *_about: object) -> None:
    """In a command that installs what others publish; it is a copy of that command."""
    raise FanousError(json.dumps(outcomes(json.loads(text))))


def installing_set(record: Path) -> str:
    own = record.with_suffix(".toml")
    own.write_bytes(record.read_bytes())
    folder = record.parent / "home" / "refdata"
    (updated,) = refdata_commands.install(
        lambda: update.update_all([own], folder), folder, [own], update.PARTS
    )
    return updated.why


def reading_calendar(record: Path) -> str:
    with pytest.raises(FanousError) as raised:
        events_commands.calendar_events(record, "PK")
    return str(raised.value)


def reading_routes(record: Path) -> str:
    with pytest.raises(FanousError) as raised:
        refdata_commands.refdata_upstreams(files=[record], as_json=False)
    return str(raised.value)


@pytest.mark.parametrize("reading", [installing_set, reading_calendar, reading_routes])
def test_code_inside_a_command_that_installs_has_what_it_was_started_with(
    reading: Callable[[Path], str], record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it installs into; the key and every record are out of reach."""
    monkeypatch.setattr(update, "read_set", hostile_text)
    monkeypatch.setattr(ics, "read_events", hostile_text)
    monkeypatch.setattr(mrt, "paths", lambda path: hostile_text(path.read_text()))
    said = json.loads(reading(record))
    assert {name for name, outcome in said.items() if outcome != REFUSED} == {
        "a secret in its own environment"
    }


def test_a_reader_that_leaves_out_records_of_the_archive_changes_nothing(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "judged_again", silent)
    with open_store(record.parent / "store") as store:
        facts = store.of(Provenance.SYNTHETIC).facts
        before = sorted(facts.votes("PK", 0, 4e9).uids)
        with pytest.raises(FanousError, match=r"left out 3 records\. Nothing was changed"):
            replay.rejudge_segments(store, judge_record, rules_version="other", everything=True)
        assert before and sorted(facts.votes("PK", 0, 4e9).uids) == before


def test_a_page_gets_what_its_reader_made_of_the_record(rally: Path) -> None:
    line = rally.read_bytes().splitlines()[0]
    said = redact.redact_one(Record("ooni", line))
    assert json.loads(said.data) == json.loads(redact.redacted(Record("ooni", line)).data)
    assert said.is_json


def test_a_reader_that_ends_or_never_answers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for work, why in ((os.abort, "crashed (SIGABRT)"), (time.sleep, "took more than 0.5 seconds")):
        with pytest.raises(FanousError, match=re.escape(f"The process that was reading it {why}")):
            reader.answered(int, work_of, work, about="it", patience=0.5)
    with pytest.raises(FanousError, match="sent something that is not an answer"):
        reader.answered(int, work_of, str, about="it")


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
