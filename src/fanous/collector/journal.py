"""Journal: append-only files in one folder; a batch of lines is on disk when ``write`` returns.

The file being written ends in ``.jsonl.part``.  Once sealed it ends in ``.jsonl`` and its writer never
touches it again: the owner of the store may take and remove it.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fanous.files import disk_errors, make_folder, sync

SEALED = ".jsonl"
PART = ".jsonl.part"

_NAME = re.compile(r"[0-9]{14,}-[0-9]+-[0-9]{6,}")
"""Milliseconds, process, count: see ``Journal._begin``."""


def is_written(path: Path, ending: str) -> bool:
    """Is it a file that a journal wrote?  Any other file in the folder belongs to someone else, and is never
    touched."""
    return path.name.endswith(ending) and bool(_NAME.fullmatch(path.name.removesuffix(ending)))


SEAL_BYTES = 32 << 20
"""Some 10,000 measurements: what a store takes in one batch, and few new files at full speed."""


class Journal:
    """The one writer of a folder.

    Attributes:
        written: bytes in the file being written; 0 = there is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0
        self._descriptor = -1
        self._path = folder
        self._count = 0
        with disk_errors(f"write to the inbox {folder}"):
            make_folder(folder)
            for path in sorted(folder.glob(f"*{PART}")):
                if is_written(path, PART):
                    self._recover(path)

    def write(self, lines: Sequence[bytes], now: float) -> None:
        """Append lines; once this returns they would survive a power cut.

        Args:
            now: unix seconds, UTC; part of a new file's name.

        Raises:
            FanousError: the disk is full or failing; then none of the lines is kept.
        """
        data = b"".join(line + b"\n" for line in lines)
        with disk_errors(f"write to the inbox {self.folder}"):
            if self._descriptor < 0:
                self._begin(now)
            try:
                _write_whole(self._descriptor, data)
                os.fdatasync(self._descriptor)
            except OSError:
                self._give_up()
                raise
        self.written += len(data)
        if self.written >= SEAL_BYTES:
            self.seal()

    def seal(self) -> None:
        """Finish the file being written, if there is one, so that the store may take it."""
        if self._descriptor < 0:
            return
        with disk_errors(f"write to the inbox {self.folder}"):
            os.close(self._descriptor)
            self._descriptor, self.written = -1, 0
            _rename_sealed(self._path)

    def _begin(self, now: float) -> None:
        self._count += 1
        path = self.folder / f"{int(now * 1000):014d}-{os.getpid()}-{self._count:06d}{PART}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._path, self.written = path, 0
        sync(self.folder)

    def _give_up(self) -> None:
        """After a failed write or fsync it is unknown what the file holds beyond what was acknowledged:
        truncate it there, and continue in another file.  If even that fails, the next start does it."""
        descriptor, written = self._descriptor, self.written
        self._descriptor, self.written = -1, 0
        with suppress(OSError):
            os.ftruncate(descriptor, written)
            os.fsync(descriptor)
            if written:
                _rename_sealed(self._path)
            else:
                self._path.unlink()
        os.close(descriptor)

    def _recover(self, path: Path) -> None:
        """Seal what a killed writer left; an incomplete last line was never acknowledged."""
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if not whole:
            path.unlink()
            return
        if whole < len(content):
            os.truncate(path, whole)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _rename_sealed(path)


def _write_whole(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _rename_sealed(path: Path) -> None:
    """Rename without syncing the folder, which would delay acknowledgements: the content is on disk under either name,
    and after a power cut the next start seals it again."""
    path.rename(path.with_name(path.name.removesuffix(PART) + SEALED))
