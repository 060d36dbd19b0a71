"""Jobs: what commands that import, compute or delete ask of a store, as typed calls (``pipeline.call``)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from logging import getLogger
from math import inf
from pathlib import Path
from threading import Event

from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.measurement import Provenance
from fanous.model.series import SourceSeries
from fanous.pipeline import detect, ingest, replay, retain
from fanous.pipeline.call import Call
from fanous.pipeline.controls import pull_controls, wanted_controls
from fanous.pipeline.judge import Ingested
from fanous.pipeline.pull import Pull
from fanous.pipeline.pull import pull as pull_window
from fanous.pipeline.pull_ooni import (
    OnObjects,
    PulledMeasurements,
    PullPlan,
    QuickAnswer,
    Wanted,
    plan,
    pull_quick,
    pull_uids,
)
from fanous.pipeline.pull_ooni import pull as pull_objects
from fanous.pipeline.remote import bring_round
from fanous.pipeline.retain import Retention
from fanous.pipeline.series import ingest_series, put_series
from fanous.sources.connector import About, Query
from fanous.sources.fetch import Polite
from fanous.sources.ooni.bucket import Bucket
from fanous.sources.publishers import SOURCES
from fanous.store.database import LEASE_SECONDS
from fanous.store.protocol import Forgotten, Store

log = getLogger("fanous.detect")

LOOK = 1.0
"""Seconds between two checks for work that another process may have left."""


class Ingest(Call[Ingested], frozen=True, tag="ingest"):
    """Import files of measurements, judge them and detect; the arguments of ``pipeline.ingest.ingest``."""

    source: str
    files: tuple[Path, ...]
    provenance: Provenance = Provenance.IMPORTED
    late: float = inf
    detects: bool = True

    def perform(
        self, store: Store, moved: Callable[[Path, int], None] | None = None, jobs: int = 1
    ) -> Ingested:
        """Args:
        jobs: processes that read.  Only the command's own process starts others: a monitor has other work, too.
        """
        return ingest.ingest(
            store,
            self.source,
            self.files,
            moved,
            provenance=self.provenance,
            late=self.late,
            detects=self.detects,
            jobs=jobs,
        )


class IngestSeries(Call[Ingested], frozen=True, tag="ingest_series"):
    """Import files of series or claims, and detect."""

    source: str
    files: tuple[Path, ...]
    about: About

    def perform(self, store: Store, moved: Callable[[Path, int], None] | None = None) -> Ingested:
        return ingest_series(store, self.source, self.files, self.about, moved)


class BringSeries(Call[None], frozen=True, tag="bring_series"):
    """Store what this process measured or was sent, and detect."""

    series: tuple[SourceSeries, ...]

    def perform(self, store: Store) -> None:
        put_series(store, self.series)
        detect.detect_all(store)


class BringRound(Call[Ingested], frozen=True, tag="bring_round"):
    """Store what other people's vantage points measured for us, and detect."""

    source: str
    country: str
    lines: tuple[bytes, ...]
    at: float
    is_publisher: bool

    def perform(self, store: Store) -> Ingested:
        return bring_round(
            store, self.source, self.country, self.lines, self.at, is_publisher=self.is_publisher
        )


class PullSeries(Call[Pull], frozen=True, tag="pull"):
    """Fetch a window of a live source, store it and detect.

    Attributes:
        key: for publishers that ask for one; it is never logged.
        mirror: asked instead of the publisher; empty = the publisher.
        cache: folder for the publisher's answers.
        onwards: ask each place for what it lacks.
    """

    source: str
    query: Query
    key: str
    mirror: str
    cache: Path
    onwards: bool

    def perform(self, store: Store) -> Pull:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else None
        with Polite(SOURCES[self.source], self.cache, mirror=self.mirror, headers=headers) as client:
            return pull_window(store, self.source, self.query, client.get, time.time, onwards=self.onwards)


class PlanMeasurements(Call[PullPlan], frozen=True, tag="plan_ooni"):
    """Plan a pull of everything in OONI's bucket, or a mirror of it, that the store lacks."""

    wanted: Wanted
    mirror: str

    def perform(self, store: Store) -> PullPlan:
        known = store.facts.pulled("ooni", self.wanted.country)
        return plan(Bucket(self.mirror), self.wanted, known, time.time())


class PullMeasurements(Call[PulledMeasurements], frozen=True, tag="pull_ooni"):
    """Import measurements from OONI's bucket, or a mirror of it; ``folder`` is for files under way."""

    wanted: Wanted
    mirror: str
    folder: Path

    def perform(
        self,
        store: Store,
        on_plan: Callable[[PullPlan], None] = lambda _plan: None,
        on_objects: OnObjects = lambda _done: None,
    ) -> PulledMeasurements:
        bucket = Bucket(self.mirror)
        done = pull_objects(store, bucket, self.wanted, self.folder, on_plan=on_plan, on_objects=on_objects)
        lacking = wanted_controls(store, self.wanted.country, self.wanted.since, self.wanted.until)
        if lacking:
            done.controls = pull_controls(store, bucket, lacking, self.folder / "controls", time.time)
        return done


class PullSingle(Call[Ingested], frozen=True, tag="pull_uids"):
    """Import single measurements over OONI's API, or a mirror of it."""

    uids: tuple[str, ...]
    mirror: str

    def perform(self, store: Store) -> Ingested:
        with Polite(SOURCES["ooni"], mirror=self.mirror) as client:
            return pull_uids(store, self.uids, client.get, is_ooni=not self.mirror)


class PullNewest(Call[QuickAnswer], frozen=True, tag="pull_quick"):
    """Import the newest rows over OONI's API, or a mirror of it."""

    wanted: Wanted
    mirror: str

    def perform(self, store: Store) -> QuickAnswer:
        with Polite(SOURCES["ooni"], mirror=self.mirror) as client:
            return pull_quick(store, self.wanted, client.get, time.time(), is_ooni=not self.mirror)


class Detect(Call[list[str]], frozen=True, tag="detect"):
    """Detect in all countries with undetected measurements; gives these in order.

    Attributes:
        countries, since, until: what must be detected again first; all ``None`` or empty = nothing.
        lease: seconds after which another process takes over a country from one that died.
    """

    countries: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    lease: float = LEASE_SECONDS

    def perform(self, store: Store) -> list[str]:
        if self.countries or self.since is not None or self.until is not None:
            mark(store, self.countries, self.since, self.until)
        return work(store, 0, self.lease, Event().wait)


def mark(store: Store, codes: Sequence[str], first: float | None, last: float | None) -> None:
    """Mark all measurements of these countries and times as undetected.

    Args:
        codes: empty = all countries.

    Raises:
        FanousError: nothing was measured in one of them.
    """
    spans = {}
    for country in codes or store.countries():
        span = store.about(country).facts.span(country)
        if span is None:
            if codes:
                raise FanousError(f"no measurements in {country}: there is nothing to detect")
            continue
        since = span[0] if first is None else max(first, span[0])
        until = span[1] if last is None else min(last, span[1])
        if since <= until:
            spans[country] = since, until
    store.ledger.mark_undetected(spans)


def work(store: Store, every: float, lease: float, ended: Callable[[float], bool]) -> list[str]:
    """Detect in one country after another, until nothing waits and no other process is at work that might
    leave some.

    Args:
        every: seconds between two checks once nothing waits; 0 = end then.
        ended: waits this many seconds, and returns whether it is time to end.
    """
    done: list[str] = []
    while not ended(0):
        country = detect.detect_next(store, seconds=lease)
        if country:
            done.append(country)
            log.info(logline("detected", country=country))
        if country is not None:
            continue
        is_over = not (store.ledger.undetected() and store.ledger.leases())
        if is_over and not every:
            break
        if ended(every if is_over else LOOK):
            break
    return done


@dataclass(frozen=True, slots=True)
class Rejudged:
    """How many measurements were judged again, and which records could not be."""

    measurements: int
    remarks: Sequence[str]


class Rejudge(Call[Rejudged], frozen=True, tag="rejudge"):
    """Recompute every conclusion; the arguments of ``pipeline.replay.rejudge``."""

    country: str | None = None
    everything: bool = False

    def perform(self, store: Store) -> Rejudged:
        replayed = replay.rejudge(store, self.country, everything=self.everything)
        return Rejudged(sum(one.measurements for one in replayed), replay.remarks(replayed))


@dataclass(frozen=True, slots=True)
class RetentionDone:
    """What was done, or would be.

    Attributes:
        observations: rows deleted.
        moved: segments moved to the bucket.
        referenced: records now kept by reference.
        published: segments whose records are kept by reference from now on.
        left: names of segments that could not be read, and why.
    """

    observations: int
    moved: int
    referenced: int
    published: int
    left: Sequence[tuple[str, str]] = ()


class Retain(Call[RetentionDone], frozen=True, tag="retain"):
    """Apply a policy of retention, or only find out what is due; the fields of ``pipeline.retain.Retention``."""

    observations_days: float | None
    archive_days: float | None
    bucket: str
    references_days: float | None
    dry_run: bool

    def perform(self, store: Store) -> RetentionDone:
        policy = Retention(self.observations_days, self.archive_days, self.bucket, self.references_days)
        due = retain.plan(store, policy)
        if self.dry_run:
            return RetentionDone(due.observations, len(due.segments), 0, len(due.published))
        done = retain.carry_out(store, due)
        left = [(segment.name, why) for segment, why in done.left]
        return RetentionDone(done.observations, done.moved, done.referenced, len(due.published), left)


class Forget(Call[Forgotten], frozen=True, tag="forget"):
    """Permanently delete the measurements of reports, and detect again without them."""

    reports: tuple[str, ...]

    def perform(self, store: Store) -> Forgotten:
        return replay.forget(store, self.reports)
