"""Tasks: what a running monitor does regularly: check itself, watch for silent networks, delete old data, send alerts.

Each change of state is logged.  For ``[retention]`` the store's thread handles one segment at a time, so that
pages and detection never wait for a bucket.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from pathlib import Path

from fanous.analysis.series.silence import MEMORY, Collapse, Heartbeat, collapses, heartbeat
from fanous.collector.inbox import backlogs
from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.instant import DAY, HOUR, to_iso
from fanous.model.vitals import Spell
from fanous.monitor.clock import Clock
from fanous.pipeline.call import Call
from fanous.pipeline.interference import TICK
from fanous.pipeline.retain import Retained, Retention, drop, move, plan, refer
from fanous.pipeline.scheduler import pause
from fanous.pipeline.status import metrics
from fanous.pipeline.vitals import (
    DATA_LOST,
    PUT_BACK,
    Ailment,
    HeardNetwork,
    PullState,
    Vitals,
    examine,
    find_ailments,
    unreached,
    why_unready,
)
from fanous.probe.metrics import Metric
from fanous.publish.alerts.channel import Channel
from fanous.publish.alerts.dispatch import Dispatcher
from fanous.store.location import DataLost
from fanous.store.protocol import Ask, Store

SELFCHECK_EVERY = 60.0
"""Machine seconds between two checks; each takes the store's thread for some tens of milliseconds."""

STALE = 600.0
"""Seconds: without a check for this long, the store's thread hangs, or one piece of work occupies it."""

log = getLogger("fanous.monitor")


class Selfcheck:
    """Looks at the monitor itself, once a minute.

    Args:
        folders: one on each disk that is written to.
        clock: the machine's.
        pulls: how the requests to each source went.

    Attributes:
        ailments: as of the last check.
        feed: these and those that ended recently, each with its times, as of the last check.
    """

    def __init__(
        self,
        ask: Ask,
        folders: Sequence[Path],
        inboxes: Sequence[Path],
        clock: Callable[[], float] = time.time,
        pulls: Callable[[], list[PullState]] = list,
    ) -> None:
        self._ask, self._folders, self._inboxes, self._clock = ask, tuple(folders), tuple(inboxes), clock
        self._pulls = pulls
        self._seen: Vitals | None = None
        self._looked = time.monotonic()
        self._lost = ""
        self.ailments: list[Ailment] = []
        self.feed: list[Spell] = []

    async def watch(self, stop: asyncio.Event) -> None:
        """Run until stopped."""
        while not stop.is_set():
            await self.look()
            await pause(stop, SELFCHECK_EVERY)

    async def look(self) -> None:
        undetected = (self._seen.undetected if self._seen else None) or {}
        machine_at = self._clock()

        def seen(store: Store) -> Vitals:
            store.check_whole(files=True)
            return examine(store, self._folders, backlogs(self._inboxes), machine_at, undetected)

        try:
            self._seen = await self._ask(seen)
        except DataLost as lost:
            self._lost = str(lost)
            self._tell([Ailment(DATA_LOST, "store", self._lost, PUT_BACK)])
            return
        self._lost = ""
        self._looked = time.monotonic()
        self._tell([*find_ailments(self._seen), *unreached(self._pulls())])
        await self._note()

    async def _note(self) -> None:
        """Update the feed in the ledger.  This may fail too, since a full disk is itself an ailment."""
        now = self._clock()
        found = {(ailment.kind, ailment.about): (ailment.says, ailment.mend) for ailment in self.ailments}

        def noted(store: Store) -> list[Spell]:
            store.ledger.note_ailments(found, now)
            return store.ledger.ailments(now)

        try:
            self.feed = await self._ask(noted)
        except FanousError as error:
            log.warning(logline("ailments_not_kept", why=str(error)))

    def vitals(self) -> Vitals | None:
        """As of the last check; ``None`` = there was none yet."""
        return self._seen

    def unready(self) -> str:
        """Why this monitor cannot take work now; empty = it can."""
        if self._lost:
            return self._lost
        if self._seen is None:
            return "starting: the store has not answered yet"
        age = time.monotonic() - self._looked
        if age > STALE:
            return f"the store has not answered for {age:.0f} seconds"
        return why_unready(self.ailments)

    def figures(self) -> list[Metric]:
        """Metrics for Prometheus; none before the first check."""
        return metrics(self._seen, self.ailments) if self._seen else []

    def _tell(self, ailments: list[Ailment]) -> None:
        before = {(ailment.kind, ailment.about) for ailment in self.ailments}
        now = {(ailment.kind, ailment.about) for ailment in ailments}
        for one in ailments:
            if (one.kind, one.about) not in before:
                log.warning(logline("ailing", kind=one.kind, about=one.about, says=one.says, mend=one.mend))
        for kind, about in sorted(before - now):
            log.info(logline("well_again", kind=kind, about=about))
        self.ailments = ailments


HEARTBEATS_EVERY = 60.0
"""Seconds between two checks, by the monitor's clock; silence is measured in bins of ten minutes anyway."""

SHORTEST = 0.5
"""Shortest pause in a lab, in machine seconds."""

COLLAPSES = 60 * DAY
"""How far back to look for a country's silence."""


def heartbeats(store: Store, country: str | None = None) -> list[Heartbeat]:
    """All networks heard from within the memory, by country and number."""
    now, store = store.now(), store.about(country)
    since = now - MEMORY
    countries = [country] if country else store.facts.countries(since, now)
    return [
        heartbeat(volume, now)
        for name in countries
        for volume in store.facts.volume(name, since, now, TICK)
        if len(volume)
    ]


def country_collapses(store: Store, country: str) -> list[Collapse]:
    """Days in the last two months on which almost no network of a country was heard from."""
    now, store = store.now(), store.about(country)
    since = now - COLLAPSES
    others = [name for name in store.facts.countries(since, now) if name != country]
    elsewhere = [volume for name in others for volume in store.facts.volume(name, since, now, DAY)]
    return collapses(store.facts.volume(country, since, now, DAY), elsewhere, now)


@dataclass(frozen=True, slots=True)
class NetworksHeard:
    """When networks were last heard from.

    Attributes:
        at: unix seconds, by the store's clock.
        synthetic: everything known was staged.
        collapses: those of the one country that was asked about.
        names: country, ASN and the name given by measurements.
        last: of the latest sound measurement, however old; ``None`` = nothing was ever measured.
    """

    at: float
    synthetic: bool
    beats: Sequence[Heartbeat]
    collapses: Sequence[Collapse]
    names: Sequence[tuple[str, int, str]]
    last: float | None


class ReadNetworks(Call[NetworksHeard], frozen=True, tag="networks"):
    """When each network was last heard from; ``None`` = of all countries."""

    country: str | None = None

    def perform(self, store: Store) -> NetworksHeard:
        shown = store.about(self.country)
        beats = heartbeats(store, self.country)
        fell = country_collapses(store, self.country) if self.country else []
        names = [
            (place, asn, name)
            for place in sorted({beat.place.country for beat in beats})
            for asn, name in shown.facts.networks(place).items()
        ]
        measured = map(shown.facts.measured, [self.country] if self.country else shown.facts.countries())
        last = max((ends[1] for ends in measured if ends is not None), default=None)
        return NetworksHeard(store.now(), shown.is_synthetic, beats, fell, names, last)


class Hearing:
    """Keeps which networks have been heard, and logs each that falls silent or is heard again.

    Attributes:
        beats: as of the last check.
    """

    def __init__(self, ask: Ask, clock: Clock, stop: asyncio.Event) -> None:
        self._ask, self._clock, self._stop = ask, clock, stop
        self.beats: list[Heartbeat] = []

    async def listen(self) -> None:
        """Run until stopped."""
        while not self._stop.is_set():
            self._look_at(await self._ask(heartbeats))
            await pause(self._stop, max(SHORTEST, self._clock.lasts(HEARTBEATS_EVERY)))

    def heard(self) -> dict[tuple[str, int], float]:
        """(country, ASN) -> unix seconds."""
        return {(beat.place.country, beat.place.asn): beat.last for beat in self.beats}

    def networks(self) -> list[HeardNetwork]:
        return [
            HeardNetwork(beat.place.country, beat.place.asn, beat.last, beat.silent) for beat in self.beats
        ]

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


UPKEEP_EVERY = DAY
"""Machine seconds between two runs."""

AGAIN = HOUR
"""Seconds after which a bucket that could not be written is retried."""


class Upkeep:
    """Applies one retention policy."""

    def __init__(self, ask: Ask, policy: Retention) -> None:
        self._ask, self._policy = ask, policy

    async def keep(self, stop: asyncio.Event) -> None:
        """Run until stopped."""
        while not stop.is_set():
            try:
                await self.once(stop)
                wait = UPKEEP_EVERY
            except FanousError as error:
                log.warning(logline("retention_failed", why=str(error)))
                wait = AGAIN
            await pause(stop, wait)

    async def once(self, stop: asyncio.Event) -> Retained:
        """Do what is due now, or as much of it as possible before the monitor stops."""
        done = Retained()
        due = await self._ask(lambda store: plan(store, self._policy))
        await self._ask(lambda store: drop(store, due, done))
        for segment in due.segments:
            if stop.is_set():
                break
            await self._ask(partial(move, due=due, segment=segment, done=done))
        for segment in due.published:
            if stop.is_set():
                break
            await self._ask(partial(refer, due=due, segment=segment, done=done))
        log.info(
            logline(
                "retained",
                observations=done.observations,
                moved=done.moved,
                referenced=done.referenced,
                left=len(done.left),
            )
        )
        for segment, why in done.left:
            log.warning(logline("segment_left", segment=segment.name, why=why))
        return done


async def tell(dispatcher: Dispatcher, channel: Channel, every: float, stop: asyncio.Event) -> None:
    """Send one channel its alerts until stopped; ``every``: machine seconds between two checks."""
    while not stop.is_set():
        await dispatcher.tell(channel)
        await pause(stop, every)
