"""A grid as lines of text."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from fanous.charts.grid import COLUMNS, Cell, Grid, GridRow
from fanous.cli.answer import NETWORKS_SHOWN, grid_text
from tests.each import each

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
MARKS = {".": Cell.REACHABLE, " ": Cell.NO_DATA, "'": Cell.SOME_FAILED, "#": Cell.CUT, "/": Cell.IN_SESSIONS}


def grid(
    *words: str, begins: datetime = datetime(2023, 10, 30), step: timedelta = DAY, left_out: int = 0
) -> Grid:
    """A network a word, AS4200000001 and following: these have no names."""
    columns = tuple(begins + step * n for n in range(len(words[0])))
    rows = tuple(GridRow(4200000001 + n, tuple(MARKS[c] for c in word), 1234) for n, word in enumerate(words))
    return Grid(columns, step, rows, left_out)


def lines(of: Grid, names: dict[int, str] | None = None, width: int = 120) -> list[str]:
    console = Console(width=width, no_color=True, highlight=False, file=StringIO())
    with console.capture() as capture:
        console.print(grid_text(of, names or {}, "EAT", width))
    return capture.get().splitlines()


def test_a_row_is_name_cells_and_count() -> None:
    row = lines(grid("..#/' ."), {4200000001: "Village Net"})[2]
    assert row == f"{'AS4200000001 Village Net':34} ··█▒' ·  1,234"


@each(
    ("begins", "step", "columns", "upper", "lower"),
    [
        (datetime(2023, 10, 30), DAY, 16, "  Nov", "30     6      13"),
        (datetime(2023, 10, 31), DAY, 3, " Nov", "31"),
        (datetime(2023, 11, 14, 3), HOUR, 24, "14 Nov               15 Nov", "   06    12    18    00"),
        (datetime(2023, 12, 16, 4), 2 * HOUR, 14, "16 Dec    17 Dec", " 06 12 18 00 06"),
        (datetime(2023, 12, 16), 6 * HOUR, 9, "16 Dec  18 Dec", ""),
        (datetime(2023, 12, 16), 12 * HOUR, 9, "16 Dec  20 Dec", ""),
        (datetime(2023, 11, 27), WEEK, 12, "2023 2024", " Dec Jan  Feb"),
    ],
)
def test_the_ruler_names_dates_where_they_change(
    begins: datetime, step: timedelta, columns: int, upper: str, lower: str
) -> None:
    ruler = [line[35:] for line in lines(grid("." * columns, begins=begins, step=step))[:2]]
    assert ruler[0] == upper
    if lower:
        assert ruler[1] == lower
    else:
        assert ruler[1].startswith("·")


def test_a_label_never_runs_into_the_next() -> None:
    for days in range(60):
        begins = datetime(2023, 10, 1) + timedelta(days=days)
        upper, lower = (line[35:] for line in lines(grid("." * COLUMNS, begins=begins))[:2])
        assert all(label.isdigit() and int(label) <= 31 for label in lower.split()), lower
        assert all(len(label) == 3 for label in upper.split()), upper
        for at, label in ((lower.index(label), label) for label in set(lower.split()) if len(label) == 2):
            assert (begins + timedelta(days=at)).day == int(label)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_widest_grid_fits_into_a_terminal(width: int) -> None:
    widest = grid("." * COLUMNS, "#" * COLUMNS)
    found = lines(widest, {4200000001: "A Network With A Name Of Quite Some Length Ltd"}, width)
    assert len(found) == 2 + 2 + 2, "nothing is wrapped"
    assert all(len(line) <= width for line in found)
    assert all("1,234" in line for line in found[2:4])


def test_a_very_narrow_terminal_cuts_and_does_not_wrap() -> None:
    found = lines(grid("." * COLUMNS), width=50)
    assert [line for line in found if "AS" in line or "1,234" in line] == ["AS4200000001 " + "·" * 37]


def test_many_networks_are_counted() -> None:
    words = ["."] * (NETWORKS_SHOWN + 1)
    assert "... and 1 more network" in lines(grid(*words))
    assert "... and 3 more networks" in lines(grid(*words, ".", "."))
    assert not [line for line in lines(grid(*words[:-1])) if "more" in line]


def test_the_legend_names_the_marks_in_use_and_the_width_of_a_column() -> None:
    *_, legend, explained = lines(grid("..#"))
    assert legend == "· reachable  █ disrupted whenever measured"
    assert explained == "blank = no data; one column = a day, EAT; right: measurements"


@pytest.mark.parametrize(
    ("step", "words"),
    [(HOUR, "an hour"), (3 * HOUR, "3 hours"), (DAY, "a day"), (WEEK, "a week from Monday")],
)
def test_the_width_of_a_column_is_reported(step: timedelta, words: str) -> None:
    assert lines(grid("..", step=step))[-1].startswith(f"blank = no data; one column = {words}, EAT;")


def test_what_was_left_out_is_reported() -> None:
    assert lines(grid("..", step=WEEK, left_out=9))[-1].endswith("; 9 earlier columns left out")


def test_every_state_has_its_own_mark() -> None:
    assert len(set(lines(grid(". '#/"))[2][35:40])) == 5


def test_a_hostile_name_steers_no_terminal() -> None:
    assert not any("\x1b" in line for line in lines(grid("."), {4200000001: "a\x1b[2J"}))
