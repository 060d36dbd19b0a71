"""What was written is on the disk, whole lines only, and a sealed file does not change."""

import os
from pathlib import Path

import pytest

from fanous.collector.inbox import PART, SEAL_BYTES, SEALED, Journal
from fanous.errors import FanousError


def files(folder: Path, suffix: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob(f"*{suffix}"))]


def test_what_is_written_is_in_the_file_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a" / "b")
    journal.write([b"one", b"two"], 1.0)
    journal.write([b"three"], 2.0)
    assert files(tmp_path / "a" / "b", PART) == [b"one\ntwo\nthree\n"]
    journal.seal()
    journal.seal()
    assert files(tmp_path / "a" / "b", SEALED) == [b"one\ntwo\nthree\n"]
    assert files(tmp_path / "a" / "b", PART) == []


def test_files_stand_in_the_order_of_receipt(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(12):
        journal.write([b"%d" % number], 5.0)
        journal.seal()
    assert files(tmp_path, SEALED) == [b"%d\n" % number for number in range(12)]


def test_a_large_file_is_sealed_by_itself(tmp_path: Path) -> None:
    Journal(tmp_path).write([b"x" * SEAL_BYTES], 1.0)
    assert len(files(tmp_path, SEALED)) == 1


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        (b"one\ntwo\n", [b"one\ntwo\n"]),
        (b"one\ntw", [b"one\n"]),
        (b"on", []),
        (b"", []),
    ],
)
def test_what_a_killed_writer_left_is_sealed_without_its_torn_end(
    left: bytes, kept: list[bytes], tmp_path: Path
) -> None:
    (tmp_path / f"00000000001000-1-000001{PART}").write_bytes(left)
    Journal(tmp_path).write([b"new"], 9.0)
    assert files(tmp_path, SEALED) == kept
    assert files(tmp_path, PART) == [b"new\n"]


def test_a_write_that_fails_leaves_what_was_acknowledged_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.write([b"one"], 1.0)
    write = os.write

    def full(descriptor: int, data: memoryview) -> int:
        if len(data) > 3:
            return write(descriptor, data[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FanousError, match="free some space"):
        journal.write([b"two", b"three"], 2.0)
    monkeypatch.undo()
    journal.write([b"four"], 3.0)
    assert files(tmp_path, SEALED) == [b"one\n"]
    assert files(tmp_path, PART) == [b"four\n"]


def test_a_disk_that_fails_altogether_leaves_the_torn_file_to_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.write([b"one"], 1.0)

    def fails(*_of: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fails)
        broken.setattr(os, "ftruncate", fails)
        with pytest.raises(OSError, match="Input/output"):
            journal.write([b"two"], 2.0)
    journal.write([b"three"], 3.0)
    journal.seal()
    assert files(tmp_path, SEALED) == [b"three\n"]
    Journal(tmp_path)
    assert files(tmp_path, SEALED) == [b"one\ntwo\n", b"three\n"]


def test_a_first_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_of: object) -> None:
        raise OSError(28, "No space left on device")

    journal = Journal(tmp_path)
    monkeypatch.setattr(os, "fdatasync", fails)
    with pytest.raises(FanousError):
        journal.write([b"one"], 1.0)
    assert list(tmp_path.iterdir()) == []


def test_no_one_else_may_read_it(tmp_path: Path) -> None:
    Journal(tmp_path).write([b"one"], 1.0)
    (path,) = tmp_path.glob(f"*{PART}")
    assert path.stat().st_mode & 0o077 == 0
