"""Counts: what became of measurements over time, as stacked steps in SVG, one panel for each row.

Blocked stands at the bottom, slowed above it, and what works on top, so that the two kinds of disruption are told
apart by place, colour and pattern.  Shares are of the measurements that say anything.  A bin without one stays empty.
All panels have the same scale and the same clock, so they can be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from fanous.charts.card import breadth, fitted, running
from fanous.charts.grid import Drawing, Drawn, Grid, cell_width, ruler
from fanous.charts.paint import FONT, HEADLINES, INK, LAMP, LINE, PAPER, SLOWED, SOFT, painted, xml
from fanous.charts.plot import Shape
from fanous.model.coverage import Outcomes
from fanous.refdata.countries import local
from fanous.wording.language import Language

LEFT, RIGHT, TOP, FOOT = 46, 10, 6, 24
TITLE, PANEL, GAP = 22, 84, 14
"""Pixels: above a panel for its title, of a panel's height, and between two panels."""

MOST_PANELS = 4
"""As many rows as are compared in one picture."""

WIDE, NARROW = Shape(760, PANEL, 7), Shape(360, PANEL, 4)

Cells = Sequence[Outcomes | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """One row of the answer.

    Attributes:
        title: what it is about, on the panel itself.
        note: how much was measured.
        spans: incidents that name it.
    """

    title: str
    note: str
    cells: Cells
    spans: "Sequence[IncidentSpan]" = ()


@dataclass(frozen=True, slots=True)
class IncidentSpan:
    """An incident on the time axis; unix seconds.

    Attributes:
        earliest: from which its beginning is uncertain; ``start`` if it is not.
    """

    start: float
    end: float
    earliest: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """What all panels have in common.

    Attributes:
        edges: unix seconds at which bins begin, and the end of the last.
        ticks: (unix seconds, text) of the time axis.
        levels: (share, text) of the value axis.
        unit: what the value axis measures, in words.
        marks: (unix seconds, text) of announced events.
        title, description: for those who hear the picture.
    """

    edges: Sequence[float]
    ticks: Sequence[tuple[float, str]]
    levels: Sequence[tuple[float, str]]
    unit: str
    title: str
    description: str
    marks: Sequence[tuple[float, str]] = ()


HATCH = (
    '<pattern id="slowed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<path d="M0 0h6v6h-6z" fill="{PAPER}"/><path d="M0 0h3.4v6h-3.4z" fill="{SLOWED}"/></pattern>'
)
"""Of a picture that stands alone; a page has its own, with the colours of its stylesheet."""


def height(panels: int, sheet: Sheet) -> int:
    """Pixels of the drawing."""
    return TOP + (18 if sheet.marks else 0) + panels * (TITLE + PANEL + GAP) - GAP + FOOT


def stacked(panels: Sequence[Panel], sheet: Sheet, shape: Shape, mark: str) -> str:
    """The panels for a page, with class names for its stylesheet.

    Args:
        mark: makes the ids of title and description unique in a page.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {shape.width} {height(len(panels), sheet)}" '
        f'role="img" aria-labelledby="{mark}t {mark}d"><title id="{mark}t">{xml(sheet.title)}</title>'
        f'<desc id="{mark}d">{xml(sheet.description)}</desc>{_panels(panels, sheet, shape, alone=False)}</svg>'
    )


def _panels(panels: Sequence[Panel], sheet: Sheet, shape: Shape, *, alone: bool) -> str:
    frame = _Frame(sheet, shape, alone)
    top = TOP + (18 if sheet.marks else 0)
    parts = [frame.events(top, top + len(panels) * (TITLE + PANEL + GAP) - GAP)]
    for panel in panels:
        parts.append(frame.panel(panel, top))
        top += TITLE + PANEL + GAP
    parts.append(frame.clock(top - GAP + FOOT - 8))
    return "".join(parts)


class _Frame:
    """Where times and shares lie."""

    def __init__(self, sheet: Sheet, shape: Shape, alone: bool) -> None:
        self.sheet, self.right, self.alone = sheet, shape.width - RIGHT, alone
        self.start, self.end = sheet.edges[0], sheet.edges[-1]

    def x(self, instant: float) -> float:
        share = (instant - self.start) / max(1, self.end - self.start)
        return LEFT + min(max(share, 0.0), 1.0) * (self.right - LEFT)

    def paint(self, name: str) -> str:
        return painted(name, alone=self.alone)

    def panel(self, panel: Panel, top: float) -> str:
        base = top + TITLE + PANEL
        parts = [
            f'<text x="{LEFT}" y="{top + 15:.0f}" {self.paint("key")}>{xml(panel.title)}'
            f'<tspan dx="8" font-weight="400" {self.paint("tick")}>{xml(panel.note)}</tspan></text>'
        ]
        parts += [self.span(span, top + TITLE, base) for span in panel.spans]
        for name, low, high in (("works", 2, 3), ("slowed", 1, 2), ("blocked", 0, 1)):
            path = self.area(panel.cells, low, high, base)
            if path:
                parts.append(f'<path d="{path}" {self.paint(name)}/>')
        for share, text in self.sheet.levels:
            y = base - share * PANEL
            parts.append(
                f'<path d="M{LEFT} {y:.0f}H{self.right}" {self.paint("axis")}/>'
                f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end" {self.paint("tick")}>{xml(text)}</text>'
            )
        return "".join(parts)

    def area(self, cells: Cells, low: int, high: int, base: float) -> str:
        """Between two bounds of the stack, in steps; a bin without data parts it."""
        path = ""
        for n, cell in enumerate(cells):
            if cell is None or not cell.decided:
                continue
            bounds = (0.0, cell.blocked / cell.decided, cell.hit / cell.decided, 1.0)
            if bounds[high] - bounds[low] <= 0:
                continue
            left, right = self.x(self.sheet.edges[n]), self.x(self.sheet.edges[n + 1])
            upper, lower = base - bounds[high] * PANEL, base - bounds[low] * PANEL
            path += f"M{left:.1f} {lower:.1f}V{upper:.1f}H{right:.1f}V{lower:.1f}z"
        return path

    def span(self, span: IncidentSpan, top: float, base: float) -> str:
        """The incident: a frame from its beginning to its end, and a band where its beginning is uncertain."""
        a, b, earliest = self.x(span.start), self.x(span.end), self.x(span.earliest)
        band = (
            f'<path d="M{earliest:.1f} {top:.0f}V{base:.0f}H{a:.1f}V{top:.0f}z" {self.paint("shade")}/>'
            if a - earliest >= 1
            else ""
        )
        return (
            f'{band}<path d="M{a:.1f} {top - 3:.0f}V{base:.0f}M{b:.1f} {top - 3:.0f}V{base:.0f}" '
            f'{self.paint("bound")}/><path d="M{a:.1f} {top - 2:.0f}H{max(b, a + 2):.1f}" {self.paint("lasts")}/>'
        )

    def events(self, top: float, bottom: float) -> str:
        parts, last = [], -1e9
        for at, text in sorted(self.sheet.marks):
            x = self.x(at)
            end = x > (LEFT + self.right) / 2
            parts.append(f'<path d="M{x:.0f} {top - 10:.0f}V{bottom:.0f}" {self.paint("event")}/>')
            if x - last >= 130:
                parts.append(
                    f'<text x="{x - 5 if end else x + 5:.0f}" y="{top - 4:.0f}" '
                    f'text-anchor="{"end" if end else "start"}" {self.paint("eventname")}>{xml(text)}</text>'
                )
                last = x
        return "".join(parts)

    def clock(self, y: float) -> str:
        parts = []
        for at, text in self.sheet.ticks:
            x = self.x(at)
            anchor = "start" if x < LEFT + 24 else "end" if x > self.right - 24 else "middle"
            parts.append(
                f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {self.paint("tick")}>{xml(text)}</text>'
            )
        return "".join(parts)


def framed(
    panels: Sequence[Panel],
    sheet: Sheet,
    legend: Sequence[tuple[str, str]],
    foot: Sequence[str],
    subtitle: str,
) -> str:
    """The panels as a picture that stands alone: title, legend, axes with their unit, source and licence.

    Args:
        legend: (class of an area, what it means).
        foot: lines below: source, licence, time, address.
    """
    width, side = 900, 30
    inner = Shape(width - 2 * side, PANEL, 8)
    drawn = height(len(panels), sheet)
    size, title = fitted(sheet.title, (21, 18, 15), width - 2 * side, 2)
    head = 40 + 26 * len(title)
    parts = [
        f'<text x="{width // 2}" y="{34 + n * 26}" text-anchor="middle" font-family="{HEADLINES}" font-weight="700" '
        f'font-size="{size}" fill="{INK}">{xml(running(line))}</text>'
        for n, line in enumerate(title)
    ]
    parts.append(
        f'<text x="{width // 2}" y="{head - 8}" text-anchor="middle" font-family="{FONT}" font-size="13" '
        f'fill="{SOFT}">{xml(running(subtitle))}</text>'
    )
    x = float(side + LEFT)
    for name, text in legend:
        parts.append(
            f'<path d="M{x:.0f} {head + 8}h18v12h-18z" {painted(name, alone=True)}/>'
            f'<text x="{x + 24:.0f}" y="{head + 19}" {painted("tick", alone=True)}>{xml(text)}</text>'
        )
        x += 24 + breadth(text, 12) + 22
    top = head + 34
    bottom = top + drawn + 14
    for n, line in enumerate(foot):
        parts.append(
            f'<text x="{width // 2}" y="{bottom + 20 + n * 19}" text-anchor="middle" font-family="{FONT}" '
            f'font-size="13" fill="{SOFT}">{xml(running(line))}</text>'
        )
    whole = bottom + 20 + 19 * len(foot)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {whole}" width="{width}" height="{whole}" '
        f'role="img"><title>{xml(sheet.title)}</title><desc>{xml(sheet.description)}</desc><defs>{HATCH}</defs>'
        f'<rect width="{width}" height="{whole}" fill="{PAPER}"/><path d="M0 0h{width}v4H0z" fill="{LAMP}"/>'
        f'{"".join(parts)}<g transform="translate({side} {top})">{_panels(panels, sheet, inner, alone=True)}</g>'
        f'<path d="M{side} {bottom}H{width - side}" stroke="{LINE}"/></svg>'
    )


HIGH = 22


def strips(
    rows: Sequence[tuple[int | str, Cells, int]],
    edges: Sequence[float],
    country: str,
    language: Language,
    words: tuple[str, str, str],
    more: int,
) -> Drawing:
    """A grid: each cell a small stack of what was blocked, slowed and worked.

    Args:
        rows: (ASN, target or other name; cells; measurements).
        words: for those who hear it: mostly blocked, mostly slowed, worked.
        more: rows that are left out.
    """
    wide = cell_width(len(edges) - 1)
    columns = tuple(local(edge, country).replace(tzinfo=None) for edge in edges[:-1])
    grid = Grid(columns, timedelta(seconds=max(600, edges[1] - edges[0])), ())
    drawn = [
        Drawn(name, Markup(_strip(cells, wide)), _told(cells, words), made) for name, cells, made in rows
    ]
    return Drawing(
        len(columns) * wide, HIGH, int((edges[1] - edges[0]) // 3600), ruler(grid, language), drawn, more
    )


def _strip(cells: Cells, wide: int) -> str:
    parts = []
    for n, cell in enumerate(cells):
        if cell is None or not cell.decided:
            continue
        x = n * wide
        blocked, hit = HIGH * cell.blocked / cell.decided, HIGH * cell.hit / cell.decided
        if cell.hit < cell.decided:
            parts.append(f'<path class="works" d="M{x} 0h{wide}v{HIGH - hit:.1f}h-{wide}z"/>')
        if cell.throttled:
            parts.append(
                f'<path class="slowed" d="M{x} {HIGH - hit:.1f}h{wide}v{hit - blocked:.1f}h-{wide}z"/>'
            )
        if cell.blocked:
            parts.append(
                f'<path class="blocked" d="M{x} {HIGH - blocked:.1f}h{wide}v{blocked:.1f}h-{wide}z"/>'
            )
    return "".join(parts)


def _told(cells: Cells, words: tuple[str, str, str]) -> tuple[tuple[str, int], ...]:
    """Bins by what most of their measurements say."""
    known = [cell for cell in cells if cell is not None and cell.decided]
    slowed = sum(2 * one.throttled > one.decided for one in known)
    blocked = sum(2 * one.blocked > one.decided for one in known)
    counts = (blocked, slowed, len(known) - blocked - slowed)
    return tuple((word, n) for word, n in zip(words, counts, strict=True) if n)
