"""Run: a scenario from beginning to end: the lab goes up, things happen, probes measure, incidents come out.

On a busy machine the lab's programs get priority, since a delayed packet is a false finding.  Linux shares a
machine among sessions before it looks at a process' own niceness (sched(7), autogroup), and every program of the lab
has a session of its own.
"""

import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fanous.errors import FanousError
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.probe.outcome import Outcome
from fanous.probe.settings import Settings
from fanous.probe.trace import ProbeVantage, moment
from fanous.refdata.fingerprints import fingerprints
from fanous_lab.censors import Undo, apply, hit_by
from fanous_lab.censors.cut import RESIDUAL_SECONDS, Cut, rate_of
from fanous_lab.evaluation.rehearsal.monitor import Monitor, MonitorState
from fanous_lab.evaluation.rehearsal.score import LabClock, Sighting, Sightings, clock_of
from fanous_lab.evaluation.rehearsal.services import OutsideServices
from fanous_lab.evaluation.rehearsal.vantage_point import Duty, Kept, LabProbe, lab_settings, patient
from fanous_lab.internet import Internet
from fanous_lab.plan import DOMESTIC_HOST, Plan, PlannedNetwork, VantagePoint, hosts_of, urls_of
from fanous_lab.registry import LabFolder
from fanous_lab.scenario import LabNetwork, Scenario, ScenarioStep

NICENESS = -19
"""A rehearsal needs two thirds of a core, which it takes from less urgent processes.  Next to a dozen busy programs on
two cores, four in five of its measurements took too long with -10, and none with -19."""


def put_first(pids: Iterable[int]) -> None:
    """Give processes priority, as far as the kernel and our permissions allow; on an idle machine it is not needed."""
    for pid in pids:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
        with suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS), encoding="ascii")


ABROAD = LabNetwork(
    country="SE", asn=1299, name="Abroad", access=Access.FIXED, users_share=0.0, vantage_points=1
)
"""A probe in another country, so that "the platform is down" and "the collector is down" can be told apart."""

HELD = frozenset({"sni_slow_handshake"})
"""Techniques for which a probe must wait longer to tell them from silence."""

READS_REQUESTS = frozenset({"http_blockpage", "http_reset"})
"""Techniques that read plain HTTP: only those who use it are hit."""

SHARE_ERROR = 0.1
"""Relative error of the scenario's user shares: the lab knows them exactly, a monitor never does."""

SPREAD = 0.6
"""Share of a tick over which the vantage points begin their rounds."""


def lines_of(scenario: Scenario) -> tuple[LabNetwork, ...]:
    """The scenario's networks, plus one abroad if it has none."""
    abroad = any(line.country != scenario.country for line in scenario.networks)
    return scenario.networks if abroad else (*scenario.networks, ABROAD)


def plan_of(scenario: Scenario) -> Plan:
    """The lab that it happens in."""
    networks = tuple(
        PlannedNetwork(line.asn, line.name, line.access, line.users_share, line.vantage_points)
        for line in lines_of(scenario)
    )
    keep = tuple(target for event in scenario.events for target in event.keep)
    targets = tuple(dict.fromkeys([*scenario.targets, *keep]))
    return Plan(scenario.country, networks, targets, is_ipv6=False)


def cut_of(scenario: Scenario, number: int) -> Cut:
    """What event ``number`` does."""
    event = scenario.events[number]
    return Cut(
        technique=event.technique,
        targets=event.targets,
        networks=_networks(scenario, event),
        compliance=event.compliance,
        seed=scenario.seed * 1000 + number,
        rate_kbps=event.rate_kbps or rate_of(event.technique),
        keep=event.keep,
        # A minute of the monitor's clock: otherwise the trigger is seen once in an event, and then silence.
        residual_seconds=max(1, round(RESIDUAL_SECONDS / scenario.stretch)),
    )


def _networks(scenario: Scenario, event: ScenarioStep) -> tuple[int, ...]:
    """The networks that an event affects; for an outage of mobile lines, only those that have such lines."""
    if event.technique != "outage_mobile":
        return event.networks
    mobile = {line.asn for line in scenario.networks if line.access is Access.MOBILE}
    return tuple(asn for asn in event.networks if asn in mobile)


def shares_of(scenario: Scenario) -> UserWeights:
    """Its user shares, with which the scope of an incident is computed."""
    networks = tuple(
        NetworkWeight(line.asn, line.users_share, line.access, line.name)
        for line in scenario.networks
        if line.country == scenario.country
    )
    return UserWeights(scenario.country, networks, SHARE_ERROR, f"the scenario {scenario.title!r}")


def duties_of(
    scenario: Scenario, points: tuple[VantagePoint, ...], settings: Settings, run_began: str
) -> list[Duty]:
    """What each vantage point does, in the order of the plan."""
    urls = tuple(_url(scenario, target) for target in scenario.targets)
    hosts = tuple(host for target in scenario.targets for host in hosts_of(target))
    settings = settings_for(scenario, settings)
    duties: list[Duty] = []
    for line in lines_of(scenario):
        of_network = [point for point in points if point.asn == line.asn]
        for nth, point in enumerate(of_network):
            number = len(duties)
            duties.append(
                Duty(
                    name=point.name,
                    vantage=ProbeVantage(
                        line.country,
                        line.asn,
                        "mobile" if line.access is Access.MOBILE else "wired_or_wifi",
                        run_began=run_began,
                    ),
                    urls=urls,
                    hosts=hosts,
                    settings=settings,
                    fault=fault_of(line, nth),
                    transfer_every=scenario.transfer_every,
                    offset=SPREAD * scenario.tick * number / len(points),
                    seed=random.Random(f"{scenario.seed} {point.name}").randrange(1 << 30),
                )
            )
    return duties


def settings_for(scenario: Scenario, settings: Settings) -> Settings:
    """The profile for this scenario: sites that an allow-list may spare, and patience if handshakes are held."""
    settings = replace(settings, spared=spared_of(scenario))
    return patient(settings) if any(event.technique in HELD for event in scenario.events) else settings


def spared_of(scenario: Scenario) -> tuple[str, ...]:
    """Sites whose answer shows an allow-list where nothing else outside answers: all that the probes know."""
    keep = [target for event in scenario.events for target in event.keep]
    return tuple(dict.fromkeys(urls_of(target)[0] for target in (*scenario.targets, *keep)))


def _url(scenario: Scenario, target: str) -> str:
    """Its front page; over plain HTTP if a censor reads that."""
    plain = {t for event in scenario.events if event.technique in READS_REQUESTS for t in event.targets}
    url = urls_of(target)[0]
    return url.replace("https:", "http:", 1) if target in plain else url


def fault_of(line: LabNetwork, nth: int) -> str:
    """The fault of the ``nth`` vantage point of a network, from 0: the last ones lie, those before them are broken."""
    from_the_end = line.vantage_points - nth
    if from_the_end <= line.lying:
        return "lying"
    if from_the_end <= line.lying + line.broken:
        return "broken"
    return "portal" if from_the_end <= line.lying + line.broken + line.portal else ""


PORT = 80
MEMORY = Path("/dev/shm")
"""A rehearsal's spools, inbox and store are temporary, so they are kept in memory."""

LAST_UPLOADS = 6.0
"""Seconds after the end during which measurements waiting in the spools may still arrive."""

LAST_LOOK = 60.0
"""Seconds for the monitor's last check, which takes two seconds on an idle machine."""

READY = 30.0
"""Seconds within which the store must be open."""


class Watcher:
    """Follows a rehearsal as it runs; shows nothing, which is left to subclasses."""

    def began(self, clock: LabClock, duties: list[Duty]) -> None: ...

    def happened(self, number: int, is_on: bool) -> None: ...

    def saw(self, duty: Duty, outcome: Outcome) -> None: ...

    def found(self, sightings: list[Sighting]) -> None: ...


@dataclass(slots=True)
class Rehearsal:
    """The result.

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
        records: where all measurements go at the end, one per line; ``None`` = nowhere.

    Raises:
        FanousError: the lab cannot be built here, or one of its programs broke.
    """
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="fanous-lab-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        with Internet(plan_of(scenario)) as internet:
            start_outside(internet, folder, scenario.tick)
            put_first([os.getpid(), *(child.pid for child in LabFolder(internet.folder).children())])
            with _monitor(scenario, folder) as monitor:
                play = Play(scenario, internet, monitor, folder, watcher or Watcher())
                rehearsal = asyncio.run(play.run())
        if records is not None:
            shutil.copyfile(folder / "records.jsonl", records)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rehearsal.seconds = round(time.monotonic() - began, 1)
    return rehearsal


def _warm() -> None:
    """Load what takes seconds the first time and would delay all probes: fingerprints, and QUIC's modules."""
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
    specification.write_bytes(msgspec.json.encode(outside))
    argv = [sys.executable, "-m", "fanous_lab.evaluation.rehearsal.services", str(specification)]
    internet.programs.start("outside", internet.names.outside, argv)
    internet.programs.wait_for_port("outside", internet.names.outside, outside.address, PORT)


@contextmanager
def _monitor(scenario: Scenario, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The owner of the store, as a program; it ends when its stdin is closed."""
    specification = folder / "monitor.json"
    specified = Monitor(
        store=str(folder / "store"),
        inbox=str(folder / "inbox"),
        country=scenario.country,
        shares=shares_of(scenario),
        tick=scenario.tick,
        records=str(folder / "records.jsonl"),
    )
    specification.write_bytes(msgspec.json.encode(specified))
    argv = [sys.executable, "-m", "fanous_lab.evaluation.rehearsal.monitor", str(specification)]
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
    """One run of a scenario."""

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
        """Play the scenario; the lab and the monitor are up.

        Raises:
            FanousError: a technique cannot be applied here, or the monitor broke.
        """
        try:
            return await self._play()
        except BaseException:
            self._monitor.kill()  # otherwise the thread that listens to it would wait forever
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
        done, late = await asyncio.wait(reporting, timeout=LAST_UPLOADS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for task in done:
            task.result()  # an upload that broke breaks the rehearsal, rather than leave it with nothing to find
        await asyncio.sleep(1.0)  # seal the inbox one last time
        self._tell(b"end")
        try:
            await asyncio.wait_for(asyncio.shield(listening), LAST_LOOK)
        except TimeoutError:
            raise FanousError(
                f"the monitor did not finish within {LAST_LOOK:.0f} s: this machine is too busy"
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
            output = (self._folder / "monitor.log").read_text(encoding="utf-8", errors="replace").strip()
            last = output.splitlines()[-1] if output else "no output"
            raise FanousError(f"the monitor of the rehearsal ended: {last}")
        return msgspec.json.decode(line, type=MonitorState)

    def _listen(self) -> None:
        """Take every state that the monitor reports, until the last."""
        while self._last is None:
            state = self._listen_once()
            if state.incident is not None:
                self._sightings.see(state.incident, state.at)
                self._watcher.found(self._sightings.all())
            if state.is_last:
                self._last = state
