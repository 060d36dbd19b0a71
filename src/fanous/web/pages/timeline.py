"""Timeline: incidents and announced events of a window as bars under one another, time from left to right."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fanous.charts.axis import ticks
from fanous.charts.strip import ROOM
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.publish.stories import Story
from fanous.web.visit import Visit

HIGH = 22
LEAST_WIDTH = 3
"""Pixels: ten minutes within a month would not be seen otherwise."""

MOST_ROWS = 14
MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: an incident, or an event.

    Attributes:
        picture: shapes for an ``<svg>`` of ``ROOM`` pixels.
    """

    picture: Markup
    story: Story | None = None
    event: AnnouncedEvent | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Attributes:
    ruler: (pixels from the left, text).
    more: rows that are left out.
    """

    width: int
    high: int
    ruler: list[tuple[int, str]]
    bars: list[Bar]
    more: int


def timeline(
    told: Sequence[Story],
    events: Sequence[AnnouncedEvent],
    since: float,
    until: float,
    country: str,
    visit: Visit,
) -> Timeline | None:
    """By when they began; ``None`` = there is nothing to show.

    Args:
        told: incidents that overlap the window.
    """
    rows: list[tuple[float, Bar]] = [
        (one.incident.onset, Bar(_of_incident(one.incident, since, until), story=one)) for one in told
    ]
    rows += [
        (event.start, Bar(_shape("announced", event.start, event.end, since, until), event=event))
        for event in events
    ]
    if not rows:
        return None
    rows.sort(key=lambda row: -row[0])
    shown = [bar for _, bar in rows[:MOST_ROWS]]
    marks = [
        (round((at - since) / (until - since) * ROOM), text)
        for at, text in ticks(since, until, country, visit.language, MOST_TICKS)
    ]
    return Timeline(ROOM, HIGH, _apart(marks), shown, len(rows) - len(shown))


def _apart(marks: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Those that neither touch the one before nor run over the edge."""
    kept: list[tuple[int, str]] = []
    for x, text in marks:
        if x <= ROOM - 48 and (not kept or x - kept[-1][0] >= 48):
            kept.append((x, text))
    return kept


def _of_incident(incident: Incident, since: float, until: float) -> Markup:
    """Confirmed is filled, suspected a frame, taken back a thin line: told apart without colour."""
    if incident.status is Status.RETRACTED:
        name = "gone"
    else:
        name = "cut" if incident.confirmed_at is not None else "maybe"
    spans = [(one.start, until if one.end is None else one.end) for one in incident.intervals]
    return Markup().join(_shape(name, a, b, since, until) for a, b in spans if b >= since and a <= until)


def _shape(name: str, start: float, end: float, since: float, until: float) -> Markup:
    left = (min(max(start, since), until) - since) / (until - since) * ROOM
    right = (min(max(end, since), until) - since) / (until - since) * ROOM
    x, wide = min(left, ROOM - LEAST_WIDTH), max(right - left, LEAST_WIDTH)
    y, high = {"maybe": (4, 14), "gone": (10, 2), "announced": (15, 5)}.get(name, (3, 16))
    return Markup('<path class="{}" d="M{:.1f} {}h{:.1f}v{}h-{:.1f}z"/>').format(name, x, y, wide, high, wide)
