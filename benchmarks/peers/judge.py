"""Judge: raw measurements of the recorded event to verdicts, one process, without a store.

No other program turns these records into comparable verdicts: OONI's pipeline needs a database and
judges elsewhere.  Its published rate is in docs/operate.md, next to ``ingest``.
"""

import tempfile
import time
from pathlib import Path

from benchmarks.peers.event import SOURCE, event_file
from benchmarks.peers.figure import Figure

from fanous.analysis.rules import judge
from fanous.pipeline.judge import known_fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES

NO_PEER = "no other program takes such records to verdicts by itself, so nothing is compared"


def measured(times: int) -> tuple[list[Figure], list[str]]:
    """By processor time."""
    connector, known = MEASUREMENT_SOURCES[SOURCE], known_fingerprints()
    with tempfile.TemporaryDirectory() as folder:
        file, _ = event_file(Path(folder), times)
        start = time.process_time()
        records = list(connector.read(file, lambda _line, _why: None))
        read = time.process_time() - start
    start = time.process_time()
    bundles = [connector.parse(record) for record in records]
    parsed = time.process_time() - start
    start = time.process_time()
    verdicts = sum(len(judge(bundle, known)) for bundle in bundles)
    judged = time.process_time() - start
    count = len(records)
    size = sum(len(record.data) for record in records) / count / 1e3
    figures = [
        Figure("measurements to verdicts", round(count / (read + parsed + judged), 1), "1/s and core",
               f"{count:,} of {size:.0f} kB: reading, scrubbing, decoding, observations, rules"),
        Figure("reading and scrubbing", round(count / read, 1), "1/s and core"),
        Figure("decoding to observations", round(count / parsed, 1), "1/s and core"),
        Figure("judging", round(count / judged, 1), "1/s and core", f"{verdicts / count:.1f} verdicts each"),
    ]  # fmt: skip
    return figures, [NO_PEER]
