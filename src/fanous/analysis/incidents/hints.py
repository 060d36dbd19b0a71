"""Hints: what may point to a cause of an outage.  Shown, never counted as evidence.

When the power fails, networks run on batteries: they fall at once and each goes on sinking for hours.  On 28 April
2025 the traffic of Portugal halved when the grid failed and was down to a tenth five hours later; Spain's fell to two
fifths and then to a fifth (Cloudflare Radar), because masts and exchanges ran on until their batteries were empty.  A
country's own series also sinks like that when operators carry out an order one after another (Iran 2019), so single
networks and regions are examined, each of which such an order cuts at once.
"""

from collections.abc import Iterator, Sequence
from math import ceil, nan

import numpy as np

from fanous.analysis.detectors.slowdown import SlowdownOptions
from fanous.analysis.incidents.assemble import SAME_HOURS
from fanous.analysis.incidents.course import FELT, Began
from fanous.analysis.series.anomalies import family_of
from fanous.analysis.series.baselines import shares
from fanous.analysis.series.signals import SIGNALS, Direction
from fanous.model.incident import Interval
from fanous.model.instant import DAY, HOUR, MINUTE
from fanous.model.place import Place
from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Series
from fanous.model.threshold import threshold

# --- what may be behind an outage -----------------------------------------------------------------------

SHARP = threshold(
    "incidents.hint_sharp_seconds", 900, "Wider bins cannot show whether an outage began on the hour."
)

ON_TIME = threshold(
    "incidents.hint_on_time_seconds",
    300.0,
    "Time around the full or half hour: an order is carried out within minutes.",
)

SESSIONS = threshold(
    "incidents.hint_sessions",
    3,
    "Intervals at the same hours, on as many days, from which they look like a curfew or examinations.",
)


def hints(
    lead: Sequence[Anomaly],
    intervals: Sequence[Interval],
    elsewhere: Sequence[str],
    series: Sequence[Series] = (),
    season: Reason | None = None,
    began: Began | None = None,
) -> tuple[Reason, ...]:
    """What may be behind an outage, each with what was compared.

    Args:
        lead: the anomalies that the claim is about.
        elsewhere: countries with an outage at the same time.
        series: those in which the anomalies were found.
        season: the hint that exams are held at its season and hour; None = there are none.
        began: the onset; None = it is not known.
    """
    is_steady, abroad = any(a.departure.steady for a in lead), tuple(elsewhere)
    signals = [SIGNALS[anomaly.key.signal] for anomaly in lead]
    # delays that rise alone, or with losses, are the claim itself
    is_delayed = any(s.unit == "ms" for s in signals) and any(s.bad is Direction.DOWN for s in signals)
    found = (
        *_on_the_half_hour(lead, began),
        Reason("hint.even_speed", {"share": SlowdownOptions().steady}) if is_steady else None,
        *_at_same_hours(intervals, lead),
        season,
        sank(lead, series),
        Reason("hint.delays") if is_delayed else None,
        Reason("hint.elsewhere", {"countries": abroad}) if abroad else None,
    )
    return tuple(hint for hint in found if hint is not None)


def _on_the_half_hour(lead: Sequence[Anomaly], began: Began | None) -> Iterator[Reason]:
    if began is None or began.earliest is None or all(a.departure.step > SHARP for a in lead):
        return
    past = began.at % (HOUR / 2)
    off, window = min(past, HOUR / 2 - past), began.latest - began.earliest
    if off <= ON_TIME and window <= SHARP:
        minutes = (MINUTE * max(1, ceil(seconds / MINUTE)) for seconds in (off, window))
        yield Reason("hint.on_time", dict(zip(("off", "window"), minutes, strict=True)))


def _at_same_hours(intervals: Sequence[Interval], lead: Sequence[Anomaly]) -> Iterator[Reason]:
    """Did most sessions of less than a day begin at the same hour, or end at the same one, each on another day?"""
    if min((a.departure.step for a in lead), default=0) > SAME_HOURS:
        return
    short = [(one.start, one.end) for one in intervals if one.end is not None and one.end - one.start < DAY]
    for code, edges in (("hint.same_start", [a for a, _ in short]), ("hint.same_end", [b for _, b in short])):
        alike = max((_alike(at, edges) for at in edges), default=0)
        if alike >= max(SESSIONS, len(intervals) / 2):
            yield Reason(code, {"some": alike, "all": len(intervals)})


def _alike(at: float, others: Sequence[float]) -> int:
    """Days on which something happened at the same hour."""
    apart = ((other - at + DAY / 2) % DAY - DAY / 2 for other in others)
    return len({other // DAY for other, off in zip(others, apart, strict=True) if abs(off) <= SAME_HOURS / 2})


# --- batteries ------------------------------------------------------------------------------------------

FELL = threshold(
    "incidents.batteries_fell",
    0.85,
    "Most of the baseline that may be left in the first hour for power to be the cause.",
)
LEFT = threshold(
    "incidents.batteries_left",
    0.2,
    "Least of the baseline that must be left in the first hour: what is cut has nothing more to lose.",
)

SANK = threshold(
    "incidents.batteries_sank",
    0.6,
    "Most of the first hour's share that may remain in some later hour: Portugal .2, Spain .5.",
)

HOURS = threshold(
    "incidents.batteries_hours", 6, "Hours after the onset that are searched for batteries that run down."
)

PLACES = threshold(
    "incidents.batteries_places", 2, "Networks or regions that must sink like this, and half of those named."
)


def sank(lead: Sequence[Anomaly], series: Sequence[Series]) -> Reason | None:
    """How many of the places named sank like that; None = fewer than most.

    Args:
        lead: the anomalies that the claim is about.
        series: those in which they were found; others do no harm.
    """
    wanted = {  # of what sees customers' own equipment go dark: the batteries of routers last longer
        anomaly.key: anomaly.start
        for anomaly in sorted(lead, key=lambda a: -a.start)  # the first one of a series stays
        if family_of(anomaly) in FELT and (anomaly.key.place.asn or anomaly.key.place.region)
    }
    places: dict[Place, bool] = {}
    for line in series:
        if line.key in wanted:
            place = line.key.place
            places[place] = places.get(place, False) or _sinks(line, wanted[line.key])
    some = sum(places.values())
    return (
        Reason("hint.sank", {"some": some, "all": len(places)})
        if some >= max(PLACES, len(places) / 2)
        else None
    )


def _sinks(line: Series, start: float) -> bool:
    usual = shares(line, start)
    if usual is None:
        return False
    hours = (usual.between(at, at + HOUR) for at in start + HOUR * np.arange(HOURS))
    first, *later = (float(np.median(shares)) if len(shares) else nan for shares in hours)
    return LEFT <= first <= FELL and any(left <= SANK * first for left in later)
