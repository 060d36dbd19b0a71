"""Journal: files of one folder that only grow; a batch of lines is on the disk when ``write`` returns.

The file being written ends in ``.jsonl.part``.  Sealed, it is ``.jsonl`` and never touched again by its
writer: whoever owns the store may take it and remove it.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fanous.store.disk import disk_errors, make_folder, sync_folder

SEALED = ".jsonl"
PART = ".jsonl.part"

_NAME = re.compile(r"[0-9]{14,}-[0-9]+-[0-9]{6,}")
"""Milliseconds, process, count: see ``Journal._begin``."""


def is_written(path: Path, ending: str) -> bool:
    """Is it a file that a journal wrote?  Whatever else lies in the folder is somebody's, and is never touched."""
    return path.name.endswith(ending) and bool(_NAME.fullmatch(path.name.removesuffix(ending)))


SEAL_BYTES = 32 << 20
"""Some 10,000 measurements: as much as a store takes in one batch, and few new files at full speed."""


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
        """Append lines; when this returns they would survive a power cut.

        Args:
            now: unix seconds, UTC; part of the name of a file that begins.

        Raises:
            FanousError: the disk is full or the like; then none of them is kept.
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
        """End the file being written, if there is one; it is there for the store then."""
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
        sync_folder(self.folder)

    def _give_up(self) -> None:
        """After a failed write or fsync nobody knows what the file holds beyond what was acknowledged: cut it
        there, and go on in another file.  Where even that fails, the next start does it."""
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
        """Seal what a killed writer left; a last line without its end was never acknowledged."""
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
    """Without a sync of the folder, which would keep acknowledgements waiting: the content is on the disk
    under either name, and the next start seals what a power cut unsealed."""
    path.rename(path.with_name(path.name.removesuffix(PART) + SEALED))
