"""What is kept running, and how a crash is reported."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from fanous.errors import FanousError
from fanous.pipeline.scheduler import Crash, Patience, Task, outcome, pause, supervise, unless

QUICK = Patience(first=0.001, longest=0.004, sound=60.0, stopping=0.1)


def run(*tasks: Task, stop_after: float | None = None, patience: Patience = QUICK) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        if stop_after is not None:
            asyncio.get_running_loop().call_later(stop_after, stop.set)
        await supervise(tasks, stop, patience)

    asyncio.run(asyncio.wait_for(main(), 10))


def crashing(times: int, error: Exception, then: asyncio.Event) -> Callable[[], Awaitable[None]]:
    """Raises so many times, and sets ``then`` in the run after it."""
    left = times

    async def body() -> None:
        nonlocal left
        if left:
            left -= 1
            raise error
        then.set()

    return body


def together(times: int, error: Exception, patience: Patience = QUICK) -> list[str]:
    """A task that crashes next to one that does not; what the sound one did in that time."""
    done: list[str] = []

    async def main() -> None:
        stop = asyncio.Event()

        async def sound() -> None:
            done.append("began")
            await stop.wait()
            done.append("ended")

        tasks = [Task("frail", crashing(times, error, stop)), Task("sound", sound)]
        await supervise(tasks, stop, patience)

    asyncio.run(asyncio.wait_for(main(), 10))
    return done


def test_a_task_that_crashes_is_restarted_and_the_others_do_not_notice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert together(3, ValueError("a bug")) == ["began", "ended"]
    crashes = [record for record in caplog.records if record.message.startswith("task_crashed")]
    assert [record.message for record in crashes] == [
        f"""task_crashed task=frail restart_in={wait} why="ValueError('a bug')\""""
        for wait in (0.001, 0.002, 0.004)
    ]
    assert all(record.exc_info for record in crashes), "a bug is reported with where it happened"


def test_what_an_operator_can_fix_is_a_sentence_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    together(1, FanousError("the disk is full: free some space"))
    (record,) = caplog.records
    assert record.message == (
        'task_failed task=frail restart_in=0.001 why="the disk is full: free some space"'
    )
    assert not record.exc_info


@pytest.mark.parametrize(
    ("crashes", "seconds"), [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (100_000, 60.0)]
)
def test_each_crash_in_a_row_waits_longer_up_to_a_minute(crashes: int, seconds: float) -> None:
    assert Patience().after(crashes) == seconds


def test_after_running_soundly_a_crash_counts_as_the_first(caplog: pytest.LogCaptureFixture) -> None:
    together(4, OSError(28, "full"), Patience(first=0.001, longest=9.0, sound=0.0))
    waits = {record.message.split()[2] for record in caplog.records}
    assert waits == {"restart_in=0.001"}


def test_a_task_that_does_not_end_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def deaf() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    run(Task("deaf", deaf), stop_after=0.01)
    assert ended == ["cancelled"]
    assert [record.message for record in caplog.records] == ["task_cancelled task=deaf after=0.1"]


def test_a_task_that_ends_unasked_is_restarted(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[int] = []

    async def lazy() -> None:
        runs.append(1)

    run(Task("lazy", lazy), stop_after=0.05)
    assert len(runs) > 1
    assert 'why="it ended without being asked to"' in caplog.records[0].message


def test_stopping_interrupts_the_wait_for_a_restart() -> None:
    async def broken() -> None:
        raise FanousError("still broken")

    run(Task("broken", broken), stop_after=0.05, patience=Patience(first=60.0, longest=60.0))


def test_cancelling_the_supervisor_cancels_its_tasks() -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    async def main() -> None:
        watch = asyncio.create_task(supervise([Task("endless", endless)], asyncio.Event(), QUICK))
        await asyncio.sleep(0.01)
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch

    asyncio.run(main())
    assert ended == ["cancelled"]


def test_an_outcome_is_the_result_or_the_crash_and_never_a_cancellation() -> None:
    async def main() -> None:
        async def seven() -> int:
            return 7

        async def bug() -> int:
            raise KeyError("x")

        async def cancelled() -> int:
            raise asyncio.CancelledError

        assert await outcome(seven()) == 7
        crash = await outcome(bug())
        assert isinstance(crash, Crash)
        assert isinstance(crash.error, KeyError)
        with pytest.raises(asyncio.CancelledError):
            await outcome(cancelled())

    asyncio.run(main())


def test_a_pause_ends_when_it_is_over_or_when_all_stops() -> None:
    async def main() -> None:
        stop = asyncio.Event()
        await pause(stop, 0.001)
        stop.set()
        await pause(stop, 60)

    asyncio.run(asyncio.wait_for(main(), 10))


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fanous.pipeline.scheduler")


def test_work_is_given_up_once_it_is_asked_to_stop_and_what_fails_is_reported() -> None:
    async def failing() -> None:
        raise FanousError("why")

    async def main() -> float:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        with pytest.raises(FanousError, match="why"):
            await unless(stop, failing())
        loop.call_later(0.05, stop.set)
        began = loop.time()
        await unless(stop, asyncio.sleep(30))
        return loop.time() - began

    assert asyncio.run(main()) < 5
