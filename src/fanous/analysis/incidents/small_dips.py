"""Small dips: how far the series of a family fell that did not show an outage.

*As usual* may hide a tenth that is missing and not worth an alarm; a reader is told.
"""

from collections.abc import Sequence

import numpy as np

from fanous.analysis.incidents.outage_group import is_country
from fanous.analysis.series.baselines import slot_baseline
from fanous.analysis.series.signals import SIGNALS, Direction
from fanous.model.incident import Estimate
from fanous.model.series import Series

NOTICED = 0.5
"""Share of the least drop of a signal from which on it is said that a line stood lower: half of what would be
told by itself, as where a stretch ends."""

LOOKED_AT = 48
"""Bins of the time that are held against their hour, evenly spread: a day of half hours tells the level of
weeks."""


def a_little_lower(series: Sequence[Series], start: float, end: float) -> Estimate | None:
    """Share of the ordinary level that was there in ``[start, end)``, by the country's lines if it has any.

    ``None`` = none stood lower, or there is nothing to hold it against.
    """
    lines = [s for s in series if is_country(s.key.place)] or list(series)
    stood = [_stood(one, start, end) for one in lines]
    low = [share for share in stood if share is not None]
    if not low:
        return None
    middle = [share.mean for share in low]
    return Estimate(float(np.mean(middle)), min(share.low for share in low), max(share.high for share in low))


def _stood(one: Series, start: float, end: float) -> Estimate | None:
    """The same of one line."""
    signal = SIGNALS[one.key.signal]
    rows = np.flatnonzero((one.times >= start) & (one.times < end))
    if signal.bad is Direction.UP or not len(rows):
        return None
    rows = rows[:: max(1, len(rows) // LOOKED_AT)]
    earlier = one.times < start
    times, values = one.times[earlier], one.values[earlier]
    ordinary = np.array([slot_baseline(times, values, int(at)) for at in one.times[rows]])
    known = ordinary > 0
    if not known.any():
        return None
    shares = one.values[rows][known] / ordinary[known]
    low, middle, high = np.quantile(shares, [0.05, 0.5, 0.95])
    lower = middle <= 1 - NOTICED * signal.least_drop
    return Estimate(float(middle), float(low), float(high)) if lower else None
