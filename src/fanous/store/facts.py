"""Facts: writing what was taken from a segment so that all of it counts, once, or none of it.

A segment's rows count when its marker is in the table ``segments``.  Rows go in first and the marker last;
before a segment is written again its marker goes first, then its rows.  So a crash at any point leaves a
segment either whole or without a marker, and one without a marker is simply written again.

Lookup: measurements by their uid, with their facts as they were put in.

Retention: what keeps a store from growing without end (``fanous.pipeline.retain`` decides).
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from fanous.errors import FanousError
from fanous.model.measurement import Measurement, Observation
from fanous.model.series import SourceSeries
from fanous.model.verdict import Verdict
from fanous.store.archive import Location, Segment, parse_name
from fanous.store.batch import (
    Columns,
    Placed,
    measurement_columns,
    observation_columns,
    ticks,
    verdict_columns,
)
from fanous.store.coverage import CoverageAnswers, StoredMeasurement, VitalAnswers
from fanous.store.engine import IN_WINDOW, Engine, window
from fanous.store.evidence import AddressAnswers, AlternativeAnswers, EvidenceAnswers, RatePairAnswers
from fanous.store.schema import FACTS, MEASUREMENTS, OBSERVATIONS, VERDICTS
from fanous.store.series import Pulled, SeriesAnswers, check_series
from fanous.store.votes import OutcomeAnswers, RateAnswers, VoteAnswers

Window = tuple[str, float, float]
"""Country, first and last instant (unix seconds, UTC; half-open)."""

_UIDS_A_QUERY = 2000
"""A query's text is limited to 256 KiB and a uid has up to 64 characters."""


def _older(before: float, kept: Sequence[Window]) -> tuple[str, dict[str, Any]]:
    """A condition, and the values of its parameters."""
    at = "toUnixTimestamp64Micro(started_at)"
    texts = [f"{at} < {{before:Int64}}"]
    values: dict[str, Any] = {"before": ticks(before)}
    for n, (country, first, last) in enumerate(kept):
        texts.append(f"NOT (country = {{c{n}:String}} AND {at} >= {{a{n}:Int64}} AND {at} < {{b{n}:Int64}})")
        values |= {f"c{n}": country, f"a{n}": ticks(first), f"b{n}": ticks(last)}
    return " AND ".join(texts), values


def _plain(uid: str) -> str:
    """As the table has it (``columns.mend``)."""
    return uid.encode("utf-8", "replace").decode()


Noun = TypeVar("Noun", Measurement, Observation, Verdict)

# The measurement's country and time are found first: with them its rows are one granule.
_OF_UID = (
    "(country, started_at, uid) IN "
    "(SELECT country, started_at, uid FROM measurements WHERE uid = {uid:String})"
)


UIDS_ASKED = 10_000
"""Names in one question: what the engine takes in a parameter without complaint."""

_LOCATIONS = f"""
SELECT segment, position FROM measurements WHERE uid IN {{uids:Array(String)}} AND {IN_WINDOW}
ORDER BY segment, position
"""


_OF_PROBES = """
SELECT segment, position, country, toUnixTimestamp64Micro(started_at) / 1000000 FROM measurements
WHERE probe IN {probes:Array(String)} ORDER BY segment, position
"""


class LookupAnswers:
    """Measurements by their uid.

    Attributes:
        _engine: with all tables.
    """

    _engine: Engine

    def records_of(self, probes: Iterable[str]) -> list[tuple[Location, str, float]]:
        """Where the records of these probes lie, with country and instant of each; in order of receipt."""
        asked = list(dict.fromkeys(probes))
        return [
            (_location(segment, position), country, made)
            for start in range(0, len(asked), UIDS_ASKED)
            for segment, position, country, made in self._engine.rows(
                _OF_PROBES, probes=asked[start : start + UIDS_ASKED]
            )
        ]

    def measurement(self, uid: str) -> StoredMeasurement | None:
        """``None`` = unknown."""
        rows = self._engine.rows(
            f"SELECT {_selected(MEASUREMENTS)} FROM measurements WHERE uid = {{uid:String}} LIMIT 1", uid=uid
        )
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
        )

    def locations(self, uids: Iterable[str], since: float, until: float) -> list[Location]:
        """Where the raw records of these measurements lie, in order of receipt; unknown ones are left out."""
        asked = list(uids)
        rows = [
            row
            for at in range(0, len(asked), UIDS_ASKED)
            for row in self._engine.rows(_LOCATIONS, uids=asked[at : at + UIDS_ASKED], **window(since, until))
        ]
        return [_location(segment, position) for segment, position in sorted(rows)]

    def verdicts(self, uid: str) -> list[Verdict]:
        """As they were judged, in order."""
        return [_noun(Verdict, row) for row in self._facts_of("verdicts", VERDICTS, uid)]

    def observations(self, uid: str) -> list[Observation]:
        """As they were parsed, in order, less bodies and headers."""
        return [_noun(Observation, row) for row in self._facts_of("observations", OBSERVATIONS, uid)]

    def _facts_of(self, table: str, columns: dict[str, str], uid: str) -> list[dict[str, Any]]:
        sql = f"SELECT {_selected(columns)} FROM {table} WHERE {_OF_UID} ORDER BY number"
        return [dict(zip(columns, row, strict=True)) for row in self._engine.rows(sql, uid=uid)]


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


class Facts(
    VoteAnswers,
    OutcomeAnswers,
    RatePairAnswers,
    AddressAnswers,
    EvidenceAnswers,
    AlternativeAnswers,
    CoverageAnswers,
    LookupAnswers,
    SeriesAnswers,
    VitalAnswers,
    RateAnswers,
):
    """What is known of measurements, and the series of public sources, in columns.

    ``add``, ``remove`` and ``marked`` are for the store alone, which keeps archive and facts in step.
    """

    def __init__(self, engine: Engine, *, read_only: bool = False) -> None:
        self.engine = self._engine = engine
        self._read_only = read_only

    def may_write(self) -> None:
        """Refuse where the store was opened to be read.

        Raises:
            FanousError: it was.
        """
        if self._read_only:
            raise FanousError("this store was opened to be read only: open it for writing")

    def known(self, uids: Iterable[str], *, settled: bool = False) -> set[str]:
        """Those of ``uids`` that are stored.

        Args:
            settled: only in segments that are whole (a crash leaves rows without their marker).
        """
        asked = list(dict.fromkeys(uids))
        found: set[str] = set()
        whole = " AND segment IN (SELECT segment FROM segments)" if settled else ""
        for start in range(0, len(asked), _UIDS_A_QUERY):
            rows = self._engine.rows(
                f"SELECT DISTINCT uid FROM measurements WHERE uid IN {{uids:Array(String)}}{whole}",
                uids=[_plain(uid) for uid in asked[start : start + _UIDS_A_QUERY]],
            )
            found.update(row[0] for row in rows)
        return {uid for uid in asked if _plain(uid) in found}

    def add(self, placed: Sequence[Placed], records: Mapping[Segment, int], version: str) -> None:
        """Write the rows of whole segments, then their markers.

        Args:
            records: the segments, and how many of ``placed`` lie in each (it may be none).
        """
        self._engine.insert("observations", observation_columns(placed))
        self._engine.insert("verdicts", verdict_columns(placed, version))
        self._engine.insert("measurements", measurement_columns(placed))
        self._mark(records, version, "")

    def set_aside(self, segment: Segment, why: str) -> None:
        """Go on without a segment that cannot be read: its rows go, and ``damaged`` names it."""
        self.may_write()
        self.remove([segment])
        self._mark({segment: 0}, "", why)

    def _mark(self, records: Mapping[Segment, int], version: str, damage: str) -> None:
        count = len(records)
        columns: Columns = {
            "segment": [segment.name for segment in records],
            "country": [segment.country for segment in records],
            "records": list(records.values()),
            "rules_version": [version] * count,
            "damage": [damage] * count,
            "committed_at": [ticks(time.time())] * count,
        }
        self._engine.insert("segments", columns)

    def observations_before(self, before: float, kept: Sequence[Window]) -> int:
        """Rows of observations that were made before an instant.

        Args:
            kept: country, first and last instant: what lies within them does not count.
        """
        where, values = _older(before, kept)
        ((count,),) = self._engine.rows(f"SELECT count() FROM observations WHERE {where}", **values)
        return int(count)

    def drop_observations(self, before: float, kept: Sequence[Window]) -> None:
        """Take those rows out.  Measurements, verdicts and raw records stay, so that every conclusion does,
        and ``replace_verdicts`` brings them back."""
        self.may_write()
        where, values = _older(before, kept)
        self._engine.remove("observations", where, **values)

    def remove(self, segments: Sequence[Segment]) -> None:
        """Take segments out: the markers, then the rows."""
        names = [segment.name for segment in segments]
        for table in ("segments", *FACTS):
            self._engine.remove(table, "segment IN {names:Array(String)}", names=names)

    def marked(self) -> set[str]:
        """Names of the segments whose rows are all in, or that were set aside as damaged."""
        return {row[0] for row in self._engine.rows("SELECT segment FROM segments")}

    def damaged(self) -> list[tuple[Segment, str]]:
        """Segments set aside, and why."""
        rows = self._engine.rows("SELECT segment, damage FROM segments WHERE damage != '' ORDER BY segment")
        return [(segment, why) for name, why in rows if (segment := parse_name(name))]

    def judged_otherwise(self, rules_version: str, country: str | None = None) -> Iterator[Segment]:
        """Segments whose verdicts are of other rules than ``rules_version``, in order of receipt; those that were
        set aside are among them, since their file may have been restored."""
        where = " AND country = {country:String}" if country else ""
        rows = self._engine.rows(
            f"SELECT segment FROM segments WHERE rules_version != {{version:String}}{where} ORDER BY segment",
            version=rules_version,
            country=country or "",
        )
        return (segment for (name,) in rows if (segment := parse_name(name)))

    def put_series(
        self, batch: Sequence[SourceSeries], *, fetched_at: float | None = None
    ) -> list[NDArray[np.bool_]]:
        """Keep ready-made series; on the disk when it returns, all of the batch or none.

        A bin that is stored with the same value is left; one with another value is replaced, so that late
        corrections win (of two calls the one with the later ``fetched_at``).

        Args:
            batch: each bin of a key and step at most once.
            fetched_at: when the source said so; ``None`` = now.

        Returns:
            For each of the batch, bool, shape (n,): which of its bins are new or replaced.
        """
        self.may_write()
        check_series(batch)
        return self._write_series(batch, fetched_at)

    def put_pulled(self, source: str, country: str, pulled: Iterable[Pulled]) -> None:
        """Remember which windows of a live source are in the store; done after their levels."""
        self.may_write()
        self._write_pulled(source, country, pulled)
