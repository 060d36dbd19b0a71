"""Workers: processes that read files and judge their records, for the one process that stores them.

A store has one owner, so it alone writes; but it spends only a sixth of the time of an import on that.  Each worker
takes its portion of the files: some of the small ones, and every n-th line of each large one, which all of them unpack.
It sends what it finds in frames, over a socket whose other end is merged in the order of files and lines.  So the
result does not depend on how many workers there are, and a worker that is ahead waits.

A record that ends its worker, by a fault in a library or for lack of memory, costs only itself: another worker goes on
from there, and the record is rejected when it has done so twice (``sources.stream``).

Workers are started as new programs: a fork would copy the threads of the engine in an unknown state.  If the process
that started them ends, for whatever reason, their sockets close, and they end too.
"""

import gc
import os
import pickle
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from heapq import merge
from math import inf
from multiprocessing.connection import Connection, Pipe
from operator import itemgetter
from pathlib import Path
from queue import Queue
from signal import SIGKILL
from tempfile import TemporaryFile
from threading import Thread
from typing import Self

from fanous.base.threads import keep_freed_memory
from fanous.errors import FanousError
from fanous.model.verdict import Judged
from fanous.pipeline.child import OUT_OF_MEMORY, ended
from fanous.pipeline.judge import Ingested, OnFile, rules_version
from fanous.sources.connector import ALL
from fanous.sources.stream import Book, Mark, Slot, noted

MOST = 4
"""Most workers by default: with this many, storing, which one process does, takes as long as reading."""

WORTHWHILE = 100 << 20
"""Bytes of measurements from which workers are started by default: some 1.5 s of work.  Starting them takes half a
second."""

PACKING = 6
"""Times that measurements become smaller by gzip, at least."""

WHOLE = 1 << 20
"""Bytes of a file up to which one worker reads all of it: its records then fit into the frames that it may be ahead."""

FRAME_BYTES, FRAME_ITEMS = 1 << 20, 256
"""Bytes of records, and number of records and rejects, that are sent at once.  A worker holds three frames: one that it
fills, one that waits and one that is being sent."""

START_SECONDS = 60.0

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

Rejection = tuple[str, int, str, int]
"""The arguments of ``Ingested.reject``."""

Item = tuple[int, float, Judged | FanousError | Rejection]
"""File and line; what was found there: a measurement, why the file cannot be read, or why the line cannot be used."""


class _NotStarted(Exception):
    """A worker could not be started; the message says why."""


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
    on_progress: OnFile | None,
    book: Book | None = None,
) -> Generator[Judged]:
    """What ``read`` gives for these files, read by this number of workers; close it to end them.

    If they cannot be started, this process reads the files and says so in ``tally.notes``.

    Args:
        book: the records that ended a process; they are rejected.

    Raises:
        FanousError: a file that cannot be read at all, or workers end again and again.
    """
    with ExitStack() as started:
        deaths = Deaths(book or Book())
        try:
            workers = [
                started.enter_context(_Worker(read, paths, portions, deaths))
                for portions in dealt(paths, jobs)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.await_ready()
        except _NotStarted as why:
            started.close()
            tally.notes.append(f"one process reads all files, since others could not be started: {why}")
            yield from read(paths, tally, on_progress)
            return
        found = merge(*(worker.items(tally, on_progress) for worker in workers), key=itemgetter(0, 1))
        for _, _, one in found:
            if isinstance(one, Judged):
                yield one
            elif isinstance(one, FanousError):
                raise one
            else:
                tally.reject(*one)


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


class _Worker:
    """One worker after another, as seen by the process that starts them; leaving it ends the last."""

    def __init__(
        self, read: Read, paths: Sequence[Path], portions: Sequence[Portion], deaths: Deaths
    ) -> None:
        self._read, self._paths, self._portions, self._deaths = read, paths, list(portions), deaths
        self._sent: Position = (-1, 0)
        self._died_at: Position | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def start(self) -> None:
        """Start a process and tell it what to read; raises ``_NotStarted``."""
        code = f"import sys; sys.path[:] = {sys.path!r}; from fanous.pipeline.workers import work; work"
        with ExitStack() as opened:
            try:
                self._connection, theirs = map(opened.enter_context, Pipe())
                self._place, self._said = (opened.enter_context(TemporaryFile()) for _ in range(2))
                passed = theirs.fileno(), self._place.fileno()
                self._process = subprocess.Popen(
                    [sys.executable, "-c", f"{code}{passed}"],
                    pass_fds=passed,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._said,
                    process_group=0,  # Ctrl-C is for the process that started it
                )
                opened.callback(self._end)
                theirs.close()
            except OSError as error:
                raise _NotStarted(error.strerror or str(error)) from error
            self._opened = opened.pop_all()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def await_ready(self) -> None:
        """Tell it what to read, and wait until it has loaded what it needs; raises ``_NotStarted``."""
        task = pickle.dumps((self._read, left_after(self._portions, self._sent), self._deaths.book))
        try:
            self._connection.send_bytes(task)
            version = self._connection.recv_bytes() if self._connection.poll(START_SECONDS) else None
        except (EOFError, OSError):
            code = self._process.wait()
            said = self._stderr().strip().rpartition("\n")[2]
            raise _NotStarted(said or ended(code)) from None
        if version is None:
            raise _NotStarted(f"no answer in {START_SECONDS:.0f} seconds")
        if version != rules_version().encode():
            raise _NotStarted("they have other rules than this process: Fanous was updated while it ran")

    def items(self, tally: Ingested, on_progress: OnFile | None) -> Iterator[Item]:
        """What they find; counts and progress are told at once.

        Raises:
            FanousError: they end again and again before they are done.
            RuntimeError: one did because of a fault in Fanous.
        """
        is_last = False
        while not is_last:
            try:
                data = self._connection.recv_bytes()
            except (EOFError, OSError):
                rest = self._replaced()
                if rest is not None:
                    yield rest
                continue
            items, progress, duplicate, outside, survivors, self._sent, is_last = pickle.loads(data)
            del data
            for mark in survivors:
                self._deaths.book.survived(mark)
            tally.duplicate += duplicate
            tally.outside += outside
            if on_progress is not None:
                for path, consumed in progress.items():
                    on_progress(path, consumed)
            yield from items

    def _replaced(self) -> Item | None:
        """Start another after one died, and record what ended it.

        Returns:
            The rest of a file, rejected, if two died there between records: while they unpacked it, for instance.
        """
        code = self._process.wait()
        if code == 1:
            raise RuntimeError(f"a process that reads files failed:\n{self._stderr()}")
        note = noted(self._place.fileno())
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
            rest = (note.file, inf, (str(path), 0, why, 1))
        self._died_at = self._sent
        self._opened.close()
        try:
            self.start()
            self.await_ready()
        except _NotStarted as why_not:
            raise FanousError(
                f"The process that was reading {path} {ended(code)}, and another could not be started: {why_not}. "
                "What was stored is kept. Run the command again with --jobs 1 to complete it.",
                permanent=False,
            ) from why_not
        return rest

    def _stderr(self) -> str:
        self._said.seek(0)
        return self._said.read().decode("utf-8", "replace")


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


def work(socket: int, place: int) -> None:
    """Be a worker.

    Args:
        socket: descriptor of the connection to the process that started it.
        place: descriptor of a file; holds the place of the file that is being read, and the record.
    """
    connection = Connection(socket)
    try:
        read, portions, book = pickle.loads(connection.recv_bytes())
        connection.send_bytes(rules_version().encode())
        Thread(target=_end_with, args=(connection,), daemon=True).start()
        gc.freeze()
        gc.disable()  # as ``bring_in`` does
        keep_freed_memory()
        survivors: list[Mark] = []
        slot = Slot(place, book, survivors.append)
        found = _Found(connection, survivors)
        for index, path, share in portions:
            slot.turn_to(index)
            found.file = index
            watch = found.progress.__setitem__ if share[:1] == ALL[:1] else None
            try:
                for judged in read([path], found, watch, share=share, working=slot):
                    found.add(judged.record.line, judged, len(judged.record.data) + len(judged.came))
            except FanousError as error:
                found.add(inf, FanousError(str(error)))
        found.send(is_last=True)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(ALONE)


def _end_with(connection: Connection) -> None:
    """End when the other end of the connection is closed; nothing more is ever received."""
    try:
        connection.recv_bytes()
    except (EOFError, OSError):
        os._exit(ALONE)


class _Found(Ingested):
    """What a worker found since its last frame.

    Attributes:
        file: place of the file that is being read.
        progress: file -> how many of its bytes have been read.
    """

    def __init__(self, connection: Connection, survivors: list[Mark]) -> None:
        super().__init__()
        self.file = 0
        self._survivors = survivors
        self._sent: Position = (-1, 0)
        self.progress: dict[Path, int] = {}
        self._items: list[Item] = []
        self._size = 0
        self._frames: Queue[bytes] = Queue(1)
        self._sender = Thread(target=_send, args=(connection, self._frames), daemon=True)
        self._sender.start()

    def reject(self, file: str, line: int, why: str, items: int = 1) -> None:
        self.add(line, (file, line, why, items))

    def add(self, line: float, one: Judged | FanousError | Rejection, size: int = 0) -> None:
        """Add what was found in a line, and send the frame if it is full.

        Args:
            size: bytes of its records.
        """
        self._items.append((self.file, line, one))
        self._sent = max(self._sent, (self.file, line))
        self._size += size
        if self._size >= FRAME_BYTES or len(self._items) >= FRAME_ITEMS:
            self.send()

    def send(self, *, is_last: bool = False) -> None:
        counts = self.duplicate, self.outside
        frame = self._items, self.progress, *counts, self._survivors, self._sent, is_last
        self._frames.put(pickle.dumps(frame, pickle.HIGHEST_PROTOCOL))
        self._items.clear()
        self.progress.clear()
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
