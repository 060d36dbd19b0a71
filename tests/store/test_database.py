"""Where a ledger is kept, and what goes wrong with it; that both kinds keep the same is in test_ledger."""

import resource
import socket
import threading
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.incident import Approval
from fanous.store.database import Database
from fanous.store.ledger import Ledger
from tests.postgres import PASSWORD, PostgresServer


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: a connection is refused
        port = taken.getsockname()[1]
        with pytest.raises(FanousError, match="check that the server is running") as refusal:
            Ledger(f"postgresql://me:hush@127.0.0.1:{port}/fanous")
    assert f"me:***@127.0.0.1:{port}" in str(refusal.value)
    assert "hush" not in str(refusal.value)


def test_options_after_a_path_make_no_file_of_another_name(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="question mark"):
        Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}?timeout=30")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_to_a_file_that_is_gone(tmp_path: Path) -> None:
    """SQLite would go on, and all of it would be lost when the file is closed."""
    file, aside = tmp_path / "ledger.sqlite", tmp_path / "aside"
    ledger = Ledger(f"sqlite:///{file}")
    file.rename(aside)
    for other in (None, b"another"):
        if other is not None:
            file.write_bytes(other)
        with pytest.raises(FanousError, match="removed or replaced while it was open"):
            ledger.mark_undetected({"PK": (1.0, 2.0)})
        with pytest.raises(FanousError, match="removed or replaced"):
            ledger.undetected()
    aside.rename(file)
    assert ledger.undetected() == {}
    ledger.close()


def test_a_wrong_password_is_said_without_it(postgres_server: PostgresServer) -> None:
    with pytest.raises(FanousError, match="password authentication failed") as refusal:
        Ledger(f"postgresql://fanous:wrong-one@127.0.0.1:{postgres_server.port}/postgres")
    assert "wrong-one" not in str(refusal.value)
    assert PASSWORD not in str(refusal.value)


def test_a_character_that_a_server_cannot_keep_is_not_a_bug(postgres_server: PostgresServer) -> None:
    ledger = Ledger(postgres_server.new_database())
    with pytest.raises(FanousError, match="remove it"):
        ledger.approve(Approval("PK-2023-0001", 1, "A\0yesha", 1.0))
    assert ledger.approvals() == {}
    ledger.close()


def test_a_server_that_was_restarted_is_found_again(postgres_server: PostgresServer) -> None:
    ledger = Ledger(postgres_server.new_database())
    assert ledger.undetected() == {}
    postgres_server.cut_all()
    ledger.mark_undetected({"PK": (1.0, 2.0)})
    assert ledger.undetected() == {"PK": (1.0, 2.0)}
    ledger.close()


def test_processes_that_start_at_once_make_the_tables_once(ledger_url: str) -> None:
    failed: list[FanousError] = []

    def start() -> None:
        database = Database(ledger_url)
        try:
            with database.making():
                pass
        except FanousError as error:
            failed.append(error)
        database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_ledger_that_is_damaged_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"no database " * 1000)
    with pytest.raises(FanousError, match="it is damaged: restore it from a backup"):
        Ledger(f"sqlite:///{tmp_path / 'noise'}")


def test_a_ledger_for_which_no_descriptor_is_left_blames_no_permission(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger'}")  # its modules are loaded while there are some
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with (
            pytest.raises(FanousError, match="no more files can be opened: raise the limit"),
            database.making(),
        ):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_ledger_that_may_not_grow_names_the_limit(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger'}")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(FanousError, match="raise the limit of the size of files"), database.making():
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        database.close()
