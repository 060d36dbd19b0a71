"""Monitor: the owner of a rehearsal's store; drains the inbox, judges, detects, and reports what it found.

    python -m fanous_lab.evaluation.rehearsal.monitor SPECIFICATION.json

It reports that it is ready, reads the clock from a line on stdin, and prints a JSON line whenever an incident
is new or has changed, until another line tells it to finish; then it processes the rest and ends.  It is a
separate program from the probes, as in production.
"""

import select
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fanous.collector.inbox import drain
from fanous.model.measurement import Provenance
from fanous.model.place import UserWeights
from fanous.pipeline import detect, ingest
from fanous.pipeline.judge import Ingested, known_fingerprints
from fanous.publish.document import detailed_document
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous_lab.evaluation.rehearsal.score import LabClock

SOURCE = "edge"
"""The source that reads what an inbox holds."""

PAUSE = 0.4
"""Seconds between two checks of the inbox."""

UNDER_WAY = 2.5
"""Ticks by which a probe's check of its line may arrive later than that of the probe abroad.  In production
that is one minute in ten; here a second represents five minutes, and if packets are lost, an upload takes
several."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """Its input.

    Attributes:
        tick: seconds of the lab.
        records: file to which all measurements are written at the end, as the collector kept them.
    """

    store: str
    inbox: str
    country: str
    shares: UserWeights
    tick: float
    records: str


class MonitorState(msgspec.Struct):
    """Its output: an incident as known at ``at`` (seconds of the lab), or that it is ready."""

    at: float
    incident: dict[str, Any] | None = None
    stored: int = 0
    is_last: bool = False


def run(monitor: Monitor) -> Iterator[MonitorState]:
    """States as they come; ends when stdin says so, or is closed."""
    with open_store(Path(monitor.store), staged=True) as store:
        known_fingerprints()  # compiled before the clock runs: it takes seconds
        yield MonitorState(0.0)
        clock = msgspec.json.decode(sys.stdin.buffer.readline(), type=LabClock)
        documents: dict[str, dict[str, Any]] = {}
        tally = Ingested()
        ends = False
        while not ends:
            began = time.monotonic()
            ends = bool(select.select([sys.stdin], [], [], 0)[0])
            yield from _look(monitor, clock, store, tally, documents)
            if not ends:
                time.sleep(max(0.0, PAUSE - (time.monotonic() - began)))
        with Path(monitor.records).open("wb") as file:
            for segment in store.archive.segments():
                for record in store.archive.records(segment):
                    file.write(record.data + b"\n")
        yield MonitorState(clock.lab(), stored=tally.stored, is_last=True)


def _look(
    monitor: Monitor,
    clock: LabClock,
    store: Store,
    tally: Ingested,
    documents: dict[str, dict[str, Any]],
) -> Iterator[MonitorState]:
    def bring(paths: Sequence[Path]) -> None:
        ingest.bring_in(store, SOURCE, paths, tally)

    while drain(Path(monitor.inbox), bring).more:
        pass
    while (lease := store.ledger.lease()) is not None:
        store.ledger.mark_detected(lease)
    until, tick = clock.monitor(clock.lab()), monitor.tick * clock.stretch
    now = heard_until(store.of(Provenance.SYNTHETIC), monitor.country, clock.begins, until, tick)
    detect.detect(store, monitor.country, clock.begins, now, monitor.shares)
    for incident in store.ledger.incidents(monitor.country):
        document = detailed_document(incident)
        if documents.get(incident.id) != document:
            documents[incident.id] = document
            yield MonitorState(clock.lab(), document, tally.stored)


def heard_until(store: Store, country: str, begins: float, until: float, tick: float) -> float:
    """The instant up to which probes not heard from count as silent: set by the checks of probes abroad, which no
    censor here can stop.

    Args:
        tick: seconds of the monitor's clock.
    """
    beats = store.facts.looks(begins, until)
    abroad = [beat.at for beat in beats if beat.country != country]
    return max(abroad, default=begins) - UNDER_WAY * tick


def main(specification: Path) -> None:
    monitor = msgspec.json.decode(specification.read_bytes(), type=Monitor)
    for state in run(monitor):
        sys.stdout.buffer.write(msgspec.json.encode(state) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
