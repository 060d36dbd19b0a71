"""Probe: pages a second by ``fanous probe serve`` and by blackbox_exporter, and whole bundles a second.

Both probe the same TLS server on loopback with the same request, in turn, on the same core; the server and the
clients have the other one.  What is compared is the processor time of the probing process: wall-clock time also
measures the server.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.peers.exporter import HOW_TO_INSTALL, Running, load, ours, their_program, theirs
from benchmarks.peers.figure import Figure
from benchmarks.peers.site import ADDRESS

from fanous.probe.net.sockets import SocketNetwork
from fanous.probe.run import run
from fanous.probe.settings import Settings
from fanous.probe.trace import ProbeVantage

ROUNDS = 3
AT_ONCE = 20
WARM_UP = 20
"""Probes before the first round, since imports, contexts and fingerprints are loaded once."""


def measured(count: int, exporter: Path | None) -> tuple[list[Figure], list[str]]:
    """Figures, the ratio first, and what could not be compared."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    try:
        with tempfile.TemporaryDirectory() as folder, _site(Path(folder), cores[-1]) as url:
            ca_file = Path(folder) / "ca.pem"
            program = their_program(exporter)
            pages = _compared(url, ca_file, program, count, cores[0])
            os.sched_setaffinity(0, {cores[0]})
            bundles = _bundles(url, ca_file, count)
    finally:
        os.sched_setaffinity(0, set(cores))
    return [*pages, *bundles], [] if program else [HOW_TO_INSTALL]


@contextmanager
def _site(folder: Path, core: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.peers.site", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        os.sched_setaffinity(server.pid, {core})
        assert server.stdout is not None
        try:
            yield f"https://{ADDRESS}:{int(server.stdout.readline())}/"
        finally:
            server.kill()


def _compared(url: str, ca_file: Path, program: str | None, count: int, core: int) -> list[Figure]:
    with ours(ca_file, core) as fanous:
        if program is None:
            return _figures({fanous.name: [_round(fanous, url, count) for _ in range(ROUNDS + 1)][1:]})
        with theirs(program, ca_file, core) as other:
            for one in (fanous, other):
                asyncio.run(load(one.port, url, WARM_UP, AT_ONCE))
            found: dict[str, list[tuple[float, float]]] = {fanous.name: [], other.name: []}
            for _ in range(ROUNDS):
                for one in (fanous, other):
                    found[one.name].append(_round(one, url, count))
    return _figures(found)


def _round(one: Running, url: str, count: int) -> tuple[float, float]:
    """Pages a second and core, and a second of wall-clock time."""
    before = one.processor_seconds()
    seconds = asyncio.run(load(one.port, url, count, AT_ONCE))
    return count / max(one.processor_seconds() - before, 1e-2), count / seconds


def _figures(found: dict[str, list[tuple[float, float]]]) -> list[Figure]:
    what = f"http_2xx: connection, handshake, page; {AT_ONCE} at once, median of {ROUNDS} rounds"
    per_core = {name: median(core for core, _ in rounds) for name, rounds in found.items()}
    by_clock = {name: median(clock for _, clock in rounds) for name, rounds in found.items()}
    names = list(found)
    figures = []
    if len(names) == 2:
        mine, other = names
        ratio = per_core[mine] / per_core[other]
        figures = [Figure(f"{mine} to {other}", round(ratio, 3), "x", "pages a second of processor time")]
    for name in names:
        figures.append(Figure(f"{name}, pages", round(per_core[name], 1), "1/s and core", what))
        figures.append(Figure(f"{name}, pages by the clock", round(by_clock[name], 1), "1/s", what))
    return figures


def _bundles(url: str, ca_file: Path, count: int) -> list[Figure]:
    settings = Settings(ca_file=str(ca_file), at_once=AT_ONCE, transfer_share=0.0)
    _bundles_once(url, settings, WARM_UP)
    clock, cpu = _bundles_once(url, settings, count)
    what = "control handshake, handshake, page, record, verdict; the site is an address: no look-ups, no QUIC"
    return [
        Figure("fanous, whole bundles", round(count / cpu, 1), "1/s and core", what),
        Figure("fanous, whole bundles by the clock", round(count / clock, 1), "1/s", what),
    ]


def _bundles_once(url: str, settings: Settings, count: int) -> tuple[float, float]:
    """Seconds of wall-clock time and of this process."""
    urls = [f"{url}{number}" for number in range(count)]
    clock, cpu = time.monotonic(), time.process_time()
    asyncio.run(run(SocketNetwork(), settings, ProbeVantage(), urls, lambda _line: None, with_health=False))
    return time.monotonic() - clock, time.process_time() - cpu
