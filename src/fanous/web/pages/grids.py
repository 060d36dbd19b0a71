"""Grids: rows through time as a template draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fanous.charts.axis import ruler
from fanous.charts.grid import Cell, Grid, network_times
from fanous.charts.strip import HIGH, cell_width, strip
from fanous.model.incident import Incident
from fanous.model.votes import Votes
from fanous.refdata.users import user_weights
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
