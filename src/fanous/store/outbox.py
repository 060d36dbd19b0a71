"""Outbox: the news that goes out as alerts, in the ledger itself.

A revision and its line in the outbox are written in one transaction, so that no news is lost or
invented, whenever the process dies.  A delivery is marked as sent after sending: if the process is killed in
between, it is sent again under the same key.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa

from fanous.model.alert import AlertState, Delivery, Happening, News, Order
from fanous.model.incident import Incident
from fanous.store.database import SCHEMA, Database, decode_incident

_OUTBOX = sa.Table(
    "outbox",
    SCHEMA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("incident", sa.String, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("routed", sa.Boolean, nullable=False),
    sa.UniqueConstraint("incident", "n"),
)
_DELIVERIES = sa.Table(
    "deliveries",
    SCHEMA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("incident", sa.String, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("happening", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("due_at", sa.Float, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("sent_at", sa.Float),
    sa.Column("why", sa.String, nullable=False),
    sa.UniqueConstraint("channel", "incident", "n"),
)


def note(connection: sa.Connection, incident: Incident, n: int, at: float) -> None:
    """Called in the transaction that writes the revision."""
    connection.execute(_OUTBOX.insert().values(incident=incident.id, n=n, at=at, routed=False))


class Outbox:
    """News and their deliveries; alerts are sent from here."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def next_news(self) -> News | None:
        """The oldest revision that is not routed yet; ``None`` = all are."""
        waiting = _OUTBOX.select().where(sa.not_(_OUTBOX.c.routed)).order_by(_OUTBOX.c.seq).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(waiting).first()
            return None if row is None else _news(connection, row)

    def route(self, news: News, orders: Iterable[Order]) -> None:
        """In one step, mark this as routed and create its deliveries.

        Messages waiting for the same channel about the same incident are dropped: the newer one covers them.
        """
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute(_OUTBOX.update().where(_OUTBOX.c.seq == news.seq).values(routed=True))
            for order in orders:
                _replace_waiting(connection, order)
                connection.execute(_DELIVERIES.insert().values(_row(order, news.at, now)))

    def deliveries(self, state: AlertState | None = None) -> list[Delivery]:
        """Oldest first; ``None`` = in any state."""
        query = _DELIVERIES.select().order_by(
            _DELIVERIES.c.created_at, _DELIVERIES.c.incident, _DELIVERIES.c.n
        )
        if state is not None:
            query = query.where(_DELIVERIES.c.state == state.value)
        with self._database.reading() as connection:
            return [_delivery(connection, row) for row in connection.execute(query).all()]

    def due(self, now: float) -> list[Delivery]:
        """Deliveries that wait and may be sent by ``now``."""
        waits = (_DELIVERIES.c.state == AlertState.WAITING.value) & (_DELIVERIES.c.due_at <= now)
        query = _DELIVERIES.select().where(waits).order_by(_DELIVERIES.c.due_at, _DELIVERIES.c.n)
        with self._database.reading() as connection:
            return [_delivery(connection, row) for row in connection.execute(query).all()]

    def sent_since(self, channel: str, since: float) -> list[float]:
        """When messages were sent to a channel, oldest first; unix seconds."""
        when = _DELIVERIES.c.sent_at
        query = sa.select(when).where(_DELIVERIES.c.channel == channel, when > since).order_by(when)
        with self._database.reading() as connection:
            return [float(at) for at in connection.scalars(query)]

    def begin(self, key: str) -> None:
        """Record an attempt before it is made: from then on the message may have arrived."""
        with self._database.writing() as connection:
            one = _DELIVERIES.update().where(_DELIVERIES.c.key == key)
            connection.execute(one.values(attempts=_DELIVERIES.c.attempts + 1))

    def settle(
        self, key: str, state: AlertState, *, at: float, why: str = "", due_at: float | None = None
    ) -> None:
        """Record how the attempt ended.

        Args:
            due_at: when the next attempt is due, if there is one.
        """
        values: dict[str, object] = {"state": state.value, "why": why}
        if due_at is not None:
            values["due_at"] = due_at
        one = _DELIVERIES.update().where(_DELIVERIES.c.key == key)
        if state is AlertState.SENT:
            values["sent_at"] = at
        else:
            one = one.where(_DELIVERIES.c.state == AlertState.WAITING.value)
        with self._database.writing() as connection:
            connection.execute(one.values(values))

    def revive(self, keys: Iterable[str] | None, now: float) -> int:
        """Let dead deliveries wait again (``None`` = all), unless there is newer news; returns how many."""
        dead = _DELIVERIES.c.state == AlertState.DEAD.value
        if keys is not None:
            dead &= _DELIVERIES.c.key.in_(list(keys))
        newer = _DELIVERIES.alias()
        same = (newer.c.channel == _DELIVERIES.c.channel) & (newer.c.incident == _DELIVERIES.c.incident)
        old = sa.exists().where(same, newer.c.n > _DELIVERIES.c.n)
        dropped = {"state": AlertState.DROPPED.value, "why": "replaced by newer news of the incident"}
        with self._database.writing() as connection:
            connection.execute(_DELIVERIES.update().where(dead, old).values(dropped))
            again = _DELIVERIES.update().where(dead).values(state=AlertState.WAITING.value, due_at=now)
            return connection.execute(again).rowcount


def _news(connection: sa.Connection, row: sa.Row[Any]) -> News:
    claims = SCHEMA.tables["revisions"].c
    told = sa.select(sa.func.distinct(_DELIVERIES.c.channel)).where(
        _DELIVERIES.c.incident == row.incident,
        (_DELIVERIES.c.state == AlertState.WAITING.value) | _may_have_arrived(),
    )
    known = sa.select(claims.n, claims.document).where(claims.incident == row.incident)
    rows = connection.execute(known.where(claims.n.in_((row.n, row.n - 1)))).all()
    document = {claim.n: claim.document for claim in rows}
    return News(
        seq=row.seq,
        n=row.n,
        at=row.at,
        incident=decode_incident(document[row.n]),
        before=decode_incident(document[row.n - 1]) if row.n - 1 in document else None,
        told=frozenset(connection.scalars(told)),
    )


def _may_have_arrived() -> sa.ColumnElement[bool]:
    """Was it sent, or begun?  A process killed after sending cannot record it."""
    return (_DELIVERIES.c.state == AlertState.SENT.value) | (_DELIVERIES.c.attempts > 0)


def _replace_waiting(connection: sa.Connection, order: Order) -> None:
    """Drop older messages waiting for the same channel about the same incident: the newest covers them."""
    same = (_DELIVERIES.c.channel == order.channel) & (_DELIVERIES.c.incident == order.incident)
    waits = same & (_DELIVERIES.c.state == AlertState.WAITING.value)
    dropped = {"state": AlertState.DROPPED.value, "why": f"replaced by revision {order.n}"}
    connection.execute(_DELIVERIES.update().where(waits).values(dropped))


def _row(order: Order, at: float, now: float) -> dict[str, object]:
    """A delivery's row; its key is derived from the news, so that the same news can never have two."""
    name = f"fanous:{order.incident}:{at:.6f}:{order.n}:{order.channel}"
    return {
        "key": str(uuid5(NAMESPACE_URL, name)),
        "channel": order.channel,
        "incident": order.incident,
        "n": order.n,
        "happening": order.happening.value,
        "state": AlertState.WAITING.value,
        "created_at": now,
        "due_at": now,
        "attempts": 0,
        "sent_at": None,
        "why": "",
    }


def _delivery(connection: sa.Connection, row: sa.Row[Any]) -> Delivery:
    told = sa.select(sa.func.max(_DELIVERIES.c.n)).where(
        _DELIVERIES.c.channel == row.channel,
        _DELIVERIES.c.incident == row.incident,
        _may_have_arrived(),
        _DELIVERIES.c.n < row.n,
    )
    return Delivery(
        key=row.key,
        channel=row.channel,
        incident=row.incident,
        n=row.n,
        told_n=connection.scalar(told) or 0,
        happening=Happening(row.happening),
        state=AlertState(row.state),
        created_at=row.created_at,
        due_at=row.due_at,
        attempts=row.attempts,
        sent_at=row.sent_at,
        why=row.why,
    )
