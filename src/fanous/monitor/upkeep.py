"""Upkeep: carries out the policy of ``[retention]`` once a day.

The store's thread is asked for one segment at a time, so that pages and detection never wait for a bucket.
"""

import asyncio
from functools import partial
from logging import getLogger

from fanous.errors import FanousError
from fanous.log import logline
from fanous.pipeline.retain import Retained, Retention, drop, move, plan
from fanous.pipeline.scheduler import pause
from fanous.store.ask import Ask

EVERY = 86_400.0
"""Seconds of the machine between two times."""

AGAIN = 3600.0
"""Seconds after which a bucket that could not be written is tried again."""

log = getLogger("fanous.monitor")


class Upkeep:
    """Keeps to one policy."""

    def __init__(self, ask: Ask, policy: Retention, every: float = EVERY, again: float = AGAIN) -> None:
        self._ask, self._policy = ask, policy
        self._every, self._again = every, again

    async def keep(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not stop.is_set():
            try:
                await self.once(stop)
                wait = self._every
            except FanousError as error:
                log.warning(logline("retention_failed", why=str(error)))
                wait = self._again
            await pause(stop, wait)

    async def once(self, stop: asyncio.Event) -> Retained:
        """What is due now, or as much of it as is done when the monitor stops."""
        done = Retained()
        due = await self._ask(lambda store: plan(store, self._policy))
        await self._ask(lambda store: drop(store, due, done))
        for segment in due.segments:
            if stop.is_set():
                break
            await self._ask(partial(move, due=due, segment=segment, done=done))
        log.info(logline("retained", observations=done.observations, moved=done.moved, left=len(done.left)))
        for segment, why in done.left:
            log.warning(logline("segment_left", segment=segment.name, why=why))
        return done
