"""Ingest: import measurements.

    file -> record -> parsed measurement -> verdicts -> store

It may be interrupted at any point and run again: what was acknowledged is recognised, and what was not yet judged is
finished first (``pipeline.replay``).
"""

import gc
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fanous.analysis.rules import judge
from fanous.errors import FanousError, Rejected
from fanous.model.instant import DAY
from fanous.model.measurement import AHEAD, Provenance, changed
from fanous.model.threshold import threshold
from fanous.model.verdict import Judged
from fanous.pipeline.judge import Ingested, OnFile, known_fingerprints, rules_version
from fanous.pipeline.workers import judged_by
from fanous.sources.connector import ALL, UNWATCHED, Working
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.values import instant_of
from fanous.store.protocol import Store

if TYPE_CHECKING:
    from fanous.store.database import Span

BATCH_BYTES = threshold(
    "pipeline.batch_bytes", 128 << 20, "Bytes held in memory before they are written; no effect on results."
)
BATCH_RECORDS = threshold(
    "pipeline.batch_records",
    5000,
    "Measurements held in memory before they are written; no effect on results. The engine takes 45 ms a batch "
    "however small it is.",
)

MOST_GARBAGE = 200_000
"""Objects that a long ingest may leave to the garbage collector, which is paused; a batch leaves some thousands."""

LATE = threshold(
    "pipeline.late_seconds",
    60 * DAY,
    "Older measurements that a probe sends by itself are stored and start no detection (`fanous rejudge CC` "
    "does): longer than probes are offline, and a date written by a sender must not make Fanous compute years.",
)


def ingest(
    store: Store,
    source: str,
    paths: Sequence[Path],
    on_progress: OnFile | None = None,
    *,
    provenance: Provenance = Provenance.IMPORTED,
    late: float = inf,
    detects: bool = True,
    jobs: int = 1,
) -> Ingested:
    """Import files into the store, judge them, and detect where they changed something.

    To complete a run that was killed, run it again: what was acknowledged is recognised and counted as
    duplicate.

    Args:
        provenance: of the files' contents.  A record marked as synthetic stays synthetic in imported files, and is
            refused where only real records are accepted.
        late: seconds; older measurements are stored but start no detection (``rejudge`` does).  Infinite
            for files that an operator chose, ``LATE`` for what probes send.
        detects: detect at once; otherwise the measurements are marked for detection later (``detect_all``).
        jobs: see ``bring_in``.
    """
    # Not at the top: workers need this module, and no detector.
    from fanous.pipeline.detect import detect_all
    from fanous.pipeline.replay import finish_interrupted, remarks

    tally = Ingested()
    tally.remarks += remarks(finish_interrupted(store, late))
    bring_in(store, source, paths, tally, on_progress, provenance=provenance, late=late, jobs=jobs)
    if detects:
        detect_all(store)
    return tally


def bring_in(
    store: Store,
    source: str,
    paths: Sequence[Path],
    tally: Ingested,
    on_progress: OnFile | None = None,
    *,
    provenance: Provenance = Provenance.IMPORTED,
    late: float = inf,
    began: "Span | None" = None,
    published: Mapping[Path, str] | None = None,
    jobs: int = 1,
) -> None:
    """Read, judge and store, without detecting.

    Args:
        began: see ``judged_records``.
        published: see ``judged_records``.
        jobs: confined processes that read; what cannot be divided is read by one.

    The garbage collector is paused: a batch has hundreds of thousands of objects without cycles, and walking
    them repeatedly takes a fifth of the time.
    """
    version = rules_version()
    provenance = Provenance.SYNTHETIC if store.staged else provenance
    read = partial(
        judged_records,
        source,
        provenance=provenance,
        began=began,
        published=published,
        older=store.holds_older(),
    )
    gc.disable()
    try:
        jobs = jobs if source in MEASUREMENT_SOURCES and MEASUREMENT_SOURCES[source].is_divisible else 1
        with closing(judged_by(jobs, read, paths, tally, on_progress, store.book)) as judged:
            for batch in batches(judged):
                append(store, batch, tally, late, version)
                batch.clear()  # the generator still holds the list
                if gc.get_count()[0] > MOST_GARBAGE:
                    gc.collect(1)
        # Old garbage too when it is due: collecting resets the collector's counts, so a monitor that ingests every few
        # seconds would never get to what pages and queries leave.
        gc.collect(2 if gc.get_count()[2] > gc.get_threshold()[2] else 1)
    finally:
        gc.enable()


def judged_records(
    source: str,
    paths: Sequence[Path],
    tally: Ingested,
    on_progress: OnFile | None = None,
    provenance: Provenance = Provenance.IMPORTED,
    began: "Span | None" = None,
    published: Mapping[Path, str] | None = None,
    *,
    older: bool = False,
    share: range = ALL,
    working: Working = UNWATCHED,
) -> Generator[Judged]:
    """Every record of the files with its verdicts; unusable records go to ``tally``.

    Args:
        began: only measurements that began from the first of these instants and before the second.
        published: file -> address of the public object that it is a copy of.
        older: whether the store may know them by former names (``Store.holds_older``).
        share: read only these lines of each file; the source must be divisible.
        working: notes each record while it is being read and judged, if the source is divisible.

    Raises:
        FanousError: no such source, or a file that cannot be read at all.
    """
    if source not in MEASUREMENT_SOURCES:
        raise FanousError(f"unknown source {source!r}: use one of {', '.join(sorted(MEASUREMENT_SOURCES))}")
    connector, fingerprints = MEASUREMENT_SOURCES[source], known_fingerprints()
    for path in paths:
        watch = None if on_progress is None else partial(on_progress, path)
        for record in connector.read(
            path, partial(tally.reject, str(path)), watch, share=share, working=working
        ):
            if began is not None and not _began_within(record.data, began):
                tally.outside += record.items
                continue
            try:
                stored, parsed = connector.take(record)
                own = stored.provenance.through(provenance)
                there = "" if published is None else published[path]
                if own is not stored.provenance or there:
                    stored = changed(stored, provenance=own, line=record.line, published=there)
                came = record.data if older else b""
                judged = Judged(stored, parsed.without_pages(), judge(parsed, fingerprints), came)
                working.end()
                yield judged
            except Rejected as reason:
                tally.reject(record.file, record.line, str(reason), record.items)
                tally.duplicate += record.duplicates
        working.end()


class _Began(msgspec.Struct):
    measurement_start_time: str | None = None
    test_start_time: str | None = None


_began = msgspec.json.Decoder(_Began)


def _began_within(data: bytes, span: "Span") -> bool:
    """Did it begin within the span?  Also true if a record does not say: it is then judged, and rejected with a
    reason."""
    try:
        told = _began.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return True
    instant = instant_of(told.measurement_start_time or told.test_start_time or "")
    return instant is None or span[0] <= instant < span[1]


def batches(judged: Iterable[Judged], records: int = BATCH_RECORDS) -> Iterator[list[Judged]]:
    """Judged records in batches, each of which is stored at once."""
    batch: list[Judged] = []
    size = 0
    for one in judged:
        batch.append(one)
        size += len(one.record.data) + len(one.came)
        if len(batch) >= records or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def append(store: Store, batch: list[Judged], tally: Ingested, late: float, version: str) -> None:
    """Store measurements, and count them."""
    now = store.now()
    first, last = now - late, now + AHEAD
    appended = store.append(batch, rules_version=version, undetected=(first, last))
    for judged in batch:
        measurement, record = judged.parsed.measurement, judged.record
        tally.duplicate += record.duplicates
        if id(judged) not in appended.fresh:
            tally.duplicate += record.items
            continue
        tally.stored += record.items
        tally.by_test[measurement.test_name] += 1
        tally.late += measurement.started_at < first
        tally.ahead += measurement.started_at > last


def out_of_reach(tally: Ingested) -> list[str]:
    """What was stored but not included in detection, in words; usually nothing."""
    said = []
    if tally.late:
        are = "measurement is" if tally.late == 1 else "measurements are"
        said.append(
            f"{tally.late:,} {are} older than {LATE / DAY:.0f} days: stored, but not included in detection; run "
            "`fanous rejudge CC` to include them"
        )
    if tally.ahead:
        said.append(
            f"{tally.ahead:,} measurements are dated in the future, so a clock is wrong: stored, but ignored "
            f"until then"
        )
    return said
