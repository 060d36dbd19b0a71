"""Workers: processes that read files and judge their records, for the one process that stores them.

Whatever strangers sent is read here and nowhere else on its way into the store, and when it is judged again.  A worker
is confined before it reads its first byte: it reaches its own files and the code, and neither the signing key, the
ledger, other people's records nor the network.  It answers with parsed records, which are decoded into their types; so
a worker that was taken over can lie about the records in its files, as their sender could anyway, and can do no more.

A store has one owner, so it alone writes; but it spends only a sixth of the time of an import on that.  Each worker
takes its portion of the files: some of the small ones, and every n-th line of each large one, which all of them unpack.
It sends what it finds in frames, over a socket whose other end is merged in the order of files and lines.  So the
result does not depend on how many workers there are, and a worker that is ahead waits.

A record that ends its worker, by a fault in a library or for lack of memory, costs only itself: another worker goes on
from there, and the record is rejected when it has done so twice (``sources.stream``).

If the process that started them ends, for whatever reason, their sockets close, and they end too.
"""

import gc
import os
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from heapq import merge
from importlib import import_module
from math import inf
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from queue import Queue
from signal import SIGKILL
from tempfile import TemporaryDirectory, TemporaryFile
from threading import Thread
from typing import Self

import msgspec

from fanous.base.confine import Grant, confine
from fanous.base.forkserver import ForkedChild, ForkServer, NotStarted
from fanous.base.threads import keep_freed_memory
from fanous.errors import FanousError
from fanous.model.measurement import changed
from fanous.model.verdict import Judged
from fanous.pipeline.child import NONSENSE, OUT_OF_MEMORY, ended
from fanous.pipeline.judge import Ingested, OnFile, known_fingerprints, rules_version
from fanous.sources.connector import ALL
from fanous.sources.stream import Book, Mark, Slot, noted

MOST = 4
"""Most workers by default: with this many, storing, which one process does, takes as long as reading."""

WORTHWHILE = 100 << 20
"""Bytes of measurements from which there is more than one by default: some 1.5 s of work."""

PACKING = 6
"""Times that measurements become smaller by gzip, at least."""

WHOLE = 1 << 20
"""Bytes of a file up to which one worker reads all of it: its records then fit into the frames that it may be ahead."""

FRAME_BYTES, FRAME_ITEMS = 1 << 20, 256
"""Bytes of records, and number of records and rejects, that are sent at once.  A worker holds three frames: one that it
fills, one that waits and one that is being sent."""

LARGEST_FRAME = 1 << 30
"""Bytes.  A record has 64 MiB at most, and what is read from it is smaller; a worker that sends more is at fault."""

START_SECONDS = 60.0

ENDING_SECONDS = 5.0
"""Seconds in which the end of a worker's connection is followed by its own."""

ALONE = 76
"""Exit code of a worker: the process that started it is gone."""

Read = Callable[..., Generator[Judged]]
"""``judged_records`` with everything but ``paths``, ``tally``, ``on_progress`` and ``share``."""

Portion = tuple[int, Path, range]
"""A file with its place among all, and the lines to read."""

Position = tuple[int, float]
"""A file and a line of it; all before it, and it too, has been sent.  The end of a file is line ``inf``."""

MOST_DEATHS = 40
"""Times that a worker is replaced in one import.  If more die, records are hardly the cause: the machine lacks memory.
"""


class FoundRecord(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """A measurement in a line of a file; the file is given by its place among all."""

    file: int
    line: float
    judged: Judged


class Useless(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Why a line, or what follows it, cannot be used; the arguments of ``Ingested.reject``, the text as bytes."""

    file: int
    line: float
    why: bytes
    items: int
    at: int


class Unreadable(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Why a whole file cannot be read."""

    file: int
    line: float
    why: bytes


Item = FoundRecord | Useless | Unreadable


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """What a worker found since its last frame.

    Attributes:
        progress: file -> how many of its bytes have been read.
        sent: up to where all has been sent.
    """

    items: list[Item]
    progress: dict[int, int]
    duplicate: int
    outside: int
    survivors: list[Mark]
    sent: Position
    is_last: bool


_encode, _decoder = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Frame)


def prepare() -> None:
    """Load what a worker needs: code, and the fingerprints, whose files it will not reach."""
    import_module("fanous.pipeline.ingest")
    known_fingerprints()


READERS = ForkServer(prepare)
"""Starts the workers of this process."""


def default_jobs(paths: Sequence[Path]) -> int:
    """Processes that read these files, if the user does not say: as many as processors, or 1 for little."""
    size = sum(_size(path) * (PACKING if path.suffix in (".gz", ".lz4") else 1) for path in paths)
    if size < WORTHWHILE:
        return 1
    has = getattr(os, "sched_getaffinity", None)  # Linux only
    return min(len(has(0)) if has else os.cpu_count() or 1, MOST)


def judged_by(
    jobs: int,
    read: Read,
    paths: Sequence[Path],
    tally: Ingested,
    on_progress: OnFile | None = None,
    book: Book | None = None,
) -> Generator[Judged]:
    """What ``read`` gives for these files, read by this number of workers; close it to end them.

    Args:
        book: the records that ended a process; they are rejected.

    Raises:
        FanousError: a file that cannot be read at all, no worker can be started, or they end again and again.
    """
    with ExitStack() as started:
        deaths = Deaths(book or Book())
        workers = [
            started.enter_context(_Worker(read, paths, portions, deaths)) for portions in dealt(paths, jobs)
        ]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.await_ready()
        except NotStarted as why:
            raise FanousError(
                f"No process could be started to read these files: {why}. Nothing was read. Try again, with --jobs 1 "
                "if the machine lacks memory.",
                permanent=False,
            ) from why
        found = merge(
            *(worker.items(tally, on_progress) for worker in workers), key=attrgetter("file", "line")
        )
        for item in found:
            if isinstance(item, FoundRecord):
                yield item.judged
            elif isinstance(item, Unreadable):
                raise FanousError(_text(item.why))
            else:
                tally.reject(str(paths[item.file]), item.at, _text(item.why), item.items)


def _bytes(text: str) -> bytes:
    """Names of files may be any bytes, which Python keeps as lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def dealt(paths: Sequence[Path], jobs: int) -> list[list[Portion]]:
    """What each worker reads, in the order of the files; workers without any are left out."""
    portions: list[list[Portion]] = [[] for _ in range(jobs)]
    given = [0] * jobs
    for index, path in enumerate(paths):
        size = _size(path)
        if size <= WHOLE:
            least = given.index(min(given))
            portions[least].append((index, path, ALL))
            given[least] += size
            continue
        for n in range(jobs):
            portions[n].append((index, path, ALL[n::jobs]))
            given[n] += size // jobs
    return [portion for portion in portions if portion]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it will say what is wrong


@dataclass(slots=True)
class Deaths:
    """What ended the workers of one import."""

    book: Book
    number: int = 0


OTHER_RULES = (
    "it has other rules than this process: Fanous was updated while it ran, or fingerprints were installed; start it "
    "again"
)


def version_of(child: ForkedChild) -> str:
    """The version of its rules, which it sends when it is confined; raises ``NotStarted``."""
    connection = child.connection
    try:
        if connection.poll(START_SECONDS):
            return connection.recv_bytes(1000).decode("utf-8", "replace")
    except (EOFError, OSError):
        code = child.wait() or 0
        raise NotStarted(child.said().strip().rpartition("\n")[2] or ended(code)) from None
    raise NotStarted(f"no answer in {START_SECONDS:.0f} seconds")


class _Worker:
    """One worker after another, as seen by the process that starts them; leaving it ends the last."""

    def __init__(
        self, read: Read, paths: Sequence[Path], portions: Sequence[Portion], deaths: Deaths
    ) -> None:
        self._read, self._paths, self._portions, self._deaths = read, paths, list(portions), deaths
        self._files = {index for index, _, _ in portions}
        self._sent: Position = (-1, 0)
        self._died_at: Position | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def start(self) -> None:
        """Start a process and tell it what to read; raises ``NotStarted``."""
        with ExitStack() as opened:
            self._place = opened.enter_context(TemporaryFile())
            scratch = opened.enter_context(
                TemporaryDirectory(prefix="fanous-", dir=os.environ.get("SQLITE_TMPDIR"))
            )
            rest, book = left_after(self._portions, self._sent), self._deaths.book
            self._child: ForkedChild = READERS.start(
                work, self._read, rest, book, scratch, descriptors=[self._place.fileno()], keeps_stderr=True
            )
            opened.callback(self._child.end)
            self._opened = opened.pop_all()

    def await_ready(self) -> None:
        """Wait until it is confined and begins to read; raises ``NotStarted``."""
        version = version_of(self._child)
        if version != rules_version():  # fingerprints may have been installed since the server began
            self._opened.close()
            READERS.stop()
            self.start()
            version = version_of(self._child)
        if version != rules_version():
            raise NotStarted(OTHER_RULES)

    def items(self, tally: Ingested, on_progress: OnFile | None) -> Iterator[Item]:
        """What they find; counts and progress are told at once.

        Raises:
            FanousError: they end again and again before they are done.
            RuntimeError: one did because of a fault in Fanous.
        """
        is_last = False
        while not is_last:
            try:
                frame = self._frame()
            except (EOFError, OSError, msgspec.MsgspecError):
                rest = self._replaced()
                if rest is not None:
                    yield rest
                continue
            self._sent, is_last = frame.sent, frame.is_last
            for mark in frame.survivors:
                self._deaths.book.survived(mark)
            tally.duplicate += frame.duplicate
            tally.outside += frame.outside
            if on_progress is not None:
                for file, consumed in frame.progress.items():
                    on_progress(self._paths[file], consumed)
            for item in frame.items:
                yield self._placed(item)

    def _frame(self) -> Frame:
        """The next one; it may name no file but those that this worker reads.

        Raises:
            EOFError, OSError, MsgspecError: it ended, or sends something else.
        """
        frame = _decoder.decode(self._child.connection.recv_bytes(LARGEST_FRAME))
        if not {*frame.progress, *(item.file for item in frame.items)} <= self._files:
            raise msgspec.ValidationError("of a file that it does not read")
        return frame

    def _placed(self, item: Item) -> Item:
        if not isinstance(item, FoundRecord):
            return item
        record = changed(item.judged.record, file=str(self._paths[item.file]))
        return FoundRecord(item.file, item.line, changed(item.judged, record=record))

    def _replaced(self) -> Item | None:
        """Start another after one died, and record what ended it.

        Returns:
            The rest of a file, rejected, if two died there between records: while they unpacked it, for instance.
        """
        code = self._child.wait(ENDING_SECONDS)
        if code is None:  # it lives, and sent nonsense
            self._child.end()
            code = NONSENSE
        if code == 1:
            raise RuntimeError(f"a process that reads files failed:\n{self._child.said()}")
        note = noted(self._place.fileno())
        if note.file not in self._files:  # it was written by a worker that was taken over
            begun = (file for file in self._files if (file, inf) > self._sent)
            note = replace(note, file=min(begun, default=max(self._files)), line=0)
        path, deaths, rest = self._paths[note.file], self._deaths, None
        deaths.number += 1
        lacks_memory = code in (OUT_OF_MEMORY, -SIGKILL)
        if deaths.number > MOST_DEATHS or (lacks_memory and not note.line and self._died_at == self._sent):
            before = f", as {deaths.number - 1} before it" if deaths.number > 1 else ""
            raise FanousError(
                f"The process that was reading {path} {ended(code)}{before}. What was stored is kept. Free some "
                "memory, and run the command again with --jobs 1 to complete it; if that fails as well, leave this "
                "file out.",
                permanent=False,
            )
        if note.line:
            deaths.book.died(note)
        elif self._died_at == self._sent:
            self._sent = max(self._sent, (note.file, inf))
            why = f"the process that reads it {ended(code)} here, twice: the rest of the file is left out"
            rest = Useless(note.file, inf, _bytes(why), 1, 0)
        self._died_at = self._sent
        self._opened.close()
        try:
            self.start()
            self.await_ready()
        except NotStarted as why_not:
            raise FanousError(
                f"The process that was reading {path} {ended(code)}, and another could not be started: {why_not}. "
                "What was stored is kept. Run the command again with --jobs 1 to complete it.",
                permanent=False,
            ) from why_not
        return rest


def left_after(portions: Sequence[Portion], sent: Position) -> list[Portion]:
    """What is still to be read of these portions."""
    left = []
    for index, path, share in portions:
        if (index, inf) <= sent:
            continue
        if index == sent[0]:
            share = share[bisect_right(share, sent[1]) :]
        left.append((index, path, share))
    return left


# --- in the worker ----------------------------------------------------------------------------------------


def work(
    connection: Connection,
    descriptors: Sequence[int],
    read: Read,
    portions: Sequence[Portion],
    book: Book,
    scratch: str,
) -> None:
    """Be a worker.

    Args:
        connection: to the process that asks.
        descriptors: of a file that holds the place of the file that is being read, and the record.
        scratch: folder for its temporary files.
    """
    try:
        version = rules_version()
        confine(replace(grant_of(path for _, path, _ in portions), scratch=Path(scratch)))
        connection.send_bytes(version.encode())
        Thread(target=end_with, args=(connection,), daemon=True).start()
        gc.freeze()
        gc.disable()  # as ``bring_in`` does
        keep_freed_memory()
        survivors: list[Mark] = []
        slot = Slot(descriptors[0], book, survivors.append)
        results = _Results(connection, survivors)
        for index, path, share in portions:
            slot.turn_to(index)
            results.turn_to(index, share.start)
            watch = results.watch if share[:1] == ALL[:1] else None
            try:
                for judged in read([path], results, watch, share=share, working=slot):
                    results.add_judged(judged)
            except FanousError as error:
                results.add(Unreadable(index, inf, _bytes(str(error))))
        results.send(is_last=True)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(ALONE)


def grant_of(paths: Iterable[Path]) -> Grant:
    """A reader of these files reaches them, and nothing else; a folder in place of a file is not one."""
    return Grant(reads=tuple(path for path in paths if not path.is_dir()))


def end_with(connection: Connection) -> None:
    """End when the other end of the connection is closed; nothing more is ever received."""
    try:
        connection.recv_bytes()
    except (EOFError, OSError):
        os._exit(ALONE)


class _Results(Ingested):
    """What a worker found since its last frame."""

    def __init__(self, connection: Connection, survivors: list[Mark]) -> None:
        super().__init__()
        self._file, self._first = 0, 1
        self._survivors = survivors
        self._sent: Position = (-1, 0)
        self._progress: dict[int, int] = {}
        self._items: list[Item] = []
        self._size = 0
        self._frames: Queue[bytes] = Queue(1)
        self._sender = Thread(target=_send, args=(connection, self._frames), daemon=True)
        self._sender.start()

    def turn_to(self, file: int, first: int) -> None:
        """The next file, by its place, and its first line that has not been sent."""
        self._file, self._first = file, first

    def watch(self, _path: Path, consumed: int) -> None:
        self._progress[self._file] = consumed

    def reject(self, file: str, line: int, why: str, items: int = 1) -> None:
        del file  # the process that asked knows it
        self.add(Useless(self._file, line, _bytes(why), items, line))

    def add_judged(self, judged: Judged) -> None:
        record = judged.record
        bare = changed(judged, record=changed(record, file="", decoded=None))
        self.add(FoundRecord(self._file, record.line, bare), len(record.data) + len(judged.came))

    def add(self, item: Item, size: int = 0) -> None:
        """Add what was found in a line, and send the frame if it is full.

        Args:
            size: bytes of its records.
        """
        if 0 < item.line < self._first:  # a source that cannot begin in the middle
            return
        self._items.append(item)
        self._sent = max(self._sent, (self._file, item.line))
        self._size += size
        if self._size >= FRAME_BYTES or len(self._items) >= FRAME_ITEMS:
            self.send()

    def send(self, *, is_last: bool = False) -> None:
        counts = self.duplicate, self.outside
        frame = Frame(self._items, self._progress, *counts, self._survivors, self._sent, is_last)
        self._frames.put(_encode(frame))
        self._items.clear()
        self._progress.clear()
        self._survivors.clear()
        self._size = self.duplicate = self.outside = 0
        gc.collect(1)
        if is_last:
            self._frames.put(b"")
            self._sender.join()


def _send(connection: Connection, frames: "Queue[bytes]") -> None:
    """Send frames until an empty one, in a thread: a worker goes on reading while the last frame waits."""
    try:
        while frame := frames.get():
            connection.send_bytes(frame)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except OSError:
        os._exit(ALONE)
