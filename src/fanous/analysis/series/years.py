"""Years: did the same place lose as much on the same days of an earlier year, as on a holiday?

People do less on holidays, and last year shows how much less.  Feasts move, but calendars return: after a solar
year, a lunar one (Ramadan, Ashura), a lunisolar one with or without a leap month (the new year in China), or a number
of weeks (Easter).  A loss deeper than any of those still counts: phones were cut on Ashura.
"""

from datetime import UTC, datetime

import numpy as np

from fanous.analysis.series.depth import shares
from fanous.analysis.series.signals import SIGNALS
from fanous.model.instant import DAY
from fanous.model.series import Series

RETURNS = (365, 366, 364, 354, 355, 384, 383, 385, 350, 357, 378)
"""Days after which a feast returns: the solar year and a day either side of it, the lunar year, the lunisolar leap
year, and the weeks from one Easter to the next."""

YEARS = 3
"""Number of years examined."""

COVERED = 0.75
"""Share of the bins that must have been measured then."""

MARGIN = 1 / 3
"""Share of the signal's least drop by which a loss may be deeper than the earlier one."""

NO_OUTAGE = 0.5
"""Share left below which the earlier loss was itself an outage, and excludes nothing."""


def lost_as_much(one: Series, start: float, end: float) -> int | None:
    """The latest earlier year in which the series lost as much on the same days, at the same hours; None = never.

    Args:
        one: with as many years of history as are known.
        start, end: those of the loss, unix seconds.
    """
    now = _left(one, start, end)
    if now is None:
        return None
    margin = MARGIN * SIGNALS[one.key.signal].least_drop
    for year in range(1, YEARS + 1):
        for days in _lags(year):
            then = _left(one, start - days * DAY, end - days * DAY)
            if then is not None and NO_OUTAGE <= then <= now + margin:
                return datetime.fromtimestamp(start - days * DAY, UTC).year
    return None


def _left(one: Series, start: float, end: float) -> float | None:
    """Typical share left of what was usual before; None = too little is known."""
    if not len(one) or start - DAY < one.times[0]:
        return None
    then = shares(one, start)
    if then is None:
        return None
    left = then.left[(then.times >= start) & (then.times < end)]
    return float(np.median(left)) if len(left) and len(left) * one.step >= COVERED * (end - start) else None


def _lags(year: int) -> tuple[int, ...]:
    """Days back to the same days of a calendar ``year`` years ago."""
    if year == 1:
        return RETURNS
    solar = round(365.25 * year)
    lunar = round(354.367 * year)
    return (solar, solar - 1, solar + 1, lunar, lunar + 1)
