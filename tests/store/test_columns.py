"""Columns of facts: what rows hold, column by column, however many rows there are."""

from fanous.store.archive import Location, Placed, Segment
from fanous.store.facts import _observation_columns
from fanous.store.schema import OBSERVATIONS
from tests.each import each
from tests.store.cases import judged

SEGMENT = Segment("2023121715", "PK", "webconnectivity", "ooni", "0" * 16)


@each("count", [0, 1, 255, 256, 257, 700])
def test_a_column_holds_every_row_in_order(count: int) -> None:
    batch = [Placed(judged(f"m{n}"), Location(SEGMENT, n), 0.0) for n in range(count)]
    columns = _observation_columns(batch)
    assert set(columns) == set(OBSERVATIONS)
    observed = [(p, o) for p in batch for o in p.judged.parsed.observations]
    assert columns["uid"] == [placed.judged.parsed.measurement.uid for placed, _ in observed]
    assert columns["hostname"] == [observation.hostname for _, observation in observed]
    assert {len(column) for column in columns.values()} == {len(observed)}
