"""Cadence: how often a probe measures around an announced event.

An organisation's own vantage points speed up; a volunteer's never do: nobody is to be put at risk by an
announcement, and a crowd of volunteers measuring an event would be seen.
"""

from collections.abc import Iterable

from fanous.model.event import AnnouncedEvent
from fanous.probe.rounds import ORGANISATION_LEAST, least_interval

BEFORE = 12 * 3600.0
"""Seconds before an event from which a probe speeds up: what comes before it may be about it."""

AFTER = 6 * 3600.0
"""Seconds after its end: the end of a restriction is a finding too."""


def cadence(
    ordinary: float, now: float, events: Iterable[AnnouncedEvent], *, organisation: bool, country: str = ""
) -> float:
    """Seconds until the next round.

    Args:
        ordinary: the interval far from any event, in seconds.
        now: unix seconds.
        country: where the probe stands; events of other countries change nothing.  Empty = unknown:
            every event counts.
    """
    least = least_interval(organisation=organisation)
    if not organisation:
        return max(ordinary, least)
    is_near = any(
        event.start - BEFORE <= now < event.end + AFTER and country in ("", event.country) for event in events
    )
    return max(least, min(ordinary, ORGANISATION_LEAST)) if is_near else max(ordinary, least)
