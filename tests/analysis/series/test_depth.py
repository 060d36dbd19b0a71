"""How far a series is below the time before an event, when it fell, in what steps, and when it came back."""

from dataclasses import replace
from math import ceil

import numpy as np
import pytest

from fanous.analysis.series import depth as levels_of_steps
from fanous.analysis.series.baselines import Shares, of_those_days, shares
from fanous.analysis.series.depth import Fall, back_at, change_point, depth, fall, rise, soft_start, stages
from fanous.model.incident import Interval
from fanous.model.series import Series
from tests.analysis.detectors.quantity_series import HOUR, cut, daily, levels, without
from tests.builders import DAY
from tests.each import each

AP = "ping-slash24"


def at(hours: float) -> float:
    return DAY + hours * HOUR


def told(series: Series, before: float) -> Shares:
    found = shares(series, at(before))
    assert found is not None
    return found


def fell(series: Series, near: float, until: float = 10_000) -> Fall:
    found = fall(told(series, near - 1), at(near), at(until))
    assert found is not None
    return found


def lost(late: float, hours: float, share: float) -> Series:
    """Half-hour bins of which a loss at 480 hours and ``late`` takes its part."""
    series = daily(60, noise=0.002, signal=AP)
    inside = np.minimum(series.times + 1800, at(480 + late + hours)) - np.maximum(
        series.times, at(480 + late)
    )
    return replace(series, values=series.values * (1 - share * np.clip(inside / 1800, 0, 1)))


@each("step", [300, 600, 1800, 3600, 7200, 10800])
@each("left", [0.05, 0.7])
def test_the_fall_of_a_series_of_any_bins_is_found_where_it_fell(step: int, left: float) -> None:
    series = cut(daily(30, noise=0.03, step=step), 480, 540, left)
    found = fell(series, 480)
    assert abs(found.at - at(480)) < step / 2
    assert found.earliest < at(480) <= found.latest, "there is always a bracket"
    assert found.after == pytest.approx(left, abs=0.03)


def test_within_its_bin_a_fall_is_placed_by_what_was_left_of_the_bin() -> None:
    series = cut(cut(daily(30, noise=0.003, signal=AP), 480, 480.5, 0.6), 480.5, 500, 0.2)
    assert fell(series, 480).at == pytest.approx(at(480.25), abs=60)


def test_a_small_dip_that_leads_up_to_a_fall_does_not_make_it_early() -> None:
    series = cut(cut(daily(30, noise=0.001, signal=AP), 475, 480, 0.98), 480, 520, 0.1)
    assert abs(fell(series, 475).at - at(480)) <= 1800


def test_where_bins_are_missing_it_fell_somewhere_in_the_gap() -> None:
    series = without(cut(daily(30, signal=AP), 480, 520, 0.1), 476, 484)
    found = fell(series, 484)
    assert (found.earliest, found.at) == (at(475.5), at(480)) and found.latest >= at(484)


def test_a_series_that_does_not_fall_has_no_change_point() -> None:
    assert change_point(np.array([1.0])) is None
    assert change_point(np.array([0.2, 0.2, 1.0, 1.0])) is None
    assert change_point(np.array([1.0, 1.0, 0.2, 0.2])) == 2


def test_an_event_never_enters_the_time_before_it_however_long_it_lasts() -> None:
    series = cut(daily(120, noise=0.02), 480, 2880, 0.6)
    assert float(np.median(told(series, 480).between(at(480), at(2880)))) == pytest.approx(0.6, abs=0.01)
    earlier = cut(series, 300, 470, 0.1)
    without_it = shares(earlier, at(480), [Interval(at(300), at(470))])
    assert without_it is not None
    assert float(np.median(without_it.between(at(480), at(2880)))) == pytest.approx(0.6, abs=0.02)


def test_days_of_rest_are_held_against_days_of_rest() -> None:
    series = daily(60, noise=0.01)
    for week in range(9):
        series = cut(series, (7 * week + 5) * 24, (7 * week + 6) * 24, 0.6)
    rest = told(series, 40 * 24).between(at(47 * 24), at(48 * 24))
    assert float(np.median(rest)) == pytest.approx(1, abs=0.02)


def test_too_little_history_says_nothing() -> None:
    assert shares(daily(30), DAY - 1.0) is None


def test_a_soft_start_is_the_lower_level_that_led_up_to_the_fall() -> None:
    series = cut(cut(daily(60, noise=0.02), 960, 1128, 0.9), 1128, 1400, 0.6)
    soft = soft_start(told(series, 950), at(1128))
    assert soft is not None
    assert abs(soft.start - at(960)) <= 3 * HOUR and soft.left == pytest.approx(0.9, abs=0.02)
    assert soft_start(told(cut(daily(60, noise=0.02), 1128, 1400, 0.6), 1120), at(1128)) is None
    day = cut(cut(daily(60, noise=0.02), 1110, 1128, 0.9), 1128, 1400, 0.6)
    assert soft_start(told(day, 1100), at(1128)) is None, "less than a day is a day like others"


def test_a_further_fall_and_a_partial_return_are_steps_of_their_own() -> None:
    series = daily(60, noise=0.02, signal=AP)
    for first, last, left in ((480, 600, 0.8), (600, 700, 0.3), (700, 800, 0.6)):
        series = cut(series, first, last, left)
    found = stages(told(series, 480), at(480), at(800))
    assert [round(one.left, 1) for one in found] == [0.8, 0.3, 0.6]
    assert [one.start for one in found] == [at(480), at(600), at(700)]
    assert [one.end for one in found] == [at(600), at(700), at(800)]
    flat = stages(told(cut(daily(60, noise=0.02, signal=AP), 480, 10_000, 0.5), 480), at(480), None)
    assert [(one.start, one.end) for one in flat] == [(at(480), None)]


def test_no_step_of_an_event_has_more_than_all_of_the_level() -> None:
    series = cut(cut(daily(60, noise=0.01, signal=AP), 480, 500, 0.3), 500, 540, 1.4)
    found = stages(told(series, 480), at(480), at(540))
    assert [round(one.left, 1) for one in found] == [0.3, 1.0]


def test_returns_of_some_hours_amid_days_are_steps_of_their_own() -> None:
    blackout = cut(daily(60, noise=0.02, signal=AP), 480, 608, 0.1)
    for first, last in ((498, 502), (540, 544), (570, 574)):
        blackout = cut(blackout, first, last, 0.9 / 0.1)
    found = stages(told(blackout, 480), at(480), at(608))
    assert [round(one.left, 1) for one in found] == [0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1]
    assert [one.start for one in found] == [at(n) for n in (480, 498, 502, 540, 544, 570, 574)]


def test_a_cut_in_quick_steps_keeps_them() -> None:
    staged = daily(60, noise=0.005, step=1800, signal=AP)
    for first, last, left in ((480, 482, 0.8), (482, 484, 0.5), (484, 486, 0.2), (486, 600, 0.06)):
        staged = cut(staged, first, last, left)
    found = stages(told(staged, 480), at(480), at(600))
    assert [round(one.left, 1) for one in found] == [0.6, 0.2, 0.1]


def test_steps_whose_levels_are_alike_are_one() -> None:
    left = np.repeat([0.69, 0.70, 0.65, 0.39], 30)
    assert levels_of_steps._unlike(left, [0, 30, 60, 90, 120]) == [0, 90, 120]


def test_what_people_did_less_for_hours_is_held_against_the_days_around_it() -> None:
    """On a holiday they do a tenth more than usual all day, half of which is lost for three hours."""
    feast, span = cut(daily(60, noise=0.02), 470, 500, 1.1), [Interval(at(480), at(483))]
    lost_half = told(cut(feast, 480, 483, 0.5), 480)
    measured = depth(of_those_days(lost_half, span), span, span[0].end)
    assert measured is not None and measured.mean == pytest.approx(0.5, abs=0.02)
    deep = told(cut(daily(60, noise=0.02), 456, 504, 0.5), 480)  # no holiday takes half
    assert of_those_days(deep, span) is deep
    assert of_those_days(lost_half, [Interval(at(480), at(580))]) is lost_half, (
        "a long event has a level of its own"
    )


def test_days_above_the_usual_are_no_level_from_which_it_fell_softly() -> None:
    high = cut(cut(daily(60, noise=0.02), 960, 1008, 1.15), 1128, 1400, 0.6)
    assert soft_start(told(high, 1120), at(1128)) is None


@each("hours", [0.5, 0.75, 1.2, 6.0])
@each("late", [0.05, 0.2, 0.3, 0.45])
def test_a_bracket_holds_the_beginning_wherever_in_its_bin_it_was(late: float, hours: float) -> None:
    """Half-hour bins; the loss begins ``late`` hours after the beginning of one."""
    series = lost(late, hours, 0.8)
    low = at(480) if late < 0.4 else at(480.5)
    found = fall(told(series, 479), low, at(480 + ceil(2 * (late + hours)) / 2))
    assert found is not None
    assert found.earliest <= at(480 + late) <= found.latest
    assert found.latest - found.earliest <= 3 * 1800


def test_a_level_is_back_when_a_day_of_it_is() -> None:
    series = cut(daily(60, noise=0.02), 480, 900, 0.6)
    assert back_at(told(series, 480), at(500), 0.4) == pytest.approx(at(900), abs=2 * HOUR)
    assert back_at(told(cut(daily(60), 480, 10_000, 0.6), 480), at(500), 0.4) is None
    nearly = cut(series, 900, 10_000, 0.8)
    assert back_at(told(nearly, 480), at(500), 0.4) is None, "half of the loss is still missing"


def test_depth_is_typical_worst_and_now() -> None:
    series = cut(cut(daily(60, noise=0.01, signal=AP), 480, 600, 0.5), 540, 543, 0.2)
    ended = depth(told(series, 480), [Interval(at(480), at(600))], at(600))
    assert ended is not None and ended.worst is not None and ended.now is not None
    assert (ended.mean, ended.worst, ended.now) == pytest.approx((0.5, 0.1, 1.0), abs=0.03)
    lasts = depth(told(cut(series, 600, 10_000, 0.7), 480), [Interval(at(480), None)], None)
    assert lasts is not None and lasts.now == pytest.approx(0.7, abs=0.02)
    assert depth(told(without(series, 480, 481), 480), [Interval(at(480), at(480.2))], at(480.2)) is None, (
        "no bin meets it"
    )


def test_a_source_that_reports_less_while_much_is_gone_does_not_give_its_return_as_the_typical_level() -> (
    None
):
    """Half-hourly, but one value in ten hours arrives from the deep part."""
    series = cut(cut(daily(60, noise=0.01, signal=AP), 480, 600, 0.5), 480, 560, 0.1)
    kept = [
        n
        for n, at_ in enumerate(series.times)
        if not at(480) < at_ < at(560) or (at_ - at(480)) % 36_000 == 0
    ]
    sparse = replace(series, times=series.times[kept], values=series.values[kept], counts=series.counts[kept])
    found = depth(told(sparse, 480), [Interval(at(480), at(600))], at(600))
    assert found is not None and found.mean == pytest.approx(0.05, abs=0.02)
    (first, *_) = stages(told(sparse, 480), at(480), at(600))
    assert first.left == pytest.approx(0.05, abs=0.02)


def test_now_is_since_the_return_of_what_people_had_lost() -> None:
    """The newest day lies within the outage for the most part."""
    deep = cut(daily(60, noise=0.01), 480, 528, 0.05)
    for hours, now in ((0.5, 0.05), (1.5, 1.0), (8, 1.0)):
        known = told(without(deep, 528 + hours, 1e6), 480)
        found = depth(known, [Interval(at(480), None)], None)
        assert found is not None and found.now == pytest.approx(now, abs=0.03)


@each("hours", [0.5, 1.0, 1.5, 6.0])
@each("late", [0.0, 0.1, 0.2, 0.25, 0.4])
def test_bins_that_were_lost_in_part_are_not_taken_for_the_loss(late: float, hours: float) -> None:
    """Half-hour bins; the loss begins ``late`` hours after the beginning of one."""
    found = depth(
        told(lost(late, hours, 0.6), 480),
        [Interval(at(480 + late), at(480 + late + hours))],
        at(480 + late + hours),
    )
    assert found is not None and found.worst is not None
    assert found.mean == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("late", [0.05, 0.1, 0.2, 0.4])
def test_an_event_that_two_bins_show_in_part_lasted_as_long_as_one(late: float) -> None:
    span = told(lost(late, 0.5, 0.6), 480).brief(Interval(at(480), at(481)))
    assert span is not None and span.end is not None
    assert (span.start, span.end) == pytest.approx((at(480 + late), at(480.5 + late)), abs=60)


@pytest.mark.parametrize(("late", "hours"), [(0.0, 0.5), (0.0, 1.0), (0.1, 1.0), (0.25, 0.5), (0.0, 6.0)])
def test_two_bins_that_lost_the_same_were_filled_and_more_are_no_brief_event(
    late: float, hours: float
) -> None:
    assert told(lost(late, hours, 0.6), 480).brief(Interval(at(480), at(480 + late + hours))) is None


@pytest.mark.parametrize("step", [300, 600, 1800, 3600, 7200, 10800])
@pytest.mark.parametrize("left", [0.05, 0.7])
@pytest.mark.parametrize("into", [0.0, 0.3, 0.6])
def test_the_return_of_a_series_of_any_bins_is_found_where_it_came_back(
    step: int, left: float, into: float
) -> None:
    series, end = daily(30, noise=0.002, step=step, signal=AP), at(540) + into * step
    inside = np.clip(np.minimum(series.times + step, end) - np.maximum(series.times, at(480)), 0, step)
    series = replace(series, values=series.values * (1 - (1 - left) * inside / step))
    back = rise(told(series, 480), at(480), at(550), np.inf, 1 - left)
    assert back is not None and back.at == pytest.approx(end, abs=step / 10)
    assert back.earliest <= end <= back.latest <= back.earliest + 3 * step
    assert rise(told(series, 480), at(480), at(490), at(539), 1 - left) is None, "it was not back yet"


def test_what_comes_back_little_by_little_is_back_at_the_last_of_it() -> None:
    """As Venezuela did on 23 July 2019, hour by hour."""
    series = levels(
        "10x480 9 8 5 4 2 1x3 2 3x4 4x5 5x3 6 7x2 8x7 9x8 10 9x3 10x8",
        signal="connectivity",
        step=HOUR,
    )
    back = rise(told(series, 480), at(481), at(511), np.inf, 0.6)
    assert back is not None and back.at == at(511), "a tenth is within noise"


def test_a_dip_that_follows_is_no_part_of_what_people_lost() -> None:
    series = cut(cut(daily(60, noise=0.02), 480, 540, 0.2), 540, 546, 0.8)
    back = rise(told(series, 480), at(480), at(546), np.inf, 0.8)
    assert back is not None and back.at == pytest.approx(at(540), abs=900)


def test_a_fall_in_steps_begins_with_the_first_where_no_people_move_the_series() -> None:
    for signal, begins in ((AP, 470), ("gtr", 480)):
        series = cut(cut(daily(60, noise=0.005, signal=signal), 470, 480, 0.85), 480, 600, 0.1)
        assert fell(series, 470).at == pytest.approx(at(begins), abs=900), signal


@each("late", [10, 200, 400, 590])
@each("over", [1.0, 2.0])
def test_a_fall_of_hours_may_have_begun_from_the_last_good_value_on(late: float, over: float) -> None:
    """Bins of ten minutes of a level that falls evenly, from ``late`` seconds after the beginning of one."""
    series = daily(60, noise=0.002, signal=AP, step=600)
    since = series.times[:, None] + np.linspace(0, 600, 61) - at(480) - late
    left = (1 - 0.9 * np.clip(since / (over * HOUR), 0, 1)).mean(axis=1)
    found = fell(replace(series, values=series.values * left), 480, 480 + 24)
    assert found.earliest <= at(480) + late <= found.latest
    assert found.latest - found.earliest <= 3 * 600
