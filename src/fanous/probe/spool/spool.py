"""Spool: a folder with one file for each measurement that no collector has acknowledged yet.

A name is the time it was put there and a hash of its content: sorted, they stand oldest first, and the same
measurement put twice is there once.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fanous.errors import FanousError

SUFFIX, TEMPORARY = ".json", ".tmp"
REFUSED = "refused"
"""Folder, within the spool, of what a collector will never take, each beside its reason."""

HALF_WRITTEN_SECONDS = 3600.0

MOST_BYTES = 512 << 20
"""A phone's share; the oldest is never dropped for the newest, so a full spool is said aloud."""


@dataclass(frozen=True, slots=True, order=True)
class Spooled:
    """One measurement on the disk; they sort oldest first."""

    name: str
    path: Path

    def document(self) -> bytes:
        """One JSON document in OONI's data format."""
        return self.path.read_bytes()


class Spool:
    """Any number of processes may put; one at a time sends (``sending``)."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        try:
            _make_folder(folder)
            _make_folder(folder / REFUSED)
        except OSError as error:
            raise FanousError(f"cannot make the spool {folder}: {error}; name another folder") from error

    def put(self, document: bytes) -> Spooled:
        """Keep a measurement; when this returns it would survive a power cut.

        Raises:
            FanousError: the spool or the disk is full, or cannot be written.
        """
        digest = sha256(document).hexdigest()[:16]
        waiting = self.waiting()
        for one in waiting:
            if one.name.endswith(f"-{digest}{SUFFIX}"):
                return one
        if len(document) + sum(_size(one.path) for one in waiting) > self._most_bytes:
            raise FanousError(f"the spool {self.folder} is full: send it, or remove what is not wanted")
        newest = int(waiting[-1].name.partition("-")[0]) if waiting else 0
        # A clock set back must not make the new older than what waits.
        name = f"{max(time.time_ns(), newest + 1):020d}-{digest}{SUFFIX}"
        path = self.folder / name
        try:
            _write_durably(path, document)
        except OSError as error:
            raise FanousError(f"cannot write to the spool {self.folder}: {error.strerror}") from error
        return Spooled(name, path)

    def waiting(self) -> list[Spooled]:
        """What was not acknowledged yet, oldest first."""
        return sorted(
            Spooled(entry.name, Path(entry.path))
            for entry in os.scandir(self.folder)
            if entry.name.endswith(SUFFIX) and entry.name[:20].isdigit()
        )

    def acknowledged(self, one: Spooled) -> None:
        """A collector has it; should a power cut undo this, it is sent again and known there."""
        one.path.unlink(missing_ok=True)

    def delete_all(self) -> int:
        """Delete what waits and what was refused: its author withdrew.  How many there were."""
        waiting = self.waiting()
        for one in waiting:
            one.path.unlink(missing_ok=True)
        refused = [path for path in (self.folder / REFUSED).iterdir() if path.suffix == SUFFIX]
        for path in refused:
            path.unlink(missing_ok=True)
            path.with_suffix(".why").unlink(missing_ok=True)
        return len(waiting) + len(refused)

    def refuse(self, one: Spooled, why: str) -> None:
        """Set aside what a collector will never take, so that what follows is sent; nothing is deleted."""
        aside = self.folder / REFUSED / one.name
        aside.with_suffix(".why").write_text(why + "\n", encoding="utf-8")
        one.path.rename(aside)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """The right to send, for one process at a time; what a killed one left half-written goes.

        Raises:
            FanousError: another process is sending.
        """
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise FanousError(
                f"another process is sending the spool {self.folder}: wait for it", permanent=False
            ) from None
        try:
            self._sweep()
            yield
        finally:
            os.close(descriptor)

    def _sweep(self) -> None:
        """Remove what a killed ``put`` left half-written; a young one may be being written just now."""
        for path in self.folder.glob(f"*{TEMPORARY}"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - HALF_WRITTEN_SECONDS:
                    path.unlink()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # acknowledged meanwhile
        return 0


def _make_folder(folder: Path) -> None:
    """With each entry on the disk; for nobody else to read, since it says what somebody measured."""
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync(folder.parent)


def _write_durably(path: Path, content: bytes) -> None:
    """Under its name there is all of it or nothing, whatever happens."""
    temporary = path.with_name(path.name + TEMPORARY)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
