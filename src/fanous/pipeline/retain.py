"""Retention: what a store keeps, and for how long.

Nothing that a conclusion rests on goes.  Of old measurements the rows of observations are dropped, which can
be made again from the raw records, and raw records move to a bucket, where every reader still finds them.
Around an incident everything stays: what the ledger claims must be found again when something comes in late.
Each step may be repeated, so what was killed in the middle is completed by the next one.
"""

from dataclasses import dataclass, field
from pathlib import Path

from fanous.config import config_table
from fanous.model.incident import Incident, Status
from fanous.pipeline.detect import DAY, HISTORY
from fanous.store.archive import DamagedSegment, Segment
from fanous.store.facts import Window
from fanous.store.location import check_bucket
from fanous.store.protocol import Store

LEAST_KEPT_DAYS = 150
"""Of observations: detection of what comes in late looks back on up to 120 days (``pipeline.detect.HISTORY`` and
``LATE``), and must find what it found before."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is stored stays as it is; ``None`` = for good.

    Attributes:
        observations_days: after which rows of observations are dropped.
        archive_days: after which raw records go from the local folder to ``bucket``.
        bucket: ``s3://bucket/prefix``.
    """

    observations_days: float | None = None
    archive_days: float | None = None
    bucket: str = ""


def retention(config: Path | None) -> Retention:
    """The table ``[retention]``; without one everything stays.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    if config is None:
        return Retention()
    table = config_table(config, "retention")
    table.allow("observations_days", "archive_days", "bucket")
    if table.has("archive_days") and not table.has("bucket"):
        raise table.wrong(
            "archive_days", "it goes with `bucket`, the s3://bucket/prefix that takes the records"
        )
    bucket = table.text("bucket") if table.has("bucket") else ""
    if bucket:
        with table.about("bucket"):
            check_bucket(bucket)
        if not table.has("archive_days"):
            raise table.wrong("bucket", "it goes with `archive_days`, the age at which records move there")
    return Retention(
        table.number("observations_days", default=0, least=LEAST_KEPT_DAYS)
        if table.has("observations_days")
        else None,
        table.number("archive_days", default=0, least=0) if table.has("archive_days") else None,
        bucket,
    )


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What is due.

    Attributes:
        before: unix seconds; observations of earlier measurements go.  ``None`` = none do.
        kept: around incidents: of these nothing goes.
        observations: rows that go.
        segments: of the archive that move, in order of receipt.
        bucket: where to.
    """

    before: float | None
    kept: tuple[Window, ...]
    observations: int
    segments: tuple[Segment, ...]
    bucket: str


@dataclass(slots=True)
class Retained:
    """What was done; ``left``: segments that could not be read, and why."""

    observations: int = 0
    moved: int = 0
    left: list[tuple[Segment, str]] = field(default_factory=list)


def plan(store: Store, policy: Retention) -> RetentionPlan:
    """What is due now by the store's clock; changes nothing."""
    now, before = store.now(), None
    kept: tuple[Window, ...] = ()
    count = 0
    if policy.observations_days is not None:
        before = now - policy.observations_days * DAY
        kept = around(store.ledger.incidents(), now)
        count = store.facts.observations_before(before, kept)
    segments = [] if policy.archive_days is None else store.movable(now - policy.archive_days * DAY)
    return RetentionPlan(before, kept, count, tuple(segments), policy.bucket)


def around(incidents: list[Incident], now: float) -> tuple[Window, ...]:
    """Country and time of all that is claimed, with what detection sees before it; overlaps are one."""
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
    """The observations."""
    if due.before is not None and due.observations:
        store.facts.drop_observations(due.before, due.kept)
        done.observations = due.observations


def move(store: Store, due: RetentionPlan, segment: Segment, done: Retained) -> None:
    """One segment; one that cannot be read stays, and stops no other."""
    try:
        store.move(segment, due.bucket)
    except DamagedSegment as error:
        done.left.append((segment, str(error)))
    else:
        done.moved += 1


def carry_out(store: Store, due: RetentionPlan) -> Retained:
    """All of it.

    Raises:
        FanousError: the bucket cannot be written; what was moved by then stays moved.
    """
    done = Retained()
    drop(store, due, done)
    for segment in due.segments:
        move(store, due, segment, done)
    return done
