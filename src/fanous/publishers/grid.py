"""Grid: networks x time on the country's clock, what was measured of some targets in each cell.

Columns are days where they fit, hours in a short window, weeks in a long one.  No data is a state of its
own, and never looks like *reachable*.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np

from fanous.model.incident import Incident, Status
from fanous.model.series import Floats, Ints
from fanous.model.votes import Votes
from fanous.refdata.countries import local

HOUR, DAY, WEEK = 3600, 86_400, 604_800
STEPS = (HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, WEEK)

COLUMNS = 54
"""A year of weeks; beside them a network's name and a count still fit into 80 characters."""

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
    IN_SESSIONS = "disrupted part of the time"
    CUT = "disrupted whenever measured"


@dataclass(frozen=True, slots=True)
class Row:
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
        rows: one a network.
        left_out: columns before the first that had to be left out.
    """

    columns: tuple[datetime, ...]
    step: timedelta
    rows: tuple[Row, ...]
    left_out: int = 0


def network_times(
    votes: Votes,
    incidents: Sequence[Incident],
    country: str,
    span: tuple[float, float] | None = None,
) -> Grid:
    """The grid of all votes; a cell is *disrupted* only where an incident says so.

    Args:
        span: unix seconds, UTC, of the first and the last column, so that several grids have the same;
            ``None`` = of the votes.
    """
    if not len(votes):
        return Grid((), timedelta(days=1), ())
    wall = _wall(votes.times, country)
    ends = (_wall_of(at, country) for at in span) if span else (int(wall.min()), int(wall.max()))
    begin, end = ends
    step = _step(begin, end)
    column = (wall - MONDAY) // step
    first, last = (begin - MONDAY) // step, (end - MONDAY) // step
    shown = max(first, last - COLUMNS + 1)
    made, failed = _count(votes, column)
    said = _said(incidents, country, step, last)
    columns = range(shown, last + 1)
    rows = []
    for asn in {asn for asn, at in made if at >= shown}:
        places = [(asn, at) for at in columns]
        cells = tuple(_cell(made[place], failed[place], said.get(place)) for place in places)
        rows.append((-sum(failed[p] for p in places), Row(asn, cells, sum(made[p] for p in places))))
    rows.sort(key=lambda row: (row[0], -row[1].measurements, row[1].asn))
    begins = tuple(_naive(at * step + MONDAY) for at in columns)
    return Grid(begins, timedelta(seconds=step), tuple(row for _, row in rows), shown - first)


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
        for network in incident.networks:
            asn = int(network.entity.removeprefix("AS"))
            for interval in network.intervals:
                begin = (_wall_of(interval.start, country) - MONDAY) // step
                end = last if interval.end is None else _last_column(interval.end, country, step)
                for at in range(max(begin, last - COLUMNS), min(end, last) + 1):
                    said[asn, at] = incident.confirmed_at is not None
    return said


def _last_column(end: float, country: str, step: int) -> int:
    """The column of the last moment before ``end``: intervals are half-open."""
    return (_wall_of(end, country) - 1 - MONDAY) // step


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
