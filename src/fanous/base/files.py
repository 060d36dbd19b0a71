"""Files: reads those named by users, writes those that must survive a power cut, locks them, checks the limits of
this process, and says in errors what to do.

Only regular files are read, since a pipe, a socket or /dev/zero may never end, and never more of one than fits into
memory.
"""

import errno
import fcntl
import io
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fanous.errors import FanousError

# --- reading ----------------------------------------------------------------------------------------------

_KINDS = (
    (stat.S_ISFIFO, "a pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(path: Path) -> io.BufferedReader:
    """The file, open for reading; the checked file itself is read, even if another takes its place.

    Raises:
        FanousError: it is a folder, a pipe, a socket or a device.
        OSError: it cannot be opened.
    """
    # Without O_NONBLOCK, opening a pipe waits until someone writes to it; on a regular file it changes nothing.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _refuse_other(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most: int, what: str) -> bytes:
    """The whole content of a file that is read at once.

    Args:
        most: bytes that it may have.
        what: what it should be, such as "a calendar"; for the message.

    Raises:
        FanousError: it is not a regular file, or is larger.
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise FanousError(f"{path} has more than {most >> 20} MiB, so it cannot be {what}")
    return content


def text_of_regular(path: Path, most: int, what: str, encoding: str = "utf-8", errors: str = "strict") -> str:
    """The same as text, with ``\\n`` at the end of each line; raises ``UnicodeDecodeError`` as well."""
    return io.StringIO(read_regular(path, most, what).decode(encoding, errors), newline=None).read()


def check_regular(path: Path) -> None:
    """Raise ``FanousError`` if it is anything other than a file; for files that a library opens by name.

    One that does not exist passes: opening it will say so.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return
    _refuse_other(path, mode)


def _refuse_other(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise FanousError(f"{path} cannot be read: it is a folder, not a file. Name a file in it.")
    for is_kind, name in _KINDS:
        if is_kind(mode):
            raise FanousError(
                f"{path} is {name}, not a regular file: it might never end. Save its content to a file first"
            )


# --- writing ----------------------------------------------------------------------------------------------

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


PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
"""Permissions of whatever keeps measurements, incidents or keys, whatever the umask of the process."""


GROUP_FOLDER, GROUP_FILE = 0o770, 0o660
"""The same in a folder that was given to a group, so that users of this group alone can share it."""


def make_folder(folder: Path, mode: int = PRIVATE_FOLDER) -> None:
    """Create a folder and its missing parents, each entry durably, closed to other users."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode, exist_ok=True)
    sync(folder.parent)


OTHERS, STRANGERS = 0o077, 0o007
"""Permissions of everyone but the owner, and of everyone outside the group, too."""


def close_to_others(path: Path, others: int = OTHERS) -> None:
    """Take every permission on a file or folder of this user's from other users; one that is missing passes.

    What belongs to someone else, or is behind someone else's link, stays as it is.
    """
    with suppress(OSError):
        mode = path.stat().st_mode
        if mode & others and path.lstat().st_uid == path.stat().st_uid == os.geteuid():
            path.chmod(stat.S_IMODE(mode) & ~others)


def is_of_group(folder: Path) -> bool:
    """Did its owner give a folder, and all that is made in it, to a group (mode 2770)?"""
    bits = stat.S_ISGID | stat.S_IRWXG
    return folder.is_dir() and folder.stat().st_mode & bits == bits


def write_durably(path: Path, content: bytes, temporary_suffix: str, written_at: float) -> None:
    """Write a file that only this user can read, atomically: its name has all of the content or nothing, whatever
    happens.

    Args:
        written_at: the file's modification time; unix seconds, UTC.
    """
    temporary = path.with_name(path.name + temporary_suffix)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, PRIVATE_FILE), "wb") as file:
            file.write(content)
            file.flush()
            os.utime(file.fileno(), (written_at, written_at))
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    temporary.rename(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk: a rename is durable only when its folder is."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def locked(path: Path, busy: str) -> int:
    """A descriptor that holds the lock for this process until it is closed, or the process ends, however it ends.

    Raises:
        FanousError: another process has it; the message is ``busy``.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FanousError(busy, permanent=False) from None
    return descriptor


# --- limits of this process -------------------------------------------------------------------------------

NO_DESCRIPTOR = "no more files can be opened: raise the limit (`ulimit -n`, LimitNOFILE= of a unit)"


def allow_descriptors(least: int, who: str) -> None:
    """Let this process open at least this many files, by raising its soft limit.

    Args:
        who: what needs them, for the message.

    Raises:
        FanousError: its hard limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= least:
        return
    if hard != resource.RLIM_INFINITY and hard < least:
        raise FanousError(
            f"this process may open {hard} files (`ulimit -n`), and {who} needs {least}: raise that limit, or "
            "LimitNOFILE= of the unit"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (least, hard))


def is_descriptor_left() -> bool:
    """Whether this process can open one more file; for libraries that say only that they could not open theirs."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno not in (errno.EMFILE, errno.ENFILE)
    return True


def check_address_space(least: int, who: str) -> None:
    """Raise ``FanousError`` if this process may not reserve this much address space.

    Args:
        least: bytes.
        who: what needs them, for the message.
    """
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY and allowed < least:
        raise FanousError(
            f"this process may reserve {allowed / 2**30:.1f} GiB of address space (`ulimit -v`), and {who} needs "
            f"{least >> 30} GiB, though little of it as memory: raise that limit. To limit memory, use MemoryMax= of a "
            "systemd unit or the container's limit"
        )
