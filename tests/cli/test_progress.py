"""How far a long command is, for people only."""

import io
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from fanous.cli.ingest import file_progress


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return Terminal()


def sized(path: Path, size: int) -> Path:
    path.write_bytes(b"x" * size)
    return path


def test_off_a_terminal_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with file_progress([sized(tmp_path / "a.jsonl", 10)]) as moved:
        assert moved is None
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_it_shows_file_share_and_remaining_time(tmp_path: Path, terminal: Terminal) -> None:
    first, second = sized(tmp_path / "first.jsonl", 300_000), sized(tmp_path / "second.jsonl", 100_000)
    with redirect_stderr(terminal), file_progress([first, second]) as moved:
        assert moved is not None
        moved(first, 300_000)
        moved(second, 50_000)
        moved(second, 100_000)
    shown = terminal.getvalue()
    assert "second.jsonl" in shown
    assert "400.0/400.0 kB" in shown
    assert "0:00:00" in shown


def test_bytes_of_a_file_are_a_position_and_are_not_added_up(tmp_path: Path, terminal: Terminal) -> None:
    path = sized(tmp_path / "a.jsonl", 400_000)
    with redirect_stderr(terminal), file_progress([path]) as moved:
        assert moved is not None
        for _ in range(5):
            moved(path, 100_000)
    assert "100.0/400.0 kB" in terminal.getvalue()


def test_a_name_in_square_brackets_is_no_markup(tmp_path: Path, terminal: Terminal) -> None:
    path = sized(tmp_path / "a[red].jsonl", 10)
    with redirect_stderr(terminal), file_progress([path]) as moved:
        assert moved is not None
        moved(path, 10)
    assert "a[red].jsonl" in terminal.getvalue()


def test_files_that_are_missing_or_empty_do_no_harm(tmp_path: Path, terminal: Terminal) -> None:
    empty = sized(tmp_path / "empty.jsonl", 0)
    with redirect_stderr(terminal), file_progress([empty, tmp_path / "none.jsonl", tmp_path]) as moved:
        assert moved is not None
        moved(empty, 0)


def test_an_error_inside_is_not_swallowed(tmp_path: Path, terminal: Terminal) -> None:
    with pytest.raises(KeyError), redirect_stderr(terminal), file_progress([tmp_path / "a"]):
        raise KeyError
