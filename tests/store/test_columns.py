"""Columns of facts: what rows hold, column by column, and how they are written for the engine."""

import struct
from itertools import chain, repeat
from typing import Any

import pytest
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.insert import InsertContext
from clickhouse_connect.driver.transform import NativeTransform

from fanous.store.archive import Location, Placed, Segment
from fanous.store.engine import Columns, Repeated, native
from fanous.store.facts import _columns
from fanous.store.schema import OBSERVATIONS, TABLES, VERDICTS
from tests.each import each
from tests.store.cases import judged

SEGMENT = Segment("2023121715", "PK", "webconnectivity", "ooni", "0" * 16)

WORDS = ["x" * (n % 200) + f"ک{n}" for n in range(700)]
VALUES: dict[str, list[Any]] = {
    "String": [*WORDS, "", "a", "", "b" * 127, "b" * 128, "b" * 20_000],
    "LowCardinality(String)": [*WORDS[:300], *WORDS[:300], ""],
    "LowCardinality(Nullable(String))": [None, "a", "", None, "b", *WORDS],
    "Array(String)": [(), ("a", "", "ک"), (), ["b"] * 300],
    "Array(UInt32)": [(1, 2**32 - 1), (), (0,)],
    "Array(Int64)": [(-1, 2**63 - 1), (), (-(2**63),)],
    "Bool": [True, False, True],
    "Nullable(Bool)": [None, False, True],
    "Nullable(Float64)": [None, 1.5, float("nan"), 0.0],
    "Float64": [1.5, float("nan"), float("inf"), -0.0, 7],
    "UInt16": [0, 65_535],
    "UInt32": [0, 2**32 - 1],
    "Int32": [-(2**31), 2**31 - 1],
    "Int64": [-(2**63), 2**63 - 1],
    "DateTime64(6, 'UTC')": [0, 1_700_000_000_000_001],
}
"""Kind of a column -> values of it."""


def by_the_client(columns: dict[str, list[Any]], kinds: dict[str, str]) -> bytes:
    """The same, written by the client of the engine."""
    types = [get_from_name(kinds[name]) for name in columns]
    context = InsertContext("t", list(columns), types, list(columns.values()), column_oriented=True)
    context.block_row_count = 1 << 30
    return b"".join(NativeTransform.build_insert(context)).partition(b"FORMAT Native\n")[2]


@each("count", [0, 1, 255, 256, 257, 700])
def test_a_column_holds_every_row_in_order(count: int) -> None:
    batch = [Placed(judged(f"m{n}"), Location(SEGMENT, n), 0.0) for n in range(count)]
    columns = _columns(batch, "1")
    assert set(columns["observations"]) == set(OBSERVATIONS) and set(columns["verdicts"]) == set(VERDICTS)
    observed = [(p, o) for p in batch for o in p.judged.parsed.observations]
    rows = _spread(columns["observations"])
    assert rows["uid"] == [placed.judged.parsed.measurement.uid for placed, _ in observed]
    assert rows["hostname"] == [observation.hostname for _, observation in observed]
    assert {len(column) for column in rows.values()} == {len(observed)}
    verdicts = [(p, v) for p in batch for v in p.judged.verdicts]
    rows = _spread(columns["verdicts"])
    assert rows["observations"] == [verdict.observations for _, verdict in verdicts]
    assert rows["rules_version"] == ["1"] * len(verdicts)
    assert {len(column) for column in rows.values()} == {len(verdicts)}


def _spread(columns: Columns) -> dict[str, list[Any]]:
    return {
        name: [*chain.from_iterable(map(repeat, one.values, one.sizes))] if isinstance(one, Repeated) else one
        for name, one in columns.items()
    }


def test_every_kind_of_column_of_the_store_is_tried() -> None:
    assert VALUES.keys() == {kind for table in TABLES.values() for kind in table.columns.values()}


@each("kind", VALUES)
def test_a_column_is_written_as_the_client_of_the_engine_writes_it(kind: str) -> None:
    columns, kinds = {"a": VALUES[kind], "b": [1] * len(VALUES[kind])}, {"a": kind, "b": "UInt32"}
    assert native(columns, kinds) == by_the_client(columns, kinds)


@each("kind", VALUES)
def test_a_repeated_value_is_written_as_often_as_it_occurs(kind: str) -> None:
    repeated = Repeated(VALUES[kind], [n % 3 for n in range(1, len(VALUES[kind]) + 1)])
    columns = {"a": repeated}
    assert native(columns, {"a": kind}) == by_the_client(_spread(columns), {"a": kind})


def test_many_different_words_get_longer_numbers() -> None:
    for count in (255, 256, 257, 65_535, 65_536):
        columns = {"a": [str(n) for n in range(count)]}
        kinds = {"a": "LowCardinality(String)"}
        assert native(columns, kinds) == by_the_client(columns, kinds), count


@each(
    ("kind", "value"),
    [
        ("UInt16", 65_536),
        ("UInt32", -1),
        ("Array(Int64)", [2**63]),
        ("String", "\ud800"),
        ("LowCardinality(String)", "\ud800"),
        ("LowCardinality(String)", None),
        ("Array(String)", ["\ud800"]),
    ],
)
def test_a_value_that_does_not_fit_is_no_other_value(kind: str, value: Any) -> None:
    with pytest.raises((struct.error, UnicodeError, AttributeError)):
        native({"a": [value]}, {"a": kind})
