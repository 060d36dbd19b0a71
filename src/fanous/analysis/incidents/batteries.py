"""Batteries: did networks fall at once, and each go on sinking for hours?  So they do where the power fails.

On 28 April 2025 the traffic of Portugal halved when the grid failed, and was down to a tenth five hours
later; Spain's fell to two fifths, and to a fifth (Cloudflare Radar): masts and exchanges ran on until their
batteries were empty.  A country's own line sinks like that too where operators carry out an order one after
another (Iran 2019), so single networks and regions are looked at, each of which such an order cuts at once.
"""

from collections.abc import Sequence

import numpy as np

from fanous.analysis.incidents.fusion import family_of
from fanous.model.anomaly import Anomaly
from fanous.model.place import Family
from fanous.model.series import Floats, Series

HOUR, DAY = 3600, 86400

FELT = frozenset({Family.PROBING, Family.USAGE})
"""Families that see customers' own equipment go dark; routers have better batteries."""

FELL, LEFT = 0.85, 0.2
"""In its first hour a line must have no more than this left, and no less: what is cut has nothing to lose."""

SANK = 0.6
"""Of what the first hour left, at the most, in some later hour; Portugal .2, Spain .5."""

HOURS = 6
"""After the onset."""

PLACES = 2
"""Networks or regions of which this must be so, and half of those that are named."""

DAYS = 7
LEAST_DAYS = 2
"""Days before, at the same time, whose median is ordinary; and how many of them must be known."""


def run_down(lead: Sequence[Anomaly], series: Sequence[Series]) -> bool:
    """Whether most places named sank like that.

    Args:
        lead: the anomalies that the claim is about.
        series: the lines that they were found in; others do no harm.
    """
    wanted = {
        anomaly.key: anomaly.start
        for anomaly in sorted(lead, key=lambda a: -a.start)  # the first one of a line stays
        if family_of(anomaly) in FELT and (anomaly.key.place.asn or anomaly.key.place.region)
    }
    sinks: dict[object, bool] = {}
    for line in series:
        if line.key in wanted:
            place = line.key.place
            sinks[place] = sinks.get(place, False) or _sinks(line, wanted[line.key])
    return sum(sinks.values()) >= max(PLACES, len(sinks) / 2)


def _sinks(line: Series, start: float) -> bool:
    left = [_left(line, start + hour * HOUR, start + (hour + 1) * HOUR) for hour in range(HOURS)]
    first, later = left[0], [share for share in left[1:] if not np.isnan(share)]
    return LEFT <= first <= FELL and bool(later) and min(later) <= SANK * first


def _left(line: Series, since: float, until: float) -> float:
    """Median share of the ordinary level in the bins that begin there; NaN = not known."""
    chosen = np.flatnonzero((line.times >= since) & (line.times < until))
    shares = [line.values[n] / usual for n in chosen if (usual := _ordinary(line, int(line.times[n]))) > 0]
    return float(np.median(shares)) if shares else float("nan")


def _ordinary(line: Series, at: int) -> float:
    """Median of the same time on the days before; 0 = too few are known."""
    days = at - DAY * np.arange(1, DAYS + 1)
    where = np.searchsorted(line.times, days)
    known = (where < len(line)) & (line.times[np.minimum(where, len(line) - 1)] == days)
    values: Floats = line.values[where[known]]
    return float(np.median(values)) if len(values) >= LEAST_DAYS else 0.0
