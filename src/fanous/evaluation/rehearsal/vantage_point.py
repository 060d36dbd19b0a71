"""Vantage point: one probe of the lab at work - rounds at the scenario's tick, a spool, an uploader."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from fanous.evaluation.rehearsal.clock import LabClock
from fanous.evaluation.rehearsal.profile import with_transfers
from fanous.evaluation.rehearsal.seams import (
    BrokenNetwork,
    LyingNetwork,
    PortalNetwork,
    RoundNetwork,
    SeamTransport,
)
from fanous.probe.net.network import Network
from fanous.probe.outcome import Outcome
from fanous.probe.record import ProbeVantage
from fanous.probe.run import run
from fanous.probe.settings import Settings
from fanous.probe.spool import Spool, Uploader

ROUNDS_AT_ONCE = 6
"""A round that meets silence or loss outlasts its tick: the last time-outs end after five of them."""

RATED = 2
"""Targets whose rates are measured together: that a line is slow is said beside two of them."""

UPLOAD_SECONDS = 0.3
UPLOAD_PATIENCE = 2.5
"""Seconds for one request to the collector: the lab's way there and back takes 0.1 s."""

LONGEST_WAIT = 900.0
"""Seconds of the monitor's clock between two tries of an upload (``probe.spool.backoff``), stretched like all."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What a vantage point has to do.

    Attributes:
        fault: ``broken``, ``lying``, ``portal``, or empty.
        transfer_every: ticks from one measurement of a rate to the next; 0 = none is made.
        offset: seconds after each tick, so that not all begin at once.
    """

    name: str
    vantage: ProbeVantage
    urls: tuple[str, ...]
    hosts: tuple[str, ...]
    settings: Settings
    fault: str = ""
    transfer_every: int = 0
    offset: float = 0.0
    seed: int = 0


@dataclass(slots=True)
class Kept:
    """Rounds begun and not begun, and measurements acknowledged."""

    rounds: int = 0
    missed: int = 0
    measurements: int = 0
    acknowledged: int = 0
    slowest: float = 0.0
    states: dict[str, str] = field(default_factory=dict)


class LabProbe:
    """One vantage point.

    Args:
        network: its own, without the stretched clock.
        on_outcome: told each outcome as the probe itself sees it, for those who watch.
    """

    def __init__(
        self,
        duty: Duty,
        network: Network,
        folder: Path,
        collector: str,
        clock: LabClock,
        on_outcome: Callable[[Duty, Outcome], None] = lambda _duty, _outcome: None,
    ) -> None:
        self.duty, self.kept = duty, Kept()
        self._network, self._clock, self._on_outcome = network, clock, on_outcome
        self._spool = Spool(folder / duty.name)
        self._collector = collector
        self._chance = random.Random(duty.seed)
        self._running: set[asyncio.Task[None]] = set()
        self._measuring_rates: set[asyncio.Task[None]] = set()
        self._under_way: Counter[str] = Counter()
        self._slow: set[str] = set()
        self._tick = inf
        self._is_sound = True
        """By the latest look at the line: without a network no site is measured."""

    async def stand(self, tick: float, rounds: int) -> None:
        """Begin a round at each tick; returns when the last one has ended."""
        self._tick = tick
        for number in range(rounds):
            at = number * tick + self.duty.offset
            await asyncio.sleep(max(0.0, at - self._clock.lab()))
            if len(self._running) >= ROUNDS_AT_ONCE or self._clock.lab() > at + tick:
                self.kept.missed += 1
                continue
            self._begin(self._round(number * tick), self._running)
            every = self.duty.transfer_every
            is_turn = bool(every) and number % every == self.duty.seed % every
            if is_turn and self._is_sound and not self._measuring_rates:
                self._begin(self._rates(number * tick, number // every), self._measuring_rates)
        await asyncio.gather(*self._running, *self._measuring_rates)

    def _begin(self, work: Coroutine[None, None, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)

    async def report(self, ends: asyncio.Event) -> None:
        """Send what waits in the spool, again and again; returns when it is empty after ``ends`` is set."""
        transport = SeamTransport(self._network, UPLOAD_PATIENCE)
        async with Uploader(self._spool, [self._collector], transport=transport) as uploader:
            while not (ends.is_set() and not self._spool.waiting()):
                for collector in uploader.collectors:  # the pause of minutes is stretched, too
                    latest = asyncio.get_running_loop().time() + LONGEST_WAIT / self._clock.stretch
                    collector.not_before = min(collector.not_before, latest)
                if self._spool.waiting():
                    self.kept.acknowledged += (await uploader.send()).acknowledged
                await asyncio.sleep(UPLOAD_SECONDS)

    async def _round(self, at: float) -> None:
        """All targets, and the line itself."""
        self.kept.rounds += 1
        duty = self.duty
        network = self._seam(self._clock.monitor(at))
        with self._measuring(duty.urls) as urls:
            report = await run(network, duty.settings, duty.vantage, urls, self._write, self._done_in_round)
        self._is_sound = not (report.health and report.health.defect)
        self.kept.slowest = max(self.kept.slowest, report.seconds)

    async def _rates(self, at: float, turn: int) -> None:
        """How fast two targets are, beside controls; it takes longer than a tick, and holds no round up."""
        duty = self.duty
        turned = dict.fromkeys(duty.urls[(turn * RATED + n) % len(duty.urls)] for n in range(RATED))
        network = self._seam(self._clock.monitor(at))
        settings = with_transfers(duty.settings)
        with self._measuring(turned) as urls:
            await run(network, settings, duty.vantage, urls, self._write, self._done, with_health=False)

    @contextmanager
    def _measuring(self, urls: Iterable[str]) -> Iterator[list[str]]:
        """Those of ``urls`` that may be measured now: none twice at once whose data come slowly.

        In earnest nothing is: a round ends long before the next one.  Here it would make slow lines slower.
        Slow ones begin together, as in earnest: that a line is slow is said beside two targets at one time.
        """
        wait = any(self._under_way[url] for url in self._slow)
        chosen = [url for url in urls if not (wait and url in self._slow)]
        self._under_way.update(chosen)
        try:
            yield chosen
        finally:
            self._under_way.subtract(chosen)

    def _done(self, outcome: Outcome) -> None:
        """Learn whether a page takes longer than a tick, as far as it came."""
        if outcome.speed is not None:
            seconds = self.duty.settings.most_body * 8 / 1000 / outcome.speed.kbps
            (self._slow.add if seconds > self._tick else self._slow.discard)(outcome.url)

    def _done_in_round(self, outcome: Outcome) -> None:
        self._done(outcome)
        self._on_outcome(self.duty, outcome)

    def _write(self, record: bytes) -> None:
        self._spool.put(record)
        self.kept.measurements += 1

    def _seam(self, instant: float) -> Network:
        if self.duty.fault == "broken":
            return BrokenNetwork(self._network, instant, self._chance)
        if self.duty.fault == "portal":
            return PortalNetwork(self._network, instant)
        if self.duty.fault == "lying":
            return LyingNetwork(self._network, instant, self.duty.hosts)
        return RoundNetwork(self._network, instant)
