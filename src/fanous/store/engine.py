"""Engine: the one client through which facts are read and written, in-process or on a server.

Both speak the ClickHouse dialect through ``clickhouse-connect`` (``store.client`` connects them).  An engine that may
write migrates tables of an older format when it opens them.  Each statement of a migration may be repeated, so a
process that dies half-way leaves the rest to the next one.  Rows are never rewritten here; what a new format needs from
old measurements comes from the archive (``fanous rejudge``).
"""

import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from itertools import accumulate, chain, compress, islice, repeat
from math import inf
from pathlib import Path
from shutil import disk_usage
from struct import calcsize, pack
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from fanous import __version__
from fanous.base.files import FULL
from fanous.base.text import printable
from fanous.errors import EngineFault, FanousError
from fanous.model.incident import Interval, Stretches
from fanous.store.cache import Memory
from fanous.store.location import OlderStore
from fanous.store.schema import FACTS, FORMAT, MIGRATIONS, ONE_BY_ONE, SYNTHETIC_ROWS, TABLES, Layout

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True, slots=True)
class Repeated:
    """A column in which each value is in several rows, one after another.

    Attributes:
        values: one per run.
        sizes: rows of each run.
    """

    values: list[Any]
    sizes: list[int]


Columns = Mapping[str, list[Any] | Repeated]
"""Name of a column -> its values, one per row."""


def rows_of(columns: Columns) -> int:
    """How many rows the columns have."""
    first = next(iter(columns.values()))
    return sum(first.sizes) if isinstance(first, Repeated) else len(first)


LAST = 9_000_000_000.0
"""Unix seconds, the year 2255: the engine's times end in 2299, and a broken clock must not stop a batch."""


def ticks(instant: float) -> int:
    """Microseconds, clipped to what the engine can store; NaN becomes the epoch."""
    return round(min(max(0.0, instant), LAST) * 1e6)


def bring_up_to_date(
    engine: "Engine",
    layout: Layout,
    migrations: Mapping[int, Callable[[Layout], Iterator[str]]] = MIGRATIONS,
    to: int = FORMAT,
) -> None:
    """Create missing tables, and migrate older ones to the current format.

    Raises:
        FanousError: a newer Fanous wrote them.
    """
    tables, found = engine.tables(), _format_of(engine, to)
    if found == to and tables >= TABLES.keys() and not layout.cluster:  # a new server may not have this table
        return
    for table in TABLES.values():
        for statement in layout.create(table):
            engine.run(statement)
    for version in range(max(found, 1) + 1, to + 1) if found else ():
        for statement in migrations[version](layout):
            engine.run(statement)
        _remember(engine, version)
    if not found:
        _remember(engine, to)


def check_current(engine: "Engine") -> None:
    """Refuse tables that would have to be created or migrated first, which a command that only reads never does.

    Raises:
        OlderStore: they are of an older format.
        FanousError: they are missing, or a newer Fanous wrote them.
    """
    tables, version = engine.tables(), _format_of(engine, FORMAT)
    if not version:
        raise FanousError(
            "this store has no facts. If they were removed, run `fanous rejudge`, which computes them from the archive"
        )
    is_unknown = "versions" in tables and not engine.rows(
        "SELECT 1 FROM versions LIMIT 1"
    )  # its file is damaged
    if not tables >= TABLES.keys() or (version < FORMAT and not is_unknown):
        raise OlderStore


def _format_of(engine: "Engine", newest: int) -> int:
    """The format of its tables; 0 = it has none.

    Raises:
        FanousError: a newer Fanous wrote them.
    """
    tables = engine.tables()
    if "measurements" in tables and "versions" in tables:
        found = int(engine.rows("SELECT max(version) FROM versions")[0][0] or 1)
    else:
        found = 1 if "measurements" in tables else 0
    if found > newest:
        raise FanousError(
            f"the facts of this store were written by a newer Fanous (format {found}, this one knows {newest}): "
            "install that version, or choose another store"
        )
    return found


def _remember(engine: "Engine", version: int) -> None:
    engine.insert("versions", {"version": [version], "since": [ticks(time.time())], "fanous": [__version__]})


MOST_SAID = 300
"""Most characters of the engine's error that are repeated."""

MORE_THREADS = "allow this process more threads: `ulimit -u`, or TasksMax= of the unit"

_DISK_FULL = ("No space left on device", "NOT_ENOUGH_SPACE", "Not enough space")
_ADVICE = {
    "UNKNOWN_DATABASE": "create it first: CREATE DATABASE",
    "AUTHENTICATION_FAILED": "check that user and password are correct",
    "ACCESS_DENIED": "grant this user the permission",
    "CLUSTER_DOESNT_EXIST": "use a cluster from the server's remote_servers",
    "MEMORY_LIMIT_EXCEEDED": "choose a shorter time range, or give the server more memory",
    "TOO_MANY_SIMULTANEOUS_QUERIES": "try again later",
    "CANNOT_SCHEDULE_TASK": MORE_THREADS,
}
"""Name of the engine's error -> what the operator can do."""

_REPAIR = (
    "the facts are damaged: restore them from a backup, or delete that folder and run `fanous rejudge`, which "
    "computes them again from the archive"
)
_DAMAGED = (
    "ATTEMPT_TO_READ_AFTER_EOF",
    "BAD_DATA_PART_NAME",
    "CANNOT_DECOMPRESS",
    "CANNOT_READ_ALL_DATA",
    "CHECKSUM_DOESNT_MATCH",
    "CORRUPTED_DATA",
    "FILE_DOESNT_EXIST",
    "NO_FILE_IN_DATA_PART",
    "TOO_LARGE_SIZE_COMPRESSED",
    "UNEXPECTED_END_OF_FILE",
    "UNKNOWN_CODEC",
)
LIKELY = "Most likely corrupted data"
"""Text within the error of a change, whose own name says only that it was not finished."""

_CAUSES = {
    "Too many open files": "raise the limit of open files: `ulimit -n`, or LimitNOFILE= of the unit",
    "filesystem error": "check that it is a folder of a store, and its permissions",
    "Error initializing EmbeddedServer": "another process may be using that folder: stop it; or this process may open "
    f"too few files (`ulimit -n`); if neither is so, {_REPAIR}",
    "Cannot determine memory amount": "check the limits of memory in /sys/fs/cgroup, which it reads",
    "Cannot allocate memory": "give the process more memory, or choose a shorter time range",
}
"""Text in the engine's error -> what the operator can do."""

_MANY_REMOVERS = f"""
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND position(engine_full, '{ONE_BY_ONE}') = 0
"""


LEAST_QUERY = 1 << 18
"""Bytes of a statement that the engine reads by default; the names of targets that readers may see come on top."""

ROOM_FOR_A_CHANGE = 1.2
"""Bytes that must be free for each of the largest part; the engine reserves 1.1."""

LEAST_ROOM = 1 << 20
"""Bytes, for the notes on the change itself."""

_LARGEST_PART = """
SELECT max(bytes_on_disk) FROM system.parts
WHERE active AND database = currentDatabase() AND table = {table:String}
"""

_IN_USE = "SELECT path FROM system.parts WHERE active AND database = currentDatabase()"

_SET_ASIDE = """
SELECT concat(table, '/', name) FROM system.detached_parts
WHERE database = currentDatabase() AND startsWith(ifNull(reason, ''), 'broken') ORDER BY table, name
"""


class Engine:
    """A client whose tables exist and are up to date.

    Args:
        client: closed by the engine.
        folder: of the engine in the process; ``None`` = a server has the facts.
        cluster: see ``Layout``.
        read_only: its tables and settings stay as they are.

    Raises:
        OlderStore: it is read-only, and its tables would have to be migrated.

    Attributes:
        most_names: names that one query may have.
    """

    def __init__(
        self, client: "Client", folder: Path | None, cluster: str = "", *, read_only: bool = False
    ) -> None:
        self._client, self._folder, self._layout = client, folder, Layout(cluster)
        self._reading: dict[str, str] = {}
        self.most_names = _NAMES_A_QUERY if folder is None else _NAMES_IN_PROCESS
        try:
            if read_only:
                check_current(self)
            else:
                bring_up_to_date(self, self._layout)
                if folder is not None:
                    # Apply ``ONE_BY_ONE`` to tables from before 28 November 2026.
                    for (table,) in self.rows(_MANY_REMOVERS):
                        self.run(f"ALTER TABLE `{table}` MODIFY SETTING {ONE_BY_ONE}")
        except BaseException:
            client.close()
            raise

    def close(self) -> None:
        self._client.close()

    def set_aside(self) -> list[str]:
        """Parts of tables that the in-process engine found broken when it opened them, and leaves out since then."""
        return [name for (name,) in self.rows(_SET_ASIDE)] if self._folder else []

    def missing(self) -> list[str]:
        """Folders of parts that the in-process engine uses and that are gone, or empty."""
        if self._folder is None:
            return []
        return [path for (path,) in self.rows(_IN_USE) if not Path(path, "checksums.txt").is_file()]

    def showing(self, *, synthetic: bool, targets: Set[str] | None = None) -> Self:
        """The same engine, whose queries see only synthetic rows, or only the others.

        The engine itself filters every query, so no statement can forget to.

        Args:
            targets: the only ones of which rows are seen, besides those about the line; ``None`` = all.
        """
        shown = copy(self)
        word = "" if synthetic else "NOT "
        filters = {table: f"{word}({rows})" for table, rows in SYNTHETIC_ROWS.items()}
        if targets is not None:
            names = ", ".join(map(_literal, ("", *sorted(targets))))
            filters |= {table: f"{filters[table]} AND target IN ({names})" for table in FACTS}
        value = ", ".join(f"'{table}': {_literal(rows)}" for table, rows in filters.items())
        shown._reading = {
            "additional_table_filters": f"{{{value}}}",
            "max_query_size": str(LEAST_QUERY + 2 * len(value)),
        }
        return shown

    def run(self, sql: str, **parameters: Any) -> None:
        """Run a statement that returns nothing."""
        with engine_errors("write facts"):
            self._client.command(sql, parameters=_bound(parameters))

    def remove(self, table: str, condition: str, **parameters: Any) -> None:
        """Delete rows, on every shard."""
        self._check_room(table)
        self.run(f"DELETE FROM {self._layout.rows_of(table)} WHERE {condition}", **parameters)

    def change(self, table: str, what: str, condition: str, **parameters: Any) -> None:
        """Update rows on every shard; finished when it returns."""
        self._check_room(table)
        rows = self._layout.rows_of(table)
        self.run(
            f"ALTER TABLE {rows} UPDATE {what} WHERE {condition} SETTINGS mutations_sync = 2", **parameters
        )

    def _check_room(self, table: str) -> None:
        """Raise ``FanousError`` if the disk has no room for a copy of the table's largest part: the engine reserves
        that for a change, and would wait for it silently, for as long as it takes."""
        if self._folder is None:
            return
        ((largest,),) = self.rows(_LARGEST_PART, table=table)
        free = disk_usage(self._folder).free
        if free < (needed := round(largest * ROOM_FOR_A_CHANGE) + LEAST_ROOM):
            raise FanousError(
                f"cannot change {table}: the disk is full: {free / 1e6:.1f} MB are free, and {needed / 1e6:.1f} MB are "
                f"needed; {FULL}",
                permanent=False,
            )

    def tables(self) -> set[str]:
        """Names of all tables in the database."""
        return {
            name for (name,) in self.rows("SELECT name FROM system.tables WHERE database = currentDatabase()")
        }

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The answer, row by row."""
        return [*zip(*self.columns(sql, **parameters), strict=True)]

    def columns(self, sql: str, **parameters: Any) -> list[list[Any]]:
        """The answer, column by column; empty if there are no rows."""
        with engine_errors("read facts"):
            result = self._client.query(
                sql, parameters=_bound(parameters), settings=self._reading, column_oriented=True
            )
            return [list(column) for column in result.result_columns]

    def insert(self, table: str, columns: Columns) -> None:
        """Add rows; they are on disk when this returns."""
        if not rows_of(columns):
            return
        kinds = {name: TABLES[table].columns[name] for name in columns}
        try:
            block = native(columns, kinds)
        except (UnicodeError, struct.error, TypeError, ValueError, AttributeError):
            block = native(mended(columns, kinds), kinds)
        self._write(table, list(columns), block)

    def _write(self, table: str, names: Sequence[str], block: bytes) -> None:
        packing = None
        if self._folder is None:  # for the way to a server
            import lz4.frame

            block, packing = lz4.frame.compress(block), "lz4"
        # Each of our attempts has a new token, so that only a retry by the client's own transport counts
        # as a duplicate: rows that were deleted and are written again must be inserted again.
        with engine_errors(f"write {table}"):
            self._client.raw_insert(
                table,
                column_names=names,
                insert_block=block,
                settings={"insert_deduplication_token": uuid4().hex},
                fmt="Native",
                compression=packing,
            )


class _Literal:
    """Text that the client passes on as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


_ESCAPED = ("\\", "`", "\t", "\n")
"""Letters that the client escapes, apart from the quote."""


def _bound(parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """Parameters as the client takes them.  It escapes names letter by letter, which takes 3 µs a name, so lists of
    names with nothing to escape are written here."""
    return {name: _written(value) for name, value in parameters.items()} or None


def _written(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        return value
    text = "', '".join(value)
    quotes = 2 * (len(value) - 1)
    is_plain = bool(value) and text.count("'") == quotes and not any(letter in text for letter in _ESCAPED)
    return _Literal(f"['{text}']") if is_plain else value


NAMED = "splitByChar(char(31), {names:String})"
"""The array of the names given as one text (``in_one_text``), which the engine splits in half the time that an array
takes.
"""


def in_one_text(names: Iterable[str]) -> Any:
    """The parameter of ``NAMED``; a name with the separator, which is no printable letter, is not found."""
    text = "\x1f".join(names)
    return text if any(letter in text for letter in _ESCAPED) else _Literal(text)


def _literal(text: str) -> str:
    """As a statement has it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def mended(columns: Columns, kinds: dict[str, str]) -> Columns:
    """Columns repaired so that the engine accepts them.

    Odd records contain numbers out of range and half characters (lone surrogates): the archive keeps them
    as they were, the facts keep the nearest value, and no record stops its batch.
    """
    return {name: _mended(_mender(kinds[name]), column) for name, column in columns.items()}


def _mended(mender: Callable[[Any], Any], column: list[Any] | Repeated) -> list[Any] | Repeated:
    if isinstance(column, Repeated):
        return Repeated([*map(mender, column.values)], column.sizes)
    return [*map(mender, column)]


def _mender(kind: str) -> Callable[[Any], Any]:
    if kind.startswith("Array("):
        inner = _mender(kind.removeprefix("Array(").removesuffix(")"))
        return lambda values: [inner(value) for value in values]
    if "String" in kind:
        return lambda text: text if text is None else str(text).encode("utf-8", "replace").decode()
    if kind.startswith(("UInt", "Int")):
        bits = int(kind.split("Int")[1])
        low, high = (0, 2**bits - 1) if kind.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return lambda number: min(max(int(number), low), high)
    return lambda value: value


# --- columns as the engine reads them -------------------------------------------------------------------------
# ClickHouse's format Native.  The client can write it too, row by row in Python, which took longer than what the engine
# does with it.  Here each column takes a few passes at the speed of C, and a value that is the same in all rows of a
# measurement is written once and repeated.

_CODES = {
    "UInt16": "H",
    "UInt32": "I",
    "Int32": "i",
    "Int64": "q",
    "Float64": "d",
    "DateTime64(6, 'UTC')": "q",  # microseconds
}
"""Kind of a column -> its values' code of ``struct``."""

_KEYS_VERSION = (1).to_bytes(8, "little")
_OWN_WORDS = 1 << 9 | 1 << 10
"""Flags of a column of words: they come with it, and are its own."""

_LENGTHS = [bytes([length]) for length in range(128)]


def native(columns: Columns, kinds: Mapping[str, str]) -> bytes:
    """Columns of equal length, at least one row, as one block.

    Raises:
        UnicodeError, struct.error, TypeError, ValueError: a value does not fit its column.
    """
    parts = [_length(len(columns)), _length(rows_of(columns))]
    for name, column in columns.items():
        kind = kinds[name]
        parts += [_text(name), _text(kind)]
        if isinstance(column, Repeated):
            words = [*compress(column.values, column.sizes)]  # no word is written that no row has
            parts += _column(kind, words, [*filter(None, column.sizes)])
        else:
            parts += _column(kind, column, None)
    return b"".join(parts)


def _column(kind: str, values: Sequence[Any], sizes: Sequence[int] | None) -> list[bytes]:
    if kind.startswith("LowCardinality("):
        return _words(values, sizes, is_nullable="Nullable(" in kind)
    if kind == "String":
        written = map(_Texts().__getitem__, values)
        return [*(written if sizes is None else map(bytes.__mul__, written, sizes))]
    if kind in _CODES:
        return [_numbers(_CODES[kind], values, sizes)]
    if kind == "Bool":
        return [_repeated(bytes(map(bool, values)), 1, sizes)]
    if sizes is not None:
        return _column(kind, [*chain.from_iterable(map(repeat, values, sizes))], None)
    inner = kind.partition("(")[2].removesuffix(")")
    if kind.startswith("Array("):
        ends = _numbers("Q", [*accumulate(map(len, values))], None)
        return [ends, *_column(inner, [*chain.from_iterable(filter(None, values))], None)]
    if kind.startswith("Nullable("):
        missing = bytes([value is None for value in values])
        return [missing, *_column(inner, [0 if value is None else value for value in values], None)]
    raise ValueError(f"no column of this store is of the kind {kind}")


class _Places(dict[Any, int]):
    """Each different word, and how many came before it."""

    def __missing__(self, word: Any) -> int:
        self[word] = place = len(self)
        return place


class _Texts(dict[str, bytes]):
    """Each different text as it is written."""

    def __missing__(self, text: str) -> bytes:
        self[text] = written = _text(text)
        return written


def _words(values: Sequence[Any], sizes: Sequence[int] | None, *, is_nullable: bool) -> list[bytes]:
    """The different texts, and for each row the place of its own among them.

    Args:
        is_nullable: the first place stands for None.
    """
    places = _Places({None: 0} if is_nullable else {})
    own = [*map(places.__getitem__, values)]
    count = len(places)
    width = (count.bit_length() - 1) // 8  # of a place: 1, 2, 4 or 8 bytes
    return [
        _KEYS_VERSION,
        pack("<QQ", _OWN_WORDS | width, count),
        *(b"\0" if is_nullable and word is None else _text(word) for word in places),
        pack("<Q", len(values) if sizes is None else sum(sizes)),
        _repeated(bytes(own), 1, sizes) if width == 0 else _numbers("BHIQ"[width], own, sizes),
    ]


def _numbers(code: str, values: Sequence[Any], sizes: Sequence[int] | None) -> bytes:
    return _repeated(pack(f"<{len(values)}{code}", *values), calcsize(f"<{code}"), sizes)


def _repeated(written: bytes, width: int, sizes: Sequence[int] | None) -> bytes:
    if sizes is None:
        return written
    places = range(0, len(written), width)
    return b"".join([written[at : at + width] * size for at, size in zip(places, sizes, strict=True)])


def _text(text: str) -> bytes:
    written = text.encode()
    length = len(written)
    return (_LENGTHS[length] if length < 128 else _length(length)) + written


def _length(length: int) -> bytes:
    """As a variable number of bytes (LEB128)."""
    written = bytearray()
    while length > 127:
        written.append(length & 127 | 128)
        length >>= 7
    written.append(length)
    return bytes(written)


# --- errors ---------------------------------------------------------------------------------------------------


class EndlessAnswer(OSError):
    """An answer that is too long, or that takes too long."""


@contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """Turn errors that the operator can fix into a ``FanousError``, and others into an ``EngineFault``."""
    from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

    try:
        yield
    except ClickHouseError as error:
        if any(words in str(error) for words in _DISK_FULL):
            raise FanousError(f"cannot {what}: the disk is full; {FULL}", permanent=False) from error
        if "already initialized with path" in str(error):
            raise FanousError(
                f"cannot {what}: this process has another store open; close it first"
            ) from error
        # What the engine said, before the trace of its C++ code.
        text = printable(str(error).partition("Stack trace")[0]).strip(" ,")[:MOST_SAID]
        if advice := _advice(str(error)):
            raise FanousError(f"cannot {what}: {text}; {advice}", permanent=False) from error
        if endless := _endless(error):
            raise FanousError(
                f"cannot {what}: {endless}; check that it is the HTTP interface of a ClickHouse server",
                permanent=False,
            ) from error
        if isinstance(error, OperationalError) and _never_arrived(error):
            raise FanousError(
                f"cannot {what}: {text}; check that the server is running", permanent=False
            ) from error
        raise EngineFault(f"cannot {what}: {text}") from None


def _advice(text: str) -> str:
    """What the operator can do; empty = nothing."""
    for name, advice in _ADVICE.items():
        if f"({name})" in text:
            return advice
    # A broken file causes further errors, so causes are looked for before damage.
    for words, advice in _CAUSES.items():
        if words in text:
            return advice
    is_damaged = LIKELY in text or any(f"({name})" in text for name in _DAMAGED)
    return _REPAIR if is_damaged else ""


def _endless(error: BaseException | None) -> EndlessAnswer | None:
    """The cause, if it is a server's answer that was given up."""
    while error is not None and not isinstance(error, EndlessAnswer):
        error = error.__cause__ or error.__context__
    return error


def _never_arrived(error: BaseException) -> bool:
    """Did the connection fail, rather than the query?"""
    from urllib3.exceptions import HTTPError

    return error.__cause__ is not None and isinstance(error.__cause__, HTTPError | OSError)


# --- conditions and their parameters ---------------------------------------------------------------------------

IN_WINDOW = (
    "started_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') "
    "AND started_at < fromUnixTimestamp64Micro({until:Int64}, 'UTC')"
)
AT_IN_WINDOW = IN_WINDOW.replace("started_at", "at")
"""The same for bins of ready-made series."""
# The plain bounds come first: they alone let the engine skip what is outside.  The rest looks an instant up among the
# ends of all intervals, in a memory that does not grow with their number: comparing each instant with each interval
# took a gigabyte for 40,000 measurements and thirty of them.
IN_INTERVALS = (
    f"{IN_WINDOW} AND roundDown(toUnixTimestamp64Micro(started_at), {{edges:Array(Int64)}}) "
    "IN {starts:Array(Int64)}"
)
_OWN = (
    f"{IN_WINDOW} AND %(asn)s IN {{places:Array(UInt32)}} AND roundDown("
    "transform(%(asn)s, {places:Array(UInt32)}, {offsets:Array(Int64)}, toInt64(0)) + "
    "least(toUnixTimestamp64Micro(started_at) - {since:Int64}, {width:Int64} - 1), "
    "{edges:Array(Int64)}) IN {starts:Array(Int64)}"
)
IN_STRETCHES = _OWN % {"asn": "asn"}
"""The same if each network has its own intervals: they lie one after another on a line on which each network has a
piece of ``width`` microseconds."""
IN_ANY_STRETCH = _OWN % {"asn": "toUInt32(0)"}
"""Within the stretches that are given for network 0."""


def window(since: float, until: float) -> dict[str, int]:
    """Parameters of ``IN_WINDOW``."""
    return {"since": ticks(since), "until": ticks(until)}


def in_any(intervals: Sequence[Interval]) -> dict[str, int | list[int]]:
    """Parameters of ``IN_INTERVALS``; an interval without end lasts forever."""
    whole = _apart(intervals)
    return {**_bounds(whole), **_edges(whole)}


def in_stretches(stretches: Stretches) -> dict[str, int | list[int]]:
    """Parameters of ``IN_STRETCHES``: ASN -> its intervals."""
    own = {asn: whole for asn, intervals in stretches.items() if (whole := _apart(intervals))}
    bounds = _bounds([pair for whole in own.values() for pair in whole])
    since, latest = bounds["since"], ticks(inf)
    # What is later than every end is like the last instant, so that an interval without end needs no more room.
    last = max(
        (edge for whole in own.values() for pair in whole for edge in pair if edge < latest), default=since
    )
    width = last - since + 2
    offsets = [n * width for n in range(len(own))]
    placed = [
        (offset + start - since, offset + min(end - since, width))
        for offset, whole in zip(offsets, own.values(), strict=True)
        for start, end in whole
    ]
    return {**bounds, **_edges(_joined(placed)), "places": list(own), "offsets": offsets, "width": width}


def _apart(intervals: Sequence[Interval]) -> list[tuple[int, int]]:
    """Their ends in microseconds, in order; those that touch or overlap are one, and empty ones are none."""
    latest = ticks(inf)
    return _joined([(ticks(i.start), latest if i.end is None else ticks(i.end)) for i in intervals])


def _joined(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(pair for pair in pairs if pair[0] < pair[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def _bounds(pairs: Sequence[tuple[int, int]]) -> dict[str, int]:
    """From the first beginning to the last end; nothing is within the bounds of no intervals."""
    starts, ends = [start for start, _ in pairs], [end for _, end in pairs]
    return {"since": min(starts, default=0), "until": max(ends, default=0)}


def _edges(pairs: Sequence[tuple[int, int]]) -> dict[str, list[int]]:
    """Of intervals that do not touch: an instant is in one of them if the last edge before it is a beginning; -1 is
    before all of them."""
    return {
        "starts": [start for start, _ in pairs],
        "edges": [-1, *(edge for pair in pairs for edge in pair)],
    }


_NAMES_A_QUERY = 2000
"""A server limits the text of a query to 256 KiB, and a uid has up to 64 characters."""

_NAMES_IN_PROCESS = 10_000
"""Parameters are not part of the text there."""


def by_query(names: Iterable[str], most: int = _NAMES_A_QUERY) -> Iterator[list[str]]:
    """Names in groups of as many as one query may have."""
    rest = iter(names)
    while chunk := list(islice(rest, most)):
        yield chunk


def plain(uid: str) -> str:
    """The uid as tables store it: half a character cannot be stored (``mended``)."""
    return uid.encode("utf-8", "replace").decode()


READ_ONLY = "this store was opened read-only: open it for writing"


class FactsPart:
    """Base of the parts of ``store.facts.Facts``: the queries on one subject, for one engine.

    Args:
        engine: one that shows only synthetic rows or only the others, perhaps of some targets (``Engine.showing``).
        read_only: the store was opened read-only: writes are refused.
        synthetic: which of the two ``engine`` shows.

    Attributes:
        memory: keeps answers; ``None`` = every query goes to the engine.
    """

    memory: Memory | None = None

    def __init__(self, engine: Engine, *, read_only: bool = False, synthetic: bool = False) -> None:
        self.engine = engine
        self.synthetic = synthetic
        self._read_only = read_only

    def remembering(self, memory: Memory) -> Self:
        """The same facts, read-only, whose answers are kept in a memory."""
        shown = copy(self)
        shown.memory, shown._read_only = memory, True
        return shown

    def may_write(self) -> None:
        """Refuse to write if the store was opened read-only.

        Raises:
            FanousError: it was.
        """
        if self._read_only:
            raise FanousError(READ_ONLY)
