"""kill -9 on both sides at random points: nothing acknowledged is lost, nothing is stored twice."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from fanous.collector.inbox import APART, inbox_of
from fanous.probe.spool import Spool
from fanous.probe.upload import Uploader
from fanous.store.local import open_store
from tests.children import child_environment
from tests.collector.server import started

KILLS = int(os.environ.get("FANOUS_KILLS", "20"))
"""200 before a release; ``make test`` kills three times."""
ENOUGH = 50
"""Measurements that must be put and acknowledged, so that something could be lost."""
PROBE = [sys.executable, "-m", "tests.probe.spool.probe_child"]
NUMBER = re.compile(rb"https://x\.com/(\d{12})")
"""In what the probe names: the collector keeps the fields that rules read."""


class Probe:
    """The probe's process, and what all its lives said together."""

    def __init__(self, spool: Path, url: str) -> None:
        self.spool, self.url = spool, url
        self.put: set[int] = set()
        self.acknowledged: set[str] = set()
        self.start()

    def start(self) -> None:
        first = max(self.put, default=-1) + 1
        command = [*PROBE, str(self.spool), self.url, str(first)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=child_environment())
        self.reader = threading.Thread(target=self._read, args=(self.process,))
        self.reader.start()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                what, _, of = line.rstrip().partition(" ")
                if line.endswith("\n") and what == "put":
                    self.put.add(int(of))
                elif line.endswith("\n"):
                    self.acknowledged.add(of)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.timeout(240 + 8 * KILLS)
@pytest.mark.matrix
def test_both_sides_killed_at_random_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    chance, store, port = Random(20231217), tmp_path / "store", free_port()
    options = ("--listen", f"127.0.0.1:{port}", "--store", str(store), "--per-address", "1000")
    collector = started(*options)
    probe = Probe(tmp_path / "spool", collector.url)
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.4))
            if chance.random() < 0.5:
                collector.kill()
                collector = started(*options)
            else:
                probe.kill()
                probe.start()
        until = time.monotonic() + 60
        while min(len(probe.put), len(probe.acknowledged)) <= ENOUGH and time.monotonic() < until:
            time.sleep(0.05)
        probe.kill()
        send_the_rest(tmp_path / "spool", collector.url, probe.acknowledged)
        collector.drained(inbox_of(store))
        assert collector.stop() == 0, collector.log
    finally:
        probe.kill()
        collector.kill()
    assert not list(inbox_of(store).glob("*.jsonl*")), "".join(collector.log)
    assert not list((inbox_of(store) / APART).iterdir())
    assert len(probe.put) > ENOUGH and len(probe.acknowledged) > ENOUGH
    with open_store(store) as found:
        lines = [
            record.data for segment in found.archive.segments() for record in found.archive.records(segment)
        ]
        assert found.facts.known(probe.acknowledged) == probe.acknowledged
    stored = Counter(int(number) for line in lines for number in NUMBER.findall(line))
    assert set(stored.values()) == {1}, "nothing is stored twice"
    assert probe.put <= set(stored), "nothing that was in the spool is lost"


def send_the_rest(folder: Path, url: str, acknowledged: set[str]) -> None:
    async def sent() -> None:
        async with Uploader(Spool(folder), [url], on_sent=acknowledged.add) as uploader:
            assert (await uploader.send()).waiting == 0

    asyncio.run(sent())
