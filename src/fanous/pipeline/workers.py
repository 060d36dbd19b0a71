"""Workers: processes that read files and judge their records, for the one process that stores them.

A store has one owner, so it alone writes; but it spends only a sixth of the time of an import on that.  Each worker
takes its portion of the files: some of the small ones, and every so-and-so-many-th line of each large one, which all
of them unpack.  It sends what it finds in frames, over a socket whose other end is merged in the order of files and
lines.  So the result does not depend on how many workers there are, and a worker that is ahead waits.

Workers are started as new programs: a fork would copy the threads of the engine in an unknown state.  If the process
that started them ends, for whatever reason, their sockets close, and they end too.
"""

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from heapq import merge
from math import inf
from multiprocessing.connection import Connection, Pipe
from operator import itemgetter
from pathlib import Path
from queue import Queue
from signal import SIGKILL, Signals
from tempfile import TemporaryFile
from threading import Thread
from typing import Self

from fanous.errors import FanousError
from fanous.pipeline.judge import Ingested, OnFile, rules_version
from fanous.sources.connector import ALL
from fanous.store.batch import Judged
from fanous.threads import keep_freed_memory

MOST = 4
"""Most workers by default: then storing, which one process does, takes as long as reading."""

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

OUT_OF_MEMORY, ALONE = 75, 76
"""Exit codes of a worker: it had too little memory; the process that started it is gone."""

Read = Callable[..., Generator[Judged]]
"""``judged_records`` with everything but ``paths``, ``tally``, ``on_progress`` and ``share``."""

Portion = tuple[int, Path, range]
"""A file with its place among all, and the lines to read."""

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
    jobs: int, read: Read, paths: Sequence[Path], tally: Ingested, on_progress: OnFile | None
) -> Generator[Judged]:
    """What ``read`` gives for these files, read by this number of workers; close it to end them.

    If they cannot be started, this process reads the files and says so in ``tally.notes``.

    Raises:
        FanousError: a file that cannot be read at all, or a worker ended.
    """
    with ExitStack() as started:
        try:
            workers = [
                started.enter_context(_Worker(read, paths, portions)) for portions in dealt(paths, jobs)
            ]
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


class _Worker:
    """One worker, as the process sees it that started it; leaving it ends it."""

    def __init__(self, read: Read, paths: Sequence[Path], portions: Sequence[Portion]) -> None:
        self._task = pickle.dumps((read, portions))
        self._paths = paths

    def __enter__(self) -> Self:
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
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def await_ready(self) -> None:
        """Tell it what to read, and wait until it has loaded what it needs; raises ``_NotStarted``."""
        try:
            self._connection.send_bytes(self._task)
            version = self._connection.recv_bytes() if self._connection.poll(START_SECONDS) else None
        except (EOFError, OSError):
            code = self._process.wait()
            said = self._stderr().strip().rpartition("\n")[2]
            raise _NotStarted(said or _ended(code)) from None
        if version is None:
            raise _NotStarted(f"no answer in {START_SECONDS:.0f} seconds")
        if version != rules_version().encode():
            raise _NotStarted("they have other rules than this process: Fanous was updated while it ran")

    def items(self, tally: Ingested, on_progress: OnFile | None) -> Iterator[Item]:
        """What it finds; counts and progress are told at once.

        Raises:
            FanousError: it ended before it was done.
            RuntimeError: because of a fault in Fanous.
        """
        is_last = False
        while not is_last:
            try:
                data = self._connection.recv_bytes()
            except (EOFError, OSError):
                raise self._failure() from None
            items, progress, duplicate, outside, is_last = pickle.loads(data)
            del data
            tally.duplicate += duplicate
            tally.outside += outside
            if on_progress is not None:
                for path, consumed in progress.items():
                    on_progress(path, consumed)
            yield from items

    def _failure(self) -> Exception:
        code = self._process.wait()
        if code == 1:
            return RuntimeError(f"a process that reads files failed:\n{self._stderr()}")
        path = self._paths[int.from_bytes(os.pread(self._place.fileno(), 4, 0))]
        return FanousError(
            f"The process that was reading {path} {_ended(code)}. What was stored is kept. Run the command again "
            "with --jobs 1 to complete it; if that fails as well, leave this file out."
        )

    def _stderr(self) -> str:
        self._said.seek(0)
        return self._said.read().decode("utf-8", "replace")


def _ended(code: int) -> str:
    if code == OUT_OF_MEMORY:
        return "ran out of memory"
    if code == -SIGKILL:
        return "was killed (SIGKILL), as the system does if memory runs out"
    return f"crashed ({Signals(-code).name})" if code < 0 else f"ended (code {code})"


# --- in the worker ----------------------------------------------------------------------------------------


def work(socket: int, place: int) -> None:
    """Be a worker.

    Args:
        socket: descriptor of the connection to the process that started it.
        place: descriptor of a file; holds the place of the file that is being read.
    """
    connection = Connection(socket)
    try:
        read, portions = pickle.loads(connection.recv_bytes())
        connection.send_bytes(rules_version().encode())
        Thread(target=_end_with, args=(connection,), daemon=True).start()
        gc.freeze()
        gc.disable()  # as ``bring_in`` does
        keep_freed_memory()
        found = _Found(connection)
        for index, path, share in portions:
            os.pwrite(place, index.to_bytes(4), 0)
            found.file = index
            watch = found.progress.__setitem__ if 1 in share else None
            try:
                for judged in read([path], found, watch, share=share):
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

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.file = 0
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
        self._size += size
        if self._size >= FRAME_BYTES or len(self._items) >= FRAME_ITEMS:
            self.send()

    def send(self, *, is_last: bool = False) -> None:
        frame = self._items, self.progress, self.duplicate, self.outside, is_last
        self._frames.put(pickle.dumps(frame, pickle.HIGHEST_PROTOCOL))
        self._items.clear()
        self.progress.clear()
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
