"""Queue: moves what other collectors keep in a NATS stream into the store, like what waits on the disk.

The servers hear that a message is done only after the store said so: killed at any point, the same ones
come again, and are known by their identities.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from fanous.collector.stream.address import StreamAddress
from fanous.collector.stream.drain import drain
from fanous.collector.stream.pull import Writer
from fanous.monitor.intake import bring
from fanous.pipeline.tally import Ingested
from fanous.store.ask import Ask

FETCH_SECONDS = 1.0
"""So long more is waited for before it looks whether it is to end."""


class Streamed:
    """Args:
    source: of what probes send.
    """

    def __init__(self, ask: Ask, address: StreamAddress, source: str) -> None:
        self._ask, self._address, self._source = ask, address, source

    async def take(self, stop: asyncio.Event) -> None:
        """Until stopped.

        Raises:
            FanousError: the servers cannot be reached, or the store does not take what came.
        """
        await asyncio.to_thread(self._take, stop, asyncio.get_running_loop())

    def _take(self, stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread of its own, since a writer waits; the store is asked in the one that owns it."""

        async def brought(files: Sequence[Path]) -> Ingested:
            return await self._ask(partial(bring, str(self._address), files, self._source))

        def bring_in(files: Sequence[Path]) -> Mapping[int, str]:
            tally = asyncio.run_coroutine_threadsafe(brought(files), loop).result()
            return {reject.line: reject.why for reject in tally.rejects}

        with Writer(self._address, patience=0) as writer:  # the scheduler tries again, and says so
            while not stop.is_set():
                drain(writer, bring_in, FETCH_SECONDS)
