"""A collector in a separate process, on a free port of loopback."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.children import child_environment

START = "import typer; from fanous.cli.collect import collect; typer.run(collect)"
PATIENT = (
    "import typer; from fanous.cli import collect; collect.LAST_SECONDS = 55; typer.run(collect.collect)"
)
"""It stores all that it received before it ends, however busy the machine: no test need wait until it drains."""

LISTENING = re.compile(r"listening host=\S+ port=(\d+)")


@dataclass
class Running:
    """Attributes:
    url: without a slash at its end.
    log: what it wrote, whole lines.
    """

    process: subprocess.Popen[str]
    url: str = ""
    log: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)
    reader: threading.Thread = field(default_factory=threading.Thread)

    def read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.log.append(line)
                if found := LISTENING.search(line):
                    self.url = f"http://127.0.0.1:{found[1]}"
                    self.ready.set()
        self.ready.set()

    def kill(self) -> None:
        """As a power cut would: it and the child that drains."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(60)

    def drained(self, inbox: Path) -> None:
        """Wait until the store has what waits in an inbox, or what is being written there."""
        until = time.monotonic() + 120
        while list(inbox.glob("*.jsonl*")):
            assert time.monotonic() < until, self.log
            time.sleep(0.1)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def stop_all(self) -> int:
        """As a service manager does: it and the child that drains get the signal at the same moment."""
        os.killpg(self.process.pid, signal.SIGTERM)
        return self.process.wait(60)


def started(*options: str, code: str = START) -> Running:
    """Running and listening."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--listen", "127.0.0.1:0", *options],
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
        start_new_session=True,
    )
    running = Running(process)
    running.reader = threading.Thread(target=running.read, daemon=True)
    running.reader.start()
    running.ready.wait(60)
    if not running.url:
        process.wait(60)
    assert running.url, "".join(running.log)
    return running


@contextmanager
def collector(*options: str, code: str = START) -> Iterator[Running]:
    running = started(*options, code=code)
    try:
        yield running
    finally:
        running.kill()


def client(running: Running) -> httpx.Client:
    return httpx.Client(base_url=running.url, trust_env=False, timeout=30)
