"""A small lab on loopback: a platform that can be cut, others' probes, and the monitor as a process."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

import httpx
from msgspec.structs import replace
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.monitor.clock import Clock, ClockedNetwork
from fanous.probe.net.network import Meter
from fanous.probe.run import run
from fanous.probe.settings import Settings
from fanous.probe.trace import ProbeVantage
from fanous.probe.upload import request_to_open, request_to_submit, template_of
from tests.children import child_environment
from tests.probe.net import servers

COUNTRY, ASN = "PK", 17557

QUICK = Settings(
    connect_timeout=1.0, handshake_timeout=1.0, page_timeout=1.0, endpoint_seconds=3.0, allow_private=True
)


class Platform:
    """A site behind a censor, in a separate thread.

    Attributes:
        broken: requests are cut, but for those of the test helper, which stands for one abroad: it is known
            by asking for no compression.
        url: on loopback.
    """

    def __init__(self) -> None:
        self.broken = False
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        async with servers.tcp_server(self._answer) as port:
            self.url = f"http://127.0.0.1:{port}/"
            self._ready.set()
            await self._stop.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if self.broken and b"accept-encoding: identity" not in head.lower():
            servers.reset(writer)
            return
        writer.write(servers.response(servers.PAGE))
        await writer.drain()


@dataclass
class Volunteers:
    """Probes of other people on the same network; each round of theirs is real and goes to the collector.

    Attributes:
        reports: probe -> the report under which it sends; another each round would be another witness.
    """

    clock: Clock
    collector: str
    url: str
    number: int = 2
    reports: dict[int, str] = field(default_factory=dict)

    def measure(self) -> None:
        asyncio.run(self._measure())

    async def _measure(self) -> None:
        settings, records = replace(QUICK, helper=self.collector), list[bytes]()
        async with httpx.AsyncClient(base_url=self.collector, verify=False, trust_env=False) as client:
            for number in range(self.number):
                network = ClockedNetwork(self.clock, Meter())
                here = ProbeVantage(COUNTRY, ASN)
                await run(network, settings, here, [self.url], records.append, with_health=False)
                await self._send(client, number, records.pop())

    async def _send(self, client: httpx.AsyncClient, number: int, record: bytes) -> None:
        if number not in self.reports:
            opened = await client.post("/report", content=request_to_open(template_of(record)))
            self.reports[number] = opened.json()["report_id"]
        report = self.reports[number]
        sent = await client.post(f"/report/{report}", content=request_to_submit(record, report))
        sent.raise_for_status()


def free_port() -> int:
    """One that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Monitor:
    """``fanous run`` as a process.

    Attributes:
        log: whole lines.
        page: URL; empty = not there yet.
    """

    process: subprocess.Popen[str]
    log: list[str] = field(default_factory=list)
    page: str = ""
    ready: threading.Event = field(default_factory=threading.Event)
    reader: threading.Thread = field(default_factory=threading.Thread)
    reading: httpx.Client = field(
        default_factory=partial(httpx.Client, verify=False, timeout=30, trust_env=False)
    )

    def read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.log.append(line)
                if found := re.search(r" pages url=(\S+)", line):
                    self.page = found[1]
                    self.ready.set()
        self.ready.set()

    def get(self, path: str = "") -> str:
        return self.reading.get(self.page + path).raise_for_status().text

    def statuses(self) -> list[str]:
        """Of the incidents on the first page."""
        return re.findall(r'class="status (\w+)', self.get())

    def feed(self) -> list[str]:
        """Statuses in the feed."""
        return re.findall(r'term="(suspected|confirmed|ended|retracted)"', self.get("feed.atom"))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join(30)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.reader.join(30)
        return code


@contextmanager
def monitor(config: Path, *options: str) -> Iterator[Monitor]:
    """Running, with its pages up."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fanous", "run", "--config", str(config), *options],
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    running = Monitor(process)
    running.reader = threading.Thread(target=running.read, daemon=True)
    running.reader.start()
    try:
        running.ready.wait(60)
        assert running.page, "".join(running.log)
        yield running
    finally:
        if process.poll() is None:
            running.kill()
        running.reading.close()


def fanous(*words: str) -> tuple[int, str, str]:
    """Another command, as a process: exit code, stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "fanous", *words],
        capture_output=True,
        text=True,
        env=child_environment(),
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def in_the_process(*words: str) -> tuple[int, str, str]:
    """The same without a separate process: exit code, stdout, and stderr or the error that ended it."""
    ran = CliRunner().invoke(app, words)
    why = "" if ran.exception is None else f"{ran.exception}\n"
    return ran.exit_code, ran.stdout, ran.stderr + why


def until(holds: Callable[[], bool], running: Monitor, meanwhile: Callable[[], object] = int) -> None:
    """Wait for a state of the world, a minute at the most; where it does not come, the log says what did."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, (running.statuses(), running.feed(), "".join(running.log))
        meanwhile()
        time.sleep(0.5)
