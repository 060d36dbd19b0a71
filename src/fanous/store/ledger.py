"""Ledger: incidents with every revision, which worker detects where, and the monitor's own ailments, in transactions.

A revision is a whole incident as it was published; it is appended and never changed.  The id is a label given on the
first revision.

Leases let any number of processes share the work.  A country with undetected measurements is leased to one
worker at a time.  A lease ends when it is released, or not renewed in time; the next worker gets a higher
number (the fence), and each write under a lease checks, in its own transaction, that the lease still holds.
So a worker that was stopped for a while and lost its lease writes nothing, even if it still believes it holds one.

Measurements that arrive during detection are recorded separately, so that a detection marks exactly the span
it saw.
"""

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa

from fanous.analysis.incidents.revision import shown_to_readers
from fanous.errors import FanousError
from fanous.model.incident import BACKFILL, Incident, Status
from fanous.model.reason import Reason
from fanous.model.vitals import Spell
from fanous.store.database import (
    META,
    SCHEMA,
    Database,
    decode_incident,
    decode_reasons,
    encode_incident,
    encode_reasons,
)
from fanous.store.notices import NOTICES, Notices
from fanous.store.outbox import Outbox, note
from fanous.store.schema import FORMAT

LEASE_SECONDS = 60.0
"""How long a lease lasts without renewal.  Renewed three times as often, it survives a pause of half a
minute; and no country waits longer than this for a worker that died."""

NOBODY = ""

Span = tuple[float, float]
"""First and last instant of measurements, unix seconds."""


def spans_of(made: Iterable[tuple[str, float]]) -> dict[str, Span]:
    """Country -> first and last instant of the measurements made there.

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
    # The span marked since the country was taken, which is part of the undetected span.
    sa.Column("later_since", sa.Float),
    sa.Column("later_until", sa.Float),
)
_held: ContextVar["Lease | None"] = ContextVar("held", default=None)


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's right to detect in a country.

    Attributes:
        span: the undetected span; ``None`` = nothing waits there.
        fence: greater than that of any lease before.
    """

    country: str
    span: Span | None
    worker: str
    fence: int


class LeaseLost(FanousError):
    """Another worker has taken over the country; nothing was written."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(
            f"the lease on {lease.country} expired and another process took over: nothing was written, and "
            f"you need to do nothing",
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
        """Country -> span of measurements that no detection has seen, including those of killed runs."""
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
        """Take a country for this process alone, until it is marked as detected, released or not renewed in
        time.

        Args:
            country: ``None`` = the one with something to detect that has waited longest for its turn.

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
        """Record that detection has covered the lease's span; the lease ends.

        Anything marked since the lease was taken still waits.

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
        """Release a lease without having detected; a lost one stays with its new holder."""
        with self._database.writing() as connection:
            _free(connection, _is(lease))

    def leases(self) -> list[tuple[str, str]]:
        """Countries being worked on, and by which worker, longest first."""
        with self._database.reading() as connection:
            held = (_LEASES.c.worker != NOBODY) & (_LEASES.c.expires_at > _now(connection))
            rows = connection.execute(_LEASES.select().where(held).order_by(_LEASES.c.fence))
            return [(row.country, row.worker) for row in rows]

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[None]:
        """In this context, this thread writes about incidents only while the lease is held.

        Raises:
            LeaseLost: from ``put`` and ``retract``, which then write nothing.
        """
        token = _held.set(lease)
        try:
            yield
        finally:
            _held.reset(token)


def free_all(connection: sa.Connection, worker: str) -> None:
    """Release a dead worker's leases; the caller must know that no other process has its name."""
    _free(connection, _LEASES.c.worker == worker)


def check_held(connection: sa.Connection) -> None:
    """Within a transaction that writes an incident, check that its lease is still held.

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
    """Free leases; the row stays, and its fence sends the country to the end of the queue."""
    connection.execute(_LEASES.update().where(which).values(worker=NOBODY, expires_at=0.0))


def _longest_waiting(connection: sa.Connection, now: float) -> str | None:
    """The country with something to detect and no worker that has waited longest for its turn."""
    held = (_LEASES.c.worker != NOBODY) & (_LEASES.c.expires_at > now)
    free = sa.select(_UNDETECTED.c.country).outerjoin(_LEASES, _LEASES.c.country == _UNDETECTED.c.country)
    free = free.where(sa.or_(_LEASES.c.country.is_(None), sa.not_(held)))
    turn = sa.func.coalesce(_LEASES.c.fence, 0), _UNDETECTED.c.country
    return connection.scalar(free.order_by(*turn).limit(1))


def _now(connection: sa.Connection) -> float:
    """The time by one clock for all workers: the server's, or for a SQLite file the machine's."""
    if connection.dialect.name == "postgresql":
        now = sa.func.extract("epoch", sa.func.clock_timestamp())
        return float(connection.scalar(sa.select(now)) or 0.0)
    return time.time()


_INCIDENTS = sa.Table(
    "incidents",
    SCHEMA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.UniqueConstraint("country", "year", "number"),
)
_REVISIONS = sa.Table(
    "revisions",
    SCHEMA,
    sa.Column("incident", sa.ForeignKey("incidents.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("onset", sa.Float, nullable=False),
    sa.Column("ends", sa.Float),
    sa.Column("document", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Revision:
    """An incident as it was from ``at`` on, and why it changed.

    Attributes:
        n: 1 = the first.
        at: unix seconds, UTC.
    """

    n: int
    at: float
    reasons: tuple[Reason, ...]
    incident: Incident


_PROVENANCE = "provenance"

Key = tuple[str, str]
"""Kind of an ailment, and what it is about."""


class Ledger(Notices, Leases):
    """Incidents, and what people and processes record about them, in a database.

    Args:
        url: as SQLAlchemy writes it.
        owner: name under which leases are taken, by one process at a time: leases that its predecessor died
            with are released at once.  Empty = one of many, with a unique name.

    Attributes:
        outbox: which news goes to which channel, and the deliveries.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time, owner: str = "") -> None:
        self._clock = clock
        self.worker = owner or f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._database = Database(url)
        self.outbox = Outbox(self._database, clock)
        self._leaves_out_held = False
        try:
            with self._database.making() as connection:
                _check_format(connection, self._database.name)
                if owner:
                    free_all(connection, owner)
        except FanousError:
            self._database.close()
            raise

    def close(self) -> None:
        self._database.close()

    def for_readers(self) -> "Ledger":
        """The same ledger for publishing: incidents that wait for a person are left out if the operator wants that."""
        if not self.hides_held():
            return self
        public = copy(self)
        public._leaves_out_held = True
        return public

    def put(
        self,
        incident: Incident,
        reasons: tuple[Reason, ...],
        *,
        known_as: str | None = None,
        at: float | None = None,
    ) -> Incident:
        """Record an incident as it is now; recording it unchanged does nothing.

        Args:
            reasons: why it changed, for the reader of its history.
            known_as: id of the incident that this revises; ``None`` = it is new, and gets an id.
            at: when it was found; ``None`` = now.

        Returns:
            The incident with its id.
        """
        now = self._clock() if at is None else at
        with self._database.writing() as connection:
            check_held(connection)
            if known_as is None:
                return _append(connection, _register(connection, incident, now), 1, reasons, now)
            before = _latest(connection, known_as)
            claim = replace(incident, id=known_as)
            if claim == before.incident:
                return claim
            return _append(connection, claim, before.n + 1, reasons, now)

    def retract(
        self,
        incident_id: str,
        reasons: tuple[Reason, ...],
        *,
        at: float | None = None,
        withdrawn_by: str = "",
        merged_into: str = "",
    ) -> Incident:
        """Append a revision that retracts the incident.

        Args:
            withdrawn_by: the person who withdrew it permanently; empty = the measurements no longer support it.
            merged_into: id of the incident that it became part of.
        """
        now = self._clock() if at is None else at
        with self._database.writing() as connection:
            check_held(connection)
            before = _latest(connection, incident_id)
            if before.incident.status == Status.RETRACTED:
                return before.incident
            claim = replace(
                before.incident,
                status=Status.RETRACTED,
                reasons=reasons,
                held_by=BACKFILL if before.incident.is_provisional else "",
                withdrawn_by=withdrawn_by,
                merged_into=merged_into,
            )
            return _append(connection, claim, before.n + 1, reasons, now)

    def incidents(
        self,
        country: str | None = None,
        since: float | None = None,
        until: float | None = None,
        *,
        synthetic: bool | None = None,
        dropped: bool = False,
    ) -> list[Incident]:
        """Latest revisions that overlap the window, retracted ones included, by onset.

        Args:
            since: ``None`` = no bound; the same for ``until``.
            synthetic: only those of synthetic records, or only the others; ``None`` = both.
            dropped: also those that were only provisional and are gone.
        """
        newer = _REVISIONS.alias()
        last = (
            sa.select(sa.func.max(newer.c.n))
            .where(newer.c.incident == _REVISIONS.c.incident)
            .scalar_subquery()
        )
        wanted = _REVISIONS.c.onset, _REVISIONS.c.incident, _REVISIONS.c.document
        query = sa.select(*wanted).join(_INCIDENTS).where(_REVISIONS.c.n == last)
        if country is not None:
            query = query.where(_INCIDENTS.c.country == country)
        if since is not None:
            query = query.where(sa.or_(_REVISIONS.c.ends.is_(None), _REVISIONS.c.ends > since))
        if until is not None:
            query = query.where(_REVISIONS.c.onset < until)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        # Sorted here: how a database orders text depends on its locale.
        roles = self.roles()
        found = (
            _signed(decode_incident(row.document), roles) for row in sorted(rows, key=lambda row: row[:2])
        )
        if not dropped:
            found = (one for one in found if not one.was_dropped)
        if self._leaves_out_held:
            found = (last for one in found for last in self._last_shown(one))
        return [one for one in found if synthetic in (None, one.provenance.is_synthetic)]

    def _last_shown(self, latest: Incident) -> list[Incident]:
        """The latest revision that readers see; empty = they see none."""
        if not latest.held_by and latest.status is not Status.RETRACTED:
            return [latest]
        return [one.incident for one in self.revisions(latest.id)[-1:]]

    def incident(self, incident_id: str) -> Incident | None:
        """Its latest revision; ``None`` = unknown."""
        claimed = self.revisions(incident_id)
        return claimed[-1].incident if claimed else None

    def knows_provenance(self) -> bool:
        """Does every incident state its provenance?"""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(META.c.value).where(META.c.key == _PROVENANCE)) is not None

    def complete(self, completed: Callable[[Incident], Incident]) -> None:
        """Add to each incident the fields that did not exist when it was written; the rest stays."""
        with self._database.writing() as connection:
            for row in connection.execute(_REVISIONS.select()).all():
                incident = decode_incident(row.document)
                document = encode_incident(completed(incident))
                one = (_REVISIONS.c.incident == row.incident) & (_REVISIONS.c.n == row.n)
                connection.execute(_REVISIONS.update().where(one).values(document=document))
            connection.execute(META.delete().where(META.c.key == _PROVENANCE))
            connection.execute(META.insert().values(key=_PROVENANCE, value="written"))

    def revisions(self, incident_id: str) -> list[Revision]:
        """All revisions of an incident, oldest first; empty = unknown."""
        roles = self.roles()
        with self._database.reading() as connection:
            found = _revisions(connection, incident_id)
        if self._leaves_out_held:
            shown = shown_to_readers([one.incident for one in found])
            found = [one for one, is_shown in zip(found, shown, strict=True) if is_shown]
        return [
            replace(one, reasons=_signed_reasons(one.reasons, roles), incident=_signed(one.incident, roles))
            for one in found
        ]

    def written(self) -> tuple[int, ...]:
        """Counts of revisions, claims, announced events and approvals; while they stay the same, nothing is new."""
        counts = (
            sa.select(sa.func.count()).select_from(table).scalar_subquery()
            for table in (_REVISIONS, *NOTICES)
        )
        with self._database.reading() as connection:
            return tuple(connection.execute(sa.select(*counts)).one())

    def note_ailments(self, found: Mapping[Key, tuple[str, str]], at: float) -> None:
        """Update the ailments: new ones begin, those that are gone end.  Nothing is written while all is
        well.

        Args:
            found: kind and what it is about -> what is wrong and how to fix it.
            at: unix seconds, by the machine's clock.
        """
        going_on = sa.select(_SPELLS.c.kind, _SPELLS.c.about).where(_ENDED.is_(None))
        with self._database.reading() as connection:
            open_ones: set[Key] = {(row.kind, row.about) for row in connection.execute(going_on)}
        if not found and not open_ones:
            return
        with self._database.writing() as connection:
            for key in sorted(open_ones - found.keys()):
                connection.execute(_of_open(key).values(ended_at=at))
            for key, (says, mend) in found.items():
                if key in open_ones:
                    connection.execute(_of_open(key).values(seen_at=at, says=says, mend=mend))
                else:
                    _begin_spell(connection, Spell(*key, says, mend, at, at))
            _forget_old(connection, at)

    def ailments(self, now: float) -> list[Spell]:
        """Ailments now and within 30 days before ``now``; the latest to begin come first."""
        shown = sa.or_(_ENDED.is_(None), now - KEPT <= _ENDED)
        with self._database.reading() as connection:
            rows = connection.execute(_SPELLS.select().where(shown)).all()
        return _newest_first(
            Spell(row.kind, row.about, row.says, row.mend, row.began_at, row.seen_at, row.ended_at)
            for row in rows
        )


def _signed(incident: Incident, roles: Mapping[str, str]) -> Incident:
    """The incident with roles in place of the names of people who have one."""
    if not roles:
        return incident
    by, own = incident.withdrawn_by, incident.note
    return replace(
        incident,
        reasons=_signed_reasons(incident.reasons, roles),
        withdrawn_by=roles.get(by, by),
        note=own and replace(own, by=roles.get(own.by, own.by)),
    )


def _signed_reasons(reasons: tuple[Reason, ...], roles: Mapping[str, str]) -> tuple[Reason, ...]:
    def role(reason: Reason) -> Reason:
        by = str(reason.params.get("by", ""))
        return Reason(reason.code, {**reason.params, "by": roles[by]}) if by in roles else reason

    return tuple(map(role, reasons))


def _check_format(connection: sa.Connection, name: str) -> None:
    query = sa.select(META.c.value).where(META.c.key == "format")
    written = connection.scalar(query)
    if written is None:
        connection.execute(META.insert().values(key="format", value=str(FORMAT)))
    elif int(written) > FORMAT:
        raise FanousError(
            f"the store of {name} was written by a newer Fanous (format {written}, this one knows {FORMAT}): "
            "install that version, or choose another store"
        )
    elif int(written) < FORMAT:  # missing tables have been created by now, and no row has changed its meaning
        connection.execute(META.update().where(META.c.key == "format").values(value=str(FORMAT)))


def _register(connection: sa.Connection, incident: Incident, now: float) -> Incident:
    """Give a new incident its id: country, year of its onset, and the next number."""
    year = datetime.fromtimestamp(incident.onset, UTC).year
    of_year = (_INCIDENTS.c.country == incident.country) & (_INCIDENTS.c.year == year)
    number = (connection.scalar(sa.select(sa.func.max(_INCIDENTS.c.number)).where(of_year)) or 0) + 1
    named = replace(incident, id=f"{incident.country}-{year:04d}-{number:04d}")
    row = {"id": named.id, "country": named.country, "year": year, "number": number, "created_at": now}
    connection.execute(_INCIDENTS.insert().values(row))
    return named


def _append(
    connection: sa.Connection, claim: Incident, n: int, reasons: tuple[Reason, ...], now: float
) -> Incident:
    row = {
        "incident": claim.id,
        "n": n,
        "at": now,
        "reason": encode_reasons(reasons),
        "status": claim.status.value,
        "onset": claim.onset,
        "ends": claim.end,
        "document": encode_incident(claim),
    }
    connection.execute(_REVISIONS.insert().values(row))
    note(connection, claim, n, now)
    return claim


def _latest(connection: sa.Connection, incident_id: str) -> Revision:
    claimed = _revisions(connection, incident_id)
    if not claimed:
        raise FanousError(f"no incident {incident_id} in this store; see `fanous incidents list`")
    return claimed[-1]


def _revisions(connection: sa.Connection, incident_id: str) -> list[Revision]:
    table = _REVISIONS.c
    query = sa.select(table.n, table.at, table.reason, table.document).where(table.incident == incident_id)
    rows = connection.execute(query.order_by(table.n))
    return [
        Revision(n, at, decode_reasons(reason), decode_incident(document)) for n, at, reason, document in rows
    ]


# --- the ailments of the monitor ---------------------------------------------------------------------------

KEPT = 30 * 86_400.0
"""Seconds for which an ailment is kept after its end, so that a person who looks once a month sees it."""

MOST = 1000
"""Ailments kept after their end: one that comes and goes every two minutes covers a day and a half, without
filling a disk.
"""

_SPELLS = sa.Table(
    "ailments",
    SCHEMA,
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("about", sa.String, primary_key=True),
    sa.Column("began_at", sa.Float, primary_key=True),
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float),
    sa.Column("says", sa.String, nullable=False),
    sa.Column("mend", sa.String, nullable=False),
)
_ENDED = _SPELLS.c.ended_at


def _of_open(key: Key) -> sa.Update:
    kind, about = key
    return _SPELLS.update().where(_SPELLS.c.kind == kind, _SPELLS.c.about == about, _ENDED.is_(None))


def _begin_spell(connection: sa.Connection, spell: Spell) -> None:
    """Begin a spell; one that ended at the same instant (because a clock was set back) is replaced."""
    same = (_SPELLS.c.kind == spell.kind) & (_SPELLS.c.about == spell.about)
    connection.execute(_SPELLS.delete().where(same, _SPELLS.c.began_at == spell.began_at))
    row = {"kind": spell.kind, "about": spell.about, "began_at": spell.began_at, "seen_at": spell.seen_at}
    connection.execute(_SPELLS.insert().values(**row, ended_at=None, says=spell.says, mend=spell.mend))


def _forget_old(connection: sa.Connection, at: float) -> None:
    connection.execute(_SPELLS.delete().where(at - KEPT > _ENDED))
    last = sa.select(_ENDED).where(_ENDED.is_not(None)).order_by(_ENDED.desc()).offset(MOST).limit(1)
    oldest = connection.scalar(last)
    if oldest is not None:
        connection.execute(_SPELLS.delete().where(oldest >= _ENDED))


def _newest_first(spells: Iterable[Spell]) -> list[Spell]:
    """Sorted here: how a database orders text depends on its locale."""
    return sorted(spells, key=lambda one: (-one.began_at, one.kind, one.about))
