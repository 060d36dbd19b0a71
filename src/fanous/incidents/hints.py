"""Hints: what may point to a cause.  Shown as hints, never counted as evidence."""

from collections.abc import Sequence

from fanous.model.anomaly import Anomaly
from fanous.model.incident import Interval

HOUR = 3600.0

SHARP = 900
"""Seconds: with wider bins nobody can say whether it began on the hour."""

ON_TIME = 300.0
"""Seconds around the full or half hour: an order is carried out within minutes."""

SESSIONS = 3
"""Intervals at like hours from which on they look like a curfew or examinations."""


def hints(
    lead: Sequence[Anomaly], intervals: Sequence[Interval], elsewhere: Sequence[str]
) -> tuple[str, ...]:
    """Remarks on what may be behind an outage.

    Args:
        lead: the anomalies that the claim is about.
        elsewhere: countries with an outage at the same time.
    """
    found = []
    sharp = [a for a in lead if _sharp(a)]
    if sharp and _on_the_half_hour(min(a.start for a in sharp)):
        found.append(
            "it began on the hour or half hour, as nine in ten government-ordered shutdowns do and four in "
            "ten other outages"
        )
    if any(a.departure is not None and a.departure.steady for a in lead):
        found.append("speeds hardly vary meanwhile, as under an imposed rate and not under congestion")
    if len(intervals) >= SESSIONS:
        found.append("it comes back at the same hours, as curfews and examination sessions do")
    if elsewhere:
        found.append(
            f"other countries lost connectivity too ({', '.join(elsewhere)}), as a cable cut would do"
        )
    return tuple(found)


def _sharp(anomaly: Anomaly) -> bool:
    if anomaly.start_earliest is None or anomaly.departure is None:
        return False
    return anomaly.departure.step + anomaly.start_latest - anomaly.start_earliest <= SHARP


def _on_the_half_hour(instant: float) -> bool:
    past = instant % (HOUR / 2)
    return min(past, HOUR / 2 - past) <= ON_TIME
