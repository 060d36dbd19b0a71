"""Database: where a ledger is kept (SQLite in a file, or PostgreSQL by URL), how an incident is written in it, and what
the monitor's processes note there: which of them detects where, and what ails them.

One schema and one set of statements serve both: plain SQL with ``:name`` for a value and ``IN :name`` for a list.
Writers take turns: a writing transaction begins by taking the file's lock in SQLite, and a row's in PostgreSQL, so
that two processes never give the same number to two incidents.

Leases let any number of processes share the work.  A country with undetected measurements is leased to one
worker at a time.  A lease ends when it is released, or not renewed in time; the next worker gets a higher
number (the fence), and each write under a lease checks, in its own transaction, that the lease still holds.
So a worker that was stopped for a while and lost its lease writes nothing, even if it still believes it holds one.

Measurements that arrive during detection are recorded separately, so that a detection marks exactly the span
it saw.
"""

import os
import re
import resource
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from fanous.base.files import FULL, NO_DESCRIPTOR, PRIVATE_FILE, close_to_others, is_descriptor_left
from fanous.errors import FanousError
from fanous.model.incident import Incident, Status
from fanous.model.reason import AS_WRITTEN, Reason, as_written
from fanous.model.vitals import Spell
from fanous.store.cache import Cache
from fanous.store.location import DataLost, check_ledger, hidden

_NUMBERED = """id VARCHAR PRIMARY KEY, country VARCHAR(2) NOT NULL, number INTEGER NOT NULL, since FLOAT NOT NULL,
    until FLOAT NOT NULL, at FLOAT NOT NULL, digest VARCHAR NOT NULL, document TEXT NOT NULL,
    UNIQUE (country, number)"""

TABLES = {
    "meta": "key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL",
    "settings": "key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL",
    "incidents": """id VARCHAR PRIMARY KEY, country VARCHAR(2) NOT NULL, year INTEGER NOT NULL,
        number INTEGER NOT NULL, created_at FLOAT NOT NULL, UNIQUE (country, year, number)""",
    "revisions": """incident VARCHAR NOT NULL REFERENCES incidents (id), n INTEGER NOT NULL, at FLOAT NOT NULL,
        reason VARCHAR NOT NULL, status VARCHAR NOT NULL, onset FLOAT NOT NULL, ends FLOAT, document TEXT NOT NULL,
        PRIMARY KEY (incident, n)""",
    "claims": _NUMBERED,
    # This name, and ``watch`` in labels, are older than the word *event*, and stay.
    "watches": _NUMBERED,
    "approvals": """incident VARCHAR NOT NULL, at FLOAT NOT NULL, revision INTEGER NOT NULL, who VARCHAR NOT NULL,
        note VARCHAR NOT NULL, PRIMARY KEY (incident, at)""",
    "decisions": """seq SERIAL PRIMARY KEY, incident VARCHAR NOT NULL, decided VARCHAR NOT NULL, who VARCHAR NOT NULL,
        at FLOAT NOT NULL, text VARCHAR NOT NULL, whole VARCHAR NOT NULL, revision INTEGER NOT NULL""",
    "roles": "seq SERIAL PRIMARY KEY, name VARCHAR NOT NULL, role VARCHAR NOT NULL",
    "outbox": """seq SERIAL PRIMARY KEY, incident VARCHAR NOT NULL, n INTEGER NOT NULL, at FLOAT NOT NULL,
        routed BOOLEAN NOT NULL, UNIQUE (incident, n)""",
    "deliveries": """key VARCHAR PRIMARY KEY, channel VARCHAR NOT NULL, incident VARCHAR NOT NULL, n INTEGER NOT NULL,
        happening VARCHAR NOT NULL, state VARCHAR NOT NULL, created_at FLOAT NOT NULL, due_at FLOAT NOT NULL,
        attempts INTEGER NOT NULL, sent_at FLOAT, why VARCHAR NOT NULL, UNIQUE (channel, incident, n)""",
    "alert_groups": """delivery VARCHAR PRIMARY KEY REFERENCES deliveries (key), country VARCHAR NOT NULL,
        network VARCHAR NOT NULL, kind VARCHAR NOT NULL, priority VARCHAR NOT NULL, is_confirmed BOOLEAN NOT NULL,
        is_staged BOOLEAN NOT NULL, message VARCHAR NOT NULL""",
    "chain": """seq INTEGER PRIMARY KEY, kind VARCHAR NOT NULL, name VARCHAR NOT NULL, digest VARCHAR NOT NULL,
        head VARCHAR NOT NULL""",
    "undetected": "country VARCHAR(2) PRIMARY KEY, since FLOAT NOT NULL, until FLOAT NOT NULL",
    # The later span is what was marked since the country was taken; it is part of the undetected span.
    "leases": """country VARCHAR(2) PRIMARY KEY, fence INTEGER NOT NULL, worker VARCHAR NOT NULL,
        expires_at FLOAT NOT NULL, later_since FLOAT, later_until FLOAT""",
    "ailments": """kind VARCHAR NOT NULL, about VARCHAR NOT NULL, began_at FLOAT NOT NULL, seen_at FLOAT NOT NULL,
        ended_at FLOAT, says VARCHAR NOT NULL, mend VARCHAR NOT NULL, PRIMARY KEY (kind, about, began_at)""",
}
"""All tables of the ledger and their columns, those that others refer to first."""

_TURN = "turn"
"""Key of the row that a writer locks first on a server."""

_MAKING = 7_462_661_101
"""PostgreSQL's advisory lock for creating tables: checking and creating are two steps, and two processes that
start at once would both try to create.  Any number unused by other programs will do."""

_KEPT_OPEN = 5
"""Connections kept for the next statement."""

_VALUE = re.compile(r":([a-z]\w*)")


class Connection:
    """Runs statements, each on its own unless a transaction was begun."""

    def __init__(self, raw: Any, *, is_server: bool) -> None:
        self._raw, self.is_server = raw, is_server

    def run(self, sql: str, **values: Any) -> int:
        """The number of rows that a statement changed."""
        return int(self._done(sql, values).rowcount)

    def insert(self, table: str, **row: Any) -> None:
        self.run(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", **row
        )

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """The answer, row by row."""
        return list(self._done(sql, values).fetchall())

    def row(self, sql: str, **values: Any) -> tuple[Any, ...] | None:
        """The first row; ``None`` = there is none."""
        return next(iter(self.rows(sql, **values)), None)

    def value(self, sql: str, **values: Any) -> Any:
        """The first value of the first row; ``None`` = there is none, or it is NULL."""
        return (self.row(sql, **values) or (None,))[0]

    def close(self) -> None:
        """A transaction that was not committed is rolled back."""
        with suppress(Exception):  # of a server that has gone
            self._raw.close()

    def _done(self, sql: str, values: dict[str, Any]) -> Any:
        for name, value in list(values.items()):
            if isinstance(value, list):
                each = {f"{name}_{n}": element for n, element in enumerate(value)}
                sql = sql.replace(f"IN :{name}", f"IN ({', '.join(f':{one}' for one in each) or 'NULL'})")
                del values[name]
                values |= each
        return self._raw.execute(_of_server(sql) if self.is_server else sql, values)


@lru_cache(256)
def _of_server(sql: str) -> str:
    """A statement as PostgreSQL's driver takes it."""
    return _VALUE.sub(r"%(\1)s", sql)


class Database:
    """Connections to a ledger's database, of which any number of threads have one each.

    Args:
        url: ``sqlite:////folder/file`` or ``postgresql://user:password@host/database``.

    Raises:
        FanousError: unknown kind of database, or its driver is missing.
    """

    def __init__(self, url: str) -> None:
        self.name = hidden(url)
        kind, _, rest = url.partition("://")
        if kind == "sqlite" and "?" in rest:
            raise FanousError(f"cannot keep the ledger in {self.name}: its path has a question mark")
        self._url = f"postgresql://{rest}"  # of a server
        self._file = Path(rest.removeprefix("/")) if kind == "sqlite" else None
        self._driver: Any = sqlite3 if kind == "sqlite" else _of_postgresql(kind, self.name)
        self._idle: list[Connection] = []
        self._inode: int | None = None  # while it is used

    def close(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def making(self) -> Iterator[Connection]:
        """A transaction in which missing tables are created."""
        if self._file is not None:
            # SQLite gives its log the permissions of the file; if it cannot be opened, SQLite says why.
            with suppress(OSError):
                os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
        with self._transaction() as connection:
            if connection.is_server:
                connection.value("SELECT pg_advisory_xact_lock(:number)", number=_MAKING)
            for name, columns in TABLES.items():
                serial = columns if connection.is_server else columns.replace(" SERIAL ", " INTEGER ")
                connection.run(f"CREATE TABLE IF NOT EXISTS {name} ({serial})")
            if connection.row("SELECT 1 FROM meta WHERE key = :key", key=_TURN) is None:
                connection.insert("meta", key=_TURN, value="")
            yield connection
        self._take_file()

    def tables(self) -> set[str]:
        """The names of its tables; a missing file is not created."""
        if self._file is not None and not self._file.is_file():
            return set()
        of_file = "SELECT name FROM sqlite_master WHERE type = 'table'"
        rows = self.rows("SELECT tablename FROM pg_tables" if self._file is None else of_file)
        self._take_file()
        return {name for (name,) in rows}

    def _take_file(self) -> None:
        """Close the file to other users, and from now on notice if another takes its place."""
        if self._file is None:
            return
        for ending in ("", "-wal", "-shm"):
            close_to_others(self._file.with_name(self._file.name + ending))
        self._inode = self._file.stat().st_ino

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer disturbs; committed at its end, or not at all."""
        with self._transaction() as connection:
            if connection.is_server:
                connection.run("UPDATE meta SET value = value WHERE key = :key", key=_TURN)
            yield connection

    def snapshot(self) -> AbstractContextManager[Connection]:
        """A transaction that reads everything as it was at one moment."""
        return self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN")

    @contextmanager
    def _transaction(
        self, on_server: str = "BEGIN", in_file: str = "BEGIN IMMEDIATE"
    ) -> Iterator[Connection]:
        with self.reading() as connection:
            connection.run(on_server if connection.is_server else in_file)
            yield connection
            connection.run("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection; one on which anything failed is not used again."""
        self.check_file()
        idle = self._idle
        with self._errors():
            connection = self._connection()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
        if idle is self._idle and len(idle) < _KEPT_OPEN:
            idle.append(connection)
        else:
            connection.close()

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """The answer to one statement, row by row."""
        with self.reading() as connection:
            return connection.rows(sql, **values)

    def _connection(self) -> Connection:
        with suppress(IndexError):
            connection = self._idle.pop()
            if not connection.is_server:
                return connection
            try:
                connection.run("SELECT 1")
            except self._driver.OperationalError:  # the server was restarted: all others are gone too
                self.close()
            else:
                return connection
        if self._file is not None:
            return Connection(_sqlite(self._file), is_server=False)
        return Connection(self._driver.connect(self._url, autocommit=True), is_server=True)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._driver.DatabaseError as error:
            driver = self._driver
            if (
                not isinstance(error, (driver.OperationalError, driver.DataError))
                and type(error) is not driver.DatabaseError
            ):
                raise  # a violated constraint or wrong statement is a bug
            cause = " ".join(str(error).split())
            advice = self._advice(cause, is_unfit=isinstance(error, driver.DataError))
            raise FanousError(
                f"cannot use the ledger {self.name}: {cause}; {advice}", permanent=False
            ) from error

    def _advice(self, cause: str, *, is_unfit: bool) -> str:
        if not is_descriptor_left():
            return NO_DESCRIPTOR
        if "full" in cause or "No space left" in cause:
            return FULL
        if is_unfit:
            return "it contains a character that the database cannot store: remove it"
        if self._file is None:
            return "check that the server is running, and that user, password and database are correct"
        if "is locked" in cause:
            return "another program is writing to it: wait until it has finished, or end it, and try again"
        if "malformed" in cause or "not a database" in cause:
            return "it is damaged: restore it from a backup"
        if "disk I/O" in cause and resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
            return (
                "raise the limit of the size of files (`ulimit -f`, LimitFSIZE= of a unit), or check the disk"
            )
        return "check that the file exists and that this user can read and write it"

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
            DataLost: there is none.
            FanousError: it is not a ledger.
        """
        if self._file is None or not self._file.is_file() or not self._file.stat().st_size:
            self.check_file()
            return
        check_ledger(self._file)
        self.close()  # SQLite removes the log of the old file, which must not be applied to the new one
        self._inode = None


def _of_postgresql(kind: str, name: str) -> Any:
    """The driver of PostgreSQL."""
    instead = "use sqlite:////folder/file or postgresql://user@host/database"
    if kind.partition("+")[0] not in ("postgresql", "postgres"):
        raise FanousError(
            f"cannot keep the ledger in {name}, which is neither SQLite nor PostgreSQL; {instead}"
        )
    try:
        import psycopg
    except ImportError as error:
        raise FanousError(f"cannot keep the ledger in {name}: {error}; {instead}") from error
    return psycopg


def _sqlite(file: Path) -> sqlite3.Connection:
    """WAL lets pages be read while a revision is written; FULL lets it survive a power cut."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    try:
        for setting in ("busy_timeout=5000", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}")
        _keep_log(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_log(connection: sqlite3.Connection) -> None:
    """SQLite does not wait by itself where another process changes the mode at the same moment."""
    until = time.monotonic() + 5
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


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
        kept = _DECODED.get(document)
        if kept is None:
            kept = document, _decode(document)
            _DECODED.put(document, kept)
        return kept[1]
    except msgspec.MsgspecError as error:
        raise FanousError(
            f"the ledger has an incident that cannot be read ({error}): it was written by another version or "
            f"is damaged; restore the ledger from a backup"
        ) from error


DECODED_BYTES = 64 << 20
"""Incidents that are kept decoded, since pages and feeds read the whole ledger for each request: some thousands. Each
revision of an incident is another document, so a busy week makes tens of thousands.
"""

_DECODED: Cache[str, tuple[str, Incident]] = Cache(DECODED_BYTES, lambda kept: 3 * len(kept[0]))
"""Document -> itself and what it says, which takes about twice as much."""


def _decode(document: str) -> Incident:
    try:
        incident = _DECODER.decode(document)
    except msgspec.ValidationError:
        # its hints may be text
        raw = msgspec.json.decode(document)
        hints = [
            hint if isinstance(hint, Reason) else Reason(AS_WRITTEN, {"text": hint})
            for hint in _WRITTEN.decode(document).hints
        ]
        incident = msgspec.convert(raw | {"hints": msgspec.to_builtins(hints)}, Incident)
    written = "" if incident.reasons else _WRITTEN.decode(document).reason
    return replace(incident, reasons=as_written(written)) if written else incident


def with_codes(incident: Incident) -> Incident:
    """Add the state that an incident from before November 2026 had only in its reason text.  Nowhere else is state read
    from words.
    """
    text = " ".join(str(reason.params["text"]) for reason in incident.reasons if reason.code == AS_WRITTEN)
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


def spans_of(measured: Iterable[tuple[str, float]]) -> dict[str, Span]:
    """Country -> first and last instant of the measurements made there.

    Args:
        made: country and instant of each measurement.
    """
    spans: dict[str, Span] = {}
    for country, at in measured:
        first, last = spans.get(country, (at, at))
        spans[country] = min(first, at), max(last, at)
    return spans


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


class Processes:
    """The part of a ledger that processes fill.

    Attributes:
        worker: the name under which leases are taken.
    """

    _database: Database
    worker: str

    def undetected(self) -> dict[str, Span]:
        """Country -> span of measurements that no detection has seen, including those of killed runs."""
        rows = self._database.rows("SELECT country, since, until FROM undetected")
        return {country: (since, until) for country, since, until in rows}

    def mark_undetected(self, spans: Mapping[str, Span]) -> None:
        """Widen the spans; call it before measurements are stored, so that a crash forgets none."""
        if not spans:
            return
        with self._database.writing() as connection:
            waiting = _widen(connection, "undetected", "since", "until", spans)
            _widen(connection, "leases", "later_since", "later_until", spans)
            for country in spans.keys() - waiting:
                since, until = spans[country]
                connection.insert("undetected", country=country, since=since, until=until)

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
            country = country or connection.value(_LONGEST_WAITING, nobody=NOBODY, now=now)
            if country is None:
                return None
            if connection.row(
                f"SELECT 1 FROM leases WHERE country = :country AND {_HELD}",
                country=country,
                nobody=NOBODY,
                now=now,
            ):
                return None
            fence = 1 + (connection.value("SELECT max(fence) FROM leases") or 0)
            connection.run("DELETE FROM leases WHERE country = :country", country=country)
            connection.insert(
                "leases", country=country, fence=fence, worker=self.worker, expires_at=now + seconds
            )
            waits = connection.row(
                "SELECT since, until FROM undetected WHERE country = :country", country=country
            )
            span = None if waits is None else (float(waits[0]), float(waits[1]))
            return Lease(country, span, self.worker, fence)

    def renew(self, lease: Lease, seconds: float = LEASE_SECONDS) -> None:
        """Keep a lease.

        Raises:
            LeaseLost: another process took it over.
        """
        with self._database.writing() as connection:
            expires_at = _now(connection) + seconds
            goes_on = f"UPDATE leases SET expires_at = :expires_at WHERE {_IS}"
            if not connection.run(goes_on, expires_at=expires_at, **_named(lease)):
                raise LeaseLost(lease)

    def mark_detected(self, lease: Lease) -> None:
        """Record that detection has covered the lease's span; the lease ends.

        Anything marked since the lease was taken still waits.

        Raises:
            LeaseLost: another process took it over; nothing is marked.
        """
        with self._database.writing() as connection:
            later = connection.row(
                f"SELECT later_since, later_until FROM leases WHERE {_IS}", **_named(lease)
            )
            if later is None:
                raise LeaseLost(lease)
            since, until = later
            if since is None:
                connection.run("DELETE FROM undetected WHERE country = :country", country=lease.country)
            else:
                connection.run(
                    "UPDATE undetected SET since = :since, until = :until WHERE country = :country",
                    since=since,
                    until=until,
                    country=lease.country,
                )
            _free(connection, lease)

    def give_back(self, lease: Lease) -> None:
        """Release a lease without having detected; a lost one stays with its new holder."""
        with self._database.writing() as connection:
            _free(connection, lease)

    def leases(self) -> list[tuple[str, str]]:
        """Countries being worked on, and by which worker, longest first."""
        with self._database.reading() as connection:
            sql = f"SELECT country, worker FROM leases WHERE {_HELD} ORDER BY fence"
            rows = connection.rows(sql, nobody=NOBODY, now=_now(connection))
        return [(country, worker) for country, worker in rows]

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

    def note_ailments(self, ailments: Mapping[Key, tuple[str, str]], at: float) -> None:
        """Update the ailments: new ones begin, those that are gone end.  Nothing is written while all is
        well.

        Args:
            found: kind and what it is about -> what is wrong and how to fix it.
            at: unix seconds, by the machine's clock.
        """
        rows = self._database.rows("SELECT kind, about FROM ailments WHERE ended_at IS NULL")
        open_ones: set[Key] = {(kind, about) for kind, about in rows}
        if not ailments and not open_ones:
            return
        this = "WHERE kind = :kind AND about = :about"
        with self._database.writing() as connection:
            for kind, about in sorted(open_ones - ailments.keys()):
                ends = f"UPDATE ailments SET ended_at = :at {this} AND ended_at IS NULL"
                connection.run(ends, at=at, kind=kind, about=about)
            for (kind, about), (says, mend) in ailments.items():
                ailment = {"kind": kind, "about": about, "at": at, "says": says, "mend": mend}
                if (kind, about) in open_ones:
                    goes_on = "UPDATE ailments SET seen_at = :at, says = :says, mend = :mend"
                    connection.run(f"{goes_on} {this} AND ended_at IS NULL", **ailment)
                else:  # a spell that ended at the same instant, because a clock was set back, is replaced
                    connection.run(
                        f"DELETE FROM ailments {this} AND began_at = :at", kind=kind, about=about, at=at
                    )
                    connection.run(
                        "INSERT INTO ailments (kind, about, began_at, seen_at, says, mend) "
                        "VALUES (:kind, :about, :at, :at, :says, :mend)",
                        **ailment,
                    )
            connection.run("DELETE FROM ailments WHERE ended_at < :before", before=at - KEPT)
            oldest = connection.value(
                "SELECT ended_at FROM ailments WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1 OFFSET :most",
                most=MOST,
            )
            if oldest is not None:
                connection.run("DELETE FROM ailments WHERE ended_at <= :oldest", oldest=oldest)

    def ailments(self, now: float) -> list[Spell]:
        """Ailments now and within 30 days before ``now``; the latest to begin come first."""
        rows = self._database.rows(
            "SELECT kind, about, says, mend, began_at, seen_at, ended_at FROM ailments "
            "WHERE ended_at IS NULL OR ended_at >= :since",
            since=now - KEPT,
        )
        # Sorted here: how a database orders text depends on its locale.
        return sorted(
            (Spell(*row) for row in rows), key=lambda spell: (-spell.began_at, spell.kind, spell.about)
        )


def free_all(connection: Connection, worker: str) -> None:
    """Release a dead worker's leases; the caller must know that no other process has its name."""
    connection.run(f"UPDATE leases SET {_FREE} WHERE worker = :worker", nobody=NOBODY, worker=worker)


def check_held(connection: Connection) -> None:
    """Within a transaction that writes an incident, check that its lease is still held.

    Raises:
        LeaseLost: it is not; nothing of the transaction is written.
    """
    lease = _held.get()
    if lease is not None and connection.row(f"SELECT 1 FROM leases WHERE {_IS}", **_named(lease)) is None:
        raise LeaseLost(lease)


_IS = "country = :country AND fence = :fence AND worker = :worker"
_HELD = "worker != :nobody AND expires_at > :now"
_FREE = "worker = :nobody, expires_at = 0"
"""The row of a freed lease stays, and its fence sends the country to the end of the queue."""
_LONGEST_WAITING = f"""
SELECT undetected.country FROM undetected LEFT JOIN leases ON leases.country = undetected.country
WHERE leases.country IS NULL OR NOT ({_HELD}) ORDER BY coalesce(fence, 0), undetected.country LIMIT 1
"""
"""The country with something to detect and no worker that has waited longest for its turn."""


def _named(lease: Lease) -> dict[str, Any]:
    """Values of ``_IS``."""
    return {"country": lease.country, "fence": lease.fence, "worker": lease.worker}


def _free(connection: Connection, lease: Lease) -> None:
    connection.run(f"UPDATE leases SET {_FREE} WHERE {_IS}", nobody=NOBODY, **_named(lease))


def _widen(connection: Connection, table: str, since: str, until: str, spans: Mapping[str, Span]) -> set[str]:
    """Widen the spans that a table has, in two of its columns; an empty one becomes the new span.

    Returns:
        The countries that have a row there.
    """
    rows = connection.rows(
        f"SELECT country, {since}, {until} FROM {table} WHERE country IN :countries", countries=list(spans)
    )
    for country, first, last in rows:
        begins, ends = spans[country]
        connection.run(
            f"UPDATE {table} SET {since} = :since, {until} = :until WHERE country = :country",
            since=begins if first is None else min(begins, first),
            until=ends if last is None else max(ends, last),
            country=country,
        )
    return {country for country, _, _ in rows}


def _now(connection: Connection) -> float:
    """The time by one clock for all workers: the server's, or for a SQLite file the machine's."""
    if connection.is_server:
        return float(connection.value("SELECT extract(epoch FROM clock_timestamp())") or 0.0)
    return time.time()
