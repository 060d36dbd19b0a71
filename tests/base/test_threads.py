"""Blocking calls in threads that are not waited for at the end."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from fanous.base.threads import Threads
from tests.children import child_environment

STUCK = """
import asyncio, time
from fanous.base.threads import Threads

async def main():
    asyncio.get_running_loop().set_default_executor(Threads(2, "stuck"))
    task = asyncio.create_task(asyncio.to_thread(time.sleep, 60))
    await asyncio.sleep(0.2)

asyncio.run(main())
"""


def test_a_call_that_does_not_end_does_not_keep_the_process() -> None:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", STUCK], env=child_environment(), timeout=30, check=True)
    assert time.monotonic() - began < 20


def test_so_many_run_at_once_and_the_others_wait_their_turn() -> None:
    pool, gate, most = Threads(3, "few"), threading.Event(), list[int]()

    def call(n: int) -> int:
        most.append(pool.busy)
        gate.wait(10)
        return n

    futures = [pool.submit(call, n) for n in range(8)]
    while len(most) < 3:
        time.sleep(0.01)
    assert pool.busy == 3
    gate.set()
    assert [one.result(10) for one in futures] == list(range(8))
    assert max(most) == 3
    until = time.monotonic() + 10
    while pool.busy and time.monotonic() < until:
        time.sleep(0.01)
    assert pool.busy == 0


def test_what_a_call_raises_reaches_its_caller() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(Threads(1, "one"), int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(main())


def test_a_thread_waits_for_the_next_call() -> None:
    pool, threads = Threads(3, "again"), set[int]()
    for _ in range(20):
        threads.add(pool.submit(threading.get_ident).result(10))
        time.sleep(0.01)
    assert len(threads) == 1


def test_a_call_that_comes_while_an_idle_thread_wakes_has_its_own() -> None:
    pool, gate = Threads(2, "two"), threading.Barrier(2)
    pool.submit(int).result(10)
    together = [pool.submit(gate.wait, 10) for _ in range(2)]
    assert sorted(call.result(20) for call in together) == [0, 1]


def test_a_thread_without_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanous.base.threads.IDLE_SECONDS", 0.05)
    thread = Threads(1, "short").submit(threading.current_thread).result(10)
    thread.join(10)
    assert not thread.is_alive()
