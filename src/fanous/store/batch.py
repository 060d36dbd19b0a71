"""Batch: one measurement as it enters the store - raw record, facts, and the verdicts of the rules.

Columns: judged measurements as the columns of the tables of facts.

One list a column and one pass a list: at ten observations a measurement this is where ingest spends its
time in the store.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import chain, repeat
from operator import attrgetter
from typing import Any

from fanous.model.measurement import Measurement, Observation, ParsedMeasurement, Record, noun
from fanous.model.verdict import Verdict
from fanous.store.archive import Location
from fanous.store.schema import MEASUREMENTS, OBSERVATIONS, VERDICTS


@noun
class Judged:
    """One raw record and all that was taken from it.

    Attributes:
        record: goes to the archive.  One that comes from the archive (``Store.records``) keeps its
            ``line``, which says where in its segment it lies.
    """

    record: Record
    parsed: ParsedMeasurement
    verdicts: tuple[Verdict, ...]


@noun
class Placed:
    """A judged measurement, where its raw record lies, and when that came (unix seconds, UTC)."""

    judged: Judged
    location: Location
    received_at: float


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch; all of it is on the disk when this is returned.

    Attributes:
        stored: measurements that are new.
        duplicate: measurements that were stored already, or come again in the batch.
        fresh: ``id()`` of those of the batch that are new.
    """

    stored: int
    duplicate: int
    fresh: frozenset[int]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was taken out of a store for good.

    Attributes:
        measurements: how many.
        spans: country -> (first, last) instant of these; unix seconds, UTC.
    """

    measurements: int
    spans: dict[str, tuple[float, float]]


Columns = dict[str, list[Any]]
LAST = 9_000_000_000.0
"""The year 2255: the engine's times end in 2299, and what a broken clock says must not stop a batch."""


def _shared(table: dict[str, str], noun: type) -> tuple[str, ...]:
    """Columns that hold a field of the noun as it is."""
    own = {field.name for field in fields(noun)}
    return tuple(name for name, kind in table.items() if name in own and not kind.startswith("DateTime64"))


_MEASUREMENT_FIELDS = _shared(MEASUREMENTS, Measurement)
_OBSERVATION_FIELDS = _shared(OBSERVATIONS, Observation)
_VERDICT_FIELDS = _shared(VERDICTS, Verdict)


def ticks(instant: float) -> int:
    """Microseconds, held within what the engine can store; NaN becomes the epoch."""
    return round(min(max(0.0, instant), LAST) * 1e6)


def measurement_columns(placed: Sequence[Placed]) -> Columns:
    bundles = [p.judged.parsed for p in placed]
    headers = [parsed.measurement for parsed in bundles]
    columns = _fields(headers, _MEASUREMENT_FIELDS)
    return columns | {
        "source": [p.judged.record.source for p in placed],
        "started_at": [ticks(m.started_at) for m in headers],
        "received_at": [ticks(p.received_at) for p in placed],
        "segment": [p.location.segment.name for p in placed],
        "position": [p.location.position for p in placed],
        "observations": [len(parsed.observations) for parsed in bundles],
        "control_failure": [parsed.control_failure for parsed in bundles],
        "bogus": [parsed.bogus for parsed in bundles],
    }


def observation_columns(placed: Sequence[Placed]) -> Columns:
    sizes = [len(p.judged.parsed.observations) for p in placed]
    rows = list(chain.from_iterable(p.judged.parsed.observations for p in placed))
    columns = _fields(rows, _OBSERVATION_FIELDS)
    return columns | _headers(placed, sizes, ("uid", "country", "asn"))


def verdict_columns(placed: Sequence[Placed], rules_version: str) -> Columns:
    sizes = [len(p.judged.verdicts) for p in placed]
    rows = list(chain.from_iterable(p.judged.verdicts for p in placed))
    columns = _fields(rows, _VERDICT_FIELDS)
    columns |= _headers(
        placed, sizes, ("uid", "country", "asn", "resolver_asn", "access", "probe", "test_name", "defect")
    )
    return columns | {
        "source": _each((p.judged.record.source for p in placed), sizes),
        "rules_version": [rules_version] * len(rows),
    }


def _headers(placed: Sequence[Placed], sizes: list[int], fields: Iterable[str]) -> Columns:
    """What rows take from their measurement, repeated for each."""
    headers = [p.judged.parsed.measurement for p in placed]
    columns = {name: _each(values, sizes) for name, values in _fields(headers, fields).items()}
    return columns | {
        "started_at": _each((ticks(m.started_at) for m in headers), sizes),
        "segment": _each((p.location.segment.name for p in placed), sizes),
        "number": list(chain.from_iterable(range(size) for size in sizes)),
    }


_RUN = 256
"""Rows whose fields are read together: what a processor's cache holds of them."""


def _fields(rows: Sequence[Any], names: Iterable[str]) -> Columns:
    readers = {name: attrgetter(name) for name in names}
    columns: Columns = {name: [] for name in readers}
    for start in range(0, len(rows), _RUN):
        run = rows[start : start + _RUN]
        for name, read in readers.items():
            columns[name].extend(map(read, run))
    return columns


def _each(values: Iterable[Any], sizes: Iterable[int]) -> list[Any]:
    return list(chain.from_iterable(map(repeat, values, sizes)))


def mend(columns: Columns, kinds: dict[str, str]) -> Columns:
    """Columns that the engine can take, from ones that it could not.

    Odd records hold numbers out of range and half characters (lone surrogates): the archive keeps them
    as they were, the facts keep the nearest value, and one record does not stop its batch.
    """
    return {name: [_mender(kinds[name])(value) for value in values] for name, values in columns.items()}


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
