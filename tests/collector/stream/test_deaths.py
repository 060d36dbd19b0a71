"""kill -9 of the stream's leader, of a collector and of the writer: nothing lost, nothing twice."""

import pytest
from benchmarks.stream import run

MEASUREMENTS = 1000


@pytest.mark.matrix
def test_three_deaths_lose_nothing_and_store_nothing_twice() -> None:
    told = run(MEASUREMENTS, ack_seconds=2)
    assert len(told.killed) == 3
    assert told.load.refused, "the leader was killed under load"
    assert told.load.broken, "a collector was killed under load"
    assert len(told.load.acknowledged) == MEASUREMENTS
    assert (told.lost, told.twice, told.refused_for_good) == (0, 0, 0)
    assert told.rows == MEASUREMENTS
