"""Pipeline: the only file that knows all stages; it reads top to bottom.

    file -> record -> bundle -> verdicts -> store -> series -> anomalies -> incidents -> ledger

Bringing measurements in judges and detects; asking only reads.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fanous.connecting import connectivity_lacks, find_outages
from fanous.connectors import CONNECTORS, OnProgress
from fanous.detectors import DETECTOR_VERSION, DETECTORS
from fanous.errors import FanousError, Rejected
from fanous.incidents.absorb import absorb
from fanous.incidents.correlate import Finding, correlate
from fanous.incidents.lifecycle import Setting, incident_of
from fanous.incidents.matching import match
from fanous.judging import known_fingerprints, rules_version
from fanous.model.entity import UNKNOWN_COUNTRY, Family
from fanous.model.incident import Incident, Kind, Status
from fanous.model.measurement import Bundle
from fanous.model.record import Record
from fanous.model.verdict import Verdict
from fanous.publishers.grid import network_times
from fanous.publishers.terminal import Answer
from fanous.refdata.weights import weights
from fanous.rules import judge
from fanous.store import Judged, Replayed, Store, recover
from fanous.store import rejudge as judge_again

FAMILY_OF: dict[str, Family] = {"ooni": Family.OONI, "ooni-csv": Family.OONI}
"""Which family each connector's measurements belong to."""

DAY = 86400.0

BATCH_BYTES = 64 << 20
BATCH_RECORDS = 2000
"""What is held in memory before it is written: large enough for the engine, small enough for a laptop."""

HISTORY = 60 * DAY
"""Measurements before the first new one that the detectors get to see, for baselines and weekends."""

TICK = 600
"""Bin width in seconds: coarse ticks lose short sessions (an hour is the most that may be used)."""

REJECTS_LISTED = 1000
"""All rejects are counted; so many are listed, so that a bad file of any size fits in memory."""


@dataclass(frozen=True, slots=True)
class Reject:
    file: str
    line: int
    why: str


@dataclass(slots=True)
class Ingested:
    """What became of the files, in measurements (rows for CSVs): read = stored + duplicate + rejected.

    Attributes:
        rejects: the first ``REJECTS_LISTED``.
        remarks: what an interrupted run left behind that cannot be used, in words.
        by_test: stored measurements by nettest.
    """

    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    by_test: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)

    @property
    def read(self) -> int:
        return self.stored + self.duplicate + self.rejected

    def reject(self, file: str, line: int, why: str, items: int = 1) -> None:
        self.rejected += items
        if len(self.rejects) < REJECTS_LISTED:
            self.rejects.append(Reject(file, line, why))


def judge_record(record: Record) -> tuple[Bundle, tuple[Verdict, ...]]:
    """One raw record to its facts and verdicts.

    Raises:
        Rejected: the record cannot be used.
    """
    bundle = CONNECTORS[record.source].parse(record)
    return bundle, judge(bundle, known_fingerprints())


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
    if source not in CONNECTORS:
        raise FanousError(f"no source {source!r}: use one of {', '.join(sorted(CONNECTORS))}")
    connector = CONNECTORS[source]
    for path in paths:

        def on_reject(line: int, why: str, file: str = str(path)) -> None:
            tally.reject(file, line, why)

        def moved(consumed: int, file: Path = path) -> None:
            if on_progress is not None:
                on_progress(file, consumed)

        watch: OnProgress = moved
        for record in connector.read(path, on_reject, watch):
            try:
                yield Judged(record, *judge_record(record))
            except Rejected as reason:
                tally.reject(record.file, record.line, str(reason), record.items)
                tally.duplicate += record.duplicates


def ingest(
    store: Store,
    source: str,
    paths: Sequence[Path],
    on_progress: Callable[[Path, int], None] | None = None,
) -> Ingested:
    """Bring files into the store, judge them, and detect on what they touched.

    A run that was killed is completed by running it again: what was acknowledged is known and counted
    as duplicate.
    """
    tally = Ingested()
    tally.remarks += remarks(finish_interrupted(store))
    bring_in(store, source, paths, tally, on_progress)
    detect_all(store)
    return tally


def bring_in(
    store: Store,
    source: str,
    paths: Sequence[Path],
    tally: Ingested,
    on_progress: Callable[[Path, int], None] | None = None,
) -> None:
    """Read, judge and store, without detecting.

    The cycle collector rests meanwhile: a batch is hundreds of thousands of objects without a cycle, and
    walking them again and again costs a fifth of the time.
    """
    gc.disable()
    try:
        for batch in _batches(judged_records(source, paths, tally, on_progress)):
            _append(store, batch, tally)
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


def _append(store: Store, batch: list[Judged], tally: Ingested) -> None:
    known = store.known(judged.bundle.measurement.uid for judged in batch)
    new = [judged for judged in batch if judged.bundle.measurement.uid not in known]
    store.mark_undetected(_spans(new))
    appended = store.append(new, rules_version=rules_version())
    for judged in batch:
        measurement, record = judged.bundle.measurement, judged.record
        tally.duplicate += record.duplicates
        if id(judged) not in appended.fresh:
            tally.duplicate += record.items
            continue
        tally.stored += record.items
        tally.by_test[measurement.test_name] += 1


def _spans(batch: Iterable[Judged]) -> dict[str, tuple[float, float]]:
    """Country -> (first, last) instant of the batch's measurements."""
    spans: dict[str, tuple[float, float]] = {}
    for judged in batch:
        measurement = judged.bundle.measurement
        first, last = spans.get(measurement.country, (measurement.started_at, measurement.started_at))
        spans[measurement.country] = (min(first, measurement.started_at), max(last, measurement.started_at))
    return spans


def finish_interrupted(store: Store) -> list[Replayed]:
    """Judge what a killed run had acknowledged but not yet turned into facts."""
    replayed = recover(store, judge_record, rules_version=rules_version())
    for step in replayed:
        store.mark_undetected(step.spans)
    return replayed


def remarks(replayed: Iterable[Replayed]) -> list[str]:
    """Raw records that are in the archive and cannot be used, each with its place and reason."""
    return [
        line
        for step in replayed
        for line in [*step.rejected, *(f"{segment.name}: {why}" for segment, why in step.damaged)]
    ]


def detect_all(store: Store) -> None:
    """Detect in every country with measurements that no detection has seen, killed runs' among them."""
    for country, (first, last) in store.undetected().items():
        detect(store, country, first, last)
        store.mark_detected(country)


def detect(store: Store, country: str, first: float, last: float) -> list[Incident]:
    """Find the incidents of a country around ``[first, last]`` and write what changed to the ledger.

    Late measurements change the past: everything from ``first`` to the newest measurement is computed
    again, and each incident that differs gets a revision.
    """
    if country == UNKNOWN_COUNTRY:
        return []
    since, until = _window(store, country, first, last)
    return _write_changes(store, country, find_incidents(store, country, since, until), since, until)


def _write_changes(
    store: Store, country: str, found: list[Incident], since: float, until: float
) -> list[Incident]:
    """Revisions for what changed; what the data no longer bear out is retracted, in public."""
    known = [i for i in store.incidents(country, since, until) if i.onset >= since]
    pairs = match(found, known)
    kept = {earlier.id for _, earlier in pairs if earlier is not None}
    for incident in known:
        if incident.id not in kept and incident.status is not Status.RETRACTED:
            store.retract(incident.id, "measurements that came in since do not bear it out")
    return [store.put(new, new.reason, known_as=old.id if old else None) for new, old in pairs]


def _window(store: Store, country: str, first: float, last: float) -> tuple[float, float]:
    """From far enough before ``first`` that what was on then is seen to begin, to the newest measurement."""
    since = first - HISTORY
    for incident in store.incidents(country, since, first):
        since = min(since, incident.onset - HISTORY)
    newest = store.span(country)
    return since, max(last, newest[1] if newest else last) + TICK


def find_incidents(store: Store, country: str, since: float, until: float) -> list[Incident]:
    """The incidents that all in the store of a window amounts to; writes nothing."""
    outages = find_outages(store, country, since, until, rules_version())
    return absorb(outages, find_interference(store, country, since, until))


def find_interference(store: Store, country: str, since: float, until: float) -> list[Incident]:
    """The incidents that the measurements of a window amount to."""
    series = store.series(country, since, until, TICK)
    findings = [
        Finding(anomaly, detector.kind)
        for detector in DETECTORS.values()
        for anomaly in detector.find(
            [s for s in series if s.key.signal in detector.signals], detector.options
        )
        if anomaly.probability >= detector.options.suspect_at
    ]
    if not findings:
        return []
    targets = sorted({finding.anomaly.key.target for finding in findings})
    votes = store.votes(country, since, until, targets)
    elsewhere = store.working_elsewhere(country, since, until, targets)
    setting = Setting(country, FAMILY_OF, weights(country), rules_version(), DETECTOR_VERSION)
    here, there = votes.by_target(), elsewhere.by_target()
    incidents = []
    for group in correlate(findings):
        own = {finding.anomaly.key.target for finding in group}
        incidents.append(incident_of(group, votes.of(own, here), elsewhere.of(own, there), setting))
    return incidents


def rejudge(store: Store, country: str | None = None, *, everything: bool = False) -> list[Replayed]:
    """Compute conclusions again from the archive, then detect again.

    Args:
        country: ``None`` = all.
        everything: also what these very rules judged.
    """
    recovered = finish_interrupted(store)
    replayed = recovered + judge_again(
        store, judge_record, rules_version=rules_version(), country=country, everything=everything
    )
    for name in [country] if country else store.countries():
        span = store.span(name)
        if span is not None:
            store.mark_undetected({name: span})
    detect_all(store)
    return replayed


def confirm(
    store: Store, country: str, targets: Sequence[str], since: float | None, until: float | None
) -> Answer:
    """What is known of disruptions in a country; reads only.

    Args:
        targets: restrict the answer to these; empty = all.
        since: ``None`` = from the first measurement; likewise ``until``.

    Raises:
        FanousError: the store has nothing of this country.
    """
    span = store.span(country)
    if span is None:
        known = ", ".join(store.countries()) or "nothing yet"
        raise FanousError(
            f"no measurements of {country} in this store (it has: {known}); "
            "bring some in with `fanous ingest ooni FILE...`"
        )
    since = span[0] if since is None else since
    until = span[1] + 1 if until is None else until
    incidents = [
        incident
        for incident in store.incidents(country, since, until)
        if not targets or incident.kind is Kind.OUTAGE or set(targets) & set(incident.targets)
    ]
    shown = targets or sorted({target for incident in incidents for target in incident.targets})
    votes = store.votes(country, since, until, list(shown)) if shown else None
    return Answer(
        country=country,
        since=since,
        until=until,
        incidents=incidents,
        insufficient=_insufficient(store, country, since, until, targets),
        grid=network_times(votes, incidents, country) if votes is not None else None,
        names=store.networks(country),
    )


def _insufficient(
    store: Store, country: str, since: float, until: float, targets: Sequence[str]
) -> list[tuple[str, str]]:
    """What nothing can be said about, and why; targets asked for but never measured among them."""
    lacking = store.insufficient(country, since, until)
    listed = [(one.target, one.why) for one in lacking if not targets or one.target in targets]
    measured = {*store.targets(country, since, until), *(target for target, _ in listed)}
    listed += [(t, "nobody measured it in this window") for t in targets if t not in measured]
    return listed if targets else listed + connectivity_lacks(store, country, since, until)
