"""A command replaces what it wrote itself, whole, and nothing else."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fanous.base import overwrite
from fanous.base.overwrite import RECORD, check_file, file_aside, nothing, write_file, write_files
from fanous.errors import FanousError
from tests.children import child_environment


def ours(path: Path) -> bool:
    return path.read_bytes().startswith(b"ours")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- one file -------------------------------------------------------------------------------------


def test_a_file_of_our_own_is_replaced_and_another_is_not(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"ours 1", ours)
    write_file(path, b"ours 2", ours)
    assert path.read_bytes() == b"ours 2"
    with pytest.raises(FanousError, match="already there"):
        write_file(path, b"ours 3", nothing)
    path.write_bytes(b"theirs")
    with pytest.raises(FanousError, match="already there"):
        write_file(path, b"ours 3", ours)
    assert path.read_bytes() == b"theirs"
    assert names(tmp_path) == {"file"}


def test_a_link_to_our_own_file_counts_as_someone_elses(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"ours")
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(FanousError, match="a link to file is already there"):
        write_file(tmp_path / "link", b"ours 2", ours)
    assert (tmp_path / "link").is_symlink()


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FanousError, match="a device, pipe or socket"):
        check_file(tmp_path / "pipe", ours)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match=f"there is no folder {tmp_path}/none"):
        write_file(tmp_path / "none" / "file", b"ours", ours)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write anywhere but on a read-only file system."""
    former = os.geteuid()
    if former == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(former)


@pytest.mark.skipif(os.geteuid() != 0, reason="not present: root, for file systems of its own")
def test_a_read_only_file_system_is_not_called_a_lack_of_permission(tmp_path: Path) -> None:
    check = f"from fanous.base.overwrite import *; check_file(Path('{tmp_path}/x.zip'), bool)"
    mounted = f'mount -t tmpfs -o ro none {tmp_path}; exec {sys.executable} -c "{check}"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mounted], stderr=subprocess.PIPE, text=True, env=child_environment()
    )
    assert "the file system is read-only around the folder" in done.stderr


def test_a_folder_in_which_nothing_may_be_written_is_named_before_any_work() -> None:
    with (
        as_nobody(),
        pytest.raises(
            FanousError, match=r"^cannot write /usr/x\.zip: no permission to write in the folder /usr"
        ),
        file_aside(Path("/usr/x.zip"), ours),
    ):
        pytest.fail("the work began")


def test_what_fails_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"ours 1")
    with pytest.raises(ZeroDivisionError), file_aside(path, ours) as aside:
        aside.write_bytes(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"ours 1"
    assert names(tmp_path) == {"file"}


def test_what_came_in_the_meantime_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(FanousError, match="already there"), file_aside(path, ours) as aside:
        aside.write_bytes(b"ours")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"


def test_a_process_that_is_killed_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"ours 1")
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom fanous.base.overwrite import file_aside\n"
        "with file_aside(Path(sys.argv[1]), lambda _: True) as aside:\n"
        "    aside.write_bytes(b'half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"ours 1"


# --- a folder -------------------------------------------------------------------------------------


def test_files_are_replaced_as_long_as_they_are_as_they_were_written(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert write_files(folder, {"a": b"1", "b": b"1"}) == [folder / "a", folder / "b"]
    write_files(folder, {"a": b"2"})
    write_files(folder, {"b": b"2"})
    assert ((folder / "a").read_bytes(), (folder / "b").read_bytes()) == (b"2", b"2")
    assert names(folder) == {"a", "b", RECORD}
    (folder / "b").write_bytes(b"mine")
    with pytest.raises(FanousError, match=f"{folder}/b: a file that Fanous did not write"):
        write_files(folder, {"a": b"3", "b": b"3"})
    assert ((folder / "a").read_bytes(), (folder / "b").read_bytes()) == (b"2", b"mine")


def test_the_record_is_read_by_sha256sum(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": b"1", "b": b"2"})
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", RECORD], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "a: OK\nb: OK\n"


@pytest.mark.parametrize("record", ["", "letter", f"{'0' * 64}  a\n", f"{overwrite._HEAD}letter\n"])
def test_another_record_does_not_make_a_folder_ours(tmp_path: Path, record: str) -> None:
    (tmp_path / RECORD).write_text(record)
    with pytest.raises(FanousError, match="it holds files that Fanous did not write"):
        write_files(tmp_path, {"a": b"1"})
    assert names(tmp_path) == {RECORD}
    assert (tmp_path / RECORD).read_text() == record


@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_what_was_interrupted_is_completed_by_doing_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """After so many files, in an empty folder and in one that was written before."""
    for folder in (tmp_path / "empty", tmp_path / "full"):
        folder.mkdir()
        if folder.name == "full":
            write_files(folder, {"a": b"1", "b": b"1"})
        left, real = [before], overwrite.replace_file

        def replace_file(path: Path, data: bytes, left: list[int] = left, real: Any = real) -> None:
            if not left[0]:
                path.with_name(f".{path.name}.77").write_bytes(b"half")
                raise KeyboardInterrupt
            left[0] -= 1
            real(path, data)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(overwrite, "replace_file", replace_file)
            write_files(folder, {"a": b"2", "b": b"2"})
        write_files(folder, {"a": b"3", "b": b"3"})
        assert ((folder / "a").read_bytes(), (folder / "b").read_bytes()) == (b"3", b"3")
