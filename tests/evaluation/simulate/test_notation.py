"""A series as one line."""

import numpy as np
import pytest

from tests.builders import DAY, make_series, series_key, spell


@pytest.mark.parametrize(
    ("notation", "values"),
    [
        ("1x3", [1, 1, 1]),
        ("1 0.2x2 0", [1, 0.2, 0.2, 0]),
        ("_x2 1", [np.nan, np.nan, 1]),
        ("", []),
    ],
)
def test_a_word_is_a_value_and_how_many_bins_it_fills(notation: str, values: list[float]) -> None:
    assert np.array_equal(spell(notation), np.array(values), equal_nan=True)


def test_a_bin_in_which_nothing_was_measured_is_not_listed() -> None:
    series = make_series("1x2 _x3 0.2", step=300, start=DAY)
    assert series.times.tolist() == [DAY, DAY + 300, DAY + 1500]
    assert series.values.tolist() == [1, 1, 0.2]
    assert not np.isnan(series.values).any()


def test_counts_are_one_number_or_a_line_of_their_own() -> None:
    assert make_series("0x3", counts=5).counts.tolist() == [5, 5, 5]
    series = make_series("0x2 _ 1", counts="3x2 0 7", controlled="1x2 0 2")
    assert series.counts.tolist() == [3, 3, 7]
    assert series.controlled.tolist() == [1, 1, 2]
    assert series.measurements.tolist() == [3, 3, 7]


def test_evidence_is_controlled_unless_a_test_says_otherwise() -> None:
    assert make_series("0x2", counts=4).controlled.tolist() == [4, 4]
    assert make_series("0x2", counts=4, controlled=0).controlled.tolist() == [0, 0]


@pytest.mark.parametrize("wrong", ["1y3", "1x", "x3", "1x2.5", "one"])
def test_a_word_that_cannot_be_read_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        spell(f"1x2 {wrong}")


def test_a_line_of_another_length_or_a_crooked_beginning_is_refused() -> None:
    with pytest.raises(ValueError, match="has 2 bins, the values have 3"):
        make_series("1x3", counts="1x2")
    with pytest.raises(ValueError, match="multiple"):
        make_series("1", start=DAY + 1)


def test_a_key_names_only_what_matters() -> None:
    key = series_key(asn=45669, target="youtube")
    assert (key.place.country, key.place.asn, key.target, key.signal) == (
        "PK",
        45669,
        "youtube",
        "blocked_path",
    )
