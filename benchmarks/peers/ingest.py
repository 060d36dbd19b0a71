"""Ingest: raw measurements of the recorded event into a new store, judged, archived, on the disk."""

import tempfile
import time
from pathlib import Path

from benchmarks.peers.event import SOURCE, event_file
from benchmarks.peers.figure import Figure

from fanous.errors import FanousError
from fanous.pipeline import ingest
from fanous.pipeline.judge import Ingested, known_fingerprints
from fanous.store.local import open_store

NO_PEER = (
    "OONI's pipeline cannot run beside it here: it wants a ClickHouse server and files of its own kind; what "
    "it does, as published and as measured once, stands in docs/operate.md"
)


def measured(times: int) -> tuple[list[Figure], list[str]]:
    """Everything that ``fanous ingest`` does except detection, which ``detect`` measures.

    Raises:
        FanousError: not all of them were stored.
    """
    known_fingerprints()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file, count = event_file(folder, times)
        tally = Ingested()
        with open_store(folder / "store") as store:
            clock, cpu = time.monotonic(), time.process_time()
            ingest.bring_in(store, SOURCE, [file], tally)
            clock, cpu = time.monotonic() - clock, time.process_time() - cpu
        size = file.stat().st_size
    if tally.stored != count:
        raise FanousError(f"{count - tally.stored} of {count} measurements did not come in")
    what = "JSON to stored observations and verdicts: archive (zstd, fsync) and facts"
    return [
        Figure("measurements", round(count / cpu, 1), "1/s of processor time", what),
        Figure("measurements by the clock", round(count / clock, 1), "1/s", what),
        Figure("bytes", round(size / cpu / 1e6, 1), "MB/s of processor time"),
        Figure("came in", count, "measurements", "all that were given"),
    ], [NO_PEER]
