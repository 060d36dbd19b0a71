"""Filter: how probable is it that a series is *on* (interfered with), bin by bin?

A hidden Markov chain with the states off and on, rates per second between them, and Beta-Binomial emissions: probes on
one network fail together, so ten failing probes are worth little more than three.  Only bins in which something was
measured are updated.  Between them the chain relaxes; callers must treat silence as *unknown*.

Many series run at once: arrays have shape (bins, series), so that one step in time is one contiguous row, and shorter
series are padded at the end.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanous.model.instant import HOUR
from fanous.model.series import Floats, Ints, Series

Bools = NDArray[np.bool_]

PROBES_MAX = 40
"""Under the assumed over-dispersion, more probes in a bin add nothing; the table ends here."""


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Series side by side.  Row ``j`` holds the j-th measured bin of each series.

    Attributes:
        times: int64, (bins, series), unix seconds; padding repeats the last time.
        failing: int64, (bins, series), probes that failed.
        probes: int64, (bins, series), probes that measured; 0 = padding.
        controlled: bool, (bins, series): did at least half of the failing probes have a normal control of their
            own?
    """

    times: Ints
    failing: Ints
    probes: Ints
    controlled: Bools


def side_by_side(series: list[Series]) -> Bins:
    """The series as one rectangle, padded."""
    shape = (max((len(one) for one in series), default=0), len(series))
    times, failing, probes, controlled = (np.zeros(shape, np.int64) for _ in range(4))
    for column, one in enumerate(series):
        n = len(one)
        times[:n, column], times[n:, column] = one.times, one.times[-1] if n else 0
        probes[:n, column] = one.counts
        failing[:n, column] = np.rint(one.values * one.counts)
        controlled[:n, column] = one.controlled
    return Bins(times, failing, probes, 2 * controlled >= np.maximum(failing, 1))


def beta_binomial(mean: Floats, rho: float) -> Floats:
    """Log probability of k failing among n probes, up to the binomial coefficient.

    Args:
        mean: shape (m,), expected failing share, each in (0, 1).
        rho: correlation between probes of one bin, in (0, 1).

    Returns:
        float64, shape (m, PROBES_MAX + 1, PROBES_MAX + 1), indexed [mean, n, k]; NaN where k > n.
    """
    strength = (1 - rho) / rho
    a, b = mean[:, None] * strength, (1 - mean[:, None]) * strength
    steps = np.arange(PROBES_MAX, dtype=np.float64)
    zero = np.zeros((len(mean), 1))
    rising_a = np.hstack([zero, np.cumsum(np.log(a + steps), axis=1)])
    rising_b = np.hstack([zero, np.cumsum(np.log(b + steps), axis=1)])
    rising_ab = np.concatenate([[0.0], np.cumsum(np.log(strength + steps))])
    n, k = np.meshgrid(np.arange(PROBES_MAX + 1), np.arange(PROBES_MAX + 1), indexing="ij")
    table = rising_a[:, k] + rising_b[:, np.maximum(n - k, 0)] - rising_ab[n]
    return np.where(k > n, np.nan, table)


def log_likelihood_ratio(bins: Bins, mean_off: Floats, mean_on: float, rho: float) -> Floats:
    """Evidence for *on* in each bin, in nats; 0 in the padding.  ``mean_off`` has shape (series,)."""
    over = np.maximum(bins.probes, 1) / PROBES_MAX
    scale = np.maximum(over, 1.0)
    n = np.rint(bins.probes / scale).astype(np.int64)
    k = np.minimum(np.rint(bins.failing / scale).astype(np.int64), n)
    means, mean_of = np.unique(np.round(mean_off, 4), return_inverse=True)
    off, on = beta_binomial(means, rho), beta_binomial(np.array([mean_on]), rho)[0]
    ratio = on[n, k] - off[mean_of[None, :], n, k]
    return np.where(bins.probes > 0, ratio, 0.0)


def clip_bursts(ratio: Floats, bins: Bins, limit: float) -> Floats:
    """Cap what a bin may contribute, and what an hour of failures without controls may contribute.

    Failures come in bursts: on a quiet network one failure makes another within hours forty times as likely.  A
    failing bin with its own normal controls has its own cap; all other failing bins of a series share one cap
    per hour.  A success needs no control, so only the bin's cap applies.
    """
    capped = np.clip(ratio, -limit, limit)
    spent = np.zeros(ratio.shape[1])
    hour = np.full(ratio.shape[1], -1, np.int64)
    for j in range(len(ratio)):
        this_hour = bins.times[j] // HOUR
        spent[this_hour != hour] = 0.0
        hour = this_hour
        shares = (capped[j] > 0) & ~bins.controlled[j]
        allowed = np.where(shares, np.minimum(capped[j], limit - spent), 0.0)
        spent += allowed
        capped[j] = np.where(shares, allowed, capped[j])
    return capped


def _relax(probability: Floats, rate_on: Floats, rate_off: float, seconds: Ints) -> Floats:
    """The chain's own prediction after ``seconds`` without data."""
    total = rate_on + rate_off
    rest = rate_on / total
    return rest + (probability - rest) * np.exp(-total * seconds)


def forward(ratio: Floats, times: Ints, rate_on: Floats, rate_off: float) -> Floats:
    """P(on | everything up to and including the bin).

    Args:
        ratio: float64, (bins, series), nats.
        times: int64, (bins, series).
        rate_on: float64, (bins, series), per second, valid before each bin.
        rate_off: per second.

    Returns:
        float64, (bins, series), in [0, 1].  A series begins at the chain's stationary share.
    """
    out = np.empty_like(ratio)
    for j in range(len(ratio)):
        if j == 0:
            predicted = rate_on[0] / (rate_on[0] + rate_off)
        else:
            predicted = _relax(out[j - 1], rate_on[j], rate_off, times[j] - times[j - 1])
        weight = predicted * np.exp(ratio[j])
        out[j] = weight / (weight + 1 - predicted)
    return out


def smooth(filtered: Floats, times: Ints, rate_on: Floats, rate_off: float) -> Floats:
    """P(on | all data), from the forward probabilities; same shape."""
    out = filtered.copy()
    for j in range(len(filtered) - 2, -1, -1):
        here, ahead, rate = filtered[j], out[j + 1], rate_on[j + 1]
        decay = np.exp(-(rate + rate_off) * (times[j + 1] - times[j]))
        rest = rate / (rate + rate_off)
        on_to_on, off_to_on = rest + (1 - rest) * decay, rest - rest * decay
        predicted = np.clip(here * on_to_on + (1 - here) * off_to_on, 1e-300, 1 - 1e-16)
        up, down = ahead / predicted, (1 - ahead) / (1 - predicted)
        out[j] = here * (on_to_on * up + (1 - on_to_on) * down)
    return np.clip(out, 0.0, 1.0)
