"""Exporters: processes that answer ``/probe?target=&module=http_2xx``, ours and blackbox_exporter."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fanous.errors import FanousError

THEIRS = "prometheus-blackbox-exporter"
"""Name of Debian's package and of its program."""

HOW_TO_INSTALL = f"{THEIRS} is not installed, so nothing is compared: apt-get install {THEIRS}"

START_SECONDS = 60.0
"""It takes three on an idle machine; one core of a busy one made it 20."""

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Running:
    """One of them.

    Attributes:
        pid: of the process that probes.
    """

    name: str
    port: int
    pid: int

    def processor_seconds(self) -> float:
        """User and system time so far, of all its threads (proc(5), fields 14 and 15 of stat)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def their_program(named: Path | None) -> str | None:
    """The program, where it is installed or ``named``."""
    return str(named) if named else shutil.which(THEIRS)


@contextmanager
def ours(ca_file: Path, core: int) -> Iterator[Running]:
    """``fanous probe serve`` as users run it."""
    port = free_port()
    words = ("probe", "serve", "--port", str(port), "--ca-file", str(ca_file), "--yes")
    with started("fanous", port, [sys.executable, "-m", "fanous", *words], core) as running:
        yield running


@contextmanager
def theirs(program: str, ca_file: Path, core: int) -> Iterator[Running]:
    """blackbox_exporter with the same authority, on one core."""
    port = free_port()
    config = (
        "modules:\n  http_2xx:\n    prober: http\n    timeout: 10s\n    http:\n"
        f"      preferred_ip_protocol: ip4\n      tls_config:\n        ca_file: {ca_file}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "blackbox.yml").write_text(config)
        words = [f"--config.file={folder}/blackbox.yml", f"--web.listen-address=127.0.0.1:{port}"]
        with started("blackbox_exporter", port, [program, *words, "--log.level=error"], core) as running:
            yield running


@contextmanager
def started(
    name: str, port: int, command: list[str], core: int, patience: float = START_SECONDS
) -> Iterator[Running]:
    """Start a program that will listen on a port of loopback, on one core; it is ended at the end.

    Args:
        patience: seconds within which it must answer.
    """
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdout=quiet, stderr=quiet, stdin=quiet, env=os.environ | {"GOMAXPROCS": "1"}
    )
    try:
        os.sched_setaffinity(process.pid, {core})
        _await(process, command, port, patience)
        for thread in Path(f"/proc/{process.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})
        yield Running(name, port, process.pid)
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _await(process: "subprocess.Popen[bytes]", command: list[str], port: int, patience: float) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    how = f"within {START_SECONDS:.0f} s" if process.poll() is None else f"(exit code {process.poll()})"
    raise FanousError(f"it did not start {how}: {' '.join(command)}")


def free_port() -> int:
    """A free port of loopback."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


async def load(port: int, target: str, count: int, at_once: int) -> float:
    """``count`` probes of ``target``; seconds of wall-clock time.

    Raises:
        FanousError: one of them failed.
    """
    waiting = list(range(count))

    async def client() -> None:
        while waiting:
            waiting.pop()
            answer = await _ask(port, f"/probe?module=http_2xx&target={target}")
            if not re.search(rb"^probe_success 1$", answer, re.MULTILINE):
                raise FanousError(f"a probe failed:\n{answer.decode(errors='replace')[:2000]}")

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(at_once)))
    return time.monotonic() - began


async def _ask(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
        return await reader.read(-1)
    finally:
        writer.close()
