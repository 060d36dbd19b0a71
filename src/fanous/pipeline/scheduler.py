"""Scheduler: keeps tasks running; one that crashes is restarted, and the others are not affected.

This is the only place where every exception is caught: whether caused by the environment or by a bug, it must
not stop a monitor, which would then miss what it exists to see.  Each is logged.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from logging import getLogger
from typing import Any, TypeVar

from fanous.errors import FanousError
from fanous.log import logline

T = TypeVar("T")

log = getLogger("fanous.pipeline.scheduler")


@dataclass(frozen=True, slots=True)
class Task:
    """Something that runs until it is asked to stop.

    Attributes:
        name: its name in the log.
        run: called again after each crash, and after ending without being asked.
    """

    name: str
    run: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Waiting times; seconds.

    Attributes:
        first: before the first restart; doubled for each further one in a row.
        longest: between two restarts, so that recovery from a disk that was full all night is noticed within
            the minute.
        sound: after running this long a task has recovered, and its next crash counts as the first.
        stopping: for a task to end by itself; then it is cancelled.  A stop takes 5 s at most in all: a
            service manager, a container engine and a person at a terminal wait for it.
    """

    first: float = 1.0
    longest: float = 60.0
    sound: float = 120.0
    stopping: float = 3.5

    def after(self, crashes: int) -> float:
        """Seconds before the restart after this many crashes in a row."""
        return float(min(self.longest, self.first * 2.0 ** min(crashes - 1, 30)))


async def supervise(tasks: Sequence[Task], stop: asyncio.Event, patience: Patience | None = None) -> None:
    """Keep all tasks running until ``stop`` is set and they have ended."""
    wait = patience or Patience()
    kept = [asyncio.create_task(_keep(task, stop, wait), name=task.name) for task in tasks]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([stopping, *kept], return_when=asyncio.FIRST_COMPLETED)
        await stopping
        _, late = await asyncio.wait(kept, timeout=wait.stopping) if kept else (set(), set())
        for one in late:
            log.warning(logline("task_cancelled", task=one.get_name(), after=wait.stopping))
    finally:
        stopping.cancel()
        for one in kept:
            one.cancel()
        await asyncio.gather(*kept, return_exceptions=True)


async def _keep(task: Task, stop: asyncio.Event, patience: Patience) -> None:
    crashes = 0
    while not stop.is_set():
        began = time.monotonic()
        crash = await outcome(task.run())
        if not isinstance(crash, Crash):
            if stop.is_set():
                return
            crash = Crash(FanousError("it ended without being asked to"))
        crashes = 1 if time.monotonic() - began >= patience.sound else crashes + 1
        wait = patience.after(crashes)
        _say(task.name, crash, wait)
        await pause(stop, wait)


def _say(name: str, crash: "Crash", wait: float) -> None:
    if isinstance(crash.error, FanousError):  # an operator can fix it, and the message says how
        log.error(logline("task_failed", task=name, restart_in=wait, why=crash.error))
        return
    line = logline("task_crashed", task=name, restart_in=wait, why=repr(crash.error))
    log.error(line, exc_info=crash.error)


@dataclass(frozen=True, slots=True)
class Crash:
    """The exception that ended a task."""

    error: Exception


async def outcome(work: Awaitable[T]) -> T | Crash:
    """The result, or the exception as a value; a cancellation propagates."""
    try:
        return await work
    except Exception as error:
        return Crash(error)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but no longer than until ``stop`` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> None:
    """Do the work, but give up once ``stop`` is set."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
    if not doing.cancelled():
        doing.result()
