"""Outbox: the news that goes out as alerts, in the ledger itself.

A revision and its line in the outbox are written in one transaction, so that no news is lost or
invented, whenever the process dies.  A delivery is marked as sent after sending: if the process is killed in
between, it is sent again under the same key.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from fanous.model.alert import AlertState, Delivery, Happening, News, Order
from fanous.model.incident import Incident
from fanous.store.database import Connection, Database, decode_incident

_WAITS = f"state = '{AlertState.WAITING}'"
_MAY_HAVE_ARRIVED = f"(state = '{AlertState.SENT}' OR attempts > 0)"
"""Was it sent, or begun?  A process killed after sending cannot record it."""

_DELIVERIES = f"""
SELECT key, channel, incident, n,
    (SELECT coalesce(max(n), 0) FROM deliveries told WHERE told.channel = deliveries.channel
        AND told.incident = deliveries.incident AND told.n < deliveries.n AND {_MAY_HAVE_ARRIVED}),
    happening, state, created_at, due_at, attempts, sent_at, why
FROM deliveries
"""


def note(connection: Connection, incident: Incident, n: int, at: float) -> None:
    """Called in the transaction that writes the revision."""
    connection.insert("outbox", incident=incident.id, n=n, at=at, routed=False)


class Outbox:
    """News and their deliveries; alerts are sent from here."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def next_news(self) -> News | None:
        """The oldest revision that is not routed yet; ``None`` = all are."""
        waiting = "SELECT seq, incident, n, at FROM outbox WHERE NOT routed ORDER BY seq LIMIT 1"
        with self._database.reading() as connection:
            row = connection.row(waiting)
            return None if row is None else _news(connection, *row)

    def route(self, news: News, orders: Iterable[Order]) -> None:
        """In one step, mark this as routed and create its deliveries.

        Messages waiting for the same channel about the same incident are dropped: the newer one covers them.
        """
        now = self._clock()
        with self._database.writing() as connection:
            connection.run("UPDATE outbox SET routed = :yes WHERE seq = :seq", yes=True, seq=news.seq)
            for order in orders:
                _replace_waiting(connection, order)
                connection.insert("deliveries", **_row(order, news.at, now))

    def deliveries(self, state: AlertState | None = None) -> list[Delivery]:
        """Oldest first; ``None`` = in any state."""
        where = "" if state is None else "WHERE state = :state"
        sql = f"{_DELIVERIES} {where} ORDER BY created_at, incident, n"
        return [_delivery(*row) for row in self._database.rows(sql, state=state and state.value)]

    def due(self, now: float) -> list[Delivery]:
        """Deliveries that wait and may be sent by ``now``."""
        sql = f"{_DELIVERIES} WHERE {_WAITS} AND due_at <= :now ORDER BY due_at, n"
        return [_delivery(*row) for row in self._database.rows(sql, now=now)]

    def sent_since(self, channel: str, since: float) -> list[float]:
        """When messages were sent to a channel, oldest first; unix seconds."""
        sql = "SELECT sent_at FROM deliveries WHERE channel = :channel AND sent_at > :since ORDER BY sent_at"
        return [float(at) for (at,) in self._database.rows(sql, channel=channel, since=since)]

    def begin(self, key: str) -> None:
        """Record an attempt before it is made: from then on the message may have arrived."""
        with self._database.writing() as connection:
            connection.run("UPDATE deliveries SET attempts = attempts + 1 WHERE key = :key", key=key)

    def settle(
        self, key: str, state: AlertState, *, at: float, why: str = "", due_at: float | None = None
    ) -> None:
        """Record how the attempt ended.

        Args:
            due_at: when the next attempt is due, if there is one.
        """
        changes, which = "state = :state, why = :why", "key = :key"
        if due_at is not None:
            changes += ", due_at = :due_at"
        if state is AlertState.SENT:
            changes += ", sent_at = :at"
        else:
            which += f" AND {_WAITS}"
        given = {"key": key, "state": state.value, "why": why, "due_at": due_at, "at": at}
        with self._database.writing() as connection:
            connection.run(f"UPDATE deliveries SET {changes} WHERE {which}", **given)

    def revive(self, keys: Iterable[str] | None, now: float) -> int:
        """Let dead deliveries wait again (``None`` = all), unless there is newer news; returns how many."""
        dead = f"state = '{AlertState.DEAD}'"
        named: dict[str, Any] = {}
        if keys is not None:
            dead += " AND key IN :keys"
            named = {"keys": list(keys)}
        old = """EXISTS (SELECT 1 FROM deliveries newer WHERE newer.channel = deliveries.channel
            AND newer.incident = deliveries.incident AND newer.n > deliveries.n)"""
        with self._database.writing() as connection:
            connection.run(
                f"UPDATE deliveries SET state = :state, why = :why WHERE {dead} AND {old}",
                state=AlertState.DROPPED.value,
                why="replaced by newer news of the incident",
                **named,
            )
            again = f"UPDATE deliveries SET state = :state, due_at = :now WHERE {dead}"
            return connection.run(again, state=AlertState.WAITING.value, now=now, **named)


def _news(connection: Connection, seq: int, incident: str, n: int, at: float) -> News:
    told = f"SELECT DISTINCT channel FROM deliveries WHERE incident = :incident AND ({_WAITS} OR {_MAY_HAVE_ARRIVED})"
    known = "SELECT n, document FROM revisions WHERE incident = :incident AND n IN :both"
    document = dict(connection.rows(known, incident=incident, both=[n, n - 1]))
    return News(
        seq=seq,
        n=n,
        at=at,
        incident=decode_incident(document[n]),
        before=decode_incident(document[n - 1]) if n - 1 in document else None,
        told=frozenset(channel for (channel,) in connection.rows(told, incident=incident)),
    )


def _replace_waiting(connection: Connection, order: Order) -> None:
    """Drop older messages waiting for the same channel about the same incident: the newest covers them."""
    connection.run(
        "UPDATE deliveries SET state = :state, why = :why "
        f"WHERE channel = :channel AND incident = :incident AND {_WAITS}",
        state=AlertState.DROPPED.value,
        why=f"replaced by revision {order.n}",
        channel=order.channel,
        incident=order.incident,
    )


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


def _delivery(
    key: str, channel: str, incident: str, n: int, told_n: int, happening: str, state: str, *rest: Any
) -> Delivery:
    return Delivery(key, channel, incident, n, told_n, Happening(happening), AlertState(state), *rest)
