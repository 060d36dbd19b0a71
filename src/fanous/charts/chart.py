"""Chart: a grid as lines of text, with a ruler of dates above and a legend below.

Colour is never the only sign: every state has a mark, and the legend explains it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rich.console import Group
from rich.text import Text

from fanous.charts.grid import Cell, Grid, GridRow
from fanous.refdata.networks import network_title
from fanous.wording.words import counted

MARKS = {
    Cell.NO_DATA: (" ", "dim"),
    Cell.REACHABLE: ("·", "green"),
    Cell.SOME_FAILED: ("'", "yellow"),
    Cell.SUSPECTED: ("?", "yellow"),
    Cell.IN_SESSIONS: ("▒", "red"),
    Cell.CUT: ("█", "red"),
}
NETWORKS_SHOWN = 12
COUNT_WIDTH = 8
"""Two blanks and ``99,999``."""

NAME_WIDTH = 34
NAME_LEAST = 12
"""``AS4294967295``; a narrower terminal cuts the columns instead."""

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


def grid_text(grid: Grid, names: Mapping[int, str], zone: str, width: int = 120) -> Group:
    """Networks x time with a legend.

    Args:
        zone: the name of the columns' time zone, as people call it.
        width: most characters in a line.
    """
    room = max(NAME_LEAST, min(NAME_WIDTH, width - len(grid.columns) - COUNT_WIDTH - 1))
    upper, lower = _labels(grid)
    lines = [_line(f"{'':{room}} {ruler}") for ruler in (_ruler(upper), _ruler(lower)) if ruler]
    lines += [_row_text(row, names, room) for row in grid.rows[:NETWORKS_SHOWN]]
    if len(grid.rows) > NETWORKS_SHOWN:
        lines.append(_line(f"... and {counted(len(grid.rows) - NETWORKS_SHOWN, 'more network')}"))
    used = {cell for row in grid.rows[:NETWORKS_SHOWN] for cell in row.cells}
    marks = [f"{mark} {cell}" for cell, (mark, _) in MARKS.items() if mark.strip() and cell in used]
    lines.append(Text("  ".join(marks), "dim"))
    lines.append(Text(_explained(grid, zone), "dim"))
    return Group(*lines)


def _line(text: str) -> Text:
    return Text(text.rstrip(), "dim", no_wrap=True, overflow="crop")


def _row_text(row: GridRow, names: Mapping[int, str], room: int) -> Text:
    name = f"AS{row.asn} {network_title(row.asn, names)}"[:room]
    text = Text(f"{name:{room}} ", no_wrap=True, overflow="crop")
    for cell in row.cells:
        text.append(*MARKS[cell])
    text.append(f"  {row.measurements:,}", "dim")
    return text


def _explained(grid: Grid, zone: str) -> str:
    hours = grid.step // timedelta(hours=1)
    width = {1: "an hour", 24: "a day", 168: "a week from Monday"}.get(hours, f"{hours} hours")
    text = f"blank = no data; one column = {width}, {zone}; right: measurements"
    if grid.left_out:
        text += f"; {counted(grid.left_out, 'earlier column')} left out"
    return text


def _labels(grid: Grid) -> tuple[list[str], list[str]]:
    """The labels above each column, in two lines; mostly empty."""
    columns, step = grid.columns, grid.step
    if step >= WEEK:
        return _changes(columns, "%Y"), _changes(columns, "%b")
    if step == DAY:
        mondays = [f"{day.day}" if day.weekday() == 0 or day == columns[0] else "" for day in columns]
        return _changes(columns, "%b"), mondays
    every = 6 if step <= timedelta(hours=2) else 24
    hours = [f"{at:%H}" if at.hour % every == 0 else "" for at in columns]
    return _changes(columns, "%d %b"), hours if step < DAY / 4 else []


def _changes(columns: Sequence[datetime], form: str) -> list[str]:
    """The text of each column if it differs from the previous column's."""
    texts = [at.strftime(form) for at in columns]
    return [text if n == 0 or text != texts[n - 1] else "" for n, text in enumerate(texts)]


def _ruler(labels: Sequence[str]) -> str:
    """Labels above their columns; one that would run into the next is left out."""
    line, reach = "", len(labels) + 99
    for n in range(len(labels) - 1, -1, -1):
        label = labels[n]
        if label and n + len(label) < reach:
            line = label + " " * (reach - n - len(label)) + line if line else label
            reach = n
    return " " * reach + line if line else ""
