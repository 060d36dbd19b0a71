"""Remote: rounds from other people's vantage points, for the countries that the configuration names.

Their pace never changes: the lines are other people's, and the hourly tests are few.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from logging import getLogger

from fanous.errors import FanousError, Rejected
from fanous.log import logline
from fanous.monitor.clock import Clock
from fanous.monitor.sources import LOOK, SHORTEST, Errand, Turns
from fanous.pipeline.judge import Ingested, log_rejects
from fanous.pipeline.pull import due
from fanous.pipeline.remote import begin_round, bring_round, one_round
from fanous.pipeline.remote_plan import RemotePlan
from fanous.pipeline.scheduler import pause, unless
from fanous.pipeline.vitals import PullStates
from fanous.probe.run import wanted_of
from fanous.store.protocol import Ask

log = getLogger("fanous.monitor")


class Remote:
    """Measures from other people's vantage points, each country when its round is due.

    Args:
        wanted: errands of sources that measure on order.
    """

    def __init__(self, ask: Ask, wanted: Sequence[Errand], clock: Clock) -> None:
        self._ask, self._wanted, self._clock = ask, tuple(wanted), clock
        self._turns = Turns()
        self.states = PullStates([(one.source, one.country) for one in wanted])

    async def pull(self, stop: asyncio.Event) -> None:
        """Run until stopped."""
        while not stop.is_set():
            for errand in self._wanted:
                if not stop.is_set():
                    await unless(stop, self.one_round(errand))
            await pause(stop, max(SHORTEST, self._clock.lasts(LOOK)))

    async def one_round(self, errand: Errand) -> Ingested | None:
        """One country's round, if it is due; ``None`` = it was not, or nothing could be measured.

        A round that could not even be planned has requested nothing, so it is tried again within minutes.
        """
        now, source, country, every = self._clock(), errand.source, errand.country, errand.settings.every
        if not self._turns.has_come((source, country), now):
            return None
        if not await self._ask(lambda store: due(store, source, country, every, now)):
            return None
        self._turns.failed((source, country), now, every)
        left: list[str] = []
        plans: list[RemotePlan] = []
        loop = asyncio.get_running_loop()

        async def note_begin() -> None:
            await self._ask(partial(begin_round, source=source, country=country, now=now))

        def begin(planned: RemotePlan) -> None:
            plans.append(planned)
            self._turns.took((source, country), now, every)
            asyncio.run_coroutine_threadsafe(note_begin(), loop).result()

        try:
            lines = await asyncio.to_thread(_measured, errand, int(now // every), left, begin)
        except (FanousError, Rejected) as error:
            log.warning(logline("round_failed", source=source, country=country, why=error))
            self.states.note(source, country, now, str(error))
            return None
        (planned,) = plans
        self.states.note(source, country, now)
        is_publisher = not errand.settings.mirror
        tally: Ingested = await self._ask(
            partial(
                bring_round, source=source, country=country, lines=lines, now=now, is_publisher=is_publisher
            )
        )
        log_rejects(log, tally)
        log.info(
            logline(
                "round",
                source=source,
                country=country,
                targets=len(planned.urls),
                networks=len(planned.networks),
                tests=planned.tests,
                new=tally.stored,
                rejected=tally.rejected or None,
                left_out=len(planned.left_out) + len(left) or None,
            )
        )
        for sentence in (*planned.left_out, *left):
            log.info(logline("left_out", source=source, country=country, what=sentence))
        return tally


def _measured(
    errand: Errand, turn: int, left: list[str], on_plan: Callable[[RemotePlan], None]
) -> list[bytes]:
    settings = errand.settings
    urls = wanted_of((), settings.lists, left.append).urls
    return list(one_round(errand.source, settings, errand.country, urls, turn, left.append, on_plan=on_plan))
