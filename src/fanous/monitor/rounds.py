"""Rounds: this machine's own probe, on a schedule that a crash or restart never brings forward.

A round's measurements go to a journal on disk, from which the store takes them like any others.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from logging import getLogger
from pathlib import Path

import msgspec

from fanous.base.files import disk_errors
from fanous.collector.inbox import STATE, Journal
from fanous.log import logline
from fanous.model.event import AnnouncedEvent
from fanous.monitor.clock import Clock, ClockedNetwork
from fanous.monitor.settings import Rounds
from fanous.pipeline.scheduler import pause, unless
from fanous.probe import consent
from fanous.probe.allowance import DayMeter
from fanous.probe.run import RunReport, report_id, run
from fanous.probe.settings import Settings, probe_folder
from fanous.probe.trace import ProbeVantage
from fanous.sources.ooni.keep import kept_own

ASKED_AGAIN = 60.0
"""Machine seconds between two checks for consent."""


log = getLogger("fanous.monitor")

NO_CONSENT = (
    "no consent: set consent = true in [rounds], or run `fanous probe consent` as the user of this process; to measure "
    "nothing from here, set on = false in [rounds]"
)
"""Under systemd the process has its own user, on whose behalf no one can store a consent."""


class RoundsState(msgspec.Struct, frozen=True):
    """State that outlives the process.

    Attributes:
        began: when the last round began, by the monitor's clock.
        vantage: where the probe was then.  Its ``report_id`` stays the same while the probe does not move: a
            report counts as one witness, and a monitor that measures for days is one, not hundreds.
    """

    began: float
    vantage: ProbeVantage


@dataclass(frozen=True, slots=True)
class OwnProbe:
    """The monitor's own probe: a round whenever one is due, once its operator has consented.

    Attributes:
        folder: of the journal.
        events: returns the announced events; ``None`` = none are available.
    """

    folder: Path
    rounds: Rounds
    settings: Settings
    clock: Clock
    events: Callable[[], Awaitable[Sequence[AnnouncedEvent]]] | None = None

    async def measure(self, stop: asyncio.Event) -> None:
        """Run until stopped."""
        journal, dice = Journal(self.folder), random.Random(self.settings.seed or None)
        # Wait until a round is due; rounds of a process that died or crashed count too.
        state = read_state(self.folder)
        if state is not None:
            remaining = state.began + self.rounds.least - self.clock()
            await pause(stop, max(0.0, self.clock.lasts(min(remaining, self.rounds.least))))
        while not stop.is_set():
            await self._wait_for_consent(stop)
            if stop.is_set():
                return
            await self._round(journal, dice, stop)
            events = await self.events() if self.events is not None else ()
            await pause(stop, self.clock.lasts(self.rounds.wait(dice, events, self.clock())))

    async def _wait_for_consent(self, stop: asyncio.Event) -> None:
        """Wait for consent; checked before each round, so that withdrawing it stops the monitor's probe, too."""
        if self.rounds.consented or consent.is_given(probe_folder()):
            return
        log.warning(logline("not_measuring", why=NO_CONSENT))
        while not stop.is_set() and not consent.is_given(probe_folder()):
            await pause(stop, ASKED_AGAIN)

    async def _round(self, journal: Journal, dice: random.Random, stop: asyncio.Event) -> None:
        """One round, or part of it if the monitor stops during it."""
        meter = DayMeter(probe_folder(), int(self.settings.cap_mb * 1e6), time.time())
        network = ClockedNetwork(self.clock, meter)
        state, vantage = read_state(self.folder), self.rounds.vantage
        if state is not None and replace(state.vantage, report_id="") == vantage:
            vantage = state.vantage
        else:
            vantage = replace(vantage, report_id=report_id(network, vantage))
        write_state(self.folder, RoundsState(self.clock(), vantage))
        records: list[bytes] = []
        reports: list[RunReport] = []

        async def measure() -> None:
            report = await run(
                network,
                self.settings,
                vantage,
                self.rounds.urls,
                records.append,
                with_health=self.rounds.health,
                chance=dice,
                messengers=self.rounds.apps,
            )
            reports.append(report)

        try:
            await unless(stop, measure())
        finally:
            meter.give_back()
            if records:
                journal.write([kept_own(self.clock.marked(record)) for record in records], self.clock())
                journal.seal()
        for report in reports:
            _say(report)


def read_state(folder: Path) -> RoundsState | None:
    """``None`` = there was no round yet, or its record cannot be read."""
    try:
        return msgspec.json.decode((folder / STATE).read_bytes(), type=RoundsState)
    except (OSError, ValueError):
        return None


def write_state(folder: Path, state: RoundsState) -> None:
    """Raises:
    FanousError: the disk is full or failing.
    """
    with disk_errors(f"write to {folder}"):
        new = folder / f"{STATE}.new"
        new.write_bytes(msgspec.json.encode(state))
        new.replace(folder / STATE)


def _say(report: RunReport) -> None:
    states = Counter(str(outcome.state) for outcome in report.outcomes)
    defect = report.health.defect if report.health else ""
    log.info(
        logline(
            "round",
            measured=len(report.outcomes),
            **dict(sorted(states.items())),
            not_tried=len(report.not_tried) or None,
            defect=defect or None,
            seconds=report.seconds,
        )
    )
