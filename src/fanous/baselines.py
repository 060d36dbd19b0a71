"""Baselines: what a series looks like when nothing is wrong."""

import numpy as np

from fanous.model.series import Floats, Ints


def quiet_share(
    failing: Ints,
    probes: Ints,
    quiet: Floats,
    together: Ints,
    *,
    prior: float,
    strength: float,
    low: float,
    high: float,
) -> Floats:
    """Failing share of each series in its quiet bins, shrunk towards its group, and that to ``prior``.

    A thin series says little about itself, so it borrows from its country and platform (its group), and
    those from the literature.

    Args:
        failing: int64, (bins, series), probes that failed.
        probes: int64, (bins, series), probes that measured; 0 = padding.
        quiet: float64, (bins, series), probability that the bin is ordinary: its weight.
        together: int64, (series,), number of each series' group, from 0.
        prior: share expected before any data.
        strength: probes that the prior is worth, at both levels.
        low: least answer: a series is never trusted to be perfect.
        high: greatest answer: a series that fails more than this is not called ordinary, or a block
            that was there from the first day would become the norm.

    Returns:
        float64, (series,).
    """
    failed, measured = (failing * quiet).sum(axis=0), (probes * quiet).sum(axis=0)
    all_failed, all_measured = (np.bincount(together, weights=w) for w in (failed, measured))
    pooled = np.clip((all_failed + prior * strength) / (all_measured + strength), low, high)[together]
    return np.asarray(np.clip((failed + pooled * strength) / (measured + strength), low, high))


def slot_ordinary(times: Ints, values: Floats, at: int, *, days: int = 28, least: int = 3) -> float:
    """The level that is ordinary for a time of day: the median of that time on the days before.

    Where fewer than ``least`` days have it, of all values before instead: a rougher answer, but one.

    Args:
        times: int64, (n,), ascending, unix seconds at which each bin begins.
        values: float64, (n,).
        at: beginning of the bin that is asked about; it does not count itself.

    Returns:
        The level; NaN = nothing was measured before.
    """
    before = (times < at) & (times >= at - days * 86400) & ~np.isnan(values)
    same_slot = before & ((at - times) % 86400 == 0)
    chosen = same_slot if same_slot.sum() >= least else before
    return float(np.median(values[chosen])) if chosen.any() else float("nan")
