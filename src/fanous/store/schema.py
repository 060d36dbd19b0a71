"""Schema: the tables of facts, once, for the in-process engine and for a cluster.

Every table carries the archive segment its rows come from: what belongs to a segment can be removed and
computed again.  Missing values are kept as the model has them: NaN, NULL, empty, -1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

FORMAT = 1
"""Version of all that a store holds; raise it when an older Fanous could misread a newer store."""

_TEXT, _WORD, _FLAG = "String", "LowCardinality(String)", "Bool"
_TIME = "DateTime64(6, 'UTC')"

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
}
"""Ready-made series, a row a bin.  NULL = the source has no value there; a row that is fetched again takes
the place of the one before, so that late corrections win."""

PULLS = {
    "source": _WORD,
    "country": _WORD,
    "piece": _TEXT,
    "since": _TIME,
    "until": _TIME,
    "pulled_at": _TIME,
}
"""Which windows of a live source are in: what a backfill need not ask for again."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its columns with their types, and its sort key.

    Attributes:
        version: column whose greatest value wins among rows of one sort key; empty = all rows stand.
    """

    name: str
    columns: dict[str, str]
    sorted_by: str
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

LEVEL_KEY = "country, signal, source, region, asn, access, target, subtype, step"

TABLES = {
    table.name: table
    for table in (
        Table("measurements", MEASUREMENTS, "country, toDate(started_at), asn, started_at, uid", _FIND_UID),
        Table("observations", OBSERVATIONS, _BY_PLACE_AND_DAY),
        Table("verdicts", VERDICTS, _BY_PLACE_AND_DAY),
        Table("segments", SEGMENTS, "segment"),
        Table("levels", LEVELS, f"{LEVEL_KEY}, at", version="fetched_at"),
        Table("pulls", PULLS, "source, country, piece, since, until", version="pulled_at"),
    )
}
FACTS = ("observations", "verdicts", "measurements")
"""The tables a segment's rows are in, in the order they are written."""

# fsync: the marker must never survive a power cut that its rows did not (3 ms an insert).
# window: an insert that the client sends again under the same token is taken once.
_EMBEDDED_SETTINGS = (
    "fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 100, "
    "index_granularity = 8192"
)


def ddl(engine: str = "MergeTree", on_cluster: str = "", settings: str = _EMBEDDED_SETTINGS) -> Iterator[str]:
    """The statements that make the tables where they are missing.

    Args:
        engine: ``MergeTree``, or for a cluster ``ReplicatedMergeTree`` (never tried: no server can be
            installed where this is developed).
        on_cluster: ``ON CLUSTER name`` or empty.
    """
    for table in TABLES.values():
        columns = [f"`{name}` {kind}" for name, kind in table.columns.items()]
        body = ", ".join([*columns, table.index] if table.index else columns)
        yield (
            f"CREATE TABLE IF NOT EXISTS {table.name} {on_cluster} ({body}) "
            f"ENGINE = {table.engine(engine)} ORDER BY ({table.sorted_by}) SETTINGS {settings}"
        )
