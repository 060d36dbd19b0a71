"""Denial: does what people did at the time deny what came from one place alone?

Routing and active probing may be measured by one observatory, and then a fault of its own may show in both at once, and
in every country.  An observatory may pass on what others measure, too (IODA: a telescope's stray traffic, Google's
figures), and if it fails, all of these are at zero.  If so much of a country is gone, while its traffic, which others
measured and others delivered, was as usual, one of the two is wrong; so the outage is not confirmed.
"""

from collections.abc import Sequence

import numpy as np

from fanous.analysis.incidents.fusion import LOOKED_AT, family_of, left, of_people
from fanous.analysis.incidents.group import is_country
from fanous.analysis.series.baselines import slot_baseline
from fanous.analysis.series.signals import SIGNALS, Direction, deliverer_of, publisher_of
from fanous.model.anomaly import Anomaly
from fanous.model.instant import DAY
from fanous.model.place import Family
from fanous.model.reason import Reason
from fanous.model.series import Series

LOST = 0.4
"""Share of the level that both families must have lost: less may be networks without users."""

LEAST_DROPS = 2.0
"""Least drops of a signal that a loss must be, for the signal to deny it: it would have had to show it clearly."""

DAYS = 7
USUAL_DAYS = 5
"""Days of the week before on which the series must have stayed above half of that loss at the same hours: otherwise it
is so noisy that *as usual* proves nothing.  An outage may have been on the others."""

BINS = 2
"""Least bins of it within the time of the loss: a single one may be right by chance; otherwise those around it, each of
which must be as usual."""

NOTHING_LEFT = 0.1
"""Share left of everything that came through one deliverer, up to which that may have failed: it has nothing to pass on
then, while figures of others that show a part of their level did come through."""

DENIED = "disputed.publisher"
"""One publisher measured all that shows it."""

UNDELIVERED = "disputed.deliverer"
"""All that shows it came through one deliverer, and is at zero."""


def denied(group: Sequence[Anomaly], series: Sequence[Series]) -> Reason | None:
    """Why what came from one place is not believed; None = others show it too, or nothing denies it.

    Args:
        series: all quantities of the country that can show an outage.
    """
    whole = [a for a in group if is_country(a.key.place)]
    why = _from_one_place(group)
    if not whole or not why:
        return None
    publishers, deliverers = ({name(a.key) for a in group} for name in (publisher_of, deliverer_of))
    families: dict[Family, list[Anomaly]] = {}
    for anomaly in whole:
        families.setdefault(family_of(anomaly), []).append(anomaly)
    lost = min(1 - min(map(left, own)) for own in families.values())
    start = max(min(a.start_latest for a in own) for own in families.values())
    end = min(max(a.last_seen for a in own) for own in families.values())
    if lost < LOST:
        return None
    able = [
        one
        for one in series
        if is_country(one.key.place)
        and not (publisher_of(one.key) in publishers and deliverer_of(one.key) in deliverers)
    ]
    told = {one.key: _was_as_usual(one, start, end, lost) for one in able}
    deny = {SIGNALS[key.signal].family for key, usual in told.items() if usual}
    if not deny or False in told.values():
        return None
    named = (
        (name, tuple(str(f) for f in Family if f in of))
        for name, of in (("shown_by", families), ("families", deny))
    )
    return Reason(why, dict(named))


def _from_one_place(group: Sequence[Anomaly]) -> str:
    """The code of the doubt if one publisher measured everything, or one deliverer has nothing left of it; or empty."""
    if len({publisher_of(a.key) for a in group}) == 1:
        return "" if any(map(of_people, group)) else DENIED
    one_way = len({deliverer_of(a.key) for a in group}) == 1
    return UNDELIVERED if one_way and all(left(a) <= NOTHING_LEFT for a in group) else ""


def _was_as_usual(one: Series, start: float, end: float, lost: float) -> bool | None:
    """Did the series show nothing of a loss that it would have shown?  None = it could not have."""
    signal = SIGNALS[one.key.signal]
    if not signal.of_people or signal.bad is Direction.UP or lost < LEAST_DROPS * signal.least_drop:
        return None
    days = [median_share(one, start - n * DAY, end - n * DAY) for n in range(DAYS + 1)]
    share, *before = days
    if share is None or sum(usual is not None and usual >= 1 - lost / 2 for usual in before) < USUAL_DAYS:
        return None
    return share >= 1 - signal.least_drop


def median_share(one: Series, start: float, end: float) -> float | None:
    """Median share of the usual level in the bins within a time; None = too few of them are known.

    If there are fewer than ``BINS``, the lowest of those around it: a short loss lies in two bins in part, or in the
    next one if a publisher's clock is off by a bin.
    """
    known = ~np.isnan(one.values)
    rows = np.flatnonzero((one.times >= start) & (one.times + one.step <= end) & known)
    middle = np.median
    if len(rows) < BINS:
        rows = np.flatnonzero((one.times + 2 * one.step > start) & (one.times - one.step < end) & known)
        rows = rows if len(rows) and one.times[rows[-1]] + one.step >= end else rows[:0]
        middle = np.min
    rows = rows[:: max(1, len(rows) // LOOKED_AT)]
    usual = np.array([slot_baseline(one.times, one.values, int(at)) for at in one.times[rows]])
    told = usual > 0
    return float(middle(one.values[rows][told] / usual[told])) if told.sum() >= BINS else None
