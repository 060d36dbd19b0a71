"""A store that is owned, and answered for at its socket, by threads of the test."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fanous.monitor.control import Local
from fanous.store.local import open_store
from fanous.store.location import in_folder
from fanous.store.protocol import OneThread


def lock_of(store: Path) -> Path:
    lock = in_folder(store).lock
    assert lock is not None
    return lock


@contextmanager
def owner(store: Path, clock: Callable[[], float] = time.time) -> Iterator[None]:
    """As while ``fanous run`` is up."""
    loop, stop, up = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    with OneThread(lambda: open_store(store, clock=clock)) as owned:
        local = Local(owned.ask, lock_of(store))

        async def serve() -> None:
            loop.call_soon(up.set)
            await local.serve(stop)

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        assert up.wait(10)
        while not lock_of(store).with_name("fanous.sock").exists():
            assert thread.is_alive()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            loop.close()
