"""Leases: who detects in which country, in the ledger, so that any number of processes share the work.

A country with measurements that no detection has seen is leased to one worker at a time.  A lease ends when
it is given back, or when it is not renewed in time; whoever takes the country next has a greater number (the
fence), and each write under a lease checks, in its own transaction, that the lease still holds.  So a worker
that was stopped for a while and lost its lease writes nothing, whatever it still believes.

What comes in while a country is detected is noted separately, so that a detection marks exactly the span it saw.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import sqlalchemy as sa

from fanous.errors import FanousError
from fanous.store.database import SCHEMA, Database

LEASE_SECONDS = 60.0
"""How long a lease lasts without a renewal.  Renewed three times as often, it outlives a pause of half a minute;
and no country waits longer than this for a worker that died."""

NOBODY = ""

Span = tuple[float, float]
"""First and last instant of measurements, unix seconds."""


def spans_of(made: Iterable[tuple[str, float]]) -> dict[str, Span]:
    """Country -> first and last instant of what was measured there.

    Args:
        made: country and instant of each measurement.
    """
    spans: dict[str, Span] = {}
    for country, at in made:
        first, last = spans.get(country, (at, at))
        spans[country] = min(first, at), max(last, at)
    return spans


_UNDETECTED = sa.Table(
    "undetected",
    SCHEMA,
    sa.Column("country", sa.String(2), primary_key=True),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
)
_LEASES = sa.Table(
    "leases",
    SCHEMA,
    sa.Column("country", sa.String(2), primary_key=True),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("worker", sa.String, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    # What was marked since the country was taken; what is undetected includes it.
    sa.Column("later_since", sa.Float),
    sa.Column("later_until", sa.Float),
)
_held: ContextVar["Lease | None"] = ContextVar("held", default=None)


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's right to detect in a country.

    Attributes:
        span: what no detection has seen; ``None`` = nothing waits there.
        fence: greater than that of any lease before.
    """

    country: str
    span: Span | None
    worker: str
    fence: int


class LeaseLost(FanousError):
    """Another worker has taken the country; nothing was written."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(
            f"the lease on {lease.country} ran out and another process took it over: nothing was written, "
            "and nothing has to be done",
            permanent=False,
        )


class Leases:
    """The part of a ledger that shares detection among processes.

    Attributes:
        worker: the name under which leases are taken.
    """

    _database: Database
    worker: str

    def undetected(self) -> dict[str, Span]:
        """Country -> span of measurements that no detection has seen, those of killed runs included."""
        with self._database.reading() as connection:
            return {row.country: (row.since, row.until) for row in connection.execute(_UNDETECTED.select())}

    def mark_undetected(self, spans: Mapping[str, Span]) -> None:
        """Widen the spans; call it before measurements are stored, so that a crash forgets none."""
        if not spans:
            return
        with self._database.writing() as connection:
            for table, since, until in (
                (_UNDETECTED, _UNDETECTED.c.since, _UNDETECTED.c.until),
                (_LEASES, _LEASES.c.later_since, _LEASES.c.later_until),
            ):
                known = sa.select(table.c.country, since, until).where(table.c.country.in_(list(spans)))
                for country, first, last in connection.execute(known).all():
                    begins, ends = spans[country]
                    if first is not None:
                        begins, ends = min(begins, first), max(ends, last)
                    one = table.update().where(table.c.country == country)
                    connection.execute(one.values({since.name: begins, until.name: ends}))
            waiting = set(connection.scalars(sa.select(_UNDETECTED.c.country)))
            new = [
                {"country": country, "since": since, "until": until}
                for country, (since, until) in spans.items()
                if country not in waiting
            ]
            if new:
                connection.execute(_UNDETECTED.insert(), new)

    def lease(self, seconds: float = LEASE_SECONDS, country: str | None = None) -> Lease | None:
        """Take a country for this process alone, until it is marked as detected, given back or not renewed in time.

        Args:
            country: ``None`` = of those with something to detect, the one whose last turn is longest ago.

        Returns:
            ``None`` = there is none, or another process has it.
        """
        with self._database.writing() as connection:
            now = _now(connection)
            country = country or _longest_waiting(connection, now)
            if country is None:
                return None
            row = connection.execute(_LEASES.select().where(_LEASES.c.country == country)).first()
            if row is not None and row.worker != NOBODY and row.expires_at > now:
                return None
            fence = 1 + (connection.scalar(sa.select(sa.func.max(_LEASES.c.fence))) or 0)
            connection.execute(_LEASES.delete().where(_LEASES.c.country == country))
            taken = {"country": country, "fence": fence, "worker": self.worker, "expires_at": now + seconds}
            connection.execute(_LEASES.insert().values(taken))
            waits = connection.execute(_UNDETECTED.select().where(_UNDETECTED.c.country == country)).first()
            span = None if waits is None else (float(waits.since), float(waits.until))
            return Lease(country, span, self.worker, fence)

    def renew(self, lease: Lease, seconds: float = LEASE_SECONDS) -> None:
        """Keep a lease.

        Raises:
            LeaseLost: another process took it over.
        """
        with self._database.writing() as connection:
            expires_at = _now(connection) + seconds
            one = _LEASES.update().where(_is(lease)).values(expires_at=expires_at)
            if not connection.execute(one).rowcount:
                raise LeaseLost(lease)

    def mark_detected(self, lease: Lease) -> None:
        """The measurements of the lease's span have been detected on; the lease ends.

        What was marked since it was taken still waits.

        Raises:
            LeaseLost: another process took it over; nothing is marked.
        """
        with self._database.writing() as connection:
            row = connection.execute(_LEASES.select().where(_is(lease))).first()
            if row is None:
                raise LeaseLost(lease)
            waits = _UNDETECTED.c.country == lease.country
            if row.later_since is None:
                connection.execute(_UNDETECTED.delete().where(waits))
            else:
                left = {"since": row.later_since, "until": row.later_until}
                connection.execute(_UNDETECTED.update().where(waits).values(left))
            _free(connection, _is(lease))

    def give_back(self, lease: Lease) -> None:
        """End a lease without having detected; one that was lost stays with whoever has it."""
        with self._database.writing() as connection:
            _free(connection, _is(lease))

    def leases(self) -> list[tuple[str, str]]:
        """Countries that are being worked on and by whom, the longest first."""
        with self._database.reading() as connection:
            held = (_LEASES.c.worker != NOBODY) & (_LEASES.c.expires_at > _now(connection))
            rows = connection.execute(_LEASES.select().where(held).order_by(_LEASES.c.fence))
            return [(row.country, row.worker) for row in rows]

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[None]:
        """What this thread writes about incidents within this context is written only while the lease is held.

        Raises:
            LeaseLost: from ``put`` and ``retract``, which then write nothing.
        """
        token = _held.set(lease)
        try:
            yield
        finally:
            _held.reset(token)


def free_all(connection: sa.Connection, worker: str) -> None:
    """Free the leases of a worker that died; the caller knows that no other process has its name."""
    _free(connection, _LEASES.c.worker == worker)


def check_held(connection: sa.Connection) -> None:
    """Within a transaction that writes an incident: see that the lease it is written under is still held.

    Raises:
        LeaseLost: it is not; nothing of the transaction is written.
    """
    lease = _held.get()
    if lease is not None and connection.scalar(sa.select(_LEASES.c.fence).where(_is(lease))) is None:
        raise LeaseLost(lease)


def _is(lease: Lease) -> sa.ColumnElement[bool]:
    same = (_LEASES.c.fence == lease.fence) & (_LEASES.c.worker == lease.worker)
    return (_LEASES.c.country == lease.country) & same


def _free(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """The row stays: its fence sends the country to the end of the queue."""
    connection.execute(_LEASES.update().where(which).values(worker=NOBODY, expires_at=0.0))


def _longest_waiting(connection: sa.Connection, now: float) -> str | None:
    """Of the countries with something to detect and no worker, the one whose turn is longest ago."""
    held = (_LEASES.c.worker != NOBODY) & (_LEASES.c.expires_at > now)
    free = sa.select(_UNDETECTED.c.country).outerjoin(_LEASES, _LEASES.c.country == _UNDETECTED.c.country)
    free = free.where(sa.or_(_LEASES.c.country.is_(None), sa.not_(held)))
    turn = sa.func.coalesce(_LEASES.c.fence, 0), _UNDETECTED.c.country
    return connection.scalar(free.order_by(*turn).limit(1))


def _now(connection: sa.Connection) -> float:
    """By one clock for all workers: the server's; a SQLite file has one machine's anyway."""
    if connection.dialect.name == "postgresql":
        now = sa.func.extract("epoch", sa.func.clock_timestamp())
        return float(connection.scalar(sa.select(now)) or 0.0)
    return time.time()
