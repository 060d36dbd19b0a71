"""Facts: what was read from measurements, in columns; a segment counts completely, once, or not at all.

A segment's rows count when its marker is in the table ``segments``.  Rows are written first and the marker
last; before a segment is written again, its marker is deleted first, then its rows.  So a crash at any point
leaves a segment either complete or without a marker, and one without a marker is simply written again.

Each query is next to its SQL: ``votes`` (votes from verdicts), ``evidence`` (what supports a claim),
``coverage`` (what was measured), ``series`` (of public sources), and here single measurements by their uid.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any, TypeVar

import msgspec
from msgspec.structs import astuple

from fanous.model.instant import DAY
from fanous.model.measurement import Measurement, Observation, Provenance
from fanous.model.verdict import Verdict
from fanous.store.archive import Location, Placed, Segment, parse_name
from fanous.store.coverage import CoverageFacts
from fanous.store.engine import IN_WINDOW, by_query, plain, ticks, window
from fanous.store.evidence import EvidenceFacts
from fanous.store.identities import IdentityFacts
from fanous.store.native import Columns, Repeated
from fanous.store.schema import FACTS, MEASUREMENTS, OBSERVATIONS, VERDICTS
from fanous.store.series import SeriesFacts
from fanous.store.votes import CountFacts, VoteFacts

Window = tuple[str, float, float]
"""Country, first and last instant (unix seconds, UTC; half-open)."""


@dataclass(frozen=True, slots=True)
class StoredMeasurement:
    """The header of a measurement, and where its raw record is; for attributes see ``ParsedMeasurement``."""

    measurement: Measurement
    source: str
    received_at: float
    location: Location
    observations: int
    control_failure: str | None
    bogus: tuple[str, ...]
    provenance: Provenance


Noun = TypeVar("Noun", Measurement, Observation, Verdict)

# The measurement's country and time are found first: given these, its rows are one granule.
_OF_UID = (
    "(country, started_at, uid) IN "
    "(SELECT country, started_at, uid FROM measurements WHERE uid = {uid:String})"
)
_LOCATIONS = f"""
SELECT segment, position FROM measurements WHERE uid IN {{uids:Array(String)}} AND {IN_WINDOW}
ORDER BY segment, position
"""
_OF_PROBES = """
SELECT uid, segment, position, country, toUnixTimestamp64Micro(started_at) / 1000000 FROM measurements
WHERE probe IN {probes:Array(String)} ORDER BY segment, position
"""


class Facts(VoteFacts, CountFacts, EvidenceFacts, CoverageFacts, SeriesFacts, IdentityFacts):
    """Everything read from measurements, and the series of public sources, in columns.

    ``add``, ``remove`` and ``marked`` are for the store alone, which keeps archive and facts in step.
    """

    def known(self, uids: Iterable[str], *, settled: bool = False) -> set[str]:
        """Those of ``uids`` that are stored.

        Args:
            settled: only in segments that are whole (a crash leaves rows without their marker).
        """
        sql = "SELECT DISTINCT uid FROM measurements WHERE uid IN {uids:Array(String)}"
        if settled:
            sql += " AND segment IN (SELECT segment FROM segments)"
        spelled = {uid: plain(uid) for uid in uids}
        found = {uid for some in by_query(spelled.values()) for (uid,) in self.engine.rows(sql, uids=some)}
        return {uid for uid, stored in spelled.items() if stored in found}

    def add(self, placed: Sequence[Placed], records: Mapping[Segment, int], version: str) -> None:
        """Write the rows of whole segments, then their markers.

        Args:
            records: the segments, and how many of ``placed`` are in each (possibly none).
        """
        placed = sorted(placed, key=_place_and_day)
        columns = _columns(placed, version)
        for table in FACTS:
            self.engine.insert(table, columns.pop(table))
        self.engine.insert("segments", _marker_columns(records, version))

    def set_aside(self, segment: Segment, why: str) -> None:
        """Continue without a segment that cannot be read: its rows are deleted, and ``damaged`` names it."""
        self.may_write()
        self.remove([segment])
        self.engine.insert("segments", _marker_columns({segment: 0}, "", why))

    def observations_before(self, before: float, kept: Sequence[Window]) -> int:
        """Rows of observations that were made before an instant.

        Args:
            kept: country, first and last instant; rows within these spans do not count.
        """
        where, values = _older(before, kept)
        ((count,),) = self.engine.rows(f"SELECT count() FROM observations WHERE {where}", **values)
        return int(count)

    def drop_observations(self, before: float, kept: Sequence[Window]) -> None:
        """Delete those rows.  Measurements, verdicts and raw records stay, and with them every conclusion,
        and ``replace_verdicts`` restores the rows."""
        self.may_write()
        where, values = _older(before, kept)
        self.engine.remove("observations", where, **values)

    def remove(self, segments: Sequence[Segment]) -> None:
        """Delete segments: the markers, then the rows."""
        names = [segment.name for segment in segments]
        for table in ("segments", *FACTS):
            self.engine.remove(table, "segment IN {names:Array(String)}", names=names)

    def marked(self) -> set[str]:
        """Names of the segments whose rows are all in, or that were set aside as damaged."""
        return {row[0] for row in self.engine.rows("SELECT segment FROM segments")}

    def damaged(self) -> list[tuple[Segment, str]]:
        """Segments set aside, and why."""
        rows = self.engine.rows("SELECT segment, damage FROM segments WHERE damage != '' ORDER BY segment")
        return [(segment, why) for name, why in rows if (segment := parse_name(name))]

    def judged_otherwise(self, rules_version: str, country: str | None = None) -> Iterator[Segment]:
        """Segments whose verdicts come from other rules than ``rules_version``, in order of receipt, including those
        set aside, since their file may have been restored."""
        where = " AND country = {country:String}" if country else ""
        rows = self.engine.rows(
            f"SELECT segment FROM segments WHERE rules_version != {{version:String}}{where} ORDER BY segment",
            version=rules_version,
            country=country or "",
        )
        return (segment for (name,) in rows if (segment := parse_name(name)))

    def records_of(self, probes: Iterable[str]) -> list[tuple[str, Location, str, float]]:
        """The uids of these probes' measurements, where their records are, country and instant; in order of receipt."""
        return [
            (uid, _location(segment, position), country, made)
            for some in by_query(dict.fromkeys(probes))
            for uid, segment, position, country, made in self.engine.rows(_OF_PROBES, probes=some)
        ]

    def measurement(self, uid: str) -> StoredMeasurement | None:
        """The measurement, by any of its uids; ``None`` = unknown."""
        sql = f"SELECT {_selected(MEASUREMENTS)} FROM measurements WHERE uid = {{uid:String}} LIMIT 1"
        rows = self.engine.rows(sql, uid=uid) or self.engine.rows(sql, uid=self.renamed(uid))
        if not rows:
            return None
        row = dict(zip(MEASUREMENTS, rows[0], strict=True))
        return StoredMeasurement(
            measurement=_noun(Measurement, row),
            source=row["source"],
            received_at=row["received_at"],
            location=_location(row["segment"], row["position"]),
            observations=row["observations"],
            control_failure=row["control_failure"],
            bogus=tuple(row["bogus"]),
            provenance=Provenance(row["provenance"]),
        )

    def locations(self, uids: Iterable[str], since: float, until: float) -> list[Location]:
        """Where the raw records of these measurements are, in order of receipt; unknown ones are left out."""
        rows = [
            row
            for some in by_query(uids)
            for row in self.engine.rows(_LOCATIONS, uids=some, **window(since, until))
        ]
        return [_location(segment, position) for segment, position in sorted(rows)]

    def verdicts(self, uid: str) -> list[Verdict]:
        """Its verdicts, in the order in which they were made."""
        return [_noun(Verdict, row) for row in self._facts_of("verdicts", VERDICTS, uid)]

    def observations(self, uid: str) -> list[Observation]:
        """Its observations, in the order in which they were parsed, without bodies and headers."""
        return [_noun(Observation, row) for row in self._facts_of("observations", OBSERVATIONS, uid)]

    def _facts_of(self, table: str, columns: dict[str, str], uid: str) -> list[dict[str, Any]]:
        sql = f"SELECT {_selected(columns)} FROM {table} WHERE {_OF_UID} ORDER BY number"
        return [dict(zip(columns, row, strict=True)) for row in self.engine.rows(sql, uid=uid)]


def _older(before: float, kept: Sequence[Window]) -> tuple[str, dict[str, Any]]:
    """A condition, and the values of its parameters."""
    at = "toUnixTimestamp64Micro(started_at)"
    texts = [f"{at} < {{before:Int64}}"]
    values: dict[str, Any] = {"before": ticks(before)}
    for n, (country, first, last) in enumerate(kept):
        texts.append(f"NOT (country = {{c{n}:String}} AND {at} >= {{a{n}:Int64}} AND {at} < {{b{n}:Int64}})")
        values |= {f"c{n}": country, f"a{n}": ticks(first), f"b{n}": ticks(last)}
    return " AND ".join(texts), values


# One list per column and one pass per list: with ten observations per measurement, this is where ingest
# spends its time in the store.


def _place_and_day(one: Placed) -> tuple[str, float, str, int, float, str]:
    """The order in which the tables keep rows; the engine sorts them column by column if they arrive in another."""
    header = one.judged.parsed.measurement
    at = header.started_at
    return header.country, at // DAY, header.target, header.asn, at, header.uid


def _columns(placed: Sequence[Placed], rules_version: str) -> dict[str, Columns]:
    """Table -> its columns."""
    bundles = [p.judged.parsed for p in placed]
    verdicts = [p.judged.verdicts for p in placed]
    own = _fields([parsed.measurement for parsed in bundles], Measurement)
    own |= {
        "source": [p.judged.record.source for p in placed],
        "started_at": [ticks(at) for at in own["started_at"]],
        "received_at": [ticks(p.received_at) for p in placed],
        "segment": [p.location.segment.name for p in placed],
        "position": [p.location.position for p in placed],
        "observations": [len(parsed.observations) for parsed in bundles],
        "control_failure": [parsed.control_failure for parsed in bundles],
        "bogus": [parsed.bogus for parsed in bundles],
        "provenance": [str(p.judged.record.provenance) for p in placed],
    }
    return {
        "measurements": {name: own[name] for name in MEASUREMENTS},
        "observations": _rows(OBSERVATIONS, Observation, [parsed.observations for parsed in bundles], own),
        "verdicts": {
            **_rows(VERDICTS, Verdict, verdicts, own),
            "rules_version": Repeated([rules_version], [sum(map(len, verdicts))]),
        },
    }


def _rows(
    table: Mapping[str, str], kind: type, rows: Sequence[Sequence[Any]], own: Mapping[str, list[Any]]
) -> Columns:
    """The columns of a table with several rows for each measurement.

    Args:
        rows: the rows of each measurement.
        own: columns of the measurements, whose values are repeated in each row.
    """
    sizes = [*map(len, rows)]
    columns: dict[str, list[Any] | Repeated] = {
        **{name: Repeated(values, sizes) for name, values in own.items()},
        **_fields([*chain.from_iterable(rows)], kind),
        "number": [*chain.from_iterable(map(range, sizes))],
    }
    return {name: columns[name] for name in table if name in columns}


def _marker_columns(records: Mapping[Segment, int], version: str, damage: str = "") -> Columns:
    count = len(records)
    return {
        "segment": [segment.name for segment in records],
        "country": [segment.country for segment in records],
        "records": list(records.values()),
        "rules_version": [version] * count,
        "damage": [damage] * count,
        "committed_at": [ticks(time.time())] * count,
    }


_RUN = 256
"""Rows whose fields are read together: as many as fit in a processor's cache."""


def _fields(rows: Sequence[Any], kind: type) -> dict[str, list[Any]]:
    """The fields of nouns of one kind."""
    columns: dict[str, list[Any]] = {field.name: [] for field in fields(kind)}
    for start in range(0, len(rows), _RUN):
        run = zip(*map(astuple, rows[start : start + _RUN]), strict=True)
        for column, values in zip(columns.values(), run, strict=True):
            column.extend(values)
    return columns


def _location(name: str, position: int) -> Location:
    segment = parse_name(name)
    if segment is None:
        raise ValueError(f"not the name of a segment: {name}")
    return Location(segment, position)


def _selected(columns: dict[str, str]) -> str:
    """The columns by name, times as unix seconds."""
    return ", ".join(
        f"toUnixTimestamp64Micro(`{name}`) / 1000000" if kind.startswith("DateTime64") else f"`{name}`"
        for name, kind in columns.items()
    )


def _noun(noun: type[Noun], row: dict[str, Any]) -> Noun:
    """The fields of a row that the noun has."""
    own = {field.name: row[field.name] for field in fields(noun) if field.name in row}
    return msgspec.convert(own, noun)
