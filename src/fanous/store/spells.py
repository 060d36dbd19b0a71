"""Spells: what was wrong with the monitor itself, in the ledger, so that a restart forgets none of it.

One row from the first look at which something was wrong to the first at which it was not; nothing is written
while all is well.  What ended is kept for ``KEPT`` seconds, and of it the newest ``MOST``.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

import sqlalchemy as sa

from fanous.model.spell import Spell
from fanous.store.database import SCHEMA, Database

KEPT = 30 * 86_400.0
"""Of what ended: a person who looks once a month has seen it."""

MOST = 1000
"""Ended ones: something that comes and goes every two minutes fills a day and a half, and no disk."""

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

Key = tuple[str, str]
"""Kind, and about whom."""


class Ailing(Protocol):
    """A part of ``Store``: the feed of the monitor's own ailments."""

    def note_ailments(self, found: Mapping[Key, tuple[str, str]], at: float) -> None:
        """What is wrong now: begins what is new, ends what is not there any more.

        Args:
            found: kind and about whom -> what it says and how it is mended.
            at: unix seconds, by the machine's clock.
        """

    def ailments(self, now: float) -> list[Spell]:
        """What goes on, and what ended in the 30 days before ``now``; what began last comes first."""


class Spells:
    """The table of a ledger that a monitor's ailments stand in."""

    _database: Database

    def note_ailments(self, found: Mapping[Key, tuple[str, str]], at: float) -> None:
        """See ``Ailing.note_ailments``."""
        going_on = sa.select(_SPELLS.c.kind, _SPELLS.c.about).where(_ENDED.is_(None))
        with self._database.reading() as connection:
            open_ones: set[Key] = {(row.kind, row.about) for row in connection.execute(going_on)}
        if not found and not open_ones:
            return
        with self._database.writing() as connection:
            for key in sorted(open_ones - found.keys()):
                connection.execute(_still(key).values(ended_at=at))
            for key, (says, mend) in found.items():
                if key in open_ones:
                    connection.execute(_still(key).values(seen_at=at, says=says, mend=mend))
                else:
                    _begin(connection, Spell(*key, says, mend, at, at))
            _forget(connection, at)

    def ailments(self, now: float) -> list[Spell]:
        """See ``Ailing.ailments``."""
        shown = sa.or_(_ENDED.is_(None), now - KEPT <= _ENDED)
        with self._database.reading() as connection:
            rows = connection.execute(_SPELLS.select().where(shown)).all()
        return _newest_first(
            Spell(row.kind, row.about, row.says, row.mend, row.began_at, row.seen_at, row.ended_at)
            for row in rows
        )


def _still(key: Key) -> sa.Update:
    kind, about = key
    return _SPELLS.update().where(_SPELLS.c.kind == kind, _SPELLS.c.about == about, _ENDED.is_(None))


def _begin(connection: sa.Connection, spell: Spell) -> None:
    """Where one of the same instant ended (a clock was set back), the new one takes its place."""
    same = (_SPELLS.c.kind == spell.kind) & (_SPELLS.c.about == spell.about)
    connection.execute(_SPELLS.delete().where(same, _SPELLS.c.began_at == spell.began_at))
    row = {"kind": spell.kind, "about": spell.about, "began_at": spell.began_at, "seen_at": spell.seen_at}
    connection.execute(_SPELLS.insert().values(**row, ended_at=None, says=spell.says, mend=spell.mend))


def _forget(connection: sa.Connection, at: float) -> None:
    connection.execute(_SPELLS.delete().where(at - KEPT > _ENDED))
    last = sa.select(_ENDED).where(_ENDED.is_not(None)).order_by(_ENDED.desc()).offset(MOST).limit(1)
    oldest = connection.scalar(last)
    if oldest is not None:
        connection.execute(_SPELLS.delete().where(oldest >= _ENDED))


def _newest_first(spells: Iterable[Spell]) -> list[Spell]:
    """Sorted here: how a database orders texts hangs on its locale."""
    return sorted(spells, key=lambda one: (-one.began_at, one.kind, one.about))
