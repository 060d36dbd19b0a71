"""A cut is distinguished from a late morning, at any hour."""

from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.detectors.drop import find_drops
from fanous.analysis.detectors.grid import DropOptions
from fanous.model.series import Departure, Series
from tests.analysis.detectors.quantity_series import HOUR, cut, key, replaced
from tests.each import each

STEEP = 14 * 24
"""The first hour of the day that is looked at; the curve is steepest three hours later."""


def people(*, late: float = 0.0, step: int = 1800, noise: float = 0.01, days: int = 16) -> Series:
    """Requests of people who wake around three and sleep around eighteen; ``late`` hours on one day."""
    hours = np.arange(days * 86400 // step) * step / HOUR
    wake, day = 3 + late * (hours // 24 == STEEP // 24), hours % 24
    values = 20 + 80 / (1 + np.exp(-(day - wake))) / (1 + np.exp(day - 18))
    values *= 1 + noise * np.random.default_rng(5).standard_normal(len(values))
    ones = np.ones(len(values), np.int64)
    times = 86400 + step * np.arange(len(values), dtype=np.int64)
    return Series(key("gtr"), step, times, values, ones, 0 * ones, 0 * ones)


def departure(series: Series) -> Departure:
    """Of the deepest stretch of the day that is looked at."""
    day = series.times[0] + STEEP * HOUR
    found = [a.departure for a in find_drops([series], DropOptions()) if a.last_seen > day and a.departure]
    return min(found, key=lambda d: d.left)


def fell(series: Series) -> float | None:
    """Hours of the day at which it fell at once."""
    at = departure(series).sudden_from
    return None if at is None else (at - series.times[0]) / HOUR - STEEP


@each("hour", range(24))
def test_a_third_that_is_cut_is_sudden_at_every_hour_of_the_day(hour: int) -> None:
    assert fell(cut(people(), STEEP + hour, STEEP + hour + 3, 0.7)) == hour


@pytest.mark.parametrize("late", [1.5, 2.0, 2.5, 3.0])
def test_a_morning_that_comes_late_is_not(late: float) -> None:
    assert departure(people(late=late)).left < 0.75, "though no less is missing for hours"
    assert fell(people(late=late)) is None


def test_a_cut_within_such_a_morning_is() -> None:
    assert fell(cut(people(late=2), STEEP + 9, STEEP + 12, 0.6)) == 9


@pytest.mark.parametrize("step", [300, 600, 900])
def test_narrow_bins_tell_the_same(step: int) -> None:
    assert fell(cut(people(step=step), STEEP + 4, STEEP + 7, 0.7)) == pytest.approx(4, abs=0.5)
    assert fell(people(late=2.5, step=step)) is None


def test_of_addresses_that_answer_nothing_is_to_be_told_apart() -> None:
    gone = cut(people(), STEEP + 4, STEEP + 7, 0.5)
    assert fell(replace(gone, key=key("ping-slash24"))) is None


def test_bins_of_more_than_an_hour_tell_nothing() -> None:
    assert fell(cut(people(step=7200), STEEP + 4, STEEP + 12, 0.3)) is None
    assert fell(cut(people(step=3600), STEEP + 4, STEEP + 12, 0.3)) == 4


def test_it_may_begin_in_the_middle_of_a_bin() -> None:
    whole = cut(people(), STEEP + 10, STEEP + 13, 0.6)
    assert fell(cut(whole, STEEP + 9.5, STEEP + 10, 0.8)) is not None


def test_a_noisy_series_says_nothing_that_its_noise_may_have_done() -> None:
    assert fell(cut(people(noise=0.1), STEEP + 9, STEEP + 15, 0.6)) is None


def test_a_gap_of_the_source_is_no_fall_however_long_the_day_stays_low() -> None:
    low = cut(people(), STEEP + 6, STEEP + 14, 0.82)
    glitch = cut(low, STEEP + 8, STEEP + 8.5, 0.3)
    assert fell(glitch) == 6, "the day fell by a sixth at six"
    sunk = people()
    hours = (sunk.times - sunk.times[0]) / HOUR - STEEP
    left = np.where((hours > 5) & (hours < 14), 1 - 0.2 * np.clip((hours - 5) / 3, 0, 1), 1)
    sunk = replaced(sunk, sunk.times, sunk.values * left)
    assert fell(sunk) is None
    assert fell(cut(sunk, STEEP + 9, STEEP + 9.5, 0.3)) is None


def test_a_fall_to_nothing_is_one() -> None:
    assert fell(cut(people(), STEEP + 9, STEEP + 12, 0.0)) == 9
    assert departure(cut(people(), 14 * 24, 16 * 24, 0.0)).sudden_from is not None


def test_mornings_after_a_curfew_are_not_compared_with_its_nights() -> None:
    """On each of twelve days before it jumped back at six; on a day on which people get up late it does not."""
    one = people(late=3.0)
    for day in range(2, STEEP // 24):
        one = cut(one, 24 * day + 0.5, 24 * day + 6, 0.1)
    assert fell(one) is None
