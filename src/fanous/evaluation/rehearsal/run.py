"""Run: a scenario from beginning to end - the lab goes up, things happen, probes look, incidents come out."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol

import msgspec

from fanous.errors import FanousError
from fanous.evaluation.rehearsal.clock import LabClock, clock_of
from fanous.evaluation.rehearsal.course import Sighting, Sightings
from fanous.evaluation.rehearsal.monitor import Monitor, MonitorState
from fanous.evaluation.rehearsal.precedence import put_first
from fanous.evaluation.rehearsal.profile import lab_settings
from fanous.evaluation.rehearsal.services import OutsideServices, write_specification
from fanous.evaluation.rehearsal.stage import cut_of, duties_of, plan_of, shares_of
from fanous.evaluation.rehearsal.vantage_point import Duty, Kept, LabProbe
from fanous.lab.censors import Undo, apply, hit_by
from fanous.lab.internet import Internet
from fanous.lab.registry import Standing
from fanous.lab.scenario import Scenario
from fanous.lab.sites import DOMESTIC_HOST
from fanous.probe.outcome import Outcome
from fanous.probe.record import moment
from fanous.refdata.fingerprints import fingerprints

PORT = 80
MEMORY = Path("/dev/shm")
"""Spools, inbox and store of a rehearsal are thrown away: no disk need turn for them."""

LAST_UPLOADS = 6.0
"""Seconds after the end in which what waits in the spools may still arrive."""

LAST_LOOK = 60.0
"""Seconds for the monitor's last look, which takes two on a machine that is not busy."""

READY = 30.0
"""Seconds until the store must be open."""


class Watcher(Protocol):
    """Somebody who looks on."""

    def began(self, clock: LabClock, duties: list[Duty]) -> None: ...

    def happened(self, number: int, is_on: bool) -> None: ...

    def saw(self, duty: Duty, outcome: Outcome) -> None: ...

    def found(self, sightings: list[Sighting]) -> None: ...


class Nobody:
    """Looks away."""

    def began(self, clock: LabClock, duties: list[Duty]) -> None: ...

    def happened(self, number: int, is_on: bool) -> None: ...

    def saw(self, duty: Duty, outcome: Outcome) -> None: ...

    def found(self, sightings: list[Sighting]) -> None: ...


@dataclass(slots=True)
class Rehearsal:
    """What came of it.

    Attributes:
        hit: for each event, the vantage points that it hit.
        kept: for each vantage point, rounds made and missed.
        seconds: from the call to its end.
    """

    scenario: Scenario
    clock: LabClock
    sightings: list[Sighting]
    hit: list[tuple[str, ...]] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)
    stored: int = 0
    seconds: float = 0.0


def rehearse(scenario: Scenario, watcher: Watcher | None = None, records: Path | None = None) -> Rehearsal:
    """Play it.

    Args:
        records: where all measurements go at the end, one a line; ``None`` = nowhere.

    Raises:
        FanousError: the lab cannot be built here, or one of its programs broke.
    """
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="fanous-lab-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        with Internet(plan_of(scenario)) as internet:
            start_outside(internet, folder, scenario.tick)
            put_first([os.getpid(), *(child.pid for child in Standing(internet.folder).children())])
            with _monitor(scenario, folder) as monitor:
                play = Play(scenario, internet, monitor, folder, watcher or Nobody())
                rehearsal = asyncio.run(play.run())
        if records is not None:
            shutil.copyfile(folder / "records.jsonl", records)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rehearsal.seconds = round(time.monotonic() - began, 1)
    return rehearsal


def _warm() -> None:
    """What takes seconds the first time, and would hold all probes up: fingerprints, and QUIC's modules."""
    fingerprints()
    import_module("fanous.probe.net.quic")


def start_outside(internet: Internet, folder: Path, tick: float) -> None:
    specification = folder / "outside.json"
    outside = OutsideServices(
        address=internet.helper_address,
        port=PORT,
        inbox=str(folder / "inbox"),
        ca_file=str(internet.ca_file),
        names={site.host: list(site.addresses) for site in internet.sites},
        share_seconds=tick,
    )
    write_specification(specification, outside)
    argv = [sys.executable, "-m", "fanous.evaluation.rehearsal.services", str(specification)]
    internet.programs.start("outside", internet.names.outside, argv)
    internet.programs.wait_for_port("outside", internet.names.outside, outside.address, PORT)


@contextmanager
def _monitor(scenario: Scenario, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The owner of the store, as a program; it ends when its stdin is closed."""
    specification = folder / "monitor.json"
    told = Monitor(
        store=str(folder / "store"),
        inbox=str(folder / "inbox"),
        country=scenario.country,
        shares=shares_of(scenario),
        tick=scenario.tick,
        records=str(folder / "records.jsonl"),
    )
    specification.write_bytes(msgspec.json.encode(told))
    argv = [sys.executable, "-m", "fanous.evaluation.rehearsal.monitor", str(specification)]
    with (folder / "monitor.log").open("wb") as log:
        child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    try:
        yield child
    finally:
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        child.kill()
        child.wait()


class Play:
    """One performance."""

    def __init__(
        self,
        scenario: Scenario,
        internet: Internet,
        monitor: subprocess.Popen[bytes],
        folder: Path,
        watcher: Watcher,
    ) -> None:
        self._scenario, self._internet, self._monitor = scenario, internet, monitor
        self._folder, self._watcher = folder, watcher
        self._sightings = Sightings()
        self._last: MonitorState | None = None

    async def run(self) -> Rehearsal:
        """All of it; the lab and the monitor are up.

        Raises:
            FanousError: a technique cannot be applied here, or the monitor broke.
        """
        try:
            return await self._play()
        except BaseException:
            self._monitor.kill()  # else the thread that listens to it would wait for ever
            raise

    async def _play(self) -> Rehearsal:
        await asyncio.gather(
            asyncio.wait_for(asyncio.to_thread(self._listen_once), READY), asyncio.to_thread(_warm)
        )
        scenario, clock = self._scenario, clock_of(self._scenario, time.monotonic() + 0.2)
        self._tell(msgspec.json.encode(clock))
        rehearsal = Rehearsal(scenario, clock, [])
        probes = self._probes(clock)
        self._watcher.began(clock, [probe.duty for probe in probes])
        listening = asyncio.create_task(asyncio.to_thread(self._listen))
        ends = asyncio.Event()
        reporting = [asyncio.create_task(probe.report(ends)) for probe in probes]
        happening = asyncio.create_task(self._happen(rehearsal, clock))
        rounds = int(scenario.duration / scenario.tick)
        await asyncio.gather(*(probe.stand(scenario.tick, rounds) for probe in probes))
        await happening
        ends.set()
        await asyncio.wait(reporting, timeout=LAST_UPLOADS)
        for task in reporting:
            task.cancel()
        await asyncio.gather(*reporting, return_exceptions=True)
        await asyncio.sleep(1.0)  # the inbox is sealed a last time
        self._tell(b"end")
        try:
            await asyncio.wait_for(asyncio.shield(listening), LAST_LOOK)
        except TimeoutError:
            raise FanousError(
                f"the monitor did not come to an end within {LAST_LOOK:.0f} s: this machine is too busy"
            ) from None
        rehearsal.sightings = self._sightings.all()
        rehearsal.kept = {probe.duty.name: probe.kept for probe in probes}
        rehearsal.stored = self._last.stored if self._last else 0
        return rehearsal

    def _probes(self, clock: LabClock) -> list[LabProbe]:
        internet = self._internet
        collector = f"http://{internet.helper_address}:{PORT}"
        settings = lab_settings(internet.ca_file, f"{collector}/", f"https://{DOMESTIC_HOST}/")
        duties = duties_of(self._scenario, internet.vantage_points, settings, moment(clock.begins))
        return [
            LabProbe(duty, internet.network(point), self._folder, collector, clock, self._watcher.saw)
            for duty, point in zip(duties, internet.vantage_points, strict=True)
        ]

    async def _happen(self, rehearsal: Rehearsal, clock: LabClock) -> None:
        """Apply and undo each event at its time."""
        rehearsal.hit = [()] * len(self._scenario.events)

        async def one(number: int) -> None:
            event, cut = self._scenario.events[number], cut_of(self._scenario, number)
            await asyncio.sleep(max(0.0, event.at - clock.lab()))
            rehearsal.hit[number] = tuple(point.name for point in hit_by(self._internet, cut))
            undo: Undo = await asyncio.to_thread(apply, self._internet, cut)
            self._watcher.happened(number, True)
            await asyncio.sleep(max(0.0, event.until - clock.lab()))
            await asyncio.to_thread(undo)
            self._watcher.happened(number, False)

        await asyncio.gather(*(one(number) for number in range(len(self._scenario.events))))

    def _tell(self, line: bytes) -> None:
        if self._monitor.stdin is not None:
            self._monitor.stdin.write(line + b"\n")
            self._monitor.stdin.flush()

    def _listen_once(self) -> MonitorState:
        line = self._monitor.stdout.readline() if self._monitor.stdout is not None else b""
        if not line:
            raise FanousError(f"the monitor of the rehearsal ended: {self._last_words()}")
        return msgspec.json.decode(line, type=MonitorState)

    def _listen(self) -> None:
        """Every state, until the last one."""
        while self._last is None:
            state = self._listen_once()
            if state.incident is not None:
                self._sightings.see(state.incident, state.at)
                self._watcher.found(self._sightings.all())
            if state.is_last:
                self._last = state

    def _last_words(self) -> str:
        said = (self._folder / "monitor.log").read_text(encoding="utf-8", errors="replace").strip()
        return said.splitlines()[-1] if said else "it said nothing"
