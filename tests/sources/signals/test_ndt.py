"""Rows of speed tests."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from tests.sources.signals.reads import read

HEAD = b"TestTime,MeanThroughputMbps,MinRTT,LossRate,ClientASNumber\n"


def test_bins_hold_the_median_and_how_many_tests_it_is_of(tmp_path: Path) -> None:
    rows = (
        b"2023-12-17T15:01:00Z,1,50,0.1,17557\n2023-12-17T15:30:00Z,3,70,,17557\n"
        b"2023-12-17T15:59:00Z,20,60,0.3,45669\n2023-12-17T16:00:00Z,4,10,0,\n"
    )
    found = read("ndt", tmp_path / "x", HEAD + rows)
    shown = {key[:2]: values for key, values in found.shown.items()}
    assert shown["PK", "ndt_kbps"] == [3000, 4000]
    assert shown["PK", "ndt_tests"] == [3, 1]
    assert shown["PK", "ndt_rtt_ms"] == [60, 10]
    assert shown["PK", "ndt_loss"] == pytest.approx([0.2, 0])
    assert shown["AS17557", "ndt_kbps"] == [2000]
    assert ("AS45669", "ndt_loss") in shown
    assert found.lines == {2, 3, 4, 5}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"soon,1,1,0,1", "is not a time"),
        (b"2023-12-17T15:01:00Z,,1,0,1", "no speed"),
        (b"2023-12-17T15:01:00Z,-1,1,0,1", "no speed"),
        (b"2023-12-17T15:01:00Z,fast,1,0,1", "no speed"),
        (b"2023-12-17T15:01:00Z,1e308,1,0,1", "no speed"),  # it is infinite in kbit/s
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, row: bytes, why: str) -> None:
    found = read("ndt", tmp_path / "x", HEAD + b"2023-12-17T15:01:00Z,1,1,0,1\n" + row + b"\n")
    assert [(line, why in reason) for line, reason in found.rejects] == [(3, True)]


def test_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="MeanThroughputMbps"):
        read("ndt", tmp_path / "x", b"date,speed\n2023-12-17,1\n")
