"""Pulls: what commands fetch from others into a store, as typed calls (``pipeline.call``)."""

import time
from collections.abc import Callable
from pathlib import Path

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
from fanous.sources.connector import Query
from fanous.sources.fetch import Polite, host_of
from fanous.sources.ooni.bucket import Bucket
from fanous.sources.publishers import SOURCES
from fanous.store.protocol import Store


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
            return pull_window(
                *(store, self.source, self.query, client.get, time.time),
                onwards=self.onwards,
                mirror=host_of(self.mirror),
            )


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
