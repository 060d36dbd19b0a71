"""Stages: the only file that knows every stage; it reads from top to bottom.

    file -> record -> parsed measurement -> verdicts -> store -> series -> anomalies -> incidents -> ledger

Bringing measurements in judges and detects; asking only reads.

Replay: conclusions computed again from the archive - after a crash, and when the rules have changed.

Both may be interrupted at any point and run again: a segment is either whole or still to be done.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from fanous.analysis.incidents.merge import absorb, is_of_lines, join
from fanous.analysis.rules import Fingerprints, judge
from fanous.errors import FanousError, Rejected
from fanous.model.incident import Incident, Kind
from fanous.model.measurement import ParsedMeasurement, Record
from fanous.model.place import UNKNOWN_COUNTRY, UserWeights
from fanous.model.verdict import Verdict
from fanous.pipeline.interference import TICK, find_interference
from fanous.pipeline.judge import known_fingerprints, rules_version
from fanous.pipeline.outages import find_outages
from fanous.pipeline.revise import alone_with, approval_of, kept, write_changes
from fanous.pipeline.tally import AHEAD, Ingested
from fanous.refdata.users import user_weights
from fanous.sources.connector import OnProgress
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.store.archive import DamagedSegment, Segment
from fanous.store.batch import Forgotten, Judged
from fanous.store.leases import LEASE_SECONDS, LeaseLost
from fanous.store.protocol import Store

Judge = Callable[[Record], tuple[ParsedMeasurement, tuple[Verdict, ...]]]
"""Parses and judges a raw record; raises ``Rejected`` where it can no longer be used."""

_GROUP = 2000
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
            store.facts.set_aside(segment, why)
    return steps


def rejudge_segments(
    store: Store, judge: Judge, *, rules_version: str, country: str | None = None, everything: bool = False
) -> list[Replayed]:
    """Replace the facts of segments that other rules judged; call ``recover`` before it.

    Args:
        country: ``None`` = all.
        everything: also what these very rules judged (the parser may have changed).
    """
    if everything:
        segments = (s for s in store.archive.segments() if country in (None, s.country))
        return _replay(store, segments, judge, rules_version)
    return _replay(store, store.facts.judged_otherwise(rules_version, country), judge, rules_version)


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
            for record in store.archive.records(segment):
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
        seen |= store.facts.known(uids, settled=True)
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
        if size >= _GROUP:
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


DAY = 86400.0

BATCH_BYTES = 128 << 20
BATCH_RECORDS = 2000
"""What is held in memory before it is written: large enough for the engine, which takes some 45 ms for each
batch however small it is, and small enough for a laptop."""

HISTORY = 60 * DAY
"""Measurements before the first new one that the detectors get to see, for baselines and weekends."""

LATE = 60 * DAY
"""How old the measurements may be that a probe sends by itself and that still move detection: longer than
probes are offline, and a bound, whatever date a sender writes."""


def judge_record(
    record: Record, fingerprints: Fingerprints | None = None
) -> tuple[ParsedMeasurement, tuple[Verdict, ...]]:
    """One raw record to its facts and verdicts; what rules read of pages is not kept.

    Args:
        fingerprints: ``None`` = those that are known on this machine.

    Raises:
        Rejected: the record cannot be used.
    """
    parsed = MEASUREMENT_SOURCES[record.source].parse(record)
    verdicts = judge(parsed, fingerprints or known_fingerprints())
    return parsed.without_pages(), verdicts


def judged_records(
    source: str,
    paths: Sequence[Path],
    tally: Ingested,
    on_progress: Callable[[Path, int], None] | None = None,
) -> Iterator[Judged]:
    """Every record of the files with its verdicts; what cannot be used goes to ``tally``.

    Raises:
        FanousError: no such source, or a file that cannot be read at all.
    """
    if source not in MEASUREMENT_SOURCES:
        raise FanousError(f"no source {source!r}: use one of {', '.join(sorted(MEASUREMENT_SOURCES))}")
    connector, fingerprints = MEASUREMENT_SOURCES[source], known_fingerprints()
    for path in paths:

        def on_reject(line: int, why: str, file: str = str(path)) -> None:
            tally.reject(file, line, why)

        def moved(consumed: int, file: Path = path) -> None:
            if on_progress is not None:
                on_progress(file, consumed)

        watch: OnProgress = moved
        for record in connector.read(path, on_reject, watch):
            try:
                yield Judged(record, *judge_record(record, fingerprints))
            except Rejected as reason:
                tally.reject(record.file, record.line, str(reason), record.items)
                tally.duplicate += record.duplicates


def ingest(
    store: Store,
    source: str,
    paths: Sequence[Path],
    on_progress: Callable[[Path, int], None] | None = None,
    *,
    late: float = inf,
    detects: bool = True,
) -> Ingested:
    """Bring files into the store, judge them, and detect on what they touched.

    A run that was killed is completed by running it again: what was acknowledged is known and counted
    as duplicate.

    Args:
        late: seconds; older measurements are stored and start no detection (``rejudge`` does).  Infinite
            for files that an operator chose, ``LATE`` for what came by itself.
        detects: else it is left to who detects (``detect_all``); what came in is marked for them.
    """
    tally = Ingested()
    tally.remarks += remarks(finish_interrupted(store, late))
    bring_in(store, source, paths, tally, on_progress, late=late)
    if detects:
        detect_all(store)
    return tally


def bring_in(
    store: Store,
    source: str,
    paths: Sequence[Path],
    tally: Ingested,
    on_progress: Callable[[Path, int], None] | None = None,
    *,
    late: float = inf,
) -> None:
    """Read, judge and store, without detecting.

    The cycle collector rests meanwhile: a batch is hundreds of thousands of objects without a cycle, and
    walking them again and again costs a fifth of the time.
    """
    gc.disable()
    try:
        for batch in _batches(judged_records(source, paths, tally, on_progress)):
            _append(store, batch, tally, late)
            batch.clear()  # the generator still holds the list
            gc.collect(1)
    finally:
        gc.enable()


def _batches(judged: Iterable[Judged]) -> Iterator[list[Judged]]:
    batch: list[Judged] = []
    size = 0
    for one in judged:
        batch.append(one)
        size += len(one.record.data)
        if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _append(store: Store, batch: list[Judged], tally: Ingested, late: float) -> None:
    known = store.facts.known(judged.parsed.measurement.uid for judged in batch)
    new = [judged for judged in batch if judged.parsed.measurement.uid not in known]
    first, last = store.now() - late, store.now() + AHEAD
    store.ledger.mark_undetected(_spans(new, first, last))
    appended = store.append(new, rules_version=rules_version())
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


def _spans(batch: Iterable[Judged], earliest: float, latest: float) -> dict[str, tuple[float, float]]:
    """Country -> (first, last) instant of the batch's measurements; those beyond the bounds start nothing."""
    spans: dict[str, tuple[float, float]] = {}
    for judged in batch:
        measurement = judged.parsed.measurement
        if not earliest <= measurement.started_at <= latest:
            continue
        first, last = spans.get(measurement.country, (measurement.started_at, measurement.started_at))
        spans[measurement.country] = (min(first, measurement.started_at), max(last, measurement.started_at))
    return spans


def finish_interrupted(store: Store, late: float = inf) -> list[Replayed]:
    """Judge what a killed run had acknowledged but not yet turned into facts."""
    earliest, latest = store.now() - late, store.now() + AHEAD
    replayed = recover(store, judge_record, rules_version=rules_version())
    for step in replayed:
        spans = {cc: (max(a, earliest), min(b, latest)) for cc, (a, b) in step.spans.items()}
        store.ledger.mark_undetected({cc: span for cc, span in spans.items() if span[0] <= span[1]})
    return replayed


def remarks(replayed: Iterable[Replayed]) -> list[str]:
    """Raw records that are in the archive and cannot be used, each with its place and reason."""
    return [
        line
        for step in replayed
        for line in [*step.rejected, *(f"{segment.name}: {why}" for segment, why in step.damaged)]
    ]


def out_of_reach(tally: Ingested) -> list[str]:
    """What was stored and not detected on, in words; usually nothing."""
    said = []
    if tally.late:
        said.append(
            f"{tally.late:,} measurements are older than {LATE / DAY:.0f} days: stored, and nothing was "
            "detected there; `fanous rejudge CC` does"
        )
    if tally.ahead:
        said.append(
            f"{tally.ahead:,} measurements are dated in the future, so a clock is wrong: stored, and left "
            "out until then"
        )
    return said


def detect_all(store: Store, why: str = "") -> list[str]:
    """Detect in every country with measurements that no detection has seen, killed runs' among them.

    A country that another process is working on is left to it.

    Args:
        why: what else happened that may have changed claims.

    Returns:
        The countries, in the order in which it was done.
    """
    done = []
    while (country := detect_next(store, why)) is not None:
        if country:
            done.append(country)
    return done


def detect_next(store: Store, why: str = "", seconds: float = LEASE_SECONDS) -> str | None:
    """Detect in the country whose turn it is.

    Args:
        seconds: after which another process may take the country over from one that died with it.

    Returns:
        Which one; empty = another process took it over in the middle, and nothing was written; ``None`` =
        nothing is left for this process.
    """
    lease = store.ledger.lease(seconds)
    if lease is None or lease.span is None:
        return None
    try:
        with kept(store, lease, seconds):
            detect(store, lease.country, *lease.span, why=why)
            store.ledger.mark_detected(lease)
    except LeaseLost:
        return ""
    return lease.country


def forget(store: Store, reports: Sequence[str]) -> Forgotten:
    """Take the measurements of these reports out for good, and detect again without them.

    A run that was killed is completed by running it again.
    """
    finish_interrupted(store)
    forgotten = store.forget(reports)
    finish_interrupted(store)
    detect_all(store, f"{forgotten.measurements:,} measurements were withdrawn by who made them")
    return forgotten


def detect(
    store: Store, country: str, first: float, last: float, shares: UserWeights | None = None, why: str = ""
) -> list[Incident]:
    """Find the incidents of a country around ``[first, last]`` and write what changed to the ledger.

    Late measurements change the past: everything from ``first`` to the newest measurement is computed
    again, and each incident that differs gets a revision.

    Args:
        last: the newest measurement, or now: then those who should have been heard by now are silent.
        shares: of the networks' users; ``None`` = as this machine knows them.
        why: what else happened that may have changed claims.
    """
    if country == UNKNOWN_COUNTRY:
        return []
    since, until = _window(store, country, first, last)
    found = find_incidents(store, country, since, until, shares or user_weights(country))
    return write_changes(store, country, found, since, until, why)


def approve(store: Store, incident_id: str, who: str, note: str, at: float) -> Incident:
    """Let a held claim stand, in the name of a person, and write what it is without the hold.

    Raises:
        FanousError: there is no such incident, or it is not held.
    """
    approval = approval_of(store, incident_id, who, note, at)
    claim = store.ledger.revisions(incident_id)[-1].incident
    first, last = claim.onset, claim.onset if claim.end is None else claim.end
    with alone_with(store, claim.country) as lease:
        store.ledger.approve(approval)
        if lease.span is not None:
            first, last = min(first, lease.span[0]), max(last, lease.span[1])
        detect(store, claim.country, first, last)
        store.ledger.mark_detected(lease)
    return store.ledger.revisions(incident_id)[-1].incident


def _window(store: Store, country: str, first: float, last: float) -> tuple[float, float]:
    """From far enough before ``first`` that what was on then is seen to begin, to the newest measurement."""
    since = first - HISTORY
    for incident in store.ledger.incidents(country, since, first):
        since = min(since, incident.onset - HISTORY)
    newest = store.facts.span(country)
    until = min(max(last, newest[1] if newest else last), store.now() + AHEAD)
    return since, until + TICK


def find_incidents(
    store: Store, country: str, since: float, until: float, shares: UserWeights | None
) -> list[Incident]:
    """The incidents that all in the store of a window amounts to; writes nothing.

    Args:
        shares: of the networks' users; ``None`` = no figures of this country are known.
    """
    outages = find_outages(store, country, since, until, rules_version(), shares)
    told = find_interference(store, country, since, until, shares)
    joined = join(outages, told)
    lost = [one for one in joined if one.kind is Kind.OUTAGE and is_of_lines(one)]
    return absorb(lost, [one for one in joined if one not in lost])


def rejudge(store: Store, country: str | None = None, *, everything: bool = False) -> list[Replayed]:
    """Compute conclusions again from the archive, then detect again.

    Args:
        country: ``None`` = all.
        everything: also what these very rules judged.
    """
    recovered = finish_interrupted(store)
    replayed = recovered + rejudge_segments(
        store, judge_record, rules_version=rules_version(), country=country, everything=everything
    )
    for name in [country] if country else store.facts.countries():
        span = store.facts.span(name)
        if span is not None:
            store.ledger.mark_undetected({name: span})
    detect_all(store)
    return replayed
