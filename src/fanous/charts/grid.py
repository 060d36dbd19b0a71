"""Grid: networks x time on the country's clock, with the measurements of some targets in each cell.

Columns are days if they fit, hours in a short window, weeks in a long one.  ``network_times`` counts and
``by_network`` and ``by_target`` draw: each row is SVG in which height and pattern tell the state, and colour
repeats it.  No data is a separate state, drawn as empty space; *reachable* is a low bar.  Neither can be
confused with the other, or with *disrupted*.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby

import numpy as np
from markupsafe import Markup

from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY, HOUR
from fanous.model.series import Floats, Ints, Votes
from fanous.refdata.countries import local
from fanous.refdata.users import user_weights
from fanous.wording import clocks
from fanous.wording.language import Language

WEEK = 7 * DAY
STEPS = (HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, WEEK)

COLUMNS = 54
"""A year of weeks; a network's name and a count still fit next to them in 80 characters."""

MONDAY = 4 * DAY
"""Unix time begins on a Thursday; weeks begin here."""

QUARTER = 900
"""All clocks in use differ from UTC by quarter hours."""


class Cell(StrEnum):
    """One network in one column."""

    NO_DATA = "no data"
    REACHABLE = "reachable"
    SOME_FAILED = "some failed"
    SUSPECTED = "suspected"
    IN_SESSIONS = "disrupted in some measurements"
    CUT = "disrupted whenever measured"


@dataclass(frozen=True, slots=True)
class GridRow:
    """One network: a cell for each column, and its measurements in the columns."""

    asn: int
    cells: tuple[Cell, ...]
    measurements: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows in order of how many measurements failed, then of how many there are.

    Attributes:
        columns: when each begins, on the country's clock (naive).
        step: width of a column; an hour that the clock repeats in autumn is one column.
        rows: one per network.
        left_out: number of columns before the first that had to be left out.
    """

    columns: tuple[datetime, ...]
    step: timedelta
    rows: tuple[GridRow, ...]
    left_out: int = 0


def network_times(
    votes: Votes, incidents: Sequence[Incident], country: str, span: tuple[float, float] | None = None
) -> Grid:
    """The grid of all votes; a cell is *disrupted* only where an incident says so.

    Args:
        span: unix seconds, UTC, of the first and the last column, so that several grids have the same;
            ``None`` = those of the votes.
    """
    if not len(votes):
        return Grid((), timedelta(days=1), ())
    wall = _wall(votes.times, country)
    ends = (_wall_of(at, country) for at in span) if span else (int(wall.min()), int(wall.max()))
    columns = _columns(country, *ends)
    made, failed = _count(votes, (wall - MONDAY) // columns.step)
    return filled(columns, made, failed, incidents)


def filled(columns: "GridColumns", made: "Places", failed: "Places", incidents: Sequence[Incident]) -> Grid:
    """The grid of what was counted; a cell is *disrupted* only where an incident says so."""
    said = _said(incidents, columns.country, columns.step, columns.last)
    rows = []
    for asn in {asn for asn, at in made if columns.first <= at <= columns.last}:
        places = [(asn, at) for at in range(columns.first, columns.last + 1)]
        cells = tuple(_cell(made[place], failed[place], said.get(place)) for place in places)
        rows.append((-sum(failed[p] for p in places), GridRow(asn, cells, sum(made[p] for p in places))))
    rows.sort(key=lambda row: (row[0], -row[1].measurements, row[1].asn))
    begins = tuple(_naive(at * columns.step + MONDAY) for at in range(columns.first, columns.last + 1))
    return Grid(begins, timedelta(seconds=columns.step), tuple(row for _, row in rows), columns.left_out)


@dataclass(frozen=True, slots=True)
class GridColumns:
    """The stretches of local time that the columns cover, numbered from the first Monday of unix time.

    Attributes:
        first, last: the first and the last column shown.
        left_out: number of earlier columns that do not fit.
    """

    country: str
    step: int
    first: int
    last: int
    left_out: int

    def edges(self) -> list[tuple[int, int]]:
        """(unix seconds, column): each instant at which another column, or another UTC offset, begins."""
        found = []
        for start, end, offset in _offsets(
            self._instant(self.first), self._instant(self.last + 1), self.country
        ):
            inside = range((start + offset - MONDAY) // self.step, (end + offset - MONDAY) // self.step + 1)
            for column in inside:
                edge = max(start, column * self.step + MONDAY - offset)
                if edge < end and self.first <= column <= self.last:
                    found.append((edge, column))
        return found

    def _instant(self, column: int) -> int:
        wall = column * self.step + MONDAY
        offset = _wall_of(wall, self.country) - wall
        return wall - (_wall_of(wall - offset, self.country) - (wall - offset))


def _offsets(start: int, end: int, country: str) -> list[tuple[int, int, int]]:
    """(from, to, seconds ahead of UTC) of the country's clock, a day ahead and behind for safety."""
    start, end = start - DAY, end + DAY
    spans: list[tuple[int, int, int]] = []
    for at in range(start, end, DAY):
        until = min(at + DAY, end)
        here, there = _wall_of(at, country) - at, _wall_of(until, country) - until
        change = until if here == there else _change(at, until, country)
        spans.append((at, change, here))
        if change < until:
            spans.append((change, until, there))
    return spans


def _change(start: int, end: int, country: str) -> int:
    """The quarter hour between the two at which the clock is put forward or back."""
    before, low, high = _wall_of(start, country) - start, start // QUARTER, -(-end // QUARTER)
    while high - low > 1:
        middle = (low + high) // 2
        same = _wall_of(middle * QUARTER, country) - middle * QUARTER == before
        low, high = (middle, high) if same else (low, middle)
    return high * QUARTER


def columns_of(country: str, first: float, last: float) -> GridColumns:
    """The finest columns that cover two instants (unix seconds, UTC); otherwise the latest of the coarsest."""
    return _columns(
        country, _wall_of(first // QUARTER * QUARTER, country), _wall_of(last // QUARTER * QUARTER, country)
    )


def _columns(country: str, begin: int, end: int) -> GridColumns:
    step = _step(begin, end)
    first, last = (begin - MONDAY) // step, (end - MONDAY) // step
    shown = max(first, last - COLUMNS + 1)
    return GridColumns(country, step, shown, last, shown - first)


def _wall(times: Floats, country: str) -> Ints:
    """Seconds of the country's clock, to the quarter hour, as if it were UTC; int64, shape (n,)."""
    quarters, which = np.unique(times // QUARTER, return_inverse=True)
    clocks = [_wall_of(quarter * QUARTER, country) for quarter in quarters.tolist()]
    return np.array(clocks, np.int64)[which]


def _wall_of(instant: float, country: str) -> int:
    offset = local(instant, country).utcoffset() or timedelta(0)
    return int(instant + offset.total_seconds())


def _naive(wall: int) -> datetime:
    return datetime.fromtimestamp(wall, UTC).replace(tzinfo=None)


def _step(first: int, last: int) -> int:
    """The finest step whose columns fit; else the coarsest."""
    for step in STEPS:
        if (last - MONDAY) // step - (first - MONDAY) // step < COLUMNS:
            return step
    return STEPS[-1]


Places = Counter[tuple[int, int]]
"""(ASN, column) -> measurements."""


def _count(votes: Votes, column: Ints) -> tuple[Places, Places]:
    """Measurements made and failed; one fails if any of its votes saw it."""
    place: dict[str, tuple[int, int]] = {}
    bad: set[str] = set()
    for uid, asn, at, seen in zip(
        votes.uids.tolist(), votes.asns.tolist(), column.tolist(), votes.seen.tolist(), strict=True
    ):
        place[uid] = asn, at
        if seen:
            bad.add(uid)
    return Counter(place.values()), Counter(place[uid] for uid in bad)


def _said(incidents: Sequence[Incident], country: str, step: int, last: int) -> dict[tuple[int, int], bool]:
    """(ASN, column) that an incident covers -> was one of them confirmed?"""
    said: dict[tuple[int, int], bool] = {}
    standing = [incident for incident in incidents if incident.status is not Status.RETRACTED]
    for incident in sorted(standing, key=lambda i: i.confirmed_at is not None):
        for network in (one for one in incident.networks if one.asn):
            for interval in network.intervals:
                begin = (_wall_of(interval.start, country) - MONDAY) // step
                end = last
                if interval.end is not None:  # intervals are half-open
                    end = (_wall_of(interval.end, country) - 1 - MONDAY) // step
                for at in range(max(begin, last - COLUMNS), min(end, last) + 1):
                    said[network.asn, at] = incident.confirmed_at is not None
    return said


def _cell(made: int, failed: int, confirmed: bool | None) -> Cell:
    """``confirmed`` ``None`` = no incident covers the cell."""
    if not made:
        return Cell.NO_DATA
    if not failed:
        return Cell.REACHABLE
    if confirmed is None:
        return Cell.SOME_FAILED
    if not confirmed:
        return Cell.SUSPECTED
    return Cell.CUT if failed == made else Cell.IN_SESSIONS


LEAST, MOST, ROOM = 10, 40, 560
"""Smallest and largest width of a cell in pixels, and pixels of a whole row if these allow it."""

HIGH = 22
"""Pixels of a row's height."""


def cell_width(columns: int) -> int:
    """Pixels: few columns are drawn wider, so that grids of all windows are about equally wide."""
    return min(MOST, max(LEAST, ROOM // max(1, columns)))


def strip(cells: Sequence[Cell]) -> str:
    """Rectangles of runs of equal cells, without the ``<svg>``; time from left to right."""
    cell_pixels = cell_width(len(cells))
    parts, at = [], 0
    for cell, run in groupby(cells):
        width = len(list(run))
        if cell is not Cell.NO_DATA:
            parts.append(_run(cell, at * cell_pixels, width * cell_pixels))
        at += width
    return "".join(parts)


def _run(cell: Cell, x: int, width: int) -> str:
    if cell is Cell.REACHABLE:
        return f'<path class="ok" d="M{x} 15h{width}v7h-{width}z"/>'
    if cell is Cell.SOME_FAILED:
        return f'<path class="some" d="M{x} 10h{width}v12h-{width}z"/>'
    if cell is Cell.SUSPECTED:
        return f'<path class="maybe" d="M{x + 1} 1h{width - 2}v20h-{width - 2}z"/>'
    name = 'part" fill="url(#part)' if cell is Cell.IN_SESSIONS else "cut"
    return f'<path class="{name}" d="M{x} 0h{width}v{HIGH}h-{width}z"/>'


MOST_ROWS = 16
"""Most networks or targets in one grid; elsewhere on the page a table lists all of them."""

WORDS = {
    Cell.NO_DATA: "No data",
    Cell.REACHABLE: "Reachable",
    Cell.SOME_FAILED: "Some failed",
    Cell.SUSPECTED: "Suspected",
    Cell.IN_SESSIONS: "Disrupted in some measurements",
    Cell.CUT: "Disrupted whenever measured",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One row.

    Attributes:
        name: the ASN or target.
        picture: shapes for an ``<svg>`` of the grid's width.
        tally: what the row shows, in words with numbers of columns, for screen readers.
    """

    name: int | str
    picture: Markup
    tally: tuple[tuple[str, int], ...]
    measurements: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """The rows of a grid over time, as a page draws them.

    Attributes:
        width: pixels of the columns.
        hours: width of one column.
        more: number of rows left out.
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
    """Networks x time, those disrupted first, then those with most users; ``None`` = nothing was measured."""
    grid = network_times(votes, incidents, country, span)
    if not grid.rows:
        return None
    weights = user_weights(country)
    shares = {weight.asn: weight.share for weight in weights.networks} if weights else {}
    hit = {Cell.CUT, Cell.IN_SESSIONS, Cell.SUSPECTED}
    ordered = sorted(grid.rows, key=lambda row: (hit.isdisjoint(row.cells), -shares.get(row.asn, 0.0)))
    rows = [_drawn(row.asn, row.cells, row.measurements) for row in ordered[:MOST_ROWS]]
    return drawing(grid, rows, language, max(0, len(grid.rows) - MOST_ROWS))


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
        one = network_times(own.where(places[target]), about, country, span)
        rows += [_drawn(target, row.cells, row.measurements) for row in one.rows]
    rows.sort(key=lambda row: (-_disrupted(row), -row.measurements, str(row.name)))
    return drawing(grid, rows[:MOST_ROWS], language, max(0, len(rows) - MOST_ROWS))


def _disrupted(row: Drawn) -> int:
    return sum(n for word, n in row.tally if word in (WORDS[Cell.CUT], WORDS[Cell.IN_SESSIONS]))


def _drawn(name: int | str, cells: Sequence[Cell], measurements: int) -> Drawn:
    tally = [(WORDS[cell], sum(one is cell for one in cells)) for cell in reversed(Cell)]
    return Drawn(name, Markup(strip(cells)), tuple(pair for pair in tally if pair[1]), measurements)


def drawing(grid: Grid, rows: list[Drawn], language: Language, more: int) -> Drawing:
    wide, hours = cell_width(len(grid.columns)), int(grid.step.total_seconds() // HOUR)
    return Drawing(len(grid.columns) * wide, HIGH, hours, ruler(grid, language), rows, more)


LABEL_ROOM = 48
"""Pixels that ``17 Dec`` needs above a grid."""


def ruler(grid: Grid, language: Language) -> list[tuple[int, str]]:
    """(pixels from the left, text) above a grid: days, or months where columns are weeks."""
    marks: list[tuple[int, str]] = []
    before, cell = "", cell_width(len(grid.columns))
    for n, column in enumerate(grid.columns):
        if grid.step >= timedelta(weeks=1):
            text = _month(column, language)
        else:
            text = language.apart(clocks.day(column, language))
        room = (len(grid.columns) - n) * cell >= LABEL_ROOM
        if text != before and room and (not marks or n * cell - marks[-1][0] >= LABEL_ROOM):
            marks.append((n * cell, text))
        before = text
    if len(marks) > 1 and marks[1][0] - marks[0][0] < LABEL_ROOM:
        del marks[0]
    return marks


def _month(moment: datetime, language: Language) -> str:
    from babel.dates import format_skeleton

    return language.apart(language.in_digits(format_skeleton("yMMM", moment, locale=language.locale)))
