"""Disk: writes that survive a power cut, and errors that tell an operator what to do."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fanous.errors import FanousError
from fanous.overwrite import sync

FULL = "free some space and try again: nothing that was acknowledged is lost"
_WHAT_TO_DO = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: "the file size limit is reached (see ulimit -f): raise it and try again",
    errno.EACCES: "give this user write permission there, or choose another store",
    errno.EPERM: "give this user write permission there, or choose another store",
    errno.EROFS: "the file system is read-only: choose another store",
    errno.ENOENT: "choose a path that exists",
    errno.EEXIST: "part of that path is a file: choose another store",
    errno.ENOTDIR: "part of that path is a file: choose another store",
}


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn a file system error that an operator can fix into a ``FanousError``."""
    try:
        yield
    except OSError as error:
        advice = _WHAT_TO_DO.get(error.errno or 0)
        if advice is None:
            raise
        where = f" ({error.filename})" if error.filename else ""
        raise FanousError(f"cannot {what}: {error.strerror}{where}; {advice}") from error


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, each entry durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def write_durably(path: Path, content: bytes, temporary_suffix: str, written_at: float) -> None:
    """Write a file atomically: its name has all of the content or nothing, whatever happens.

    Args:
        written_at: the file's modification time; unix seconds, UTC.
    """
    temporary = path.with_name(path.name + temporary_suffix)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.utime(file.fileno(), (written_at, written_at))
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    temporary.rename(path)
    sync(path.parent)
