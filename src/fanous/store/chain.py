"""Chain: each entry of the ledger's history carries the digest of the one before it, so that what is changed, removed
or slipped in afterwards shows.

A link is written in the transaction of its entry.  It digests the entry's columns; names of people are in it as salted
digests, so that a role can take the place of a name.  A person who can write to the database can also compute every
link anew, which shows only to another who kept an earlier head (`fanous doctor` prints the newest one).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from time import time
from typing import Any
from uuid import uuid4

import msgspec

from fanous.model.instant import to_iso
from fanous.model.vitals import History
from fanous.store.database import Connection


@dataclass(frozen=True, slots=True)
class Entries:
    """A table whose rows are entries of the history.

    Attributes:
        called: what a row is.
        key: the columns that name a row.
        columns: the others that count.
        source: where they are read; empty = the table itself.
        condition: which rows are entries.
    """

    called: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    source: str = ""
    condition: str = "1 = 1"


_NUMBERED = ("country", "number", "since", "until", "at", "digest", "document")

HISTORY = {
    "revisions": Entries(
        "revision", ("incident", "n"), ("at", "reason", "status", "onset", "ends", "document")
    ),
    "claims": Entries("claim", ("id",), _NUMBERED),
    "watches": Entries("announced event", ("id",), _NUMBERED),
    "approvals": Entries("approval", ("incident", "at"), ("revision", "who", "note")),
    "decisions": Entries(
        "decision", ("seq",), ("incident", "decided", "who", "at", "text", "whole", "revision")
    ),
    "roles": Entries("role", ("seq",), ("name", "role")),
    "deliveries": Entries(
        "alert",
        ("key",),
        ("channel", "incident", "n", "happening", "created_at", "sent_at", "message"),
        "deliveries LEFT JOIN alert_groups ON alert_groups.delivery = deliveries.key",
        "state = 'sent'",
    ),
}
"""Table -> its entries: all that people and processes say here, and what was sent; none of it changes afterwards."""

NAMES = frozenset({"who", "name", "by", "withdrawn_by", "named_by"})
"""Columns, and keys in documents, that hold the name of a person."""

_BEGINS, _SALT, _PERSON = "begins", "chain_salt", "person:"


def begin(connection: Connection, now: float) -> None:
    """Begin the chain with what there is; does nothing if it has begun."""
    if _last(connection) is not None:
        return
    connection.insert("meta", key=_SALT, value=uuid4().hex)
    _append(connection, _BEGINS, to_iso(now), "")
    for table in HISTORY:
        for key in _keys(connection, table):
            link(connection, table, *key)


def link(connection: Connection, table: str, *key: object) -> None:
    """Add the entry with this key, which must have been written in the same transaction."""
    if _last(connection) is None:  # of a ledger from before December 2026 that is completed first
        begin(connection, time())
        return
    row = _row(connection, table, key) or {}
    name = msgspec.json.encode([row[column] for column in HISTORY[table].key]).decode()
    _append(connection, table, name, _digest(row, salt_of(connection)))


def link_newest(connection: Connection, table: str) -> None:
    """The same for the newest row of a table that numbers its rows."""
    link(connection, table, connection.value(f"SELECT max(seq) FROM {table}"))


def check(connection: Connection) -> History:
    """Compute the chain anew, and compare every entry with its link."""
    salt, before, begins, linked = salt_of(connection), "", "", dict[str, set[str]]()
    defects: list[str] = []
    expected = 1
    for seq, kind, name, digest, head in _links(connection):
        if seq != expected or head != _head(before, kind, name, digest):
            defects.append(f"link {seq} does not follow link {expected - 1}")
        expected, before = seq + 1, head
        if kind == _BEGINS:
            begins = name
            continue
        linked.setdefault(kind, set()).add(name)
        row = _row(connection, kind, msgspec.json.decode(name)) if kind in HISTORY else None
        if row is None:
            defects.append(f"{_called(kind, name)} is missing")
        elif _digest(row, salt) != digest:
            defects.append(f"{_called(kind, name)} was changed after it was written")
    for table in HISTORY:
        for key in _keys(connection, table):
            name = msgspec.json.encode(key).decode()
            if name not in linked.get(table, ()):
                defects.append(f"{_called(table, name)} is not in the chain")
    if not begins:
        defects.append("the chain has no beginning")
    return History(sum(map(len, linked.values())), begins, before, tuple(defects))


def _called(table: str, name: str) -> str:
    words = " ".join(map(str, msgspec.json.decode(name)))
    return f"{HISTORY[table].called if table in HISTORY else table} {words}"


def _keys(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    entries = HISTORY[table]
    key = ", ".join(entries.key)
    return connection.rows(f"SELECT {key} FROM {table} WHERE {entries.condition} ORDER BY {key}")


def _row(connection: Connection, table: str, key: Iterable[object]) -> dict[str, Any] | None:
    """What is digested of an entry; ``None`` = there is none."""
    entries = HISTORY[table]
    names = (*entries.key, *entries.columns)
    columns = ", ".join("alert_groups.message" if name == "message" else f"{table}.{name}" for name in names)
    which = " AND ".join(f"{table}.{name} = :{name}" for name in entries.key)
    row = connection.row(
        f"SELECT {columns} FROM {entries.source or table} WHERE {which} AND {entries.condition}",
        **dict(zip(entries.key, key, strict=True)),
    )
    return None if row is None else dict(zip(names, row, strict=True))


def _digest(row: Mapping[str, Any], salt: str) -> str:
    plain = {
        name: _decoded(value) if name in ("document", "reason") else value for name, value in row.items()
    }
    return sha256(msgspec.json.encode(_without_names(plain, salt), order="sorted")).hexdigest()


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:  # as it was written before it was JSON
        return text


def _without_names(value: Any, salt: str, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _without_names(inner, salt, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_names(inner, salt) for inner in value]
    if key not in NAMES or not isinstance(value, str) or not value or value.startswith(_PERSON):
        return value
    return digest_of_person(value, salt)


def digest_of_person(name: str, salt: str) -> str:
    """What stands in a digest for the name of a person, and may take its place in the ledger."""
    return _PERSON + sha256(f"{salt}{name}".encode()).hexdigest()


def _head(before: str, kind: str, name: str, digest: str) -> str:
    return sha256("\n".join((before, kind, name, digest)).encode()).hexdigest()


def _append(connection: Connection, kind: str, name: str, digest: str) -> None:
    seq, before = _last(connection) or (0, "")
    head = _head(before, kind, name, digest)
    connection.insert("chain", seq=seq + 1, kind=kind, name=name, digest=digest, head=head)


def _last(connection: Connection) -> tuple[int, str] | None:
    row = connection.row("SELECT seq, head FROM chain ORDER BY seq DESC LIMIT 1")
    return row and (row[0], row[1])


_AT_ONCE = 1000


def _links(connection: Connection) -> Iterator[tuple[int, str, str, str, str]]:
    since = 0
    while rows := connection.rows(
        "SELECT seq, kind, name, digest, head FROM chain WHERE seq > :since ORDER BY seq LIMIT :most",
        since=since,
        most=_AT_ONCE,
    ):
        yield from rows
        since = rows[-1][0]


def salt_of(connection: Connection) -> str:
    """The ledger's own, without which a digest of a name could be found by trying names."""
    return str(connection.value("SELECT value FROM meta WHERE key = :key", key=_SALT) or "")
