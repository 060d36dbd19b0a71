"""Database: where a ledger is kept (SQLite in a file, or PostgreSQL by URL), how an incident is written in it, and what
the monitor's processes note there: which of them detects where, and what ails them.

One schema and one set of statements serve both (SQLAlchemy Core).  Writers take turns: each writing
transaction begins by touching one row, which in SQLite takes the file's lock and in PostgreSQL the row's, so
that two processes never give the same number to two incidents.

Leases let any number of processes share the work.  A country with undetected measurements is leased to one
worker at a time.  A lease ends when it is released, or not renewed in time; the next worker gets a higher
number (the fence), and each write under a lease checks, in its own transaction, that the lease still holds.
So a worker that was stopped for a while and lost its lease writes nothing, even if it still believes it holds one.

Measurements that arrive during detection are recorded separately, so that a detection marks exactly the span
it saw.
"""

import re
import resource
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, DataError, OperationalError

from fanous.errors import FanousError
from fanous.files import FULL, NO_DESCRIPTOR, is_descriptor_left
from fanous.model.incident import Incident, Status
from fanous.model.reason import AS_WRITTEN, Reason, as_written
from fanous.model.vitals import Spell
from fanous.store.cache import Cache
from fanous.store.location import DataLost, check_ledger, hidden

SCHEMA = sa.MetaData()
"""All tables of the ledger."""

META = sa.Table(
    "meta",
    SCHEMA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
_TURN = "turn"
"""Key of the row that a writer touches first."""

_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""Scheme as people write it -> the installed driver (psycopg 3)."""

_MAKING = 7_462_661_101
"""PostgreSQL's advisory lock for creating tables: checking and creating are two steps, and two processes that
start at once would both try to create.  Any number unused by other programs will do."""


class Database:
    """A connection pool, by SQLAlchemy URL.

    Raises:
        FanousError: unknown kind of database.
    """

    def __init__(self, url: str) -> None:
        self._engine = _connect(url)
        self.name = self._engine.url.render_as_string(hide_password=True)
        is_file = self._engine.dialect.name == "sqlite" and self._engine.url.database
        self._file = Path(str(self._engine.url.database)) if is_file else None
        self._inode: int | None = None  # while it is used

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def making(self) -> Iterator[sa.Connection]:
        """A transaction in which missing tables are created."""
        with self._errors(), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING)))
            else:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            SCHEMA.create_all(connection)
            if connection.scalar(sa.select(META.c.value).where(META.c.key == _TURN)) is None:
                connection.execute(META.insert().values(key=_TURN, value=""))
            yield connection
        if self._file is not None:
            self._inode = self._file.stat().st_ino

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that no other writer disturbs; committed at its end, or not at all."""
        with self._errors(), self._engine.begin() as connection:
            connection.execute(META.update().where(META.c.key == _TURN).values(value=META.c.value))
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with self._errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        self.check_file()
        try:
            yield
        except DatabaseError as error:
            if type(error) not in (DatabaseError, OperationalError, DataError):
                raise  # a violated constraint or wrong statement is a bug
            cause = " ".join(str(error.orig).split())
            raise FanousError(
                f"cannot use the ledger {self.name}: {cause}; {_advice(error, self._engine)}", permanent=False
            ) from error

    def check_file(self) -> None:
        """Raise ``DataLost`` if the file has gone: SQLite would go on writing to it, and lose all of that at the
        end."""
        if self._file is None or self._inode is None:
            return
        try:
            is_there = self._file.stat().st_ino == self._inode
        except OSError:
            is_there = False
        if not is_there:
            raise DataLost(
                f"the ledger {self._file} was removed or replaced while it was open: put the right file there (its "
                "newest backup, if it is lost); `fanous run` goes on with it, anything else has to be started again"
            )

    def leave(self) -> None:
        """Let go of a file that has gone, so that ``making`` opens the one that has taken its place.

        Raises:
            DataLost: none has.
            FanousError: what has is not a ledger.
        """
        if self._file is None or not self._file.is_file() or not self._file.stat().st_size:
            self.check_file()
            return
        check_ledger(self._file)
        self._engine.dispose()  # SQLite removes the log of the old file, which must not be applied to the new one
        self._inode = None


def _advice(error: DatabaseError, engine: sa.Engine) -> str:
    cause = str(error.orig)
    if not is_descriptor_left():
        return NO_DESCRIPTOR
    if "full" in cause or "No space left" in cause:
        return FULL
    if isinstance(error, DataError):
        return "it contains a character that the database cannot store: remove it"
    if engine.dialect.name == "sqlite":
        if "is locked" in cause:
            return "another program is writing to it: wait until it has finished, or end it, and try again"
        if "malformed" in cause or "not a database" in cause:
            return "it is damaged: restore it from a backup"
        if "disk I/O" in cause and resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
            return (
                "raise the limit of the size of files (`ulimit -f`, LimitFSIZE= of a unit), or check the disk"
            )
        return "check that the file exists and that this user can read and write it"
    return "check that the server is running, and that user, password and database are correct"


def _connect(url: str) -> sa.Engine:
    kind, _, rest = url.partition("://")
    try:
        engine = sa.create_engine(f"{_DRIVERS.get(kind, kind)}://{rest}" if rest else url, pool_pre_ping=True)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise FanousError(
            f"cannot keep the ledger in {hidden(url)}: {_why(error, url)}; use sqlite:////folder/file or "
            f"postgresql://user@host/database"
        ) from error
    if engine.dialect.name not in ("sqlite", "postgresql"):
        raise FanousError(
            f"cannot keep the ledger in {hidden(url)}, which is neither SQLite nor PostgreSQL; use "
            f"sqlite:////folder/file or postgresql://user@host/database"
        )
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _why(error: Exception, url: str) -> str:
    """The error without the URL, which SQLAlchemy quotes in full, including the password."""
    return str(error).replace(url, "it")


def _set_up_sqlite(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    """WAL lets pages be read while a revision is written; FULL lets it survive a power cut."""
    cursor = connection.cursor()
    for setting in ("busy_timeout=5000", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {setting}")
    until = time.monotonic() + 5
    while True:  # SQLite does not wait by itself where another process changes the mode at the same moment
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
    cursor.close()


# --- incidents as documents ---------------------------------------------------------------------------------

_DECODER = msgspec.json.Decoder(Incident)


class _Written(msgspec.Struct):
    """English texts in an incident from before December 2026: why it has its status, and its hints."""

    reason: str = ""
    hints: tuple[Reason | str, ...] = ()


_WRITTEN = msgspec.json.Decoder(_Written)
_REASONS = msgspec.json.Decoder(tuple[Reason, ...])


def encode_reasons(reasons: tuple[Reason, ...]) -> str:
    return msgspec.json.encode(reasons).decode()


def decode_reasons(text: str) -> tuple[Reason, ...]:
    """The reasons of a revision, which before November 2026 were English text."""
    try:
        return _REASONS.decode(text)
    except msgspec.MsgspecError:
        return as_written(text)


def encode_incident(incident: Incident) -> str:
    """A document that reads back as the same incident.

    Raises:
        ValueError: it would not (it contains a NaN: in an incident, not measured is ``None``).
    """
    document = msgspec.json.encode(incident)
    try:
        same = _DECODER.decode(document) == incident
    except msgspec.ValidationError:
        same = False
    if not same:
        raise ValueError(f"this incident cannot be written down: {incident}")
    return document.decode()


def decode_incident(document: str) -> Incident:
    """The incident of a document; fields that this version does not know are ignored."""
    try:
        return _decoded(document)
    except msgspec.MsgspecError as error:
        raise FanousError(
            f"the ledger has an incident that cannot be read ({error}): it was written by another version or "
            f"is damaged; restore the ledger from a backup"
        ) from error


DECODED_BYTES = 64 << 20
"""Of incidents that are kept decoded, since pages and feeds read the whole ledger for each request: some thousands.
Each revision of an incident is another document, so a busy week makes tens of thousands."""

_DECODED: Cache[str, tuple[str, Incident]] = Cache(DECODED_BYTES, lambda kept: 3 * len(kept[0]))
"""Document -> itself and what it says, which takes about twice as much."""


def _decoded(document: str) -> Incident:
    kept = _DECODED.get(document)
    if kept is None:
        kept = document, _decode(document)
        _DECODED.put(document, kept)
    return kept[1]


def _decode(document: str) -> Incident:
    try:
        incident = _DECODER.decode(document)
    except msgspec.ValidationError:
        # its hints may be text
        raw = msgspec.json.decode(document)
        hints = [
            one if isinstance(one, Reason) else Reason(AS_WRITTEN, {"text": one})
            for one in _WRITTEN.decode(document).hints
        ]
        incident = msgspec.convert(raw | {"hints": msgspec.to_builtins(hints)}, Incident)
    written = "" if incident.reasons else _WRITTEN.decode(document).reason
    return replace(incident, reasons=as_written(written)) if written else incident


def with_codes(incident: Incident) -> Incident:
    """State that an incident from before November 2026 had only in its reason text: here and nowhere else it is
    read from words."""
    text = " ".join(str(one.params["text"]) for one in incident.reasons if one.code == AS_WRITTEN)
    if incident.status is Status.SUSPECTED and "held for a person's review" in text:
        return replace(incident, held_by="review")
    if incident.status is not Status.RETRACTED:
        return incident
    if by := re.match(r"taken back by (.+?): (.+)", text, re.DOTALL):
        withdrawn = Reason("withdrawn", {"by": by[1], "why": by[2]})
        return replace(incident, withdrawn_by=by[1], reasons=(withdrawn,))
    whole = re.search(r"it is told as a part of (\w{2}-\d{4}-\d+)$", text)
    if whole is None:
        return incident
    return replace(incident, merged_into=whole[1], reasons=(Reason("merged", {"incident": whole[1]}),))


# --- what processes note --------------------------------------------------------------------------------

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


Key = tuple[str, str]
"""Kind of an ailment, and what it is about."""


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


class Processes:
    """The part of a ledger that processes fill.

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
