"""Disk: writing so that it survives a power cut, and saying what an operator can mend."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fanous.errors import FanousError

FULL = "free some space and run it again: nothing that was acknowledged is lost"
_WHAT_TO_DO = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: "the file size limit is reached (see ulimit -f): raise it and run it again",
    errno.EACCES: "give this user the right to write there, or name another store",
    errno.EPERM: "give this user the right to write there, or name another store",
    errno.EROFS: "the file system is read-only: name another store",
    errno.ENOENT: "name a place that is there",
    errno.EEXIST: "a part of that path is a file: name another store",
    errno.ENOTDIR: "a part of that path is a file: name another store",
}


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn an error of the file system that an operator can mend into a ``FanousError``."""
    try:
        yield
    except OSError as error:
        advice = _WHAT_TO_DO.get(error.errno or 0)
        if advice is None:
            raise
        where = f" ({error.filename})" if error.filename else ""
        raise FanousError(f"cannot {what}: {error.strerror}{where}; {advice}") from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each entry on the disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """A rename is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes, temporary_suffix: str, written_at: float) -> None:
    """Write a file so that under its name there is all of it or nothing, whatever happens.

    Args:
        written_at: the time that the file bears; unix seconds, UTC.
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
    sync_folder(path.parent)
