"""Notices: what people add to the ledger: other people's claims, announced events, approvals.

Each is written once and never changed; a document has all of it, and the other columns are for finding it.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from fanous.config import Section, section
from fanous.errors import FanousError
from fanous.model.claim import Claim, defect
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Approval
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
"""Its name on disk, and ``watch`` in the labels, are older than the word *event*, and stay."""
_APPROVALS = sa.Table(
    "approvals",
    SCHEMA,
    sa.Column("incident", sa.String, primary_key=True),
    sa.Column("at", sa.Float, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("note", sa.String, nullable=False),
)
NOTICES = (_CLAIMS, _EVENTS, _APPROVALS)
"""Tables that are append-only."""

_SETTINGS = sa.Table(
    "settings",
    SCHEMA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
_HOLD = "hold_national"


class Notices:
    """The part of a ledger that people fill."""

    _database: Database

    def add_claim(self, claim: Claim, *, at: float | None = None) -> Claim:
        """Record what someone else says about a disruption; returns the claim with its label.

        Args:
            at: when it was recorded; ``None`` = now.

        Raises:
            FanousError: it says something that no claim can say.
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
        """By the time they are about; ``None`` = of all countries."""
        return list(self._documents(_CLAIMS, country, Claim))

    def add_event(self, event: AnnouncedEvent, *, at: float | None = None) -> AnnouncedEvent:
        """Register an announced event; the same one again keeps its label and the time of its first registration."""
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
        """By start; ``None`` = of all countries."""
        return list(self._documents(_EVENTS, country, AnnouncedEvent))

    def approve(self, approval: Approval) -> None:
        """Record that a person approved an incident; of several approvals the latest counts."""
        with self._database.writing() as connection:
            connection.execute(_APPROVALS.insert().values(asdict(approval)))

    def approvals(self) -> dict[str, Approval]:
        """Incident -> its approval."""
        with self._database.reading() as connection:
            rows = connection.execute(_APPROVALS.select().order_by(_APPROVALS.c.at)).all()
        return {row.incident: Approval(row.incident, row.revision, row.who, row.at, row.note) for row in rows}

    def holds_national(self) -> bool:
        """Do national incidents wait for a person's approval here?"""
        query = sa.select(_SETTINGS.c.value).where(_SETTINGS.c.key == _HOLD)
        with self._database.reading() as connection:
            return connection.scalar(query) == "yes"

    def hold_national(self, hold: bool) -> None:
        """Set whether they do, from now on and for every process that writes to this store."""
        if hold == self.holds_national():
            return
        with self._database.writing() as connection:
            connection.execute(_SETTINGS.delete().where(_SETTINGS.c.key == _HOLD))
            connection.execute(_SETTINGS.insert().values(key=_HOLD, value="yes" if hold else "no"))

    def _documents(self, table: sa.Table, country: str | None, noun: type[Noun]) -> Iterator[Noun]:
        query = sa.select(table.c.document).order_by(table.c.since, table.c.country, table.c.number)
        if country is not None:
            query = query.where(table.c.country == country)
        with self._database.reading() as connection:
            documents = connection.scalars(query).all()
        return (_decoded(document, noun) for document in documents)


class Review(Section, frozen=True):
    """The table ``[review]``.

    Attributes:
        national: are national claims held until a person approves them?  ``None`` = as the store remembers.
    """

    national: bool | None = None


def review_national(config: Path | None) -> bool | None:
    """``national`` of ``Review``.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    return section(config, "review", Review).national


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
