"""A store is upgraded under a running collector: no client is turned away, and nothing is lost."""

import threading
import time
from pathlib import Path

import pytest

from fanous.cli.collect import drain
from fanous.store.local import open_store
from fanous.store.schema import FORMAT
from tests.collector.probe import REPORT_ID, body
from tests.collector.server import Running, client, collector
from tests.store.test_migrations import OLD, WINDOW, old_store


class Probe(threading.Thread):
    """Reports one measurement after another.

    Attributes:
        acknowledged: their identities, so far.
        refused: answers that were no acknowledgement.
    """

    def __init__(self, running: Running) -> None:
        super().__init__()
        self.acknowledged: list[str] = []
        self.refused = 0
        self._running, self._ended = running, threading.Event()

    def run(self) -> None:
        with client(self._running) as http:
            number = 0
            while not self._ended.wait(0.01):
                number += 1
                reply = http.post(f"/report/{REPORT_ID}", json=body(number))
                if reply.is_success:
                    self.acknowledged.append(reply.json()["measurement_uid"])
                else:
                    self.refused += 1

    def wait_for(self, more: int) -> None:
        until, wanted = time.monotonic() + 60, len(self.acknowledged) + more
        while len(self.acknowledged) < wanted:
            assert self.is_alive()
            assert time.monotonic() < until
            time.sleep(0.01)

    def end(self) -> None:
        self._ended.set()
        self.join(60)


STORED = {1: 3, 2: 6, 3: 6, 4: 6, 5: 6, 6: 6}
"""Format -> measurements in the store of the tests."""

VOTING = STORED | {5: 2, 6: 2}
"""Those that have a vote; the stores of formats 5 and 6 were judged again by newer rules."""


@pytest.mark.matrix
@pytest.mark.parametrize("old", OLD)
def test_an_old_store_is_upgraded_while_a_collector_acknowledges(old: int, tmp_path: Path) -> None:
    inbox, store = tmp_path / "inbox", old_store(old, tmp_path / "store")
    with collector("--inbox", str(inbox), "--per-address", "10000") as running:
        probe = Probe(running)
        probe.start()
        try:
            probe.wait_for(20)
            drain(
                inbox=inbox, store=store
            )  # this version opens it, leads it on, and takes what has come by then
            probe.wait_for(20)
        finally:
            probe.end()
        assert running.stop() == 0
    drain(inbox=inbox, store=store)
    with open_store(store) as found:
        assert found.facts.engine.rows("SELECT max(version) FROM versions") == [(FORMAT,)]
        assert found.facts.known(probe.acknowledged) == set(probe.acknowledged)
        before = {uid for side in found.sides() for uid in side.facts.votes("PK", *WINDOW).uids}
        assert len(before - set(probe.acknowledged)) == VOTING[old]
        held = sum(1 for segment in found.archive.segments() for _ in found.archive.records(segment))
    assert probe.refused == 0
    assert held == STORED[old] + len(probe.acknowledged), "what it held before, and each new one once"
    assert list(inbox.glob("*.jsonl*")) == []
