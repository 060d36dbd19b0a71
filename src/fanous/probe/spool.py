"""Spool: a probe's measurements on its own disk, one file each, until a collector has acknowledged them.

A measurement is on disk when ``put`` returns, and leaves the spool only once it is acknowledged (``upload``).  If
killed at any point, the probe resumes where it was: if the acknowledgement was lost, the collector recognises the
measurement by its content.  Nothing of the server is imported here.

A file name is the time of arrival and a hash of the content: sorted by name, the oldest comes first, and the
same measurement put twice is stored once.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fanous.base.files import locked, make_folder, write_durably
from fanous.errors import FanousError

SUFFIX, TEMPORARY = ".json", ".tmp"
REFUSED = "refused"
"""Folder in the spool for what a collector will never accept, each next to its reason."""

HALF_WRITTEN_SECONDS = 3600.0

MOST_BYTES = 512 << 20
"""What a phone can spare; the oldest is never dropped for the newest, so a full spool is reported."""


@dataclass(frozen=True, slots=True, order=True)
class Spooled:
    """One measurement on the disk; they sort oldest first."""

    name: str
    path: Path

    def document(self) -> bytes:
        """One JSON document in OONI's data format."""
        return self.path.read_bytes()


class Spool:
    """Any number of processes may put; only one at a time sends (``sending``)."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        try:
            make_folder(folder)
            make_folder(folder / REFUSED)
        except OSError as error:
            raise FanousError(f"cannot create the spool {folder}: {error}; choose another folder") from error

    def put(self, document: bytes) -> Spooled:
        """Keep a measurement; once this returns, it survives a power cut.

        Raises:
            FanousError: the spool or the disk is full, or cannot be written.
        """
        digest = sha256(document).hexdigest()[:16]
        waiting = self.waiting()
        for spooled in waiting:
            if spooled.name.endswith(f"-{digest}{SUFFIX}"):
                return spooled
        if len(document) + sum(_size(spooled.path) for spooled in waiting) > self._most_bytes:
            raise FanousError(f"the spool {self.folder} is full: send it, or delete what you do not need")
        newest = int(waiting[-1].name.partition("-")[0]) if waiting else 0
        # If the clock is set back, a new entry must still sort after those waiting.
        name = f"{max(time.time_ns(), newest + 1):020d}-{digest}{SUFFIX}"
        path = self.folder / name
        try:
            write_durably(path, document, TEMPORARY, time.time())
        except OSError as error:
            raise FanousError(f"cannot write to the spool {self.folder}: {error.strerror}") from error
        return Spooled(name, path)

    def waiting(self) -> list[Spooled]:
        """What is not yet acknowledged, oldest first."""
        return sorted(
            Spooled(entry.name, Path(entry.path))
            for entry in os.scandir(self.folder)
            if entry.name.endswith(SUFFIX) and entry.name[:20].isdigit()
        )

    def acknowledged(self, spooled: Spooled) -> None:
        """Remove an entry that a collector has; if a power cut undoes this, it is sent again and recognised
        there.
        """
        spooled.path.unlink(missing_ok=True)

    def delete_all(self) -> int:
        """Delete what waits and what was refused, because consent was withdrawn; returns how many there were."""
        waiting = self.waiting()
        for spooled in waiting:
            spooled.path.unlink(missing_ok=True)
        refused = [path for path in (self.folder / REFUSED).iterdir() if path.suffix == SUFFIX]
        for path in refused:
            path.unlink(missing_ok=True)
            path.with_suffix(".why").unlink(missing_ok=True)
        return len(waiting) + len(refused)

    def refuse(self, spooled: Spooled, why: str) -> None:
        """Set aside what a collector will never accept, so that the rest is sent; nothing is deleted."""
        aside = self.folder / REFUSED / spooled.name
        aside.with_suffix(".why").write_text(why + "\n", encoding="utf-8")
        spooled.path.rename(aside)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """The right to send, for one process at a time; removes what a killed process left half-written.

        Raises:
            FanousError: another process is sending.
        """
        busy = f"another process is sending from the spool {self.folder}: wait until it has finished"
        descriptor = locked(self.folder / "lock", busy)
        try:
            # Remove what a killed ``put`` left half-written, except recent files, which may still be in use.
            for path in self.folder.glob(f"*{TEMPORARY}"):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < time.time() - HALF_WRITTEN_SECONDS:
                        path.unlink()
            yield
        finally:
            os.close(descriptor)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # acknowledged in the meantime
        return 0
