import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.store.location import Owner, StoreLock

HOLD = """
import sys, time
from pathlib import Path
from fanous.store.location import StoreLock
path = Path(sys.argv[1])
lock = StoreLock(path, path.with_suffix(""))
print("held", flush=True)
time.sleep(60)
"""


def lock_at(path: Path) -> StoreLock:
    """The lock of the folder that it is named after."""
    return StoreLock(path, path.with_suffix(""))


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_the_store_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "facts.lock"
    with holder(path) as process:
        with pytest.raises(FanousError) as refusal:
            lock_at(path)
        process.kill()
    said = str(refusal.value)
    assert f"process {process.pid} (-c {path})" in said
    assert f"kill {process.pid}" in said
    assert time.strftime("since %Y-%m-%dT", time.gmtime()) in said
    assert "--store" in said
    assert not refusal.value.permanent


@pytest.mark.parametrize(("lock", "store"), [("facts.lock", ""), ("east.lock", "/east")])
def test_the_store_is_named_by_its_own_folder(tmp_path: Path, lock: str, store: str) -> None:
    held = lock_at(tmp_path / lock)
    with pytest.raises(FanousError, match=f"the store at {tmp_path}{store} open: close it first"):
        lock_at(tmp_path / lock)
    held.release()


def test_the_lock_of_a_killed_process_is_taken_over_and_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "facts.lock"
    with holder(path) as process:
        process.kill()
    lock = lock_at(path)
    assert lock.left_by is not None
    assert lock.left_by.pid == process.pid
    lock.release()


def test_a_lock_released_in_order_names_no_one(tmp_path: Path) -> None:
    path = tmp_path / "facts.lock"
    lock_at(path).release()
    lock = lock_at(path)
    assert lock.left_by is None
    lock.release()
    lock.release()


def test_a_store_open_twice_in_one_process_is_refused(tmp_path: Path) -> None:
    lock = lock_at(tmp_path / "facts.lock")
    with pytest.raises(FanousError, match="this process already has"):
        lock_at(tmp_path / "facts.lock")
    lock.release()


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "facts.lock"
    fork = """
import os, sys, time
from pathlib import Path
from fanous.store.location import StoreLock
path = Path(sys.argv[1])
lock = StoreLock(path, path.with_suffix(""))
child = os.fork()
if child == 0:
    sys.stdout.close()
    os.close(1)
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", fork, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        lock_at(path).release()
    finally:
        os.kill(int(done.stdout), 9)


@pytest.mark.parametrize("text", ["", '{"pid":', '{"pid":"seven"}', "\0" * 60])
def test_a_lock_file_that_was_cut_off_or_damaged_can_be_taken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "facts.lock"
    path.write_text(text)
    lock = lock_at(path)
    assert lock.left_by is None
    lock.release()


@pytest.mark.parametrize("text", ["dear diary", "{}", '{"pid":' + " " * 5000])
def test_a_file_of_someone_else_is_no_lock_and_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / "facts.lock"
    path.write_text(text)
    with pytest.raises(FanousError, match="already there"):
        lock_at(path)
    assert path.read_text() == text


def test_an_owner_is_written_for_people() -> None:
    assert str(Owner(7, "fanous run", 0.0)) == "process 7 (fanous run), since 1970-01-01T00:00:00Z"


def test_a_disk_that_is_full_is_said_and_nothing_stays_locked(tmp_path: Path) -> None:
    path = tmp_path / "facts.lock"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(FanousError, match="raise it and try again"):
            lock_at(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    lock_at(path).release()
