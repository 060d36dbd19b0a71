"""Overwrite: what a command may replace at the place where its user tells it to write, and how.

A command replaces only what it can be sure that it wrote itself, such as the same export into the same folder.
Anything else stays as it is, and the command ends with a ``FanousError`` that says what is there.  There is no
option that overrides this: moving a file away takes one command, and getting it back may be impossible.  A link
always belongs to someone else, even if it leads to a file of ours.

Files are written aside and renamed, so that if the process is killed, either the old or the new one is there, whole.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from fanous.base.files import sync
from fanous.errors import FanousError

Recognises = Callable[[Path], bool]
"""Did the command itself write the regular file at this path?  It may raise ``FanousError`` to say no."""


def nothing(_path: Path) -> bool:
    """Recognises no file, so existing files are never replaced."""
    return False


# --- one file -------------------------------------------------------------------------------------


def check_file(path: Path, is_ours: Recognises) -> None:
    """Refuse to write to a place that has anything but a file written by the command.

    Raises:
        FanousError: it does, or the folder for it is missing; nothing was changed.
    """
    if not path.parent.is_dir():
        raise FanousError(
            f"cannot write {path}: there is no folder {path.parent}. Make it, or name another place."
        )
    if not os.access(path.parent, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        is_read_only = os.statvfs(path.parent).f_flag & os.ST_RDONLY
        why = "the file system is read-only around" if is_read_only else "no permission to write in"
        raise FanousError(
            f"cannot write {path}: {why} the folder {path.parent.absolute()}. Name another place."
        )
    found = _kind(path)
    if found == REGULAR and not _is_recognised(path, is_ours):
        raise refusal(path, "a file that this command did not write")
    if found not in ("", REGULAR):
        raise refusal(path, found)


@contextmanager
def file_aside(path: Path, is_ours: Recognises) -> Iterator[Path]:
    """A path to write to, which replaces ``path`` when the block succeeds.

    Raises:
        FanousError: see ``check_file``, which looks before the block and after it; or it cannot be written.
    """
    check_file(path, is_ours)
    aside = _aside(path)
    try:
        yield aside
        check_file(path, is_ours)  # the block may have taken minutes
        try:
            _put(aside, path)
        except OSError as error:
            raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):  # the folder may have become read-only, which may be what ended the block
            aside.unlink(missing_ok=True)


def write_file(path: Path, data: bytes, is_ours: Recognises) -> None:
    """Write a file, as ``file_aside`` does.

    Raises:
        FanousError: see there.
    """
    with file_aside(path, is_ours) as aside:
        try:
            aside.write_bytes(data)
        except OSError as error:
            raise _unwritable(path, error) from error


def refusal(path: Path, found: str) -> FanousError:
    """Says what is at ``path`` and what to do."""
    return FanousError(
        f"cannot write {path}: {found} is already there. Nothing was changed: name another place, or move it away."
    )


def _unwritable(path: Path, error: OSError) -> FanousError:
    return FanousError(f"cannot write {path}: {error.strerror}. Name another place.")


REGULAR = "a file"


def _kind(path: Path) -> str:
    """What is at the path, for people; empty = nothing."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISLNK(mode):
        return f"a link to {path.readlink()}"
    if stat.S_ISDIR(mode):
        return "a folder"
    return REGULAR if stat.S_ISREG(mode) else "a device, pipe or socket"


def _is_recognised(path: Path, is_ours: Recognises) -> bool:
    try:
        return is_ours(path)
    except FanousError:
        return False
    except OSError as error:
        raise refusal(path, f"a file that cannot be read ({error.strerror})") from error


# --- several files in a folder --------------------------------------------------------------------

RECORD = "SHA256SUMS"
"""File in a folder of ours with the digest of each file that Fanous wrote there, as ``sha256sum --check`` reads it."""

_HEAD = "# Written by Fanous, which replaces these files only while they have these digests.\n"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")

Digests = dict[str, set[str]]
"""Name -> SHA-256; two if a process was killed between writing the record and the file."""


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder that is new, empty, or was written by this function.

    If a file there differs from what this function wrote, someone changed it, and no file is written.

    Returns:
        Their paths, in the order given.

    Raises:
        FanousError: the folder holds something else, or a file was changed; nothing was written.
        OSError: the disk is full or the like; each file is the old one or the new one.
    """
    digests = _known(folder)
    fresh = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    for name, digest in fresh.items():
        ours = digests.get(name, set()) | {digest}
        check_file_in(folder, name, ours)
    folder.mkdir(parents=True, exist_ok=True)
    _record(
        folder, {**digests, **{name: digests.get(name, set()) | {digest} for name, digest in fresh.items()}}
    )
    for name, content in files.items():
        replace_file(folder / name, content)
    _record(folder, {**digests, **{name: {digest} for name, digest in fresh.items()}})
    return [folder / name for name in files]


def check_folder_of_files(folder: Path) -> None:
    """Refuse a folder with other things in it, before doing work that ``write_files`` would then refuse to save.

    Raises:
        FanousError: the folder has other things in it.
    """
    _known(folder)


def check_file_in(folder: Path, name: str, digests: set[str]) -> None:
    """Refuse a file of the folder unless it is absent or has one of the digests."""
    found = _kind(folder / name)
    if found == REGULAR and _digest(folder / name) not in digests:
        raise refusal(folder / name, "a file that Fanous did not write, or that was changed since,")
    if found not in ("", REGULAR):
        raise refusal(folder / name, found)


def _known(folder: Path) -> Digests:
    """What Fanous wrote into the folder; empty = it is new or empty.

    Raises:
        FanousError: it is not a folder, or has files but no record.
    """
    if not folder.exists() and not folder.is_symlink():
        return {}
    if not folder.is_dir():
        raise FanousError(
            f"cannot write into {folder}: it is not a folder. Nothing was changed: name another with -o."
        )
    try:
        entries = sorted(entry.name for entry in folder.iterdir() if not _is_left_over(entry.name))
    except OSError as error:
        raise FanousError(
            f"cannot read the folder {folder}: {error.strerror}. Name another with -o."
        ) from error
    if not entries:
        return {}
    known = _read_record(folder / RECORD)
    if known is None:
        names = ", ".join(entries[:3]) + (", ..." if len(entries) > 3 else "")
        raise FanousError(
            f"cannot write into {folder}: it holds files that Fanous did not write ({names}). Nothing was changed: "
            "name a new or an empty folder with -o."
        )
    return known


def _is_left_over(name: str) -> bool:
    """Is it the record that a killed process was about to write?"""
    return name.startswith(f".{RECORD}.") and name.removeprefix(f".{RECORD}.").isdigit()


def _read_record(path: Path) -> Digests | None:
    """The record; ``None`` = it is missing, or not ours."""
    if _kind(path) != REGULAR:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    lines = [_LINE.fullmatch(line) for line in text.removeprefix(_HEAD).splitlines()]
    if not text.startswith(_HEAD) or not all(lines):
        return None
    digests: Digests = {}
    for line in filter(None, lines):
        digests.setdefault(line[2], set()).add(line[1])
    return digests


def _record(folder: Path, record: Digests) -> None:
    lines = [f"{digest}  {name}\n" for name, digests in sorted(record.items()) for digest in sorted(digests)]
    replace_file(folder / RECORD, (_HEAD + "".join(lines)).encode())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- replacing ------------------------------------------------------------------------------------


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file atomically: the old or the new one is always there, even after a crash.

    Raises:
        OSError: it failed, leaving the old file unchanged.
    """
    aside = _aside(path)
    try:
        aside.write_bytes(data)
        _put(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


def _put(aside: Path, path: Path) -> None:
    """Give a file its name, once its content is on disk."""
    sync(aside)
    aside.replace(path)
    sync(path.parent)
