"""Windows: means over the last bins at several scales, where bins may be missing."""

from collections.abc import Sequence

import numpy as np

from fanous.analysis.detectors.grid import Single


def window_means(values: Single, scales: Sequence[int], bins: int) -> Single:
    """Mean of the last ``m`` bins that were measured, for each scale ``m`` and each of the last ``bins``.

    Args:
        values: float32, shape (at least ``bins``, series); NaN = not measured.

    Returns:
        float32, shape (scales, bins, series).  NaN where the bin itself was not measured, or less than half
        of the window was: nothing is decided without data.
    """
    measured = ~np.isnan(values)
    sums = _running(np.where(measured, values, 0))
    counts = _running(measured)
    first = len(values) - bins
    means = np.empty((len(scales), bins, values.shape[1]), np.float32)
    here = np.arange(first, len(values)) + 1
    for index, width in enumerate(scales):
        before = np.maximum(here - width, 0)
        held = counts[here] - counts[before]
        enough = measured[first:] & (2 * held >= width)
        total = sums[here] - sums[before]
        means[index] = np.where(enough, total / np.maximum(held, 1), np.nan)
    return means


def _running(values: Single) -> Single:
    """Sums of all rows before each; one row more than ``values``."""
    out = np.zeros((len(values) + 1, values.shape[1]), np.float32)
    np.cumsum(values, axis=0, dtype=np.float32, out=out[1:])
    return out


def last_measured(values: Single) -> Single:
    """Each bin's value, or the newest one before it; NaN where there is none."""
    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)
