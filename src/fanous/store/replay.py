"""Replay: conclusions computed again from the archive - after a crash, and when the rules have changed.

Both may be interrupted at any point and run again: a segment is either whole or still to be done.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from fanous.errors import Rejected
from fanous.model.measurement import ParsedMeasurement
from fanous.model.record import Record
from fanous.model.verdict import Verdict
from fanous.store.archive import DamagedSegment
from fanous.store.batch import Judged
from fanous.store.protocol import Store
from fanous.store.segment import Segment

Judge = Callable[[Record], tuple[ParsedMeasurement, tuple[Verdict, ...]]]
"""Parses and judges a raw record; raises ``Rejected`` where it can no longer be used."""

GROUP = 2000
"""Measurements written at once: removing the rows of a group costs 10 ms a table, however many."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One step of it: some segments whose facts are new, all of them or none.

    Attributes:
        segments: in order of receipt; damaged ones are not among them.
        measurements: whose facts are new.
        spans: country -> (first, last) instant of these measurements; unix seconds, UTC.
        rejected: records that this version cannot use, as ``segment:line: why``.
        damaged: segments that cannot be read, and why; their facts are as they were.
    """

    segments: tuple[Segment, ...]
    measurements: int
    spans: dict[str, tuple[float, float]]
    rejected: tuple[str, ...]
    damaged: tuple[tuple[Segment, str], ...]


def recover(store: Store, judge: Judge, *, rules_version: str) -> list[Replayed]:
    """Finish what a crash left in the archive without facts; call it before the first ``append``.

    A segment that cannot be read is set aside, so that it stops nothing else.  A measurement that is known is
    left out: where records were being removed, the rest of a segment may stand in the archive twice.
    """
    steps = _replay(store, store.unfinished(), judge, rules_version, only_new=True)
    for step in steps:
        for segment, why in step.damaged:
            store.set_aside(segment, why)
    return steps


def rejudge(
    store: Store, judge: Judge, *, rules_version: str, country: str | None = None, everything: bool = False
) -> list[Replayed]:
    """Replace the facts of segments that other rules judged; call ``recover`` before it.

    Args:
        country: ``None`` = all.
        everything: also what these very rules judged (the parser may have changed).
    """
    if everything:
        segments = (s for s in store.segments() if country in (None, s.country))
        return _replay(store, segments, judge, rules_version)
    return _replay(store, store.judged_otherwise(rules_version, country), judge, rules_version)


def _replay(
    store: Store, segments: Iterable[Segment], judge: Judge, rules_version: str, *, only_new: bool = False
) -> list[Replayed]:
    steps: list[Replayed] = []
    read = _read(store, segments, judge)
    for group in _groups(_new(store, read) if only_new else read):
        written = {one.segment: one.judged for one in group if not one.damage}
        if written:
            store.replace_verdicts(written, rules_version=rules_version)
        steps.append(_told(group))
    return steps


@dataclass(slots=True)
class _Read:
    """One segment, parsed and judged.

    Attributes:
        damage: why it could not be read; empty = it could.
    """

    segment: Segment
    judged: list[Judged] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    damage: str = ""


def _read(store: Store, segments: Iterable[Segment], judge: Judge) -> Iterator[_Read]:
    for segment in segments:
        one = _Read(segment)
        try:
            for record in store.records(segment):
                try:
                    one.judged.append(Judged(record, *judge(record)))
                except Rejected as error:
                    one.rejected.append(f"{record.file}:{record.line}: {error}")
        except DamagedSegment as error:
            one.damage = str(error)
        yield one


def _new(store: Store, read: Iterable[_Read]) -> Iterator[_Read]:
    """The same without measurements that stand in a whole segment, or came before."""
    seen: set[str] = set()
    for one in read:
        uids = [judged.parsed.measurement.uid for judged in one.judged]
        seen |= store.known(uids, settled=True)
        kept = []
        for judged, uid in zip(one.judged, uids, strict=True):
            if uid not in seen:
                kept.append(judged)
                seen.add(uid)
        one.judged = kept
        yield one


def _groups(read: Iterable[_Read]) -> Iterator[list[_Read]]:
    group: list[_Read] = []
    size = 0
    for one in read:
        group.append(one)
        size += 1 + len(one.judged)
        if size >= GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


def _told(group: list[_Read]) -> Replayed:
    spans: dict[str, tuple[float, float]] = {}
    for one in group:
        for judged in one.judged:
            header = judged.parsed.measurement
            first, last = spans.get(header.country, (header.started_at, header.started_at))
            spans[header.country] = (min(first, header.started_at), max(last, header.started_at))
    return Replayed(
        segments=tuple(one.segment for one in group if not one.damage),
        measurements=sum(len(one.judged) for one in group),
        spans=spans,
        rejected=tuple(why for one in group for why in one.rejected),
        damaged=tuple((one.segment, one.damage) for one in group if one.damage),
    )
