"""Database: where a ledger is kept (SQLite in a file, or PostgreSQL by URL), and how an incident is written
there.

One schema and one set of statements serve both (SQLAlchemy Core).  Writers take turns: each writing
transaction begins by touching one row, which in SQLite takes the file's lock and in PostgreSQL the row's, so
that two processes never give the same number to two incidents.  An incident is kept as a JSON document.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, DataError, OperationalError

from fanous.errors import FanousError
from fanous.files import FULL
from fanous.model.incident import Incident
from fanous.model.reason import AS_WRITTEN, Reason, as_written
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
    if "full" in cause or "No space left" in cause:
        return FULL
    if isinstance(error, DataError):
        return "it contains a character that the database cannot store: remove it"
    if engine.dialect.name == "sqlite":
        if "is locked" in cause:
            return "another program is writing to it: wait until it has finished, or end it, and try again"
        if "malformed" in cause or "not a database" in cause:
            return "it is damaged: restore it from a backup"
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
    until = monotonic() + 5
    while True:  # SQLite does not wait by itself where another process changes the mode at the same moment
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            if monotonic() > until:
                raise
            sleep(0.01)
    cursor.close()


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
