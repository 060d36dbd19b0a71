"""Notices: what people add to the ledger: other people's claims, announced events, approvals.

Each is written once and never changed; a document has all of it, and the other columns are for finding it.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from fanous.errors import FanousError
from fanous.model.claim import Claim, defect
from fanous.model.coverage import Backfill
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Approval, Decided, Decision
from fanous.store.database import SCHEMA, Database

Noun = TypeVar("Noun", Claim, AnnouncedEvent)

_CALLED = {Claim: "a claim", AnnouncedEvent: "an announced event"}


def _numbered(name: str) -> sa.Table:
    return sa.Table(
        name,
        SCHEMA,
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.UniqueConstraint("country", "number"),
    )


_CLAIMS = _numbered("claims")
_EVENTS = _numbered("watches")
"""The table's name on disk, and ``watch`` in labels, are older than the word *event*, and stay."""
_APPROVALS = sa.Table(
    "approvals",
    SCHEMA,
    sa.Column("incident", sa.String, primary_key=True),
    sa.Column("at", sa.Float, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("note", sa.String, nullable=False),
)
_DECISIONS = sa.Table(
    "decisions",
    SCHEMA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("incident", sa.String, nullable=False),
    sa.Column("decided", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("whole", sa.String, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)
_ROLES = sa.Table(
    "roles",
    SCHEMA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
)
NOTICES = (_CLAIMS, _EVENTS, _APPROVALS, _DECISIONS, _ROLES)
"""Tables that are append-only."""

_SETTINGS = sa.Table(
    "settings",
    SCHEMA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
_HOLD = "hold_national"
_HIDE = "hide_held"
_BACKFILL = "backfill "
"""Prefix of a key that ends in a country's code."""


class Notices:
    """The part of a ledger that people fill."""

    _database: Database

    def add_claim(self, claim: Claim, *, at: float | None = None) -> Claim:
        """Record what someone else says about a disruption; returns the claim with its label.

        Args:
            at: when it was recorded; ``None`` = now.

        Raises:
            FanousError: it states something that no claim can state.
        """
        if why := defect(claim):
            raise FanousError(f"this claim cannot be recorded: {why}")
        now = time.time() if at is None else at
        span = claim.since, claim.until
        with self._database.writing() as connection:
            label, number = _next(connection, _CLAIMS, claim.country, "claim")
            named = replace(claim, id=label, recorded_at=now)
            _insert(connection, _CLAIMS, named, number, span, now, "")
        return named

    def claims(self, country: str | None = None) -> list[Claim]:
        """Claims by the time that they are about; ``None`` = all countries."""
        return list(self._documents(_CLAIMS, country, Claim))

    def add_event(self, event: AnnouncedEvent, *, at: float | None = None) -> AnnouncedEvent:
        """Register an announced event; if registered again, it keeps its label and the time of its first
        registration."""
        now = time.time() if at is None else at
        with self._database.writing() as connection:
            same = sa.select(_EVENTS.c.document).where(_EVENTS.c.digest == event.digest)
            known = connection.scalar(same)
            if known is not None:
                return _decoded(known, AnnouncedEvent)
            label, number = _next(connection, _EVENTS, event.country, "watch")
            named = replace(event, id=label, registered_at=now)
            _insert(connection, _EVENTS, named, number, (event.start, event.end), now, event.digest)
        return named

    def events(self, country: str | None = None) -> list[AnnouncedEvent]:
        """Announced events by their start; ``None`` = all countries."""
        return list(self._documents(_EVENTS, country, AnnouncedEvent))

    def approve(self, approval: Approval) -> None:
        """Record that a person approved an incident; of several approvals the latest counts."""
        with self._database.writing() as connection:
            connection.execute(_APPROVALS.insert().values(asdict(approval)))

    def approvals(self) -> dict[str, Approval]:
        """Incident -> its approval."""
        with self._database.reading() as connection:
            rows = connection.execute(_APPROVALS.select().order_by(_APPROVALS.c.at)).all()
        roles = self.roles()
        return {
            row.incident: Approval(row.incident, row.revision, roles.get(row.who, row.who), row.at, row.note)
            for row in rows
        }

    def decide(self, decision: Decision) -> None:
        """Record what a person decided about an incident."""
        with self._database.writing() as connection:
            connection.execute(_DECISIONS.insert().values(asdict(decision)))

    def decisions(self) -> list[Decision]:
        """Decisions about all incidents, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_DECISIONS.select().order_by(_DECISIONS.c.seq)).all()
        roles = self.roles()
        return [
            Decision(
                row.incident,
                Decided(row.decided),
                roles.get(row.who, row.who),
                row.at,
                row.text,
                row.whole,
                row.revision,
            )
            for row in rows
        ]

    def name_role(self, name: str, role: str) -> None:
        """From now on show ``role`` wherever ``name`` has signed, in earlier revisions too."""
        with self._database.writing() as connection:
            connection.execute(_ROLES.insert().values(name=name, role=role))

    def roles(self) -> dict[str, str]:
        """Name that a person signed with -> role shown instead."""
        with self._database.reading() as connection:
            rows = connection.execute(_ROLES.select().order_by(_ROLES.c.seq)).all()
        return {row.name: row.role for row in rows}

    def holds_national(self) -> bool:
        """Do national incidents wait for a person's approval here?"""
        return self._is_set(_HOLD)

    def hold_national(self, hold: bool) -> None:
        """Set whether they do, from now on and for every process that writes to this store."""
        self._set(_HOLD, hold)

    def hides_held(self) -> bool:
        """Are incidents that wait for a person left out of everything published?"""
        return self._is_set(_HIDE)

    def hide_held(self, hide: bool) -> None:
        """Set whether they are, as with ``hold_national``."""
        self._set(_HIDE, hide)

    def backfill(self, country: str) -> Backfill | None:
        """The import of past measurements that is still under way; ``None`` = none."""
        value = self._value(_BACKFILL + country)
        return msgspec.json.decode(value, type=Backfill) if value else None

    def note_backfill(self, country: str, going: Backfill | None) -> None:
        """Set the progress of the import; ``None`` = it is over."""
        self._put(_BACKFILL + country, msgspec.json.encode(going).decode() if going else "")

    def _is_set(self, key: str) -> bool:
        return self._value(key) == "yes"

    def _set(self, key: str, value: bool) -> None:
        if value != self._is_set(key):
            self._put(key, "yes" if value else "no")

    def _value(self, key: str) -> str:
        query = sa.select(_SETTINGS.c.value).where(_SETTINGS.c.key == key)
        with self._database.reading() as connection:
            return connection.scalar(query) or ""

    def _put(self, key: str, value: str) -> None:
        with self._database.writing() as connection:
            connection.execute(_SETTINGS.delete().where(_SETTINGS.c.key == key))
            connection.execute(_SETTINGS.insert().values(key=key, value=value))

    def _documents(self, table: sa.Table, country: str | None, noun: type[Noun]) -> Iterator[Noun]:
        query = sa.select(table.c.document).order_by(table.c.since, table.c.country, table.c.number)
        if country is not None:
            query = query.where(table.c.country == country)
        with self._database.reading() as connection:
            documents = connection.scalars(query).all()
        return (_decoded(document, noun) for document in documents)


def _next(connection: sa.Connection, table: sa.Table, country: str, word: str) -> tuple[str, int]:
    last = connection.scalar(sa.select(sa.func.max(table.c.number)).where(table.c.country == country))
    number = (last or 0) + 1
    return f"{country}-{word}-{number}", number


def _insert(
    connection: sa.Connection,
    table: sa.Table,
    noun: Claim | AnnouncedEvent,
    number: int,
    span: tuple[float, float],
    now: float,
    digest: str,
) -> None:
    row: dict[str, Any] = {
        "id": noun.id,
        "country": noun.country,
        "number": number,
        "since": span[0],
        "until": span[1],
        "at": now,
        "digest": digest,
        "document": msgspec.json.encode(noun).decode(),
    }
    connection.execute(table.insert().values(row))


def _decoded(document: str, noun: type[Noun]) -> Noun:
    try:
        return msgspec.json.decode(document, type=noun)
    except msgspec.MsgspecError as error:
        raise FanousError(
            f"the ledger holds {_CALLED[noun]} that cannot be read ({error}); restore a backup"
        ) from error
