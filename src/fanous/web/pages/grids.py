"""Grids: rows through time as a template draws them.

Timeline: incidents and announced events of a window as bars under one another, time from left to right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fanous.charts.grid import HIGH, ROOM, Cell, Grid, cell_width, network_times, strip
from fanous.charts.plot import ruler, ticks
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.model.series import Votes
from fanous.publish.edition import Story
from fanous.refdata.users import user_weights
from fanous.web.routes import Visit
from fanous.wording.language import Language

MOST_ROWS = 16
"""Networks, or targets, of one grid; the table of all stands elsewhere on the page."""

WORDS = {
    Cell.NO_DATA: "No data",
    Cell.REACHABLE: "Reachable",
    Cell.SOME_FAILED: "Some failed",
    Cell.SUSPECTED: "Suspected",
    Cell.IN_SESSIONS: "Disrupted part of the time",
    Cell.CUT: "Disrupted whenever measured",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One row.

    Attributes:
        name: ASN or target that it is about.
        picture: shapes for an ``<svg>`` of the grid's width.
        tally: what the row says, in words with numbers of columns, for those who hear it.
    """

    name: int | str
    picture: Markup
    tally: tuple[tuple[str, int], ...]
    measurements: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Attributes:
    width: pixels of the columns.
    hours: of one column.
    more: rows that are left out.
    """

    width: int
    high: int
    hours: int
    ruler: list[tuple[int, str]]
    rows: list[Drawn]
    more: int = 0


def by_network(
    votes: Votes,
    incidents: Sequence[Incident],
    country: str,
    language: Language,
    span: tuple[float, float] | None = None,
) -> Drawing | None:
    """Networks x time, those of most users first where that is known; ``None`` = nothing was measured."""
    grid = network_times(votes, incidents, country, span)
    if not grid.rows:
        return None
    known = {weight.asn: weight.share for weight in own.networks} if (own := user_weights(country)) else {}
    ordered = sorted(grid.rows, key=lambda row: -known.get(row.asn, 0.0))
    rows = [_drawn(row.asn, row.cells, row.measurements) for row in ordered[:MOST_ROWS]]
    return _drawing(grid, rows, language, max(0, len(grid.rows) - MOST_ROWS))


def by_target(
    votes: Votes, incidents: Sequence[Incident], country: str, asn: int, language: Language
) -> Drawing | None:
    """Targets x time on one network."""
    own = votes.where(votes.asns == asn)
    if not len(own):
        return None
    span = float(own.times.min()), float(own.times.max())
    rows: list[Drawn] = []
    grid = network_times(own, incidents, country, span)
    places = own.by_target()
    for target in places:
        about = [incident for incident in incidents if target in incident.targets]
        one = network_times(own.of([target], places), about, country, span)
        rows += [_drawn(target, row.cells, row.measurements) for row in one.rows]
    rows.sort(key=lambda row: (-_disrupted(row), -row.measurements, str(row.name)))
    return _drawing(grid, rows[:MOST_ROWS], language, max(0, len(rows) - MOST_ROWS))


def _disrupted(row: Drawn) -> int:
    return sum(n for word, n in row.tally if word in (WORDS[Cell.CUT], WORDS[Cell.IN_SESSIONS]))


def _drawn(name: int | str, cells: Sequence[Cell], measurements: int) -> Drawn:
    tally = [(WORDS[cell], sum(one is cell for one in cells)) for cell in reversed(Cell)]
    return Drawn(name, Markup(strip(cells)), tuple(pair for pair in tally if pair[1]), measurements)


def _drawing(grid: Grid, rows: list[Drawn], language: Language, more: int) -> Drawing:
    hours = int(grid.step.total_seconds() // 3600)
    return Drawing(
        len(grid.columns) * cell_width(len(grid.columns)), HIGH, hours, ruler(grid, language), rows, more
    )


BAR_HIGH = 22
LEAST_WIDTH = 3
"""Pixels: ten minutes within a month would not be seen otherwise."""

MOST_BARS = 14
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
    shown = [bar for _, bar in rows[:MOST_BARS]]
    marks = [
        (round((at - since) / (until - since) * ROOM), text)
        for at, text in ticks(since, until, country, visit.language, MOST_TICKS)
    ]
    return Timeline(ROOM, BAR_HIGH, _apart(marks), shown, len(rows) - len(shown))


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
