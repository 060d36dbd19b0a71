"""Falls by the day, too small for any single hour, and levels that last."""

import pytest

from fanous.analysis.detectors.shift import SHIFT
from fanous.model.series import Anomaly, Series
from tests.analysis.detectors.quantity_series import HOUR, cut, daily
from tests.builders import DAY
from tests.each import each

OPTIONS = SHIFT.options


def found(*series: Series) -> list[Anomaly]:
    return SHIFT.found(series)


def lasting(anomaly: Anomaly) -> float | None:
    assert anomaly.departure is not None
    return anomaly.departure.lasting_since


@each("step", [1800, 7200, 10800])
@each("left", [0.4, 0.75])
def test_a_fall_of_whole_days_is_found_where_it_began(step: int, left: float) -> None:
    (anomaly,) = found(cut(daily(60, noise=0.05, step=step), 967, 1200, left))
    assert abs(anomaly.start - (DAY + 967 * HOUR)) <= step
    assert anomaly.end == pytest.approx(DAY + 1200 * HOUR, abs=6 * HOUR)
    assert anomaly.departure is not None and anomaly.departure.left == pytest.approx(left, abs=0.04)
    assert anomaly.raised_at is not None and anomaly.raised_at <= anomaly.start + 86400
    assert lasting(anomaly) == anomaly.start + OPTIONS.accept_after * 86400 or left < OPTIONS.severe


@pytest.mark.parametrize("history", [28, 60])
def test_a_soft_start_of_half_the_known_days_hides_no_fall(history: int) -> None:
    soft = (history - 14) * 24
    series = cut(cut(daily(history + 60, noise=0.05), soft, soft + 336, 0.9), soft + 336, 10_000, 0.63)
    (anomaly,) = found(series)
    assert abs(anomaly.start - (DAY + (soft + 336) * HOUR)) <= 2 * HOUR


def test_a_fall_in_bins_of_a_day_begins_in_the_bin_in_which_it_did() -> None:
    (anomaly,) = found(cut(daily(60, noise=0.02, step=86400), 40 * 24, 60 * 24, 0.6))
    assert anomaly.start == pytest.approx(DAY + 40 * 24 * HOUR, abs=HOUR)
    late = cut(cut(daily(60, noise=0.02, step=86400), 40 * 24, 41 * 24, 0.7), 41 * 24, 60 * 24, 0.6)
    (anomaly,) = found(late)
    assert anomaly.start == pytest.approx(DAY + 40 * 24 * HOUR + 6 * HOUR, abs=6 * HOUR)


def test_hours_of_a_morning_and_a_loss_below_the_least_drop_are_no_fall_of_a_day() -> None:
    assert found(cut(daily(60, noise=0.05), 967, 970, 0.6)) == []
    assert found(cut(daily(60, noise=0.02), 960, 1200, 0.88)) == []


def test_a_noisy_series_must_lose_more() -> None:
    assert found(cut(daily(60, noise=0.02, signal="merit-nt"), 960, 1200, 0.6)) == []
    assert len(found(cut(daily(60, noise=0.02, signal="merit-nt"), 960, 1200, 0.4))) == 1


def test_routes_and_answers_to_probes_are_not_compared_by_the_day() -> None:
    assert found(cut(daily(60, signal="ping-slash24"), 960, 1200, 0.5)) == []


def test_a_level_that_lasts_has_no_end_and_a_further_fall_is_found_against_it() -> None:
    series = cut(cut(daily(120, noise=0.03), 960, 10_000, 0.7), 2000, 10_000, 0.5)
    first, second = found(series)
    assert first.end is None and lasting(first) == first.start + OPTIONS.accept_after * 86400
    assert abs(second.start - (DAY + 2000 * HOUR)) <= 3600
    assert second.departure is not None and second.departure.left == pytest.approx(0.5, abs=0.05)


def test_less_than_two_weeks_of_history_say_nothing() -> None:
    assert found(cut(daily(40, noise=0.02), 100, 250, 0.5)) == []
