"""Averages over the last bins, where bins may be missing."""

import numpy as np

from fanous.analysis.detectors.grid import last_measured, window_means
from fanous.analysis.series.baselines import Single

N = np.nan


def column(*values: float) -> Single:
    return np.array(values, np.float32)[:, None]


def test_an_average_ends_with_its_bin_and_reaches_back_before_the_first() -> None:
    means = window_means(column(1, 2, 3, 4), (1, 2, 3), bins=2)
    assert means[:, :, 0].tolist() == [[3, 4], [2.5, 3.5], [2, 3]]


def test_what_was_not_measured_is_left_out_and_is_not_nought() -> None:
    means = window_means(column(2, N, 4, N), (2, 3), bins=3)
    assert np.array_equal(means[:, :, 0], [[N, 4, N], [N, 3, N]], equal_nan=True)


def test_less_than_half_of_a_window_is_no_average() -> None:
    means = window_means(column(N, N, N, 4, 4), (4,), bins=2)
    assert np.array_equal(means[0, :, 0], [N, 4], equal_nan=True)


def test_the_newest_value_is_held_until_the_next() -> None:
    assert np.array_equal(last_measured(column(N, 1, N, N, 2))[:, 0], [N, 1, 1, 1, 2], equal_nan=True)
