"""Scale: brings answers of one series, each scaled to its own greatest value, to the scale of what is known.

Radar and Google divide each answer by the greatest value in it.  When a greater one comes in, all the others shrink, as
if the country had lost a part of its traffic on the first day of the answer.
"""

import numpy as np

from fanous.model.series import Floats, Ints, SourceSeries

SCALED = (("radar", "radar_netflows"), ("google", "google_traffic"))
"""Sources and signals of which each answer has a scale of its own."""

COMMON_BINS = 96
"""Bins that the answer must have in common with what is known: a day of quarters of an hour."""

SPREAD = 0.02
"""Most by which the middle nine tenths of the ratios may differ, as a share of their median: with more, they differ in
more than scale."""

ROUNDED = 0.001
"""Share of a value by which it may differ and still be the same: publishers round."""


def is_scaled(one: SourceSeries) -> bool:
    return (one.key.source, one.key.signal) in SCALED


def on_known_scale(times: Ints, values: Floats, known_times: Ints, known: Floats) -> Floats:
    """The values on the scale of what is known of the same series; unchanged if no scale explains the difference."""
    _, here, there = np.intersect1d(times, known_times, return_indices=True)
    new, old = values[here], known[there]
    both = (new > 0) & (old > 0)
    if both.sum() < COMMON_BINS:
        return values
    low, factor, high = np.quantile(old[both] / new[both], [0.05, 0.5, 0.95])
    if high - low > SPREAD * factor:
        return values
    found = values * factor
    same = np.isclose(found[here], old, rtol=ROUNDED, atol=0)
    found[here[same]] = old[same]
    return np.asarray(found)
