"""The ordinary failing share of series, thin ones borrowing from the others."""

import numpy as np
import pytest

from fanous.analysis.series.baselines import HISTORY, SlotBaseline, look_back, quiet_share
from fanous.model.series import Floats, Ints
from tests.each import each

PRIOR, STRENGTH, LOW, HIGH = 0.02, 50.0, 0.005, 0.3


def shares(
    failing: list[list[int]],
    probes: list[list[int]],
    quiet: list[list[float]] | None = None,
    groups: list[int] | None = None,
) -> Floats:
    """One row a bin, one column a series; all bins are quiet unless ``quiet`` says otherwise."""
    made = np.array(probes, np.int64)
    weights = np.ones(made.shape) if quiet is None else np.array(quiet)
    together = np.array(groups or [0] * made.shape[1], np.int64)
    return quiet_share(
        np.array(failing, np.int64),
        made,
        weights,
        together,
        prior=PRIOR,
        strength=STRENGTH,
        low=LOW,
        high=HIGH,
    )


def test_without_data_it_is_the_prior() -> None:
    assert shares([[0, 0]], [[0, 0]]).tolist() == [PRIOR, PRIOR]


def test_with_much_data_it_is_the_share_that_failed() -> None:
    assert shares([[1000]], [[10_000]])[0] == pytest.approx(0.1, abs=0.001)


def test_a_thin_series_borrows_from_the_others_and_a_thick_one_keeps_its_own() -> None:
    thin, thick = shares([[0, 1000]], [[1, 10_000]])
    assert thin == pytest.approx(0.1, abs=0.003)
    assert thick == pytest.approx(0.1, abs=0.001)
    alone = shares([[0]], [[1]])[0]
    assert alone == pytest.approx(PRIOR, abs=0.001)


def test_groups_borrow_nothing_from_each_other() -> None:
    thin, thick, other = shares([[0, 1000, 0]], [[1, 10_000, 1]], groups=[0, 0, 1])
    assert thin == pytest.approx(thick, abs=0.003)
    assert other == pytest.approx(PRIOR, abs=0.001)


def test_bins_that_are_not_quiet_do_not_count() -> None:
    """An event never enters its own baseline."""
    noisy = shares([[0], [90]], [[100], [100]])
    spared = shares([[0], [90]], [[100], [100]], [[1.0], [0.0]])
    assert spared[0] == shares([[0]], [[100]])[0] < noisy[0]


def test_a_doubtful_bin_counts_in_part() -> None:
    at = [shares([[0], [90]], [[100], [100]], [[1.0], [w]])[0] for w in (0.0, 0.1, 0.5, 1.0)]
    assert at == sorted(set(at))


@pytest.mark.parametrize(("failed", "share"), [(0, LOW), (10_000, HIGH)])
def test_no_series_is_perfect_and_a_block_is_never_normal(failed: int, share: float) -> None:
    assert shares([[failed]], [[10_000]])[0] == share


def test_one_blocked_network_does_not_make_the_others_look_bad_beyond_the_bound() -> None:
    thin, _ = shares([[0, 10_000]], [[1, 10_000]])
    assert thin < HIGH


def test_it_answers_once_for_each_series() -> None:
    assert shares([[0, 1, 2]] * 4, [[9, 9, 9]] * 4).shape == (3,)
    assert np.all(np.diff(shares([[0, 1, 2]] * 4, [[9, 9, 9]] * 4)) > 0)


HOUR, DAY = 3600, 86400


def daily(days: int) -> tuple[Ints, Floats]:
    """Hours of some days: 100 by day, 10 at four in the morning."""
    times = np.arange(days * 24, dtype=np.int64) * HOUR
    return times, np.where(times % DAY == 4 * HOUR, 10.0, 100.0)


def test_the_ordinary_level_is_that_of_the_same_time_of_day() -> None:
    times, values = daily(10)
    assert SlotBaseline(times, values).at(9 * DAY + 4 * HOUR) == 10
    assert SlotBaseline(times, values).at(9 * DAY + 5 * HOUR) == 100


def test_the_bin_itself_and_what_comes_after_do_not_count() -> None:
    times, values = daily(10)
    values[5 * 24 + 4 :] = 0
    assert SlotBaseline(times, values).at(5 * DAY + 4 * HOUR) == 10


def test_a_short_history_counts_in_full_and_without_one_nothing_is_said() -> None:
    times, values = daily(2)
    assert SlotBaseline(times, values).at(DAY + 4 * HOUR) == 100
    assert np.isnan(SlotBaseline(times, values).at(0))
    assert np.isnan(SlotBaseline(times, np.full(len(times), np.nan)).at(DAY))


@each(
    ("outages", "days"),
    [
        ((), 28),
        (((-5.0, -3.0),), 30),
        (((-5.0, float("inf")),), 33),
        (((-40.0, float("inf")),), 68),
        (
            ((-30.5, -29.0), (-5.0, -3.0)),
            31.5,
        ),  # the later one takes the earlier into the days looked back on
        (((-40.0, -32.0),), 28),
    ],
)
def test_as_many_days_count_as_lie_outside_outages(
    outages: tuple[tuple[float, float], ...], days: float
) -> None:
    spans = [(100 * DAY + start * DAY, 100 * DAY + end * DAY) for start, end in outages]
    assert look_back(100 * DAY, spans) == (100 - days) * DAY
    assert HISTORY == 28 * DAY
