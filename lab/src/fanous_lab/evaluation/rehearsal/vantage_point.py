"""Vantage point: one probe of the lab: rounds at the scenario's tick, a spool, an uploader.

Between the probe and its network sit a stretched clock and, if the scenario says so, faults.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec.structs import asdict, replace

from fanous.probe.net.http import HttpResponse, Request, exchange
from fanous.probe.net.network import Datagrams, Network, NetworkWrapper, Stream
from fanous.probe.outcome import Outcome
from fanous.probe.run import run
from fanous.probe.settings import Settings
from fanous.probe.spool import Spool
from fanous.probe.trace import ProbeVantage
from fanous.probe.upload import Uploader
from fanous_lab.evaluation.rehearsal.score import LabClock

LARGEST_ANSWER = 1 << 20


class RoundNetwork(NetworkWrapper):
    """A network in one round of a probe: its wall clock begins at the monitor's instant of the round.

    Within the round a second is a second, so that a record's durations are what the probe measured.
    """

    def __init__(self, inner: Network, instant: float) -> None:
        super().__init__(inner)
        self._offset = instant - time.monotonic()

    def wall(self) -> float:
        return time.monotonic() + self._offset


class BrokenNetwork(RoundNetwork):
    """A line on which most connections fail, like a cable with a loose contact."""

    LOSES = 0.6
    """Share of connections and datagrams lost."""

    def __init__(self, inner: Network, instant: float, chance: random.Random) -> None:
        super().__init__(inner, instant)
        self._chance = chance

    async def look_up(self, hostname: str) -> list[str]:
        self._may_fail()
        return await super().look_up(hostname)

    async def open_tcp(self, ip: str, port: int) -> Stream:
        self._may_fail()
        return await super().open_tcp(ip, port)

    async def open_udp(self, ip: str, port: int) -> Datagrams:
        self._may_fail()
        return await super().open_udp(ip, port)

    def _may_fail(self) -> None:
        if self._chance.random() < self.LOSES:
            raise TimeoutError


LOGIN_PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 60\r\nConnection: close\r\n\r\n"
    b"<html><title>Guest login</title><body>Log in</body></html>\r\n"
)


class PortalNetwork(RoundNetwork):
    """A hotel's line before the guest has logged in: one page for every site, silence for everything else."""

    async def open_tcp(self, ip: str, port: int) -> Stream:
        if port != 80:
            raise TimeoutError(f"{ip}:{port} is behind the login page")
        return _LoginPage()

    async def open_udp(self, ip: str, port: int) -> Datagrams:
        raise TimeoutError(f"{ip}:{port} is behind the login page")


class _LoginPage:
    def __init__(self) -> None:
        self._left = LOGIN_PAGE

    async def read(self, most: int) -> bytes:
        data, self._left = self._left[:most], self._left[most:]
        return data

    async def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class LyingNetwork(RoundNetwork):
    """A probe that reports resets for names that no one resets."""

    def __init__(self, inner: Network, instant: float, names: Sequence[str]) -> None:
        super().__init__(inner, instant)
        self._names = [name.encode() for name in names]

    async def open_tcp(self, ip: str, port: int) -> Stream:
        return _LyingStream(await super().open_tcp(ip, port), self._names)


class _LyingStream:
    """Claims a reset once one of the names has been sent in the clear (as in a ClientHello)."""

    def __init__(self, inner: Stream, names: Sequence[bytes]) -> None:
        self._inner = inner
        self._names = names
        self._sent = b""

    async def read(self, most: int) -> bytes:
        if any(name in self._sent for name in self._names):
            raise ConnectionResetError(104, "Connection reset by peer")
        return await self._inner.read(most)

    async def write(self, data: bytes) -> None:
        self._sent = (self._sent + data)[-4096:]
        await self._inner.write(data)

    def close(self) -> None:
        self._inner.close()


class SeamTransport(httpx.AsyncBaseTransport):
    """httpx over a probe's own network, so that its uploads meet the same censors as its measurements."""

    def __init__(self, network: Network, patience: float) -> None:
        self._network = network
        self._patience = patience

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, page = request.url, HttpResponse(LARGEST_ANSWER)
        stream: Stream | None = None
        try:
            async with asyncio.timeout(self._patience):
                stream = await self._network.open_tcp(url.host, url.port or 80)
                await exchange(stream, await _asked(request), page)
        except (OSError, EOFError) as error:
            raise httpx.ConnectError(str(error) or type(error).__name__, request=request) from error
        finally:
            if stream is not None:
                stream.close()
        return httpx.Response(
            page.code, headers=page.headers, stream=httpx.ByteStream(bytes(page.body)), request=request
        )


async def _asked(request: httpx.Request) -> Request:
    url = request.url
    headers = tuple((name, value) for name, value in request.headers.items() if name not in _OWN_HEADERS)
    body = await request.aread()
    return Request(url.netloc.decode(), url.raw_path.decode(), request.method, url.scheme, headers, body)


_OWN_HEADERS = frozenset({"host", "content-length", "connection", "transfer-encoding"})


TRANSFER_BYTES = 98_304
TRANSFER_SECONDS = 2.5
"""A policer at 140 kbit/s lets some 85 KB through in that time, 45 KB of them at once; on so slow a line, all the
downloads of a round take a quarter of a minute."""

RATE_SECONDS = 1.5
"""Length of the downloads that every other round makes to learn what the line gives: on a slow line they end before
the next ones begin.  They have the usual size: a short one from a distant server takes round trips rather
than bandwidth, and shows less than half the rate of a longer one."""

HELD_HANDSHAKE, HELD_ENDPOINT = 4.5, 12.0
"""Time-outs if handshakes are held for 3 s: shorter ones would see silence.  A round then takes up to 12 s."""

SCREENING = Settings(
    lookup_timeout=1.5,
    answers_window=0.3,
    connect_timeout=2.0,
    handshake_timeout=1.5,
    quic_timeout=0.6,
    page_timeout=2.0,
    endpoint_seconds=4.0,
    most_addresses=1,
    most_redirects=1,
    most_body=65_536,
    controls=("https://www.example.com/",),
    anchors=("1.1.1.1", "8.8.8.8"),
    portal_urls=("http://detectportal.firefox.com/success.txt success",),
    transfer_pairs=0,
    transfer_share=0.0,
    transfer_screened_pairs=1,
    transfer_bytes=TRANSFER_BYTES,
    transfer_timeout=TRANSFER_SECONDS,
    transfer_control="https://speed.cloudflare.com/",
    cap_mb=1e6,
)
"""Time-outs of a second or two: the lab's round trips take 50 ms, and a round must end within a few ticks.
One address per name and 64 KB per page, so that twelve probes fit on two cores; a retransmitted SYN (1 s) still
connects. A starved page is followed by one download and its control, in production by three."""


def lab_settings(ca_file: Path, helper: str, domestic: str) -> Settings:
    """The profile with the addresses of one lab."""
    return replace(SCREENING, ca_file=str(ca_file), helper=helper, domestic=domestic)


def with_transfers(settings: Settings) -> Settings:
    """The profile for a round that also measures rates."""
    return replace(settings, transfer_pairs=1, transfer_timeout=RATE_SECONDS)


def patient(settings: Settings) -> Settings:
    """The profile for a country in which handshakes are delayed: in production a probe waits longer (6 s)."""
    return replace(settings, handshake_timeout=HELD_HANDSHAKE, endpoint_seconds=HELD_ENDPOINT)


def profile_document(profile: Settings) -> dict[str, Any]:
    """The differences from a probe in production."""
    ordinary = asdict(Settings())
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(profile).items()
        if value != ordinary[name]
    }


ROUNDS_AT_ONCE = 6
"""A round that meets silence or loss outlasts its tick: the last time-outs end after five of them."""

RATED = 2
"""Targets whose rates are measured together: two are needed to conclude that a line is slow."""

UPLOAD_SECONDS = 0.3
UPLOAD_PATIENCE = 2.5
"""Seconds for one request to the collector: the lab's round trip takes 0.1 s."""

LONGEST_WAIT = 900.0
"""Seconds of the monitor's clock between two tries of an upload (``probe.upload``), stretched like all times."""


class _Timed(msgspec.Struct):
    """The part of a record that says how long it took; ``input`` is ``None`` for a check of the line."""

    input: str | None
    test_runtime: float


_timed = msgspec.json.Decoder(_Timed)


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
    """Rounds begun and not begun, and measurements acknowledged.

    Attributes:
        sites: measurements of sites in rounds; ``hurried``: those that took so long that no handshake could have timed
            out any more.  Where nothing is done to a line, the machine is at fault: a probe that it makes wait gives
            up before the steps by which a cut would show, QUIC's first of all.
        fault: of the vantage point (``Duty.fault``).
    """

    rounds: int = 0
    missed: int = 0
    sites: int = 0
    hurried: int = 0
    fault: str = ""
    measurements: int = 0
    acknowledged: int = 0
    slowest: float = 0.0
    states: dict[str, str] = field(default_factory=dict)


class LabProbe:
    """One vantage point.

    Args:
        network: its own, without the stretched clock.
        on_outcome: called with each outcome as the probe sees it, for display.
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
        self.duty, self.kept = duty, Kept(fault=duty.fault)
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
        """Result of the latest check of the line: without a network, no site is measured."""

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
                for collector in uploader.collectors:  # a pause of minutes is stretched, too
                    latest = asyncio.get_running_loop().time() + LONGEST_WAIT / self._clock.stretch
                    collector.not_before = min(collector.not_before, latest)
                if self._spool.waiting():
                    self.kept.acknowledged += (await uploader.send()).acknowledged
                await asyncio.sleep(UPLOAD_SECONDS)

    async def _round(self, at: float) -> None:
        """Measure all targets, and the line itself."""
        self.kept.rounds += 1
        duty = self.duty
        network = self._seam(self._clock.monitor(at))
        with self._measuring(duty.urls) as urls:
            report = await run(
                network, duty.settings, duty.vantage, urls, self._write_in_round, self._done_in_round
            )
        self._is_sound = not (report.health and report.health.defect)
        self.kept.slowest = max(self.kept.slowest, report.seconds)

    async def _rates(self, at: float, turn: int) -> None:
        """Measure how fast two targets are, compared with controls; this takes longer than a tick, but delays no
        round.
        """
        duty = self.duty
        turned = dict.fromkeys(duty.urls[(turn * RATED + n) % len(duty.urls)] for n in range(RATED))
        network = self._seam(self._clock.monitor(at))
        settings = with_transfers(duty.settings)
        with self._measuring(turned) as urls:
            await run(network, settings, duty.vantage, urls, self._write, self._done, with_health=False)

    @contextmanager
    def _measuring(self, urls: Iterable[str]) -> Iterator[list[str]]:
        """The ``urls`` that may be measured now: a slow target is never measured twice at the same time.

        In production this never happens, since a round ends long before the next one.  Here it would make
        slow lines slower.  Slow targets begin together, as in production: a line counts as slow if two
        targets are slow at once.
        """
        wait = any(self._under_way[url] for url in self._slow)
        chosen = [url for url in urls if not (wait and url in self._slow)]
        self._under_way.update(chosen)
        try:
            yield chosen
        finally:
            self._under_way.subtract(chosen)

    def _done(self, outcome: Outcome) -> None:
        """Note whether a page takes longer than a tick, judging by how far it got."""
        if outcome.speed is not None:
            seconds = self.duty.settings.most_body * 8 / 1000 / outcome.speed.kbps
            (self._slow.add if seconds > self._tick else self._slow.discard)(outcome.url)

    def _done_in_round(self, outcome: Outcome) -> None:
        self._done(outcome)
        self._on_outcome(self.duty, outcome)

    def _write(self, record: bytes) -> None:
        self._spool.put(record)
        self.kept.measurements += 1

    def _write_in_round(self, record: bytes) -> None:
        self._write(record)
        timed, settings = _timed.decode(record), self.duty.settings
        if timed.input is not None:
            self.kept.sites += 1
            self.kept.hurried += timed.test_runtime > settings.endpoint_seconds - settings.handshake_timeout

    def _seam(self, instant: float) -> Network:
        if self.duty.fault == "broken":
            return BrokenNetwork(self._network, instant, self._chance)
        if self.duty.fault == "portal":
            return PortalNetwork(self._network, instant)
        if self.duty.fault == "lying":
            return LyingNetwork(self._network, instant, self.duty.hosts)
        return RoundNetwork(self._network, instant)
