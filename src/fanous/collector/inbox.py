"""Inbox: acknowledged measurements on disk, in append-only files, waiting for the owner of the store.

The file being written ends in ``.jsonl.part``.  Once sealed it ends in ``.jsonl``, and its writer never touches it
again: the owner of the store may take and remove it.

Group commit: what arrives during one fsync shares the next one, so that the rate of acknowledgements does not
depend on the speed of the disk.

The owner of the store drains an inbox: it stores the sealed files, then removes them.  If killed in between,
it processes the same files again: the store knows each measurement by its identity, so nothing is stored
twice, and a file is removed only when its measurements are in the store.

Both may be different users: then the folder belongs to a group that has only these two (mode 2770).

Measurements of probes that withdrew can be deleted while they wait or after they were set aside, by the
process that has the store open, since no other takes files from its inbox.
"""

import asyncio
import logging
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fanous.base.files import (
    GROUP_FILE,
    GROUP_FOLDER,
    OTHERS,
    PRIVATE_FILE,
    STRANGERS,
    close_to_others,
    disk_errors,
    is_of_group,
    locked,
    make_folder,
    sync,
    write_durably,
)
from fanous.collector.request import Refused
from fanous.collector.submission import Submission
from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.vitals import Backlog

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
    """The one writer of a folder: a batch of lines is on disk when ``write`` returns.

    Args:
        seal_bytes: size at which a file is finished.

    Attributes:
        written: bytes in the file being written; 0 = there is none.
    """

    def __init__(self, folder: Path, seal_bytes: int = SEAL_BYTES) -> None:
        self.folder = folder
        self.written = 0
        self._seal_bytes = seal_bytes
        self._descriptor = -1
        self._path = folder
        self._count = 0
        with disk_errors(f"write to the inbox {folder}"):
            make_folder(folder)
            _close(folder)
            self._permissions = GROUP_FILE if is_of_group(folder) else PRIVATE_FILE
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
                self._count += 1
                path = self.folder / f"{int(now * 1000):014d}-{os.getpid()}-{self._count:06d}{PART}"
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
                self._descriptor = os.open(path, flags, self._permissions)
                self._path, self.written = path, 0
                sync(self.folder)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(self._descriptor, view) :]
                os.fdatasync(self._descriptor)
            except OSError:
                self._give_up()
                raise
        self.written += len(data)
        if self.written >= self._seal_bytes:
            self.seal()

    def seal(self) -> None:
        """Finish the file being written, if there is one, so that the store may take it."""
        if self._descriptor < 0:
            return
        with disk_errors(f"write to the inbox {self.folder}"):
            os.close(self._descriptor)
            self._descriptor, self.written = -1, 0
            _rename_sealed(self._path)

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
        sync(path)
        _rename_sealed(path)


def _close(folder: Path) -> None:
    """Close an inbox to other users; one that was given to a group stays the group's, as where the door and the store
    belong to different users.
    """
    close_to_others(folder, STRANGERS if is_of_group(folder) else OTHERS)


def _rename_sealed(path: Path) -> None:
    """Rename without syncing the folder, which would delay acknowledgements: the content is on disk under either name,
    and after a power cut the next start seals it again."""
    path.rename(path.with_name(path.name.removesuffix(PART) + SEALED))


MOST_FILES = 16
"""Files taken at once, most of them small (one is sealed every few seconds): the store detects after each
call.
"""


@dataclass(frozen=True, slots=True)
class Drained:
    """What was taken; ``more`` = some files are left for the next call."""

    files: int
    more: bool


def sealed_files(inbox: Path) -> list[Path]:
    """Sealed files, oldest first, without those in ``apart`` and those that no collector wrote."""
    return sorted(path for path in inbox.glob(f"*{SEALED}") if is_written(path, SEALED) and path.is_file())


def check_inbox(folder: Path) -> None:
    """Refuse a folder that has files not written by a collector, unless it is also an inbox.

    Raises:
        FanousError: the folder holds other files, and is left as it is.
    """
    if folder.exists() and not folder.is_dir():
        raise FanousError(f"{folder} is a file, not an inbox. Nothing was changed: name a folder.")
    with disk_errors(f"read the inbox {folder}"):
        names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set[str]()
    endings = (SEALED, PART, SEALED + NEW)
    foreign = {
        name
        for name in names - {LOCK, APART, OWN, STATE}
        if not any(is_written(folder / name, ending) for ending in endings)
    }
    if foreign and APART not in names and not any(is_written(folder / name, SEALED) for name in names):
        raise FanousError(
            f"{folder} is not an inbox: it holds files that no collector wrote ({', '.join(sorted(foreign)[:3])}). "
            "Nothing was changed: name a new or an empty folder, or bring such files in with `fanous ingest`."
        )


def drain(inbox: Path, bring_in: Callable[[Sequence[Path]], object]) -> Drained:
    """Move sealed files into the store.

    Args:
        bring_in: stores the files' measurements; all are on disk when it returns (``pipeline.ingest.ingest``).
    """
    waiting = sealed_files(inbox)
    files = waiting[:MOST_FILES]
    if files:
        bring_in(files)
        with disk_errors(f"remove what was stored from the inbox {inbox}"):
            for path in files:
                path.unlink(missing_ok=True)
            sync(inbox)
    return Drained(len(files), len(waiting) > len(files))


INBOX = ".inbox"
"""Suffix of a store's name: the folder next to it for what waits to be stored."""

OWN, STATE = "own", "rounds.json"
"""Folder within the inbox for the monitor's own measurements, and the file there that says when they were made."""

LOCK = "lock"
"""File that the inbox's collector keeps locked."""

APART = "apart"
"""Folder in the inbox for measurements set aside, such as those of no known network; nothing takes them
automatically, and only the newest ``APART_BYTES`` of them are kept.
"""

SEAL_SECONDS = 5.0
"""Most seconds that an acknowledged measurement waits before the store may take it."""

REMEMBERED = 50_000
"""Latest identities kept in memory, some 8 MB, so that a retry is not written twice (the store would
recognise the duplicate anyway)."""

MOST_BYTES = 4 << 30
"""Most bytes that may wait for the store: from there on the collector says "later" rather than fill the disk."""

APART_BYTES = 64 << 20
"""Most bytes that are kept apart, some 10,000 measurements: as nothing takes them automatically, anyone could fill the
disk with them.  Beyond this the oldest file is removed, and no one is refused."""

APART_FILES = 16
"""Into so many files they are divided at least, so that a small part is removed at once."""

SAID_SECONDS = 60.0
"""Seconds between log lines while nothing can be written."""

FULL_SECONDS = 300.0

log = logging.getLogger("fanous.collector")

_Waiting = tuple[Submission, "asyncio.Future[None]"]


class Inbox:
    """A ``Queue`` in a folder, open in one process at a time.

    ``keep`` runs in the event loop, disk work in a thread.

    Args:
        most_bytes: that may wait for the store.
        apart_bytes: that are kept apart.
        seal_seconds: most seconds that an acknowledged measurement waits before the store may take it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int = MOST_BYTES,
        apart_bytes: int = APART_BYTES,
        seal_seconds: float = SEAL_SECONDS,
    ) -> None:
        with disk_errors(f"open the inbox {folder}"):
            check_inbox(folder)
            make_folder(folder)
            _close(folder)
            if is_of_group(folder):
                make_folder(folder / APART, GROUP_FOLDER)
            busy = f"the inbox {folder} is in use by another collector: stop it, or choose another inbox"
            self._lock = locked(folder / LOCK, busy)
        self.folder = folder
        self._most_bytes = most_bytes
        self._seal_seconds = seal_seconds
        self._main = Journal(folder)
        self._apart = Journal(folder / APART, apart_bytes // APART_FILES)
        self._most_apart = apart_bytes
        self._disk = ThreadPoolExecutor(1, "inbox")
        self._waiting: list[_Waiting] = []
        self._under_way: dict[str, asyncio.Future[None]] = {}
        self._kept: OrderedDict[str, None] = OrderedDict()
        self._writing: asyncio.Task[None] | None = None
        self._bytes, self._bytes_apart = bytes_in(folder), bytes_in(folder / APART)
        self._not_kept = 0  # since the log last said so
        self._say_next = 0.0  # when it may next say so; 0 = all is well

    async def keep(self, submission: Submission) -> None:
        """Returns once the measurement would survive a power cut.

        Raises:
            Refused: the disk is full or failing; nothing was kept, and the client should try again.
        """
        if submission.uid in self._kept:
            return
        earlier = self._under_way.get(submission.uid)
        if earlier is not None:
            await asyncio.shield(earlier)
            return
        if submission.apart is None and self._bytes >= self._most_bytes:
            raise Refused(503, "the inbox is full: try again later", retry_after=FULL_SECONDS)
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()
        self._under_way[submission.uid] = kept
        self._waiting.append((submission, kept))
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write_waiting())
        await asyncio.shield(kept)

    async def tend(self) -> None:
        """Release to the store what has arrived, every ``seal_seconds``; runs until cancelled."""
        while True:
            await asyncio.sleep(self._seal_seconds)
            try:
                await self.seal()
            except (FanousError, OSError) as error:  # the disk may work again next time
                log.error(logline("not_sealed", again=True, why=str(error)))

    async def seal(self) -> None:
        """Release to the store what has arrived."""
        loop = asyncio.get_running_loop()
        self._bytes = await loop.run_in_executor(self._disk, self._seal)

    async def close(self) -> None:
        """Finish and seal what is in progress, and release the inbox to the next owner."""
        if self._writing is not None:
            await self._writing
        await self.seal()
        self._disk.shutdown()
        os.close(self._lock)

    async def _write_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await loop.run_in_executor(self._disk, self._commit, [submission for submission, _ in batch])
            except (FanousError, OSError) as error:
                # Log the first failure at once, then their number each minute: logging all of them would fill the
                # disk further.
                self._not_kept += len(batch)
                now = time.monotonic()
                if now >= self._say_next:
                    log.error(logline("not_kept", measurements=self._not_kept, why=str(error)))
                    self._not_kept, self._say_next = 0, now + SAID_SECONDS
                self._refuse(batch)
                continue
            except BaseException:  # no one may be left waiting forever
                self._refuse(batch)
                raise
            if self._say_next:
                log.info(logline("kept_again", not_kept_since=self._not_kept))
                self._not_kept, self._say_next = 0, 0.0
            self._bytes += sum(len(submission.line) for submission, _ in batch if submission.apart is None)
            self._acknowledge(batch)

    def _acknowledge(self, batch: Sequence[_Waiting]) -> None:
        for submission, kept in batch:
            del self._under_way[submission.uid]
            self._kept[submission.uid] = None
            if len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
            kept.set_result(None)

    def _refuse(self, batch: Sequence[_Waiting]) -> None:
        for submission, kept in batch:
            del self._under_way[submission.uid]
            # The reason names our folders, so it goes to the log and not to the client.
            refusal = Refused(
                503, "not kept: the collector cannot write at the moment", retry_after=FULL_SECONDS
            )
            kept.set_exception(refusal)
            kept.exception()  # the client may have gone; then no one else retrieves the exception

    def _commit(self, batch: Sequence[Submission]) -> None:
        now = time.time()
        main = [submission.line for submission in batch if submission.apart is None]
        apart = [submission.line for submission in batch if submission.apart is not None]
        if main:
            self._main.write(main, now)
        if apart:
            self._bytes_apart += sum(len(line) + 1 for line in apart)
            if self._bytes_apart > self._most_apart:
                self._remove_oldest()
            self._apart.write(apart, now)

    def _remove_oldest(self) -> None:
        """Remove the oldest of what is kept apart, and a little more, since this looks at all of its files."""
        excess = self._bytes_apart - self._most_apart * (APART_FILES - 1) // APART_FILES
        removed = 0
        with disk_errors(f"make room in {self._apart.folder}"):
            for path in sealed_files(self._apart.folder):
                if removed >= excess:
                    break
                with suppress(FileNotFoundError):  # taken by `fanous drain`
                    removed += path.stat().st_size
                    path.unlink()
        self._bytes_apart -= removed
        log.warning(logline("removed_from_apart", bytes=removed, why="it is full"))

    def _seal(self) -> int:
        self._main.seal()
        self._apart.seal()
        self._bytes_apart = bytes_in(self._apart.folder)
        return bytes_in(self.folder)


def bytes_in(folder: Path) -> int:
    """Bytes of measurements in a folder itself; files that the store removes during the count are left out."""
    total = 0
    for path in folder.glob("*"):
        if path.name.endswith((SEALED, PART)):
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                continue
    return total


def inbox_of(store: Path) -> Path:
    """``/var/lib/fanous/store`` -> ``/var/lib/fanous/store.inbox``."""
    return store.with_name(store.name + INBOX)


def backlogs(inboxes: Iterable[Path]) -> tuple[Backlog, ...]:
    """What waits in each inbox; one that does not exist counts as empty."""
    return tuple(backlog(inbox) for inbox in inboxes if inbox.is_dir())


def backlog(inbox: Path) -> Backlog:
    """What waits in an inbox; files taken during the count are left out."""
    waiting = sealed_files(inbox)
    since = _begun(waiting[0]) if waiting else None
    apart = inbox / APART
    return Backlog(
        str(inbox),
        len(waiting),
        bytes_in(inbox),
        since,
        len(sealed_files(apart)),
        most=MOST_BYTES,
        apart_bytes=bytes_in(apart),
        apart_most=APART_BYTES,
    )


def _begun(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


NEW = ".new"
"""Suffix of a file being written to replace another; collectors and stores ignore it."""


class _Reported(msgspec.Struct):
    report_id: str = ""


_reported = msgspec.json.Decoder(_Reported)


def withdraw(inbox: Path, reports: Collection[str]) -> int:
    """Remove the measurements of these reports from all sealed files, including those in ``apart``.

    If killed, run it again to complete it: each file is either unchanged or without them.

    Returns:
        How many there were.
    """
    gone = 0
    with disk_errors(f"take measurements out of the inbox {inbox}"):
        for unfinished in _written(inbox, SEALED + NEW):  # left by a run that was killed
            unfinished.unlink()
        for path in _written(inbox, SEALED):
            lines = path.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if _report(line) not in reports]
            if not kept:
                path.unlink()
                sync(path.parent)
            elif len(kept) < len(lines):
                write_durably(path, b"".join(kept), NEW, path.stat().st_mtime)
            gone += len(lines) - len(kept)
    return gone


def _written(inbox: Path, ending: str) -> list[Path]:
    """Files of an inbox and of the folders within it."""
    return sorted(path for path in inbox.rglob(f"*{ending}") if is_written(path, ending) and path.is_file())


def _report(line: bytes) -> str:
    """Empty = not one of ours, so the line stays."""
    try:
        return _reported.decode(line).report_id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""
