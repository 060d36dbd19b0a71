"""Hints: what may point to a cause.  Shown as hints, never counted as evidence."""

from collections.abc import Sequence

from fanous.analysis.incidents.batteries import run_down
from fanous.analysis.series.signals import SIGNALS, Direction
from fanous.model.anomaly import Anomaly
from fanous.model.incident import Interval
from fanous.model.series import Series

HOUR = 3600.0

SHARP = 900
"""Seconds: with wider bins nobody can say whether it began on the hour."""

ON_TIME = 300.0
"""Seconds around the full or half hour: an order is carried out within minutes."""

SESSIONS = 3
"""Intervals at like hours from which on they look like a curfew or examinations."""


def hints(
    lead: Sequence[Anomaly],
    intervals: Sequence[Interval],
    elsewhere: Sequence[str],
    series: Sequence[Series] = (),
    season: str = "",
) -> tuple[str, ...]:
    """Remarks on what may be behind an outage.

    Args:
        lead: the anomalies that the claim is about.
        elsewhere: countries with an outage at the same time.
        series: the lines that the anomalies were found in.
        season: the remark that examinations are held at its season and hour; empty = none are.
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
    if season:
        found.append(season)
    if run_down(lead, series):
        found.append(
            "networks fell at once and each went on sinking for hours, as where the power fails and "
            "batteries run down"
        )
    if _delayed(lead):
        found.append(
            "delays rose too, as where traffic takes a longer way round a cut cable, or stands in a queue"
        )
    if elsewhere:
        found.append(
            f"other countries lost connectivity too ({', '.join(elsewhere)}), as a cable cut would do"
        )
    return tuple(found)


def _delayed(lead: Sequence[Anomaly]) -> bool:
    """Besides what fell, delays rose; alone, or beside losses, they are the claim itself."""
    signals = [SIGNALS[anomaly.key.signal] for anomaly in lead]
    return any(s.unit == "ms" for s in signals) and any(s.bad is Direction.DOWN for s in signals)


def _sharp(anomaly: Anomaly) -> bool:
    if anomaly.start_earliest is None or anomaly.departure is None:
        return False
    return anomaly.departure.step + anomaly.start_latest - anomaly.start_earliest <= SHARP


def _on_the_half_hour(instant: float) -> bool:
    past = instant % (HOUR / 2)
    return min(past, HOUR / 2 - past) <= ON_TIME
