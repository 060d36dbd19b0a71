"""Schema: the tables of facts, once, for the in-process engine and for a cluster.

Every table carries the archive segment its rows come from: what belongs to a segment can be removed and
computed again.  Missing values are kept as the model has them: NaN, NULL, empty, -1.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

FORMAT = 7
"""Version of a store's contents; raise it when an older Fanous could misread a newer store, and add an entry to
``MIGRATIONS``, and a fixture of the previous format to the tests."""

_TEXT, _WORD, _FLAG = "String", "LowCardinality(String)", "Bool"
_TIME = "DateTime64(6, 'UTC')"

PROVENANCE = {"provenance": _WORD}
"""Provenance as in ``model.measurement``, in every table from which conclusions are drawn."""

SENDER = {"receipt": _TIME, "vouched": _FLAG, "volunteer": _FLAG}
"""When a collector received a measurement (when it was made, if only its sender says so), whether an operator answers
for who sent it, and whether that is a known volunteer."""

MEASUREMENTS = {
    "uid": _TEXT,
    "source": _WORD,
    "test_name": _WORD,
    "test_version": _WORD,
    "country": _WORD,
    "asn": "UInt32",
    "resolver_asn": "UInt32",
    "access": _WORD,
    "started_at": _TIME,
    "received_at": _TIME,
    "probe": _TEXT,
    "software": _WORD,
    "input": _TEXT,
    "target": _WORD,
    "defect": _WORD,
    "network_name": _WORD,
    "segment": _WORD,
    "position": "UInt32",
    "observations": "UInt32",
    "control_failure": "LowCardinality(Nullable(String))",
    "bogus": "Array(String)",
    **PROVENANCE,
    **SENDER,
}

OBSERVATIONS = {
    "uid": _TEXT,
    "country": _WORD,
    "asn": "UInt32",
    "started_at": _TIME,
    "segment": _WORD,
    "number": "UInt32",
    "layer": _WORD,
    "target": _WORD,
    "hostname": _WORD,
    "vantage": _WORD,
    "role": _WORD,
    "ip": _WORD,
    "port": "UInt16",
    "failure": "LowCardinality(Nullable(String))",
    "at": "Float64",
    "seconds": "Float64",
    "resolver": _WORD,
    "query_type": _WORD,
    "answers": "Array(String)",
    "answer_asns": "Array(UInt32)",
    "ttls": "Array(Int64)",
    "cert_valid": "Nullable(Bool)",
    "cert_sha256": _TEXT,
    "cert_subject": _TEXT,
    "cert_issuer": _WORD,
    "url": _TEXT,
    "status_code": "Int32",
    "body_length": "Int64",
    "body_truncated": _FLAG,
    "title": _TEXT,
    "header_names": "Array(String)",
    "location": _TEXT,
    "server": _WORD,
    "received": "Int64",
    "kbps": "Float64",
    "largest_gap": "Float64",
    **PROVENANCE,
}

VERDICTS = {
    "uid": _TEXT,
    "country": _WORD,
    "asn": "UInt32",
    "resolver_asn": "UInt32",
    "access": _WORD,
    "probe": _TEXT,
    "started_at": _TIME,
    "test_name": _WORD,
    "source": _WORD,
    "defect": _WORD,
    "rules_version": _WORD,
    "segment": _WORD,
    "number": "UInt32",
    "target": _WORD,
    "layer": _WORD,
    "state": _WORD,
    "rule_id": _WORD,
    "mechanism": _WORD,
    "why": _TEXT,
    "symptom": _FLAG,
    "controlled": _FLAG,
    "observations": "UInt32",
    "kbps": "Float64",
    "role": _WORD,
    **PROVENANCE,
    **SENDER,
}

SEGMENTS = {
    "segment": _TEXT,
    "country": _WORD,
    "records": "UInt32",
    "rules_version": _WORD,
    "damage": _TEXT,
    "committed_at": _TIME,
}
"""The marker of a segment: all its rows are in.  Written last, removed first.  ``damage`` not empty = the
file cannot be read and why; it has no rows."""

LEVELS = {
    "source": _WORD,
    "licence": _WORD,
    "country": _WORD,
    "region": _WORD,
    "asn": "UInt32",
    "access": _WORD,
    "target": _WORD,
    "signal": _WORD,
    "subtype": _WORD,
    "step": "UInt32",
    "at": _TIME,
    "value": "Nullable(Float64)",
    "fetched_at": _TIME,
    **PROVENANCE,
    "synthetic": _FLAG,
}
"""Quantity series, one row per bin.  NULL = the source has no value there; a row fetched again replaces the
previous one, so that late corrections win.  A synthetic row replaces no other."""

PULLS = {
    "source": _WORD,
    "country": _WORD,
    "piece": _TEXT,
    "since": _TIME,
    "until": _TIME,
    "pulled_at": _TIME,
}
"""Windows of a live source that are stored: what a backfill need not request again."""

IDENTITIES = {"key": _TEXT, "leads_to": _TEXT, "started_at": _TIME, **PROVENANCE}
"""How a measurement is recognised (``store.facts``)."""

VERSIONS = {"version": "UInt32", "since": _TIME, "fanous": _TEXT}
"""The formats the tables have had, and the version of Fanous that migrated them.  A store of format 1 lacks
this table.
"""


@dataclass(frozen=True, slots=True)
class FactTable:
    """A table, its columns with their types, and its sort key.

    Attributes:
        shared_by: decides on which shard of a cluster a row is stored.  Rows that replace each other must
            meet; those of a measurement meet so that they are gathered where they are.
        version: column whose greatest value wins among rows with one sort key; empty = all rows count.
    """

    name: str
    columns: dict[str, str]
    sorted_by: str
    shared_by: str
    index: str = ""
    version: str = ""

    def engine(self, engine: str) -> str:
        """``MergeTree`` or ``ReplicatedMergeTree`` as this table needs it."""
        if not self.version:
            return engine
        return f"{engine.removesuffix('MergeTree')}ReplacingMergeTree({self.version})"


# Questions name a country, a time and often targets; a day of a country is a few granules of 8,192 rows.
_BY_PLACE_AND_DAY = "country, toDate(started_at), target, asn, started_at, uid"
# A probe's uid begins with its time in OONI's format, so that parts and granules hold neighbours.
_FIND_UID = "INDEX find_uid uid TYPE bloom_filter(0.01) GRANULARITY 1"
# Rows of a segment are removed by its name, and are in few parts.
FIND_SEGMENT = "INDEX find_segment segment TYPE bloom_filter(0.01) GRANULARITY 8"

LEVEL_KEY = "country, signal, source, region, asn, access, target, subtype, step"
LEVELS_SORTED_BY = f"{LEVEL_KEY}, at, synthetic"

TABLES = {
    table.name: table
    for table in (
        FactTable(
            "measurements",
            MEASUREMENTS,
            "country, toDate(started_at), asn, started_at, uid",
            "uid",
            f"{_FIND_UID}, {FIND_SEGMENT}",
        ),
        FactTable("observations", OBSERVATIONS, _BY_PLACE_AND_DAY, "uid", FIND_SEGMENT),
        FactTable("verdicts", VERDICTS, _BY_PLACE_AND_DAY, "uid", FIND_SEGMENT),
        FactTable("segments", SEGMENTS, "segment", "segment"),
        FactTable("levels", LEVELS, LEVELS_SORTED_BY, "country", version="fetched_at"),
        FactTable("pulls", PULLS, "source, country, piece, since, until", "country", version="pulled_at"),
        FactTable(
            "identities",
            IDENTITIES,
            "toDate(started_at), key, leads_to, provenance",
            "key",
            "INDEX find_key key TYPE bloom_filter(0.01) GRANULARITY 1",
            version="started_at",
        ),
        FactTable("versions", VERSIONS, "version", "version"),
    )
}
FACTS = ("observations", "verdicts", "measurements")
"""The tables a segment's rows are in, in the order they are written."""

SENT = "edge"
"""Source of what probes sent to a collector of ours, or what ours measured here."""

SYNTHETIC_ROWS = {**dict.fromkeys((*FACTS, "identities"), "provenance = 'synthetic'"), "levels": "synthetic"}
"""Table -> which of its rows are synthetic.  Queries see only these, or only the others."""

# fsync: the marker must never survive a power cut that its rows did not (3 ms per insert).
_DURABLE = "fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192"
# window: an insert that the client sends again under the same token is taken once.  Replicated tables have
# such a window of their own.
_WINDOW = "non_replicated_deduplication_window = 100"

ONE_BY_ONE = "concurrent_part_removal_threshold = 1000000"
"""In the process, old parts are removed by one thread.  Otherwise the engine starts a thread for each of them, up to
128, as soon as a hundred are old, and keeps these threads and three open files of each for as long as the process
lives.
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tables of facts are, the only thing in which statements differ.

    Attributes:
        cluster: a server's cluster; each table is then ``NAME_rows``, replicated, on every shard, and ``NAME`` is
            all of them together.  Empty = plain tables, in the process or on one server.
    """

    cluster: str = ""

    def rows_of(self, table: str) -> str:
        """The table that holds the rows, as named in a statement that changes them in place."""
        return f"{table}_rows ON CLUSTER '{self.cluster}'" if self.cluster else table

    def tables_of(self, table: str) -> Iterator[str]:
        """Each table that has the columns, as named in a statement that changes them."""
        yield self.rows_of(table)
        if self.cluster:
            yield f"{table} ON CLUSTER '{self.cluster}'"

    def create(self, table: FactTable) -> Iterator[str]:
        """The statements that create a table if it is missing."""
        columns = [f"`{name}` {kind}" for name, kind in table.columns.items()]
        body = ", ".join([*columns, table.index] if table.index else columns)
        engine = table.engine("ReplicatedMergeTree" if self.cluster else "MergeTree")
        settings = _DURABLE if self.cluster else f"{_DURABLE}, {_WINDOW}, {ONE_BY_ONE}"
        yield (
            f"CREATE TABLE IF NOT EXISTS {self.rows_of(table.name)} ({body}) "
            f"ENGINE = {engine} ORDER BY ({table.sorted_by}) SETTINGS {settings}"
        )
        if self.cluster:
            yield (
                f"CREATE TABLE IF NOT EXISTS {table.name} ON CLUSTER '{self.cluster}' AS {table.name}_rows "
                f"ENGINE = Distributed('{self.cluster}', currentDatabase(), {table.name}_rows, "
                f"cityHash64({table.shared_by}))"
            )


def _to_2(layout: Layout) -> Iterator[str]:
    """An index to find the rows of a segment; without it, deleting some reads the whole column."""
    for table in FACTS:
        rows = layout.rows_of(table)
        yield f"ALTER TABLE {rows} ADD {FIND_SEGMENT.replace('INDEX', 'INDEX IF NOT EXISTS', 1)}"
        yield f"ALTER TABLE {rows} MATERIALIZE INDEX find_segment"


def _to_3(layout: Layout) -> Iterator[str]:
    """Gives every row its provenance.  What no probe of ours sent came from a file, as far as is known; what is
    synthetic is found in the archive (``store.local``)."""
    guessed = "DEFAULT if(source = 'edge', 'real', 'imported')"
    for table, default in (
        ("measurements", guessed),
        ("verdicts", guessed),
        ("observations", "DEFAULT 'real'"),
        ("levels", "DEFAULT 'imported'"),
    ):
        for rows in layout.tables_of(table):
            yield f"ALTER TABLE {rows} ADD COLUMN IF NOT EXISTS provenance LowCardinality(String) {default}"
    for rows in layout.tables_of("levels"):
        sorts = "" if rows.startswith("levels ON") else f", MODIFY ORDER BY ({LEVELS_SORTED_BY})"
        yield f"ALTER TABLE {rows} ADD COLUMN IF NOT EXISTS synthetic Bool{sorts}"


def _to_4(_layout: Layout) -> Iterator[str]:
    """Provenance may be unvouched, which earlier versions cannot read; what is, is found in the archive
    (``store.local``)."""
    yield from ()


def _to_5(layout: Layout) -> Iterator[str]:
    """When measurements were received, and whether someone answers for them.  What is stored counts as received when it
    was made, until it is judged again."""
    defaults = {"receipt": "started_at", "vouched": f"source = '{SENT}' AND provenance != 'unvouched'"}
    for table in ("measurements", "verdicts"):
        for rows in layout.tables_of(table):
            for name, default in defaults.items():
                yield f"ALTER TABLE {rows} ADD COLUMN IF NOT EXISTS {name} {SENDER[name]} DEFAULT {default}"


def _to_6(layout: Layout) -> Iterator[str]:
    """Whether a known volunteer measured: no collector knew any before."""
    for table in ("measurements", "verdicts"):
        for rows in layout.tables_of(table):
            yield f"ALTER TABLE {rows} ADD COLUMN IF NOT EXISTS volunteer {_FLAG}"


def _to_7(_layout: Layout) -> Iterator[str]:
    """The ledger has a chain (``store.chain``), to which earlier versions would not add what they write."""
    yield from ()


MIGRATIONS: Mapping[int, Callable[[Layout], Iterator[str]]] = {
    2: _to_2,
    3: _to_3,
    4: _to_4,
    5: _to_5,
    6: _to_6,
    7: _to_7,
}
"""Format -> the statements that lead to it from the format before."""
