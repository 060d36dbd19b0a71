"""Strip: one row of a grid through time as SVG.  Height and pattern say the state, colour repeats it.

No data is an empty place; *reachable* is a low bar, so that it can never be taken for *disrupted*.
"""

from collections.abc import Sequence
from itertools import groupby

from fanous.charts.grid import Cell

LEAST, MOST, ROOM = 10, 40, 560
"""Pixels of a cell's width, at least and at most, and of a whole row where they allow it."""

HIGH = 22
"""Pixels of a row's height."""

CLASSES = {
    Cell.REACHABLE: "ok",
    Cell.SOME_FAILED: "some",
    Cell.SUSPECTED: "maybe",
    Cell.IN_SESSIONS: "part",
    Cell.CUT: "cut",
}


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
    name = CLASSES[cell]
    if cell is Cell.REACHABLE:
        return f'<path class="ok" d="M{x} 15h{width}v7h-{width}z"/>'
    if cell is Cell.SOME_FAILED:
        return f'<path class="some" d="M{x} 10h{width}v12h-{width}z"/>'
    if cell is Cell.SUSPECTED:
        return f'<path class="maybe" d="M{x + 1} 1h{width - 2}v20h-{width - 2}z"/>'
    fill = ' fill="url(#part)"' if cell is Cell.IN_SESSIONS else ""
    return f'<path class="{name}"{fill} d="M{x} 0h{width}v{HIGH}h-{width}z"/>'
