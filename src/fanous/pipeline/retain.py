"""Retention: what a store keeps, and for how long.

Nothing that a conclusion depends on is deleted.  Old measurements lose their rows of observations, which can
be rebuilt from the raw records; raw records move to a bucket, where every reader still finds them; those that OONI
publishes are kept by reference (``store.archive``) if no incident rests on them.  Around an incident everything
stays, because detection must find it again when late data arrive.  Each step may be
repeated, so the next run completes one that was killed.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from fanous.config import Section, Text, WrongKey, about, section
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY
from fanous.pipeline.detect import HISTORY
from fanous.store.archive import DamagedSegment, Segment
from fanous.store.facts import Window
from fanous.store.location import check_bucket
from fanous.store.protocol import Store

LEAST_KEPT_DAYS = 150
"""Fewest days to keep observations: detection on late data looks back up to 120 days (``pipeline.detect.HISTORY`` and
``LATE``), and must find what it found before.
"""


class Retention(Section, frozen=True):
    """The table ``[retention]``: how long data stay as they are; ``None`` = forever.

    Attributes:
        observations_days: after which rows of observations are dropped.
        archive_days: after which raw records go from the local folder to ``bucket``.
        bucket: ``s3://bucket/prefix``; empty = there is none.
        references_days: after which raw records that OONI publishes are kept by reference, but for those that an
            incident rests on.
    """

    observations_days: Annotated[float, Meta(ge=LEAST_KEPT_DAYS)] | None = None
    archive_days: Annotated[float, Meta(ge=0)] | None = None
    bucket: Text = ""
    references_days: Annotated[float, Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        if self.archive_days is not None and not self.bucket:
            raise WrongKey("archive_days", "it needs `bucket`, the s3://bucket/prefix to move the records to")
        if self.bucket:
            with about("bucket"):
                check_bucket(self.bucket)
            if self.archive_days is None:
                raise WrongKey("bucket", "it needs `archive_days`, the age at which records move there")


def retention(config: Path | None) -> Retention:
    """The policy of a configuration file; without one everything stays.

    Raises:
        FanousError: the TOML file is missing or has something unknown in it.
    """
    return section(config, "retention", Retention)


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What is due.

    Attributes:
        before: unix seconds; observations of earlier measurements are deleted.  ``None`` = none.
        kept: spans around incidents, from which nothing is deleted.
        observations: rows to delete.
        segments: of the archive that move, in order of receipt.
        bucket: where to.
        published: segments whose records are kept by reference from now on, in order of receipt.
        needed: name of a segment -> positions of records that an incident rests on.
    """

    before: float | None
    kept: tuple[Window, ...]
    observations: int
    segments: tuple[Segment, ...]
    bucket: str
    published: tuple[Segment, ...] = ()
    needed: Mapping[str, Set[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Retained:
    """What was done; ``left``: segments that could not be read, and why; ``referenced``: records that are kept by
    reference now."""

    observations: int = 0
    moved: int = 0
    referenced: int = 0
    left: list[tuple[Segment, str]] = field(default_factory=list)


def plan(store: Store, policy: Retention) -> RetentionPlan:
    """What is due now by the store's clock; changes nothing."""
    now, before = store.now(), None
    kept: tuple[Window, ...] = ()
    count = 0
    if policy.observations_days is not None:
        before = now - policy.observations_days * DAY
        kept = around(store.ledger.incidents(), now)
        count = sum(side.facts.observations_before(before, kept) for side in store.sides())
    segments = [] if policy.archive_days is None else store.movable(now - policy.archive_days * DAY)
    published: list[Segment] = []
    if policy.references_days is not None:
        published = store.thinnable(now - policy.references_days * DAY)
        segments = [
            one for one in segments if one not in set(published)
        ]  # next time, if the rest goes to a bucket
    needed = _needed(store, now) if published else {}
    return RetentionPlan(before, kept, count, tuple(segments), policy.bucket, tuple(published), needed)


NEAR = DAY
"""Seconds before and after an incident within which everything from its country stays, and other countries'
measurements of its targets: a bundle takes its controls from there."""


def _needed(store: Store, now: float) -> dict[str, set[int]]:
    """Records that incidents rest on, and their controls: everything that a bundle needs, and a little more."""
    needed: dict[str, set[int]] = {}
    for one in store.ledger.incidents():
        if one.status is Status.RETRACTED:
            continue
        first = min(one.onset, one.onset_earliest or one.onset)
        until = (now if one.end is None else one.end) + NEAR
        facts = store.of(one.provenance).facts
        for segment, positions in facts.rests_on(one, first - HISTORY, until, first - NEAR).items():
            needed.setdefault(segment, set()).update(positions)
    return needed


def around(incidents: list[Incident], now: float) -> tuple[Window, ...]:
    """Country and time of every incident, with the history that detection needs before it; overlaps are
    merged.
    """
    windows: dict[str, list[tuple[float, float]]] = {}
    for one in incidents:
        if one.status is not Status.RETRACTED:
            first = min(one.onset, one.onset_earliest or one.onset) - HISTORY
            windows.setdefault(one.country, []).append((first, (now if one.end is None else one.end) + DAY))
    return tuple((cc, a, b) for cc, spans in sorted(windows.items()) for a, b in _joined(spans))


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def drop(store: Store, due: RetentionPlan, done: Retained) -> None:
    """Delete the observations that are due."""
    if due.before is not None and due.observations:
        store.facts.drop_observations(due.before, due.kept)
        done.observations = due.observations


def move(store: Store, due: RetentionPlan, segment: Segment, done: Retained) -> None:
    """Move one segment; one that cannot be read stays, and does not stop the others."""
    try:
        store.move(segment, due.bucket)
    except DamagedSegment as error:
        done.left.append((segment, str(error)))
    else:
        done.moved += 1


def refer(store: Store, due: RetentionPlan, segment: Segment, done: Retained) -> None:
    """Keep the records of one segment by reference; one that cannot be read stays, and does not stop the others."""
    try:
        done.referenced += store.thin(segment, due.needed.get(segment.name, frozenset()))
    except DamagedSegment as error:
        done.left.append((segment, str(error)))


def carry_out(store: Store, due: RetentionPlan) -> Retained:
    """Do everything that is due.

    Raises:
        FanousError: the bucket cannot be written; what was moved by then stays moved.
    """
    done = Retained()
    drop(store, due, done)
    for segment in due.segments:
        move(store, due, segment, done)
    for segment in due.published:
        refer(store, due, segment, done)
    return done
