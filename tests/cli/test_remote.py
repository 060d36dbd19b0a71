"""A command on a store that another process has: its calls are performed there, with the same output."""

import json
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from fanous.cli.common import asked, exchanged
from fanous.cli.main import app
from fanous.errors import FanousError
from fanous.model.claim import Claim, Said
from fanous.model.event import AnnouncedEvent
from fanous.model.instant import from_iso
from fanous.model.measurement import Provenance
from fanous.model.place import Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.monitor.control import CALLS
from fanous.pipeline.call import Call, ControlReply
from fanous.publish.evidence.container import read_parts
from fanous.publish.signer import make_key
from fanous.questions import country as query
from fanous.questions.country import ConfirmCountry
from fanous.store.local import open_store
from fanous.store.location import StoreHeld
from tests.copies import copy_of
from tests.each import each
from tests.monitor.owner import lock_of, owner


@dataclass(frozen=True)
class Printed:
    """What a command printed, its exit code, and the sentence for the user."""

    out: str
    err: str
    code: int
    error: str = ""


@pytest.fixture(scope="module")
def filled(small_rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the rally, an event, a claim, series and an alert; no process has it open."""
    folder = copy_of(small_rally_folder, tmp_path_factory.mktemp("filled") / "store")
    noon = from_iso("2023-12-17T12:00Z")
    with open_store(folder) as store:
        store.ledger.add_event(AnnouncedEvent("PK", noon, noon + 8 * 3600, "Rally", ("x",)), at=noon - 86_400)
        store.ledger.add_claim(
            Claim("NetBlocks", Said.DISRUPTED, "PK", noon, noon + 12 * 3600, targets=("x",))
        )
        times = np.arange(noon - 14 * 86_400, noon, 3600).astype(np.int64)
        key = SeriesKey(Place("PK"), "", "bgp", source="ripestat")
        levels = SourceSeries(key, 3600, times, np.full(len(times), 4000.0))
        store.of(Provenance.SYNTHETIC).facts.put_series([levels])
    return folder


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator["Typed"]:
    yield Typed(monkeypatch)


@dataclass
class Typed:
    """Runs ``fanous`` as if the words had been typed."""

    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *words: str | Path) -> Printed:
        texts = [str(word) for word in words]
        self.monkeypatch.setattr("sys.argv", ["fanous", *texts])
        result = CliRunner().invoke(app, texts)
        if isinstance(result.exception, FanousError):
            return Printed(result.stdout, result.stderr, 1, str(result.exception))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Printed(result.stdout, result.stderr, result.exit_code)


READING = [
    ["confirm", "PK"],
    ["confirm", "pk", "--target", "x", "--json"],
    ["confirm", "PK", "--sensitivity", "--json"],
    ["confirm", "PK", "--since", "2023-12-17", "--until", "2023-12-16"],
    ["confirm", "FR"],
    ["signals", "PK", "--at", "2023-12-18T00:00Z"],
    ["signals", "PK", "--at", "2023-12-18T00:00Z", "--json"],
    ["signals", "FR"],
    ["incidents", "list"],
    ["incidents", "list", "PK", "--json"],
    ["incidents", "show", "PK-2023-0001"],
    ["incidents", "show", "pk-2023-0001", "--json"],
    ["incidents", "show", "PK-2023-0404"],
    ["incidents", "corrections", "--json"],
    ["cost", "PK-2023-0001"],
    ["cost", "PK-2023-0001", "--json"],
    ["claims", "list", "--json"],
    ["claims", "check"],
    ["claims", "check", "--json"],
    ["events", "list", "--json"],
    ["events", "report", "PK-watch-1"],
    ["events", "report", "PK-watch-1", "--json"],
    ["alerts", "list", "--json"],
    ["networks"],
    ["networks", "PK", "--json"],
    ["doctor", "--json"],
]
CHANGING = [
    ["ingest", "ooni", "few.jsonl", "--json"],
    ["ingest", "csv", "levels.csv", "--country", "PK", "--signal", "bgp"],
    ["ingest", "ooni", "missing.jsonl"],
    ["detect", "PK", "--since", "2023-12-17"],
    ["detect", "FR"],
    ["rejudge", "--all"],
    ["retain", "--config", "retention.toml", "--dry-run", "--json"],
    ["retain", "--config", "retention.toml"],
    ["incidents", "report", "PK-2023-0001", "--out", "report", "--json"],
    ["export", "--out", "data", "--json"],
    ["forget", "20231217T000000Z_nothing_PK_17557_n1_aaaaaaaaaaaaaaaa", "--json"],
    [
        "claims",
        "add",
        "PK",
        "--who",
        "A",
        "--what",
        "blocking",
        "--since",
        "2023-12-17",
        "--until",
        "2023-12-18",
    ],
    ["incidents", "note", "PK-2023-0001", "--by", "the desk", "--note", "as seen"],
    ["incidents", "hold", "PK-2023-0001", "--by", "the desk"],
    ["incidents", "approve", "PK-2023-0001", "--by", "the desk"],
    ["incidents", "merge", "PK-2023-0001", "--into", "PK-2023-0001", "--by", "the desk", "--reason", "one"],
    ["incidents", "role", "the desk", "--role", "the duty editor"],
    ["incidents", "retract", "PK-2023-0001", "--by", "the desk", "--reason", "an error"],
    ["alerts", "retry", "--all"],
]


def without_clock(said: Printed, folder: Path | None = None) -> list[str]:
    """Some commands say when they were asked, or the whole path of a file in ``folder``."""
    dated = ('"at": "20', '"recorded_at"')
    lines = said.out.replace(f"{folder}/", "").splitlines()
    return [line for line in lines if not line.strip().startswith(dated)]


def test_every_question_is_answered_alike_whether_the_store_is_owned_or_free(
    filled: Path, typed: Typed
) -> None:
    free = [typed(*words, "--store", filled) for words in READING]
    with owner(filled):
        owned = [typed(*words, "--store", filled) for words in READING]
    for words, one, other in zip(READING, free, owned, strict=True):
        assert (one.code, one.error, one.err) == (other.code, other.error, other.err), words
        assert without_clock(one) == without_clock(other), words
    told = dict(zip(map(tuple, READING), owned, strict=True))
    assert "ended" in told["confirm", "PK"].out
    assert told["confirm", "PK", "--since", "2023-12-17", "--until", "2023-12-16"].code == 2
    assert told["incidents", "show", "PK-2023-0404"].error.startswith(
        "no incident PK-2023-0404 in this store"
    )
    assert "SUPPORTED" in told["claims", "check"].out
    assert "ripestat" in told["signals", "PK", "--at", "2023-12-18T00:00Z"].out


@pytest.mark.matrix
def test_every_job_is_done_alike_whether_the_store_is_owned_or_free(
    filled: Path, small_rally: Path, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative paths are relative to the caller's folder."""
    said: list[list[Printed]] = []
    make_key(tmp_path / "key.pem")
    for name in ("free", "owned"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        few = small_rally.read_bytes().splitlines(keepends=True)[:20]
        (folder / "few.jsonl").write_bytes(b"".join(few) + b"rubbish\n")
        (folder / "levels.csv").write_text("time,value\n2023-12-17T10:00Z,5\n2023-12-17T11:00Z,6\n")
        (folder / "retention.toml").write_text("[retention]\nobservations_days = 400\n")
        store = copy_of(filled, folder / "store")
        with owner(store) if name == "owned" else nullcontext():
            said.append([typed(*words, "--store", store) for words in CHANGING])
            signed = "--key", tmp_path / "key.pem", "--store", store
            packed = typed("incidents", "bundle", "PK-2023-0001", "--out", "one.fanous", *signed)
        with open_store(store) as opened:
            assert {one.who for one in opened.ledger.claims()} == {"A", "NetBlocks"}
        assert "was retracted" in packed.error
    for words, one, other in zip(CHANGING, *said, strict=True):
        assert (one.code, one.err) == (other.code, other.err), words
        assert one.error.replace("/free/", "/owned/") == other.error, words
        assert without_clock(one, tmp_path / "free") == without_clock(other, tmp_path / "owned"), words
    failing = {"missing.jsonl", "FR", "merge"}
    for words, one in zip(CHANGING, said[1], strict=True):
        assert (one.code == 0) is not bool(failing & set(words)), (words, one)
    ingested = said[1][0]
    assert json.loads(ingested.out)["duplicate"] == 20
    assert json.loads(ingested.out)["rejects"][0]["line"] == 21
    assert said[1][1].out.startswith("read 2: stored 2")
    assert "missing.jsonl" in said[1][2].error
    assert (tmp_path / "owned" / "report" / "PK-2023-0001.en.html").exists()
    assert (tmp_path / "owned" / "data" / "datapackage.json").exists()


@pytest.mark.matrix
def test_a_bundle_from_an_owned_store_is_that_of_a_free_one(
    filled: Path, typed: Typed, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    make_key(key)
    words: list[str | Path] = ["incidents", "bundle", "PK-2023-0001", "--key", key, "--store", filled]
    assert typed(*words, "--out", tmp_path / "free.fanous").code == 0
    asker = [sys.executable, "-m", "fanous", *map(str, words), "--out", str(tmp_path / "owned.fanous")]
    with owner(filled):  # packing opens a store of its own, and a process has room for one
        assert subprocess.run(asker, capture_output=True, timeout=60).returncode == 0
    free, owned = (read_parts(tmp_path / f"{name}.fanous") for name in ("free", "owned"))
    changing = {"manifest.json", "manifest.sig"}  # the minute of packing
    assert {n: b for n, b in free.items() if n not in changing} == {
        n: b for n, b in owned.items() if n not in changing
    }
    assert typed("verify", tmp_path / "owned.fanous").out.startswith("SYNTHETIC, a staged event. MATCH: ")


def test_every_call_that_is_written_can_be_sent() -> None:
    """And none has another's name on the wire."""
    for module in ("pipeline.actions", "pipeline.jobs", "pipeline.pulls", "pipeline.upkeep"):
        import_module(f"fanous.{module}")
    written = set(Call.__subclasses__())
    assert {one.__name__ for one in written} == {one.__name__ for one in CALLS}
    assert len({one.__struct_config__.tag for one in CALLS}) == len(CALLS)
    for one in CALLS:
        result = get_type_hints(one.perform)["return"]
        for kind in (one, result) if result is not type(None) else (one,):  # NoneType has nothing to read
            msgspec.msgpack.Decoder(kind, dec_hook=lambda *_: pytest.fail("nothing is read yet"))


def test_a_call_of_another_version_is_refused_and_the_owner_goes_on(filled: Path, typed: Typed) -> None:
    for sent in (
        {"type": "shell", "command": "true"},
        {"type": "confirm", "country": "PK", "colour": "red"},
        {"type": "confirm", "country": 3},
    ):
        with owner(filled):
            assert exchanged(lock_of(filled), msgspec.msgpack.encode(sent)) == b""
            assert typed("incidents", "list", "--store", filled).code == 0


def test_an_event_that_is_left_out_of_a_calendar_is_reported_once(
    filled: Path, typed: Typed, tmp_path: Path
) -> None:
    calendar = tmp_path / "c.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Rally\nEND:VEVENT\n"
        "BEGIN:VEVENT\nSUMMARY:Vote\nDTSTART;VALUE=DATE:20990208\nEND:VEVENT\nEND:VCALENDAR\n",
        encoding="utf-8",
    )
    with owner(filled):
        said = typed("events", "add", "--country", "PK", "--ics", calendar, "--store", filled)
    assert (said.code, said.error, said.err.count("“Rally” is left out")) == (0, "", 1)
    assert "Vote" in said.out


def test_only_the_owner_of_the_store_may_ask(filled: Path) -> None:
    with owner(filled):
        mode = (filled / "fanous.sock").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not (filled / "fanous.sock").exists()


def test_the_socket_of_a_dead_process_is_no_obstacle(filled: Path, typed: Typed) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(filled / "fanous.sock"))
    assert exchanged(lock_of(filled), b"x") is None
    assert typed("incidents", "list", "--store", filled).code == 0
    with owner(filled):  # and the next owner of the store replaces it
        assert typed("incidents", "list", "--store", filled).code == 0


def test_an_owner_that_answers_no_commands_is_named(filled: Path, typed: Typed) -> None:
    with open_store(filled):
        said = typed("incidents", "list", "--store", filled)
    assert said.code == 1
    assert "the store at" in said.error


def test_a_path_that_is_too_long_for_a_socket_cannot_be_a_store(typed: Typed, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 6) / "store"
    deep.parent.mkdir(parents=True)
    assert len(str(deep)) > 150
    with owner(deep):
        assert typed("incidents", "list", "--store", deep).out == "no incidents\n"


def test_a_bug_in_the_owner_is_reported_as_a_bug_and_the_owner_goes_on(
    filled: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with owner(filled):
        with monkeypatch.context() as broken:
            broken.setattr(query, "confirm", lambda *_, **__: 1 // 0)
            said = typed("confirm", "PK", "--store", filled)
        assert said.code == 70
        assert "ZeroDivisionError" in said.err
        assert typed("confirm", "PK", "--store", filled).code == 0


@pytest.mark.parametrize("sent", [b"", b"hello", b'{"words": 3}', b"[" * 2_000_000])
def test_what_is_no_request_is_dropped_and_the_owner_goes_on(sent: bytes, filled: Path, typed: Typed) -> None:
    with owner(filled):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(filled / "fanous.sock"))
            try:
                asking.sendall(sent)
                asking.shutdown(socket.SHUT_WR)
                assert asking.recv(100) == b""
            except (BrokenPipeError, ConnectionResetError):
                pass  # closed while we were still sending
        assert typed("incidents", "list", "--store", filled).code == 0


@each(
    ("answer", "says"),
    [
        (b"", "stopped while it worked on this command"),
        (msgspec.msgpack.encode(ControlReply(b"\x80")), "of another version of Fanous"),
    ],
)
def test_an_owner_that_breaks_off_or_answers_otherwise_is_reported(
    tmp_path: Path, answer: bytes, says: str
) -> None:
    lock = tmp_path / "facts.lock"
    with socket.socket(socket.AF_UNIX) as owner_like:
        owner_like.bind(str(tmp_path / "fanous.sock"))
        owner_like.listen()

        def reply() -> None:
            with owner_like.accept()[0] as connection:
                while connection.recv(65_536):
                    pass
                connection.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(FanousError, match=says):
            asked(StoreHeld("held", lock), ConfirmCountry("PK"))
        thread.join(10)


def test_a_store_that_is_held_says_where_its_lock_is(filled: Path) -> None:
    with open_store(filled), pytest.raises(StoreHeld) as held:
        open_store(filled)
    assert held.value.lock == lock_of(filled)
    assert not held.value.permanent
