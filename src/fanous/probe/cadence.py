"""Cadence: how often a probe measures while an announced event is watched.

An organisation's own vantage points speed up; a volunteer's never do: nobody is to be put at risk by an
announcement, and a crowd of volunteers measuring an event would be seen.
"""

from collections.abc import Iterable

from fanous.model.event import Watch
from fanous.probe.rounds import ORGANISATION_LEAST, least_interval

BEFORE = 12 * 3600.0
"""Seconds before an event from which it is watched: what comes before it may be about it."""

AFTER = 6 * 3600.0
"""Seconds after its end: the end of a restriction is a finding too."""


def cadence(
    ordinary: float, now: float, watches: Iterable[Watch], *, organisation: bool, country: str = ""
) -> float:
    """Seconds until the next round.

    Args:
        ordinary: the interval outside of any watch, in seconds.
        now: unix seconds.
        country: where the probe stands; watches of other countries change nothing.  Empty = unknown:
            every watch counts.
    """
    least = least_interval(organisation=organisation)
    if not organisation:
        return max(ordinary, least)
    watched = any(
        watch.start - BEFORE <= now < watch.end + AFTER and country in ("", watch.country)
        for watch in watches
    )
    return max(least, min(ordinary, ORGANISATION_LEAST)) if watched else max(ordinary, least)
