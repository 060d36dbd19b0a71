"""A command on a store that another process has: carried out there, with the same output."""

import socket
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fanous.cli.common import ask_owner
from fanous.cli.main import app
from fanous.errors import FanousError
from fanous.monitor.control import perform
from fanous.monitor.request import CommandReply, CommandRequest
from fanous.pipeline import query
from fanous.store.local import open_store
from fanous.store.location import StoreHeld
from tests.copies import copy_of
from tests.monitor.owner import DISPATCH, lock_of, owner


@dataclass(frozen=True)
class Said:
    """What a command printed, its exit code, and the sentence for the user."""

    out: str
    err: str
    code: int
    error: str = ""


@pytest.fixture(scope="module")
def filled(small_rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the rally, and nobody has it open."""
    return copy_of(small_rally_folder, tmp_path_factory.mktemp("filled") / "store")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator["Typed"]:
    yield Typed(monkeypatch)


@dataclass
class Typed:
    """Runs ``fanous`` as if the words had been typed."""

    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *words: str | Path) -> Said:
        texts = [str(word) for word in words]
        self.monkeypatch.setattr("sys.argv", ["fanous", *texts])
        result = CliRunner().invoke(app, texts)
        if isinstance(result.exception, FanousError):
            return Said(result.stdout, result.stderr, 1, str(result.exception))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Said(result.stdout, result.stderr, result.exit_code)


COMMANDS = [
    ["confirm", "PK"],
    ["confirm", "pk", "--target", "x", "--json"],
    ["confirm", "PK", "--since", "2023-12-17", "--until", "2023-12-16"],
    ["confirm", "FR"],
    ["incidents", "list"],
    ["incidents", "list", "PK", "--json"],
    ["incidents", "show", "PK-2023-0001"],
    ["incidents", "show", "PK-2023-0001", "--json"],
    ["incidents", "show", "PK-2023-0404"],
    ["networks", "--json"],
]


def without_clock(said: Said) -> list[str]:
    """``fanous networks`` says when it was asked."""
    return [line for line in said.out.splitlines() if not line.strip().startswith('"at": "20')]


def test_every_command_prints_the_same_whether_the_store_is_owned_or_free(filled: Path, typed: Typed) -> None:
    free = [typed(*words, "--store", filled) for words in COMMANDS]
    with owner(filled):
        owned = [typed(*words, "--store", filled) for words in COMMANDS]
    for words, one, other in zip(COMMANDS, free, owned, strict=True):
        assert (one.code, one.error, one.err) == (other.code, other.error, other.err), words
        assert without_clock(one) == without_clock(other), words
    assert "confirmed" in owned[0].out or "ended" in owned[0].out
    assert owned[2].code == 2
    assert owned[8].error.startswith("no incident PK-2023-0404 in this store")


def test_a_relative_path_stands_where_it_was_typed(
    filled: Path, small_rally: Path, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = small_rally.read_bytes().splitlines(keepends=True)[:20]
    (tmp_path / "mine.jsonl").write_bytes(b"".join(few))
    request = CommandRequest(["ingest", "ooni", "mine.jsonl"], str(tmp_path))
    with owner(filled):
        reply = ask_owner(lock_of(filled), request, CommandReply)
    assert reply is not None
    assert (reply.code, reply.error) == (0, "")
    assert b"stored 0, already there 20" in reply.out


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
    assert (said.code, said.error, said.err.count("'Rally' is left out")) == (0, "", 1)
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
    assert ask_owner(lock_of(filled), CommandRequest([], "/"), CommandReply) is None
    assert typed("incidents", "list", "--store", filled).code == 0
    with owner(filled):  # and whoever owns the store next replaces it
        assert typed("incidents", "list", "--store", filled).code == 0


def test_an_owner_that_answers_no_commands_is_named(filled: Path, typed: Typed) -> None:
    with open_store(filled):
        said = typed("incidents", "list", "--store", filled)
    assert said.code == 1
    assert "the store at" in said.error


def test_a_path_that_is_too_long_for_a_socket_is_none_for_a_store(typed: Typed, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 6) / "store"
    deep.parent.mkdir(parents=True)
    assert len(str(deep)) > 150
    with owner(deep):
        assert typed("incidents", "list", "--store", deep).out == "no incidents\n"


def test_a_bug_in_the_owner_is_told_as_a_bug_and_the_owner_goes_on(
    filled: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with owner(filled):
        with monkeypatch.context() as broken:
            broken.setattr(query, "confirm", lambda *_: 1 // 0)
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


def test_an_owner_that_breaks_off_is_said(tmp_path: Path) -> None:
    lock = tmp_path / "facts.lock"
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "fanous.sock"))
        deaf.listen()

        def hang_up() -> None:
            deaf.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(FanousError, match="stopped while it worked on this command"):
            ask_owner(lock, CommandRequest(["confirm", "PK"], "/"), CommandReply)
        thread.join(10)


def test_a_terminal_gets_its_width_and_colours(filled: Path) -> None:
    with open_store(filled) as store:
        plain = perform(CommandRequest(["confirm", "PK"], "/"), store, DISPATCH)
        seen = perform(CommandRequest(["confirm", "PK"], "/", width=60, colours="truecolor"), store, DISPATCH)
    assert b"\x1b[" not in plain.out
    assert b"\x1b[" in seen.out
    assert max(map(len, plain.out.decode().splitlines())) > 60


def test_a_store_that_is_held_says_where_its_lock_is(filled: Path) -> None:
    with open_store(filled), pytest.raises(StoreHeld) as held:
        open_store(filled)
    assert held.value.lock == lock_of(filled)
    assert not held.value.permanent
