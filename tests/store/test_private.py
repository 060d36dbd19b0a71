"""A store is closed to the other users of its machine, however it was made, and whoever removes its lock."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.base.files import close_to_others
from fanous.collector.inbox import Journal
from fanous.errors import FanousError
from fanous.store.local import open_store
from fanous.store.location import StoreHeld, in_folder
from tests.children import child_environment
from tests.commands import fanous

OTHERS = 0o077

NOBODY = 65_534


def open_to_others(folder: Path) -> list[str]:
    """What other users can reach: the folder itself, and everything in it that no closed folder protects."""
    found = [folder] if folder.stat().st_mode & OTHERS else []
    for path in folder.rglob("*"):
        is_shut_off = any(
            not parent.stat().st_mode & OTHERS for parent in path.parents if folder in parent.parents
        )
        if not path.is_symlink() and path.stat().st_mode & OTHERS and not is_shut_off:
            found.append(path)
    return [f"{stat.filemode(path.stat().st_mode)} {path}" for path in found]


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that every user of the machine can enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="fanous-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_what_a_store_and_an_inbox_hold_is_their_users_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with open_store(tmp_path / "made" / "store"):
            assert open_to_others(tmp_path / "made" / "store") == []
        journal = Journal(tmp_path / "made" / "inbox" / "apart")
        journal.write([b"{}"], 0.0)
        journal.seal()
    finally:
        os.umask(before)
    assert open_to_others(tmp_path / "made") == []


def test_a_store_that_others_could_read_is_closed_to_them_when_it_is_opened(tmp_path: Path) -> None:
    with open_store(tmp_path / "store"):
        pass
    for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o777 if path.is_dir() else 0o666)
    (tmp_path / "inbox").mkdir(mode=0o755)
    with open_store(tmp_path / "store", read_only=True):
        Journal(tmp_path / "inbox")
    location = in_folder(tmp_path / "store")
    named = (location.locked, location.archive, location.lock, tmp_path / "store", tmp_path / "inbox")
    for path in (*named, tmp_path / "store" / "ledger.sqlite"):
        assert not path.stat().st_mode & OTHERS, path


def test_what_belongs_to_someone_else_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(0o644)
    file.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
        close_to_others(file)
    close_to_others(tmp_path / "missing")
    assert file.stat().st_mode & OTHERS == 0o044
    close_to_others(link)
    assert not file.stat().st_mode & OTHERS, "this user's link leads to this user's file"


_LOCKS = """
import fcntl, os, sys
try:
    fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
except PermissionError:
    sys.exit(13)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("name", ["facts.lock", "facts", "ledger.sqlite", "archive"])
def test_another_user_can_neither_read_nor_lock_it(reachable: Path, name: str) -> None:
    """They could keep `fanous run` from starting, with permission to read and nothing else."""
    with open_store(reachable / "store"):
        pass
    tries = [sys.executable, "-I", "-c", _LOCKS, str(reachable / "store" / name)]
    assert subprocess.run(tries, user=NOBODY, group=NOBODY, cwd="/").returncode == 13
    assert subprocess.run(tries).returncode == 0, "its owner can"


_HOLDS = """
import sys
from pathlib import Path
from fanous.store.local import open_store
with open_store(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_store_whose_lock_was_removed_is_still_held(tmp_path: Path) -> None:
    """And nothing that is said would have its user remove what is in use."""
    store = tmp_path / "store"
    held = [sys.executable, "-c", _HOLDS, str(store)]
    with subprocess.Popen(
        held, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=child_environment()
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"open\n"
        for _ in range(2):
            in_folder(store).lock.unlink()
            with pytest.raises(StoreHeld, match="in use by another process: stop it or wait for it"):
                open_store(store)
        said = fanous("incidents", "list", "--store", store, code=1).stderr
        owner.communicate()
    assert "in use by another process" in said
    assert "delete" not in said
    with open_store(store):
        with pytest.raises(FanousError, match="this process already has"):
            open_store(store)
        in_folder(store).lock.unlink()
        with pytest.raises(StoreHeld):
            open_store(store)
