"""Lookup: measurements by their uid, with their facts as they were put in."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar

import msgspec

from fanous.model.measurement import Measurement
from fanous.model.observation import Observation
from fanous.model.verdict import Verdict
from fanous.store.engine import Engine
from fanous.store.rows import StoredMeasurement
from fanous.store.schema import MEASUREMENTS, OBSERVATIONS, VERDICTS
from fanous.store.segment import Location, parse_name
from fanous.store.window import IN_WINDOW, window

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
        """See ``Questions.measurement``."""
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
        """See ``Questions.locations``."""
        asked = list(uids)
        rows = [
            row
            for at in range(0, len(asked), UIDS_ASKED)
            for row in self._engine.rows(_LOCATIONS, uids=asked[at : at + UIDS_ASKED], **window(since, until))
        ]
        return [_location(segment, position) for segment, position in sorted(rows)]

    def verdicts(self, uid: str) -> list[Verdict]:
        """See ``Questions.verdicts``."""
        return [_noun(Verdict, row) for row in self._facts_of("verdicts", VERDICTS, uid)]

    def observations(self, uid: str) -> list[Observation]:
        """See ``Questions.observations``."""
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
