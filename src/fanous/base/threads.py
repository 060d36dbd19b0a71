"""Threads: blocking calls in threads that are not waited for when the process ends.

The standard pool joins its threads at exit, so one look-up of a name whose server never answers, or one
publisher that says "come back in five minutes", keeps a stopped process alive that long.
"""

import ctypes
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

M_ARENA_MAX = -8
"""A parameter of glibc's mallopt(3)."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Further parameters of mallopt(3)."""

ARENAS = 2

KEPT_FREE = 64 << 20
"""Bytes that a process may keep without using them."""

LARGE = 32 << 20
"""Size of an allocation that glibc maps separately and returns to the kernel at once; the largest value it allows."""

IDLE_SECONDS = 5.0
"""Seconds for which a thread without work stays: starting one takes longer than most calls."""

P = ParamSpec("P")
T = TypeVar("T")


class Threads(ThreadPoolExecutor):
    """A pool of daemon threads: a default executor for an event loop, or the budget of one kind of work.

    A thread waits ``IDLE_SECONDS`` for more to do; what is still running when the process ends is abandoned, so
    nothing that must be finished (a write, a commit) belongs here.

    Args:
        most: most threads at once; further calls wait for one of them.
        name: of the threads.
    """

    def __init__(self, most: int, name: str) -> None:
        super().__init__(most, name)
        self._most, self._name = most, name
        self._more = threading.Condition(threading.Lock())
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy = self._idle = 0

    @property
    def busy(self) -> int:
        """Threads at work now."""
        return self._busy

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Submit a call, as with any executor."""
        future: Future[T] = Future()
        call = partial(_answer, future, partial(fn, *args, **kwargs))
        with self._more:
            self._waiting.append(call)
            begins = len(self._waiting) > self._idle and self._busy + self._idle < self._most
            self._busy += begins
            self._more.notify()
        if begins:
            try:
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
            except RuntimeError:  # no more threads are allowed (TasksMax), and the call must not wait forever
                with self._more:
                    self._busy -= 1
                    self._waiting.remove(call)
                raise
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Waits for nothing: see above."""

    def forget(self) -> None:
        """Drop the calls that are waiting for a thread."""
        with self._more:
            self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._more:
                if not self._waiting:
                    self._busy, self._idle = self._busy - 1, self._idle + 1
                    self._more.wait_for(lambda: self._waiting, IDLE_SECONDS)
                    self._idle -= 1
                    if not self._waiting:
                        return
                    self._busy += 1
                call = self._waiting.popleft()
            call()
            del call  # what it holds does not wait with the thread


def _answer(future: "Future[Any]", call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # the caller awaiting it must learn of any error
        future.set_exception(error)


def keep_freed_memory() -> None:
    """Reuse freed memory when much is read: a record of a hundred kilobytes is read, decoded and dropped, and if
    its memory goes back to the kernel each time, getting it again takes a fifth of the time of an ingest.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, KEPT_FREE)


def few_arenas() -> None:
    """Let the threads of this process share their memory.

    glibc gives threads their own arenas, up to eight per processor, and memory freed by one thread is not available to
    others: a monitor with fifty threads held ninety MiB of it after an hour.  On other systems this does nothing.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
