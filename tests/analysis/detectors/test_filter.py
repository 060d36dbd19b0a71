"""The two-state filter against arithmetic that does not use it."""

from itertools import pairwise
from math import comb, exp, lgamma, log

import numpy as np
import pytest

from fanous.analysis.detectors.interference import (
    PROBES_MAX,
    Bins,
    Bounds,
    alone,
    beta_binomial,
    clip_bursts,
    forward,
    log_likelihood_ratio,
    smooth,
)

DAY = 86400.0
STEP = 600


def bins(
    failing: list[int],
    probes: list[int],
    *,
    controlled: bool = True,
    step: int = STEP,
    vouched: bool = False,
) -> Bins:
    n = len(failing)
    return Bins(
        times=(np.arange(n, dtype=np.int64) * step)[:, None],
        failing=np.array(failing, np.int64)[:, None],
        probes=np.array(probes, np.int64)[:, None],
        controlled=np.full((n, 1), controlled),
        vouched=np.full((n, 1), vouched),
    )


def chance(k: int, n: int, mean: float, rho: float) -> float:
    """Beta-Binomial probability by its textbook formula."""
    a, b = mean * (1 - rho) / rho, (1 - mean) * (1 - rho) / rho

    def log_beta(x: float, y: float) -> float:
        return lgamma(x) + lgamma(y) - lgamma(x + y)

    return comb(n, k) * exp(log_beta(k + a, n - k + b) - log_beta(a, b))


@pytest.mark.parametrize("n", [1, 3, 10])
def test_the_emission_table_is_the_beta_binomial(n: int) -> None:
    table = beta_binomial(np.array([0.02, 0.9]), 0.2)
    for row, mean in enumerate([0.02, 0.9]):
        for k in range(n + 1):
            assert exp(table[row, n, k]) * comb(n, k) == pytest.approx(chance(k, n, mean, 0.2))


def test_ten_failing_probes_are_worth_far_less_than_ten_independent_ones() -> None:
    ratio = log_likelihood_ratio(bins([1, 10], [1, 10]), np.array([0.02]), 0.9, 0.2, STEP)
    one, ten = ratio[:, 0]
    assert one == pytest.approx(log(0.9 / 0.02))
    assert one < ten < 3 * one


def test_more_probes_than_the_table_holds_count_as_a_full_table() -> None:
    ratio = log_likelihood_ratio(
        bins([PROBES_MAX, 4000], [PROBES_MAX, 4000]), np.array([0.02]), 0.9, 0.2, STEP
    )
    assert ratio[0, 0] == pytest.approx(ratio[1, 0])


@pytest.mark.parametrize("split", [[6], [2, 4], [3, 3], [1] * 6])
def test_it_makes_no_difference_in_how_many_bins_the_voices_of_a_round_fall(split: list[int]) -> None:
    """Within seconds, as nothing is forgotten yet; the ratio is that of all six together."""
    whole = log_likelihood_ratio(bins([6], [6]), np.array([0.02]), 0.9, 0.2, STEP)
    parts = log_likelihood_ratio(bins(split, split, step=0), np.array([0.02]), 0.9, 0.2, STEP)
    assert parts.sum() == pytest.approx(whole.sum())


def test_who_measures_ten_times_as_often_is_not_ten_times_as_sure() -> None:
    each_minute = log_likelihood_ratio(bins([1] * 60, [1] * 60, step=60), np.array([0.02]), 0.9, 0.2, STEP)
    each_ten = log_likelihood_ratio(bins([1] * 6, [1] * 6), np.array([0.02]), 0.9, 0.2, STEP)
    assert each_ten.sum() < each_minute.sum() < 1.5 * each_ten.sum()


def test_a_turn_is_news_at_once() -> None:
    """After an hour in which all failed each minute, two that work say as much as if nothing had been before."""
    turned = bins([2] * 60 + [0], [2] * 61, step=60)
    ratio = log_likelihood_ratio(turned, np.array([0.02]), 0.9, 0.2, STEP)
    only = log_likelihood_ratio(bins([0], [2]), np.array([0.02]), 0.9, 0.2, STEP)
    assert ratio[-1, 0] == pytest.approx(only[0, 0])


def test_vouched_failures_have_no_cap_and_strangers_share_one_in_ten_minutes() -> None:
    assert clip_bursts(
        np.full((6, 1), 3.0), bins([1] * 6, [1] * 6, step=60, vouched=True), 4.0, STEP
    ).sum() == pytest.approx(18.0)
    assert clip_bursts(
        np.full((6, 1), 3.0), bins([1] * 6, [1] * 6, step=60), 4.0, STEP
    ).sum() == pytest.approx(4.0)
    unchecked = bins([1] * 6, [1] * 6, step=60, vouched=True, controlled=False)
    assert clip_bursts(np.full((6, 1), 3.0), unchecked, 4.0, STEP).sum() == pytest.approx(4.0)


def test_padding_says_nothing() -> None:
    assert log_likelihood_ratio(bins([0], [0]), np.array([0.02]), 0.9, 0.2, STEP)[0, 0] == 0.0


def test_an_hour_of_failures_without_controls_says_no_more_than_one_clip() -> None:
    six = bins([1] * 6, [1] * 6, controlled=False)
    assert clip_bursts(np.full((6, 1), 3.8), six, 4.0, STEP).sum() == pytest.approx(4.0)
    two_hours = bins([1] * 12, [1] * 12, controlled=False)
    assert clip_bursts(np.full((12, 1), 3.8), two_hours, 4.0, STEP).sum() == pytest.approx(8.0)


def test_controlled_failures_are_clipped_bin_by_bin() -> None:
    six = bins([1] * 6, [1] * 6)
    assert clip_bursts(np.full((6, 1), 9.0), six, 4.0, STEP).sum() == pytest.approx(24.0)


def test_successes_need_no_control() -> None:
    six = bins([0] * 6, [1] * 6, controlled=False)
    assert clip_bursts(np.full((6, 1), -2.0), six, 4.0, STEP).sum() == pytest.approx(-12.0)


def brute_force(
    ratio: list[float], step: float, rate_on: float, rate_off: float, comes: float = 0.0
) -> list[float]:
    """P(on) in each bin given all of them, by summing over every path of the chain.

    Args:
        comes: probability with which *off* turns *on* before the third bin, besides.
    """
    total = rate_on + rate_off
    rest, decay = rate_on / total, exp(-total * step)
    move = {
        (1, 1): rest + (1 - rest) * decay,
        (1, 0): (1 - rest) * (1 - decay),
        (0, 1): rest * (1 - decay),
        (0, 0): 1 - rest + rest * decay,
    }
    n = len(ratio)
    weight_on, everything = [0.0] * n, 0.0
    for code in range(2**n):
        path = [(code >> j) & 1 for j in range(n)]
        weight = rest if path[0] else 1 - rest
        for index, (a, b) in enumerate(pairwise(path)):
            jump = comes if index == 1 else 0.0
            weight *= move[(a, b)] + jump * move[(a, 0)] if b else (1 - jump) * move[(a, 0)]
        for state, nats in zip(path, ratio, strict=True):
            weight *= exp(nats) if state else 1.0
        everything += weight
        for j, state in enumerate(path):
            weight_on[j] += weight * state
    return [w / everything for w in weight_on]


@pytest.mark.parametrize(
    "nats", [[3.8, 3.8, -2.3, 3.8], [-2.3, -2.3, 4.0, -2.3, -2.3], [0.5, 4, 4, 4, -4, -4, 4]]
)
def test_filter_and_smoother_agree_with_summing_over_all_paths(nats: list[float]) -> None:
    rate_on, rate_off, step = 1 / (30 * DAY), 1 / DAY, 7200
    ratio = np.array(nats)[:, None]
    times = (np.arange(len(nats), dtype=np.int64) * step)[:, None]
    rates = np.full(ratio.shape, rate_on)
    filtered = forward(ratio, times, rates, rate_off, alone(ratio.shape))
    smoothed = smooth(filtered, times, rates, rate_off, alone(ratio.shape))
    assert smoothed[:, 0] == pytest.approx(brute_force(nats, step, rate_on, rate_off), rel=1e-9)
    for j in range(len(nats)):
        assert filtered[j, 0] == pytest.approx(brute_force(nats[: j + 1], step, rate_on, rate_off)[-1])


def test_what_others_show_counts_once_forward_and_backward() -> None:
    """A bound from below is a chance of turning on besides the chain's own."""
    nats, rate_on, rate_off, step = [-2.3, -2.3, 3.8, 3.8, -2.3], 1 / (30 * DAY), 1 / DAY, 600
    ratio = np.array(nats)[:, None]
    times, rates = (np.arange(5, dtype=np.int64) * step)[:, None], np.full(ratio.shape, rate_on)
    before = brute_force(nats[:2], step, rate_on, rate_off)[-1]
    total = rate_on + rate_off
    relaxed = rate_on / total + (before - rate_on / total) * exp(-total * step)
    least = np.array([0.0, 0.0, 0.4, 0.0, 0.0])[:, None]
    bounds = Bounds(least, np.ones(ratio.shape))
    filtered = forward(ratio, times, rates, rate_off, bounds)
    smoothed = smooth(filtered, times, rates, rate_off, bounds)
    comes = (0.4 - relaxed) / (1 - relaxed)
    assert smoothed[:, 0] == pytest.approx(brute_force(nats, step, rate_on, rate_off, comes), rel=1e-9)
    assert filtered[2, 0] == pytest.approx(0.4 * exp(3.8) / (0.4 * exp(3.8) + 0.6))


def test_forty_hours_of_silence_relax_the_chain_below_the_clearing_threshold() -> None:
    """The reason why silence must not clear: the chain alone would end an incident that goes on."""
    ratio = np.array([[4.0], [4.0], [4.0], [0.0]])
    times = np.array([[0], [600], [1200], [1200 + 41 * 3600]], np.int64)
    rates = np.full(ratio.shape, 1 / (30 * DAY))
    probability = forward(ratio, times, rates, 1 / DAY, alone(ratio.shape))
    assert probability[2, 0] > 0.99
    assert probability[3, 0] < 0.22
