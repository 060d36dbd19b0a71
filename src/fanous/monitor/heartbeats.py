"""Heartbeats: checks regularly when each network was last heard; a change is a line in the log."""

import asyncio
from logging import getLogger

from fanous.analysis.series.collapse import DAY, Collapse, collapses
from fanous.analysis.series.heartbeats import MEMORY, Heartbeat, heartbeat
from fanous.log import logline
from fanous.model.instant import to_iso
from fanous.monitor.clock import Clock
from fanous.pipeline.interference import TICK
from fanous.pipeline.scheduler import pause
from fanous.store.ask import Ask
from fanous.store.protocol import Store

EVERY = 60.0
"""Seconds between two looks, by the monitor's clock; silence is told in bins of ten minutes anyway."""

SHORTEST = 0.5
"""Seconds of the machine, in a lab."""

COLLAPSES = 60 * DAY
"""How far back a country's silence is looked for."""

log = getLogger("fanous.monitor")


def heartbeats(store: Store, country: str | None = None) -> list[Heartbeat]:
    """All networks that were heard in the memory, by country and number."""
    now = store.now()
    since = now - MEMORY
    countries = [country] if country else store.countries(since, now)
    return [
        heartbeat(volume, now)
        for name in countries
        for volume in store.volume(name, since, now, TICK)
        if len(volume)
    ]


def country_collapses(store: Store, country: str) -> list[Collapse]:
    """Days of the last two months on which hardly any network of a country was heard."""
    now = store.now()
    since = now - COLLAPSES
    others = [name for name in store.countries(since, now) if name != country]
    elsewhere = [volume for name in others for volume in store.volume(name, since, now, DAY)]
    return collapses(store.volume(country, since, now, DAY), elsewhere, now)


class Hearing:
    """Attributes:
    beats: as of the last look.
    """

    def __init__(self, ask: Ask, clock: Clock, stop: asyncio.Event) -> None:
        self._ask, self._clock, self._stop = ask, clock, stop
        self.beats: list[Heartbeat] = []

    async def listen(self) -> None:
        """Until stopped."""
        while not self._stop.is_set():
            self._look_at(await self._ask(heartbeats))
            await pause(self._stop, max(SHORTEST, self._clock.lasts(EVERY)))

    def heard(self) -> dict[tuple[str, int], float]:
        """(country, ASN) -> unix seconds."""
        return {(beat.place.country, beat.place.asn): beat.last for beat in self.beats}

    def _look_at(self, beats: list[Heartbeat]) -> None:
        before = {beat.place: beat.silent for beat in self.beats}
        self.beats = beats
        for beat in beats:
            if beat.silent == before.get(beat.place, False):
                continue
            log.info(
                logline(
                    "network_silent" if beat.silent else "network_heard_again",
                    country=beat.place.country,
                    network=f"AS{beat.place.asn}",
                    last=to_iso(beat.last),
                    habit_seconds=beat.habit,
                )
            )
