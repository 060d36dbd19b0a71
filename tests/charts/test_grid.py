"""Networks x time: what a cell holds, and how wide a column is."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from fanous.charts.grid import COLUMNS, Cell, Grid, _wall, columns_of, network_times
from fanous.charts.grid import MONDAY as MONDAY_OF_GRID
from fanous.model.incident import Incident, Interval, Status
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes
from tests.charts.events import incident, network
from tests.each import each

UTC_COUNTRY = "GH"
HOURS_8 = range(8)
SIGNALS = ("blocked_dns", "blocked_path", "throttled")


def cut(asn: int, start: float, end: float | None, **given: Any) -> Incident:
    """An incident on one network from hour to hour since Monday."""
    interval = Interval(MONDAY + start * HOUR, None if end is None else MONDAY + end * HOUR)
    seen = (network(f"AS{asn}", intervals=(interval,)),)
    return incident(entities=(f"AS{asn}",), networks=seen, **given)


def grid_of(*ballots: Ballot, incidents: tuple[Incident, ...] = (), country: str = UTC_COUNTRY) -> Grid:
    return network_times(votes(*ballots), incidents, country)


def spelled(grid: Grid) -> list[str]:
    """Row by row: ``-`` no data, ``.`` reachable, ``'`` failed, ``?`` suspected, ``/#`` disrupted."""
    marks = dict(zip(Cell, "-.'?/#", strict=True))
    return ["".join(marks[cell] for cell in row.cells) for row in grid.rows]


def test_nothing_measured_is_an_empty_grid() -> None:
    grid = grid_of()
    assert (grid.columns, grid.rows) == ((), ())


def test_no_data_never_looks_like_reachable() -> None:
    assert spelled(grid_of(Ballot([0, 1, 3], False))) == ["..-."]


@pytest.mark.parametrize(
    ("failing", "word"),
    [([], "...."), ([1], ".'.."), ([1, 1.5, 2], ".''.")],
)
def test_failures_alone_are_no_disruption(failing: list[float], word: str) -> None:
    assert spelled(grid_of(Ballot([0, 1.2, 2.2, 3], False), Ballot(failing, True))) == [word]


def test_a_cell_is_disrupted_only_where_an_incident_says_so_and_something_failed() -> None:
    ballots = Ballot([0, 3.5, 4, 5], False), Ballot([1, 2, 3, 6], True)
    assert spelled(grid_of(*ballots, incidents=(cut(1, 1, 5),))) == [".##/..'"]


def test_a_suspicion_does_not_look_like_a_confirmed_disruption() -> None:
    ballots = Ballot([0, 5], False), Ballot([1, 2, 3], True)
    assert spelled(grid_of(*ballots, incidents=(cut(1, 1, 4, confirmed_at=None),))) == [".???-."]
    both = cut(1, 1, 4, confirmed_at=None), cut(1, 2, 3)
    assert spelled(grid_of(*ballots, incidents=both)) == spelled(grid_of(*ballots, incidents=both[::-1]))
    assert spelled(grid_of(*ballots, incidents=both)) == [".?#?-."]


def test_what_was_retracted_is_no_disruption() -> None:
    gone = cut(1, 1, 4, status=Status.RETRACTED)
    assert spelled(grid_of(Ballot([0], False), Ballot([1, 2], True), incidents=(gone,))) == [".''"]


def test_another_networks_incident_colours_nothing() -> None:
    assert spelled(grid_of(Ballot([0], False), Ballot([1, 2], True), incidents=(cut(2, 0, 9),))) == [".''"]


def test_what_goes_on_reaches_to_the_last_column() -> None:
    ballots = Ballot([0], False), Ballot([2, 3, 7], True)
    assert spelled(grid_of(*ballots, incidents=(cut(1, 2, None),))) == [".-##---#"]


def test_an_interval_ends_before_its_end() -> None:
    assert spelled(grid_of(Ballot([1, 2, 3], True), incidents=(cut(1, 1, 2),))) == ["#''"]


def test_a_measurement_counts_once_however_many_signals_it_votes_on() -> None:
    every = grid_of(Ballot([0, 1], False, signal="blocked_dns"), Ballot([2], True))
    assert [row.measurements for row in every.rows] == [3]
    ballots = votes(*(Ballot([0, 1], signal == "blocked_path", signal=signal) for signal in SIGNALS))
    uids = ballots.uids
    for n, at in enumerate(ballots.times):
        uids[n] = f"of {at}"
    grid = network_times(ballots, (cut(1, 0, 2),), UTC_COUNTRY)
    assert [row.measurements for row in grid.rows] == [2]
    assert spelled(grid) == ["##"], "that its lookup worked does not make it half a failure"


def test_networks_with_most_failures_come_first_then_those_with_most_measurements() -> None:
    grid = grid_of(
        Ballot([0, 1, 2], False, 1),
        Ballot([0], False, 2),
        Ballot([0, 1], True, 3),
        Ballot(HOURS_8, False, 4),
        Ballot([2], True, 5),
    )
    assert [row.asn for row in grid.rows] == [3, 5, 4, 1, 2]


@each(
    ("hours", "step", "columns"),
    [
        (1, timedelta(hours=1), 1),
        (24, timedelta(hours=1), 24),
        (54, timedelta(hours=1), 54),
        (55, timedelta(hours=2), 28),
        (72, timedelta(hours=2), 36),
        (7 * 24, timedelta(hours=6), 28),
        (46 * 24, timedelta(days=1), 46),
        (54 * 24, timedelta(days=1), 54),
        (55 * 24, timedelta(weeks=1), 8),
        (365 * 24, timedelta(weeks=1), 53),
    ],
)
def test_columns_are_as_fine_as_fit_on_a_terminal(hours: int, step: timedelta, columns: int) -> None:
    grid = grid_of(Ballot([0, hours - 0.1], False))
    assert (grid.step, len(grid.columns)) == (step, columns)
    assert len(grid.columns) <= COLUMNS
    assert grid.left_out == 0


def test_of_many_years_the_last_one_is_shown_and_what_is_left_out_is_counted() -> None:
    years = [n * 7 * 24.0 for n in range(150)]
    grid = grid_of(Ballot(years, False), Ballot([0], False, 2))
    assert len(grid.columns) == COLUMNS
    assert grid.left_out == 150 - COLUMNS
    assert grid.columns[-1] == datetime(2023, 11, 13) + timedelta(weeks=149)
    assert [(row.asn, row.measurements) for row in grid.rows] == [(1, COLUMNS)], "only what is shown counts"


@pytest.mark.parametrize(
    ("country", "days", "begins"),
    [
        (UTC_COUNTRY, 50, datetime(2023, 11, 13)),
        ("PK", 50, datetime(2023, 11, 14)),  # 19:30 UTC on Monday is Tuesday in Pakistan
        ("PK", 60, datetime(2023, 11, 13)),  # weeks begin on Monday
    ],
)
def test_days_and_weeks_are_those_of_the_countrys_calendar(country: str, days: int, begins: datetime) -> None:
    grid = grid_of(Ballot([19.5, 24 * days], False), country=country)
    assert grid.columns[0] == begins


def test_hours_are_those_of_a_clock_that_is_off_by_a_quarter_hour() -> None:
    grid = grid_of(Ballot([0.25, 0.5, 1.25], False), country="NP")  # UTC+05:45
    assert grid.columns == (datetime(2023, 11, 13, 6), datetime(2023, 11, 13, 7))
    assert [row.measurements for row in grid.rows] == [3]


def test_an_incidents_hours_are_on_the_same_clock_as_the_columns() -> None:
    ballots = Ballot([5.3], False), Ballot([0.3, 1.3, 2.3, 3.3, 4.3], True)
    assert spelled(grid_of(*ballots, incidents=(cut(1, 1.25, 4.25),), country="NP")) == ["'###'."]


def test_the_hour_that_the_clock_repeats_is_one_column() -> None:
    autumn = -15 * 24 + 0.1  # 29 October 2023, 00:06 UTC: 02:06 in Germany; two hours later it is 02:06 again
    grid = grid_of(Ballot([autumn, autumn + 1, autumn + 2], False), country="DE")
    assert [at.hour for at in grid.columns] == [2, 3]
    assert [row.measurements for row in grid.rows] == [3]


@each("country", ["GH", "PK", "NP", "GB", "US", "LB"])
@each("hours", [30, 100, 2000, 9000, 20_000])
def test_edges_cut_time_as_the_countrys_clock_does(country: str, hours: int) -> None:
    """Also where the clock is put forward and back, and where not all columns fit."""
    start = 1_679_000_000.0  # before the clocks change in spring
    end = start + hours * 3600
    columns = columns_of(country, start, end)
    numbers = dict(columns.edges())
    edges = np.array(list(numbers))
    assert (np.diff(edges) > 0).all()
    times = np.sort(np.random.default_rng(hours).uniform(max(start, edges[0]), end, 500))
    own = [numbers[edges[np.searchsorted(edges, at, "right") - 1]] for at in times.tolist()]
    assert own == ((_wall(times, country) - MONDAY_OF_GRID) // columns.step).tolist()
