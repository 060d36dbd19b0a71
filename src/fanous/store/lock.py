"""Lock: one process owns an embedded store, and a second one is told which.

The engine refuses a second process too, but without a word.  The kernel holds the lock (``flock``), so it
is free the moment its owner dies, by whatever death; the file's text only says who that is.
"""

import fcntl
import os
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.store.disk import disk_errors

FACTS = "facts"
"""Folder of the facts, and of its lock the name."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a store.

    Attributes:
        since: unix seconds, UTC.
    """

    pid: int
    command: str
    since: float

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}), since {to_iso(self.since)}"


class StoreHeld(FanousError):
    """Another process has the store.

    Attributes:
        lock: the lock's file; what belongs to this very store stands beside it.
    """

    def __init__(self, message: str, lock: Path) -> None:
        super().__init__(message, permanent=False)
        self.lock = lock


class StoreLock:
    """Held from construction to ``release``.

    Attributes:
        left_by: the owner that died without releasing it; ``None`` = it was released in order.
    """

    def __init__(self, path: Path) -> None:
        with disk_errors(f"lock the store with {path}"):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(self._descriptor)
            os.close(self._descriptor)
            raise StoreHeld(_refusal(path, owner), path) from None
        self.left_by = _owner(self._descriptor)
        command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
        try:
            with disk_errors(f"lock the store with {path}"):
                _write(self._descriptor, msgspec.json.encode(Owner(os.getpid(), command, time.time())))
        except BaseException:
            self._forget()
            raise
        # A forked child shares the lock and would keep it when its parent is killed.
        os.register_at_fork(after_in_child=self._forget)

    def release(self) -> None:
        """Give the store up; the empty file says that it was done in order."""
        if self._descriptor >= 0:
            _write(self._descriptor, b"")
            self._forget()

    def _forget(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _refusal(path: Path, owner: Owner | None) -> str:
    # The lock of an ordinary store lies in its folder, that of a folder of facts elsewhere beside it.
    store = path.parent if path.stem == FACTS else path.with_suffix("")
    if owner and owner.pid == os.getpid():
        return f"this process already has the store at {store} open: close that one first"
    who = str(owner) if owner else "another process"
    stop = f"stop it (kill {owner.pid}) or wait for it" if owner else "stop it or wait for it"
    return f"the store at {store} is held by {who}: {stop}, or name another store with --store"


def _owner(descriptor: int) -> Owner | None:
    """``None`` = nobody is named (released in order, or just being written)."""
    try:
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Owner)
    except msgspec.MsgspecError:
        return None


def _write(descriptor: int, text: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text, 0)
