"""Upkeep: what commands recompute, move or delete in a store, as typed calls (``pipeline.call``)."""

from collections.abc import Sequence
from dataclasses import dataclass

from fanous.pipeline import replay, retain
from fanous.pipeline.call import Call
from fanous.pipeline.retain import Retention
from fanous.store.protocol import Forgotten, Store


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
        return Rejudged(sum(country.measurements for country in replayed), replay.remarks(replayed))


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
        unread = [(segment.name, why) for segment, why in done.left]
        return RetentionDone(done.observations, done.moved, done.referenced, len(due.published), unread)


class Forget(Call[Forgotten], frozen=True, tag="forget"):
    """Permanently delete the measurements of reports, and detect again without them."""

    reports: tuple[str, ...]

    def perform(self, store: Store) -> Forgotten:
        return replay.forget(store, self.reports)
