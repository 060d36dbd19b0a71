"""A level below the normal one for the hour is found, from its onset to its end; nothing else is."""

import numpy as np
import pytest

from fanous.analysis.detectors.drop import departures, find_drops
from fanous.analysis.detectors.grid import DropOptions, scales_of
from fanous.model.series import Anomaly, Series
from tests.analysis.detectors.quantity_series import HOUR, cut, daily, levels, replaced, without
from tests.builders import DAY
from tests.each import each

OPTIONS = DropOptions()


def found(*series: Series) -> list[Anomaly]:
    return find_drops(series, OPTIONS)


def hours(anomaly: Anomaly) -> tuple[float, float | None]:
    """Onset and end in hours since the beginning."""
    end = None if anomaly.end is None else (anomaly.end - DAY) / HOUR
    return (anomaly.start - DAY) / HOUR, end


@each(
    ("notation", "stretches"),
    [
        ("100x480", []),
        ("100x432 40x6 100x42", [(216, 219)]),
        ("100x432 90x6 100x42", [(216, 219)]),  # a tenth of active probing
        ("100x432 97x6 100x42", []),  # less than what such a series does by itself
        ("100x432 60 100x47", []),  # a single bin is a gap of the source as often
        ("100x432 40x2 100x46", [(216, 217)]),
        ("100x432 40x3 97 40x3 100x41", [(216, 219.5)]),  # above enter, below leave: one stretch
        ("100x432 40x3 _x4 40x3 100x38", [(216, 221)]),  # silence does not end it
        ("100x432 40x6 _x42", [(216, None)]),  # nor does it at the end
        ("100x432 _x24 100x24", []),  # and it is not a drop
        ("100x432 _x6 40x6 100x36", [(218.5, 222)]),  # somewhere in the gap: half an hour before at most
        ("100x432 40x48", [(216, None)]),
        ("40x480", []),  # low from the first day is what is ordinary here
        ("100x80 40x6 100x298", []),  # nothing is said before each hour was seen twice
        ("100x432 300x6 100x42", []),  # a surge is no loss
    ],
)
def test_a_drop_is_one_stretch(notation: str, stretches: list[tuple[float, float | None]]) -> None:
    assert [hours(anomaly) for anomaly in found(levels(notation))] == stretches


def test_a_single_deep_bin_is_raised_as_one_that_needs_another_publisher() -> None:
    (anomaly,) = found(levels("100x432 40 100x47"))
    assert anomaly.departure is not None and anomaly.departure.single
    assert anomaly.raised_at == anomaly.departure.gone_at == DAY + 216.5 * HOUR
    (two,) = found(levels("100x432 40x2 100x46"))
    assert two.departure is not None and not two.departure.single
    assert (two.departure.gone_at, two.raised_at) == (DAY + 216.5 * HOUR, DAY + 217 * HOUR)
    assert found(cut(daily(20, signal="ping-slash24", step=3600), 216, 217, 0.3)) == [], (
        "an hour is no short gap"
    )


def test_a_stretch_says_how_much_is_left_and_when_it_was_raised() -> None:
    (anomaly,) = found(levels("100x432 40 5x5 100x42"))
    assert anomaly.departure is not None
    assert anomaly.departure.left == pytest.approx(0.05)
    assert 0.05 <= anomaly.departure.low < anomaly.departure.high <= 0.4
    assert anomaly.raised_at == DAY + 217 * HOUR, "after the second low bin"
    assert (anomaly.start_earliest, anomaly.start_latest) == (DAY + 216 * HOUR, DAY + 216 * HOUR)
    assert anomaly.bins == 6
    assert not anomaly.departure.short


def test_less_than_a_week_of_history_is_said_and_demands_more() -> None:
    assert found(levels("100x144 92x6 100x42")) == []
    (anomaly,) = found(levels("100x144 89x6 100x42"))
    assert anomaly.departure is not None and anomaly.departure.short


@each("step", [300, 600, 900, 1800, 3600, 86400])
def test_bins_of_any_width_that_fills_a_day_serve(step: int) -> None:
    series = cut(daily(24, swing=0.1, signal="ping-slash24", step=step), 480, 504, 0.3)
    (anomaly,) = found(series)
    assert hours(anomaly) == (480, 504)


@each(
    ("step", "phase"),
    [
        (3600, 1800),  # hours of Iran's clock, India's and Myanmar's
        (3600, 900),
        (3600, 2700),  # of Nepal's
        (1800, 900),
        (900, 300),
        (600, 599),
        (86400, 19 * 3600),  # days of Pakistan's clock
        (86400, 20 * 3600 + 1800),
    ],
)
def test_bins_that_are_offset_from_utcs_keep_their_moments(step: int, phase: int) -> None:
    quiet = daily(24, swing=0.1, signal="ping-slash24", step=step)
    moved = replaced(quiet, quiet.times + phase, quiet.values)
    (anomaly,) = found(cut(moved, 480, 528, 0.3))
    assert (anomaly.start, anomaly.end) == (DAY + phase + 480 * HOUR, DAY + phase + 528 * HOUR)
    assert anomaly.raised_at == anomaly.start + (step if step == 86400 else 2 * step)
    assert anomaly.last_seen == anomaly.end


def test_bins_of_several_clocks_are_looked_at_side_by_side() -> None:
    quiet = daily(24, swing=0.1, signal="ping-slash24", step=3600)
    moved = [replaced(quiet, quiet.times + phase, quiet.values) for phase in (0, 1800, 0, 900)]
    ends = [a.end for a in found(*(cut(one, 480, 484, 0.3) for one in moved))]
    assert ends == [DAY + 484 * HOUR + phase for phase in (0, 0, 900, 1800)]


def test_a_day_of_rest_is_not_an_outage_once_it_was_seen() -> None:
    quiet = levels("100x288 60x48 " * 3, signal="gtr")
    assert found(quiet) == []
    (cut_on_it,) = found(cut(quiet, 482, 488, 0.5))
    assert hours(cut_on_it) == (482, 488), "and an outage on such a day is seen as well"


def test_the_daily_curve_is_no_drop_and_neither_is_its_noise() -> None:
    series = [daily(30, noise=0.06, seed=seed) for seed in range(20)]
    assert found(*series) == []


def test_a_noisy_series_shows_a_loss_over_hours() -> None:
    counts = np.random.default_rng(3).poisson(7, 24 * 20).astype(float)
    series = daily(20, swing=0.0, signal="responders", step=3600)
    series = replaced(series, series.times, counts)
    assert found(series) == []
    (anomaly,) = found(cut(series, 361, 369, 0.0))
    start, end = hours(anomaly)
    assert start == pytest.approx(361, abs=1) and end == pytest.approx(369, abs=1)


def test_a_surge_does_not_hide_the_loss_after_it() -> None:
    counts = np.random.default_rng(3).poisson(15, 24 * 20).astype(float)
    series = daily(20, swing=0.0, signal="responders", step=3600)
    surge = cut(replaced(series, series.times, counts), 360, 361, 6.0)
    (anomaly,) = found(cut(surge, 361, 369, 0.3))
    assert hours(anomaly) == (361, 369)


def test_an_outage_never_enters_its_own_baseline() -> None:
    series = cut(daily(30, noise=0.02, signal="ping-slash24", step=3600), 240, 240 + 25 * 24, 0.1)
    (anomaly,) = found(series)
    assert hours(anomaly) == (240, None)
    assert anomaly.departure is not None and anomaly.departure.left == pytest.approx(0.1, abs=0.01)


def test_a_partial_loss_that_lasts_becomes_ordinary_after_a_week_and_says_so() -> None:
    series = cut(daily(40, noise=0.01, signal="ping-slash24", step=3600), 480, 960, 0.8)
    (anomaly,) = found(series)
    assert anomaly.departure is not None and anomaly.departure.accepted
    assert hours(anomaly) == (480, None), "it never came back"
    assert accepted_at(anomaly) == 480 + 8 * 24, "at the midnight after"
    again = found(cut(series, 900, 906, 0.5))
    assert [hours(a) for a in again[1:]] == [(900, 906)], "held against the new level"


def test_a_level_that_lasted_ends_when_the_one_before_it_is_back() -> None:
    series = cut(daily(60, noise=0.01, signal="ping-slash24", step=3600), 480, 900, 0.8)
    (anomaly,) = found(series)
    assert (hours(anomaly), accepted_at(anomaly)) == ((480, 900), 480 + 8 * 24)


def accepted_at(anomaly: Anomaly) -> float | None:
    """In hours since the beginning."""
    assert anomaly.departure is not None
    since = anomaly.departure.lasting_since
    return None if since is None else (since - DAY) / HOUR


@pytest.mark.parametrize(
    ("until", "accepted"),
    [
        (17 * 24 + 3, None),  # six days and seven hours of it
        (17 * 24 + 23, None),
        (18 * 24, 18 * 24),
        (18 * 24 + 1, 18 * 24),
        (20 * 24, 18 * 24),
    ],
)
def test_no_loss_is_ordinary_before_the_day_that_says_so_has_passed(until: int, accepted: int | None) -> None:
    lasting = cut(daily(20, signal="ping-slash24", step=600), 10 * 24 + 20, 1000, 0.8)
    other = daily(20, swing=0.1, signal="bgp", step=600)
    (anomaly,) = found(without(lasting, until, 1000), other)
    assert hours(anomaly) == (10 * 24 + 20, None)
    assert accepted_at(anomaly) == accepted, "also where other series of the grid reach further"


def test_a_loss_that_fell_silent_is_not_accepted_after_its_last_bin() -> None:
    lasting = cut(daily(20, signal="ping-slash24", step=600), 10 * 24 + 20, 1000, 0.8)
    (anomaly,) = found(without(lasting, 17 * 24 + 6, 19 * 24))
    assert anomaly.departure is not None and anomaly.departure.accepted and anomaly.end is None
    (silent,) = found(without(lasting, 17 * 24 + 6, 1000))
    assert silent.end is None and accepted_at(silent) is None


def test_a_severe_loss_is_not_ordinary_after_a_week() -> None:
    (anomaly,) = found(cut(daily(45, signal="ping-slash24", step=3600), 240, 1080, 0.2))
    assert anomaly.departure is not None and anomaly.departure.accepted
    assert (hours(anomaly), accepted_at(anomaly)) == (
        (240, None),
        240 + (OPTIONS.accept_severe_after + 1) * 24,
    )


def test_a_gradual_decline_begins_where_it_began() -> None:
    series = daily(20, noise=0.005, signal="ping-slash24", step=600, swing=0.0)
    at = (series.times - series.times[0]) / HOUR
    fading = np.clip(1 - (at - 300) / 24, 0.3, 1)
    (anomaly,) = found(replaced(series, series.times, series.values * fading))
    start, end = hours(anomaly)
    assert 300 < start < 303 and end is None
    assert anomaly.raised_at is not None and anomaly.raised_at < DAY + 304 * HOUR


def test_every_night_of_a_curfew_is_found() -> None:
    series = daily(30, noise=0.03, signal="ping-slash24", step=1800)
    for night in range(8, 28):
        series = cut(series, night * 24 + 1, night * 24 + 9, 0.02)
    assert [hours(a) for a in found(series)] == [(n * 24 + 1, n * 24 + 9) for n in range(8, 28)]


def test_nights_of_a_sparse_count_do_not_become_ordinary() -> None:
    """The alarm comes hours after the first low bin: what led up to it must be taken back."""
    series = daily(50, swing=0.0, signal="responders", step=3600)
    counts = np.random.default_rng(4).poisson(7, len(series)).astype(float)
    series = replaced(series, series.times, counts)
    for night in range(8, 48):
        series = cut(series, night * 24 + 1, night * 24 + 9, 0.0)
    nights = [int(hours(a)[0] + 12) // 24 for a in found(series)]
    assert set(range(8, 48)) <= set(nights)
    assert len(nights) <= 41


def test_what_a_watcher_saw_does_not_depend_on_what_came_later() -> None:
    series = cut(daily(20, noise=0.03, signal="ping-slash24", seed=5), 300, 310, 0.4)
    whole = next(departures([series], OPTIONS))
    part = next(departures([without(series, 306, 10_000)], OPTIONS))
    rows = 306 * 2
    assert np.array_equal(whole.on[:rows], part.on[:rows])
    assert np.allclose(whole.drop[:rows], part.drop[:rows], equal_nan=True)


def test_series_side_by_side_are_as_each_alone() -> None:
    series = [
        cut(daily(12, noise=0.03, signal="ping-slash24", seed=n), 200 + n, 206 + n, 0.5) for n in range(5)
    ]
    together = found(*series)
    alone = [anomaly for one in series for anomaly in found(one)]
    assert together == sorted(alone, key=lambda a: a.start)


def test_what_is_bad_when_it_rises_is_turned_over() -> None:
    slow = levels("20x432 80x6 20x42", signal="ping-slash24-latency")
    (anomaly,) = found(slow)
    assert anomaly.departure is not None and anomaly.departure.left == pytest.approx(0.25)
    lossy = levels("0.01x432 0.61x6 0.01x42", signal="ping-slash24-loss")
    (anomaly,) = found(lossy)
    assert anomaly.departure is not None and anomaly.departure.left == pytest.approx(0.39 / 0.99, abs=1e-3)


def test_a_loss_says_whether_any_day_of_the_week_before_was_like_it() -> None:
    rest = levels("100x240 60x48 100x192 60x6 100x42", signal="gtr")
    alike = found(rest)[-1].departure
    deeper = found(cut(rest, 240, 243, 0.5))[-1].departure
    assert alike is not None and deeper is not None
    assert (alike.unlike, deeper.unlike) == (0.0, 1.0)


def test_nothing_is_made_of_series_without_values_or_of_nought() -> None:
    assert found(levels("_x480"), levels("0x480"), levels("0x432 5x6 0x42")) == []


@pytest.mark.parametrize(("left", "seen"), [(11, 0), (10, 1)])
def test_one_of_a_dozen_blocks_comes_and_goes(left: int, seen: int) -> None:
    few = levels(f"12x100 11x2 12x330 {left}x6 12x42")
    assert len(found(few)) == seen
    shares = replaced(few, few.times, few.values * 100 / 13)
    assert len(found(shares)) == seen, "in per cent of the greatest value as well"


def test_drops_are_averaged_over_at_least_as_many_bins_as_must_be_low() -> None:
    assert scales_of(600, OPTIONS) == (1, 6, 18, 36)
    assert scales_of(3600, OPTIONS) == (1, 2, 3, 6)
    assert scales_of(86400, OPTIONS) == (1,)


def test_the_noise_of_the_first_days_is_known_on_the_first_day_that_is_judged() -> None:
    noisy = daily(12, noise=0.1, signal="bgp", step=1800, swing=0.0)
    assert found(noisy) == []


def test_a_day_of_rest_is_news_once() -> None:
    """The departing values were recorded as ordinary, but it is not below what was measured a week ago."""
    series = daily(42, noise=0.02, signal="gtr", step=1800)
    for week in range(2, 6):  # the weekend moves: a new day of rest from the third week on
        series = cut(series, (week * 7 + 4) * 24 + 3, (week * 7 + 4) * 24 + 9, 0.7)
    unlike = [a.departure.unlike for a in found(series) if a.departure is not None]
    assert unlike[0] > 0.9 and max(unlike[1:], default=0.0) < 0.5


def test_a_day_that_begins_hours_late_is_like_others_and_one_that_begins_half_a_day_late_is_not() -> None:
    day = "20x14 60x2 100x28 60x2 20x2 "
    late = "20x{} 60x2 100x{} 60x2 20x2 "
    three = found(levels(day * 15 + late.format(20, 22) + day, signal="gtr"))
    twelve = found(levels(day * 15 + late.format(38, 4) + day, signal="gtr"))
    assert [a.departure.unlike for a in three if a.departure is not None] == [0.0]
    assert [a.departure.unlike > 0.5 for a in twelve if a.departure is not None] == [True]


def test_a_deep_loss_is_news_each_week() -> None:
    series = daily(42, noise=0.02, signal="gtr", step=1800)
    for week in range(2, 6):
        series = cut(series, (week * 7 + 4) * 24 + 3, (week * 7 + 4) * 24 + 9, 0.2)
    assert [a.departure.unlike > 0.9 for a in found(series) if a.departure is not None] == [True] * 4


def test_a_stretch_says_since_when_and_until_when_more_than_half_was_gone() -> None:
    series = cut(cut(daily(20, swing=0.0, step=1800), 300, 312, 0.7), 302, 306, 0.5)
    (anomaly,) = found(series)
    deep = anomaly.departure
    assert deep is not None and deep.deep_from is not None and deep.deep_until is not None
    start = series.times[0]
    assert ((deep.deep_from - start) / HOUR, (deep.deep_until - start) / HOUR) == (302, 306)


@pytest.mark.parametrize("when", [13 * 24, 14 * 24 + 10])
def test_a_cut_ends_though_a_few_blocks_were_gone_before_it_or_do_not_return(when: float) -> None:
    """A loss too small to be reported by itself kept it open for a week, and then indefinitely."""
    one = cut(daily(24, noise=0.003, swing=0.0, signal="ping-slash24"), when, 24 * 24, 0.965)
    (found,) = find_drops([cut(one, 14 * 24 + 8, 14 * 24 + 12, 0.1)], DropOptions())
    assert found.end == DAY + (14 * 24 + 12) * HOUR
    assert found.departure is not None and found.departure.left < 0.12
