"""Replay: judge again what the archive has: after a crash, when the rules have changed, and without what is forgotten.

Replay is the live path: new records and archived ones are judged by the same code (``judge_record``), in the same
confined processes.  Everything here may be interrupted at any point and run again: a segment of the archive is either
complete or still to be done.
"""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from tempfile import NamedTemporaryFile

from fanous.errors import FanousError, Rejected
from fanous.model.measurement import AHEAD, ParsedMeasurement, Record, changed
from fanous.model.reason import Reason
from fanous.model.verdict import Judged, Verdict
from fanous.pipeline.detect import detect_all
from fanous.pipeline.judge import Ingested, OnFile, judge_record, rules_version
from fanous.pipeline.reader import line_of, record_in
from fanous.pipeline.refetch import refetched
from fanous.pipeline.workers import default_jobs, judged_by
from fanous.sources.connector import Working
from fanous.sources.stream import Book
from fanous.store.archive import DamagedSegment, Segment
from fanous.store.database import Span, spans_of
from fanous.store.protocol import Forgotten, Store

Judge = Callable[[Record], tuple[ParsedMeasurement, tuple[Verdict, ...]]]
"""Parses and judges a raw record; raises ``Rejected`` if it can no longer be used.  Readers call it, so it is a public
function of a module."""

_GROUP, _GROUP_BYTES = 2000, 128 << 20
"""Measurements, and bytes of them, that are read and written at once: deleting a group's rows takes 10 ms per table,
however many there are.
"""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One step of a replay: some segments whose facts are new, all of them or none.

    Attributes:
        segments: in order of receipt; damaged ones are not among them.
        measurements: those whose facts are new.
        spans: country -> (first, last) instant of these measurements; unix seconds, UTC.
        rejected: records that this version cannot use, as ``segment:line: why``.
        damaged: segments that cannot be read, and why; their facts are as they were.
    """

    segments: tuple[Segment, ...]
    measurements: int
    spans: dict[str, Span]
    rejected: tuple[str, ...]
    damaged: tuple[tuple[Segment, str], ...]


def finish_interrupted(store: Store, late: float = inf) -> list[Replayed]:
    """Judge what a killed run had acknowledged but not yet judged."""
    earliest, latest = store.now() - late, store.now() + AHEAD
    replayed = recover(store, judge_record, rules_version=rules_version())
    for step in replayed:
        spans = {cc: (max(a, earliest), min(b, latest)) for cc, (a, b) in step.spans.items()}
        store.ledger.mark_undetected({cc: span for cc, span in spans.items() if span[0] <= span[1]})
    return replayed


def rejudge(store: Store, country: str | None = None, *, everything: bool = False) -> list[Replayed]:
    """Recompute conclusions from the archive, then detect again.

    Args:
        country: ``None`` = all.
        everything: including what these very rules have judged.
    """
    recovered = finish_interrupted(store)
    replayed = recovered + rejudge_segments(
        store, judge_record, rules_version=rules_version(), country=country, everything=everything
    )
    for side in store.sides():
        for name in [country] if country else side.facts.countries():
            span = side.facts.span(name)
            if span is not None:
                store.ledger.mark_undetected({name: span})
    detect_all(store)
    return replayed


def forget(store: Store, reports: Sequence[str]) -> Forgotten:
    """Permanently delete the measurements of these reports, and detect again without them.

    To complete a run that was killed, run it again.
    """
    finish_interrupted(store)
    forgotten = store.forget(reports)
    finish_interrupted(store)
    detect_all(store, (Reason("forgotten", {"n": forgotten.measurements}),))
    return forgotten


def remarks(replayed: Iterable[Replayed]) -> list[str]:
    """Raw records in the archive that cannot be used, each once, with its place and reason."""
    lines = (
        line
        for step in replayed
        for line in [*step.rejected, *(f"{segment.name}: {why}" for segment, why in step.damaged)]
    )
    return list(dict.fromkeys(lines))


def recover(store: Store, judge: Judge, *, rules_version: str) -> list[Replayed]:
    """Finish what a crash left in the archive without facts; call it before the first ``append``.

    A segment that cannot be read is set aside, so that it does not stop the rest.
    """
    steps = _replay(store, store.unfinished(), judge, rules_version)
    for step in steps:
        for segment, why in step.damaged:
            store.facts.set_aside(segment, why)
    return steps


def rejudge_segments(
    store: Store, judge: Judge, *, rules_version: str, country: str | None = None, everything: bool = False
) -> list[Replayed]:
    """Replace the facts of segments that other rules judged; call ``recover`` before it.

    Args:
        country: ``None`` = all.
        everything: including what these very rules have judged (the parser may have changed).
    """
    if everything:
        segments = (s for s in store.archive.segments() if country in (None, s.country))
        return _replay(store, segments, judge, rules_version)
    return _replay(store, store.facts.judged_otherwise(rules_version, country), judge, rules_version)


def _replay(store: Store, segments: Iterable[Segment], judge: Judge, rules_version: str) -> list[Replayed]:
    steps: list[Replayed] = []
    for group in _groups(_taken(store, segments)):
        _judge(group, judge, store.book)
        written = {read.segment: read.judged for read in group if not read.damage}
        count = store.replace_verdicts(written, rules_version=rules_version) if written else 0
        steps.append(_told(group, count))
    return steps


@dataclass(slots=True)
class _Read:
    """One segment with its records, and what a reader makes of them.

    Attributes:
        damage: why it could not be read; empty = it could.
    """

    segment: Segment
    records: list[Record] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    damage: str = ""


def _taken(store: Store, segments: Iterable[Segment]) -> Iterator[_Read]:
    for segment in segments:
        one = _Read(segment)
        try:
            one.records = list(store.archive.records(segment, refetch=refetched))
        except DamagedSegment as error:
            one.damage = str(error)
        yield one


def _groups(taken: Iterable[_Read]) -> Iterator[list[_Read]]:
    group: list[_Read] = []
    count = size = 0
    for read in taken:
        group.append(read)
        count += 1 + len(read.records)
        size += sum(len(record.data) for record in read.records)
        if count >= _GROUP or size >= _GROUP_BYTES:
            yield group
            group, count, size = [], 0, 0
    if group:
        yield group


def _judge(group: Sequence[_Read], judge: Judge, book: Book) -> None:
    """Have the records judged by confined readers, which get them and nothing else of the archive."""
    waiting = dict(enumerate(((read, record) for read in group for record in read.records), 1))
    if not waiting:
        return
    unusable = _Unusable()
    with NamedTemporaryFile(prefix="fanous-", dir=os.environ.get("SQLITE_TMPDIR")) as file:
        for _, record in waiting.values():
            file.write(line_of(record))
        file.flush()
        paths = [Path(file.name)]
        judging = partial(judged_again, judge)
        with closing(judged_by(default_jobs(paths), judging, paths, unusable, book=book)) as answers:
            for judged in answers:
                if found := waiting.pop(judged.record.line, None):
                    found[0].judged.append(changed(judged, record=found[1]))
    for line, why in unusable.by_line.items():
        if found := waiting.pop(line, None):
            found[0].rejected.append(f"{found[1].file}:{found[1].line}: {why}")
    if waiting:
        raise FanousError(
            f"the process that judges the archive again left out {len(waiting):,} records. Nothing was changed; run "
            "it again",
            permanent=False,
        )


class _Unusable(Ingested):
    """Why records cannot be used, all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.by_line: dict[int, str] = {}

    def reject(self, file: str, line: int, why: str, items: int = 1) -> None:
        del file, items
        self.by_line[line] = why


def judged_again(
    judge: Judge,
    paths: Sequence[Path],
    tally: Ingested,
    _watch: OnFile | None = None,
    *,
    share: range,
    working: Working,
) -> Generator[Judged]:
    """What a reader makes of records of the archive, each after the name of its source; the records stay behind."""
    (path,) = paths
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if number not in share:
                continue
            record = record_in(line, number)
            try:
                working.begin(number, record.data)
                parsed, verdicts = judge(record)
                working.end()
                yield Judged(changed(record, data=b""), parsed, verdicts)
            except Rejected as error:
                working.end()
                tally.reject(str(path), number, str(error))


def _told(group: list[_Read], count: int) -> Replayed:
    headers = [judged.parsed.measurement for read in group for judged in read.judged]
    return Replayed(
        segments=tuple(read.segment for read in group if not read.damage),
        measurements=count,
        spans=spans_of((header.country, header.started_at) for header in headers),
        rejected=tuple(why for read in group for why in read.rejected),
        damaged=tuple((read.segment, read.damage) for read in group if read.damage),
    )
