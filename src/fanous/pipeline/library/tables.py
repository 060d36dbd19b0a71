"""Tables: series and verdicts as Arrow tables, with every column's unit in its name or beside it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from fanous.analysis.series.signals import SIGNALS
from fanous.model.measurement import Measurement
from fanous.model.series import Series
from fanous.model.verdict import Verdict
from fanous.refdata.sources import SOURCES

VERDICT_COLUMNS = pa.schema(
    [
        ("measurement_uid", pa.string()),
        ("started_at", pa.timestamp("s", tz="UTC")),
        ("country", pa.string()),
        ("asn", pa.int64()),
        ("target", pa.string()),
        ("layer", pa.string()),
        ("state", pa.string()),
        ("mechanism", pa.string()),
        ("rule_id", pa.string()),
        ("why", pa.string()),
        ("controlled", pa.bool_()),
        ("kbps", pa.float64()),
    ]
)

SERIES_COLUMNS = pa.schema(
    [
        ("time", pa.timestamp("s", tz="UTC")),
        ("step", pa.int64()),
        ("signal", pa.string()),
        ("unit", pa.string()),
        ("country", pa.string()),
        ("region", pa.string()),
        ("asn", pa.int64()),
        ("access", pa.string()),
        ("target", pa.string()),
        ("resolver_asn", pa.int64()),
        ("source", pa.string()),
        ("subtype", pa.string()),
        ("licence", pa.string()),
        ("value", pa.float64()),
        ("count", pa.int64()),
        ("controlled", pa.int64()),
        ("measurements", pa.int64()),
    ]
)
"""``time`` is when a bin of ``step`` seconds begins; a bin that is missing was not measured (never 0)."""


def series_table(series: Iterable[Series]) -> pa.Table:
    """Series below each other, a row a bin."""
    return pa.concat_tables([SERIES_COLUMNS.empty_table(), *(_one_series(one) for one in series)])


def verdict_table(judged: Iterable[tuple[Measurement, tuple[Verdict, ...]]]) -> pa.Table:
    """A row a verdict; ``mechanism`` and ``kbps`` are null where there is none."""
    rows = [_verdict_row(measurement, verdict) for measurement, verdicts in judged for verdict in verdicts]
    return pa.Table.from_pylist(rows, schema=VERDICT_COLUMNS)


def _one_series(one: Series) -> pa.Table:
    key, rows = one.key, len(one)
    same: dict[str, Any] = {
        "step": one.step,
        "signal": key.signal,
        "unit": SIGNALS[key.signal].unit if key.signal in SIGNALS else None,
        "country": key.place.country,
        "region": key.place.region or None,
        "asn": key.place.asn or None,
        "access": str(key.access),
        "target": key.target or None,
        "resolver_asn": key.resolver_asn or None,
        "source": key.source or None,
        "subtype": key.subtype or None,
        "licence": SOURCES[key.source].licence if key.source in SOURCES else None,
    }
    columns = {name: pa.repeat(pa.scalar(same[name], SERIES_COLUMNS.field(name).type), rows) for name in same}
    columns |= {
        "time": pa.array(one.times).cast(SERIES_COLUMNS.field("time").type),
        "value": pa.array(one.values, from_pandas=True),  # NaN becomes null
        "count": pa.array(one.counts),
        "controlled": pa.array(one.controlled),
        "measurements": pa.array(one.measurements),
    }
    return pa.table([columns[name] for name in SERIES_COLUMNS.names], schema=SERIES_COLUMNS)


def _verdict_row(measurement: Measurement, verdict: Verdict) -> dict[str, Any]:
    return {
        "measurement_uid": measurement.uid,
        "started_at": datetime.fromtimestamp(int(measurement.started_at), UTC),
        "country": measurement.country,
        "asn": measurement.asn,
        "target": verdict.target,
        "layer": str(verdict.layer),
        "state": str(verdict.state),
        "mechanism": verdict.mechanism or None,
        "rule_id": verdict.rule_id,
        "why": verdict.why,
        "controlled": verdict.controlled,
        "kbps": None if verdict.kbps != verdict.kbps else verdict.kbps,
    }
