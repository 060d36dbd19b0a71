"""Counts: what became of measurements over time, as stacked steps in SVG, one panel for each row.

Blocked is at the bottom, slowed above it, and what works on top, so that the two kinds of disruption can be told
apart by position, colour and pattern.  Shares are of the conclusive measurements; a bin without any stays empty.  A
panel may have a stepped line instead.  All panels have the same scale and time axis, so they can be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from fanous.charts.grid import HIGH, Drawing, Drawn, Grid, cell_width, drawing
from fanous.charts.paint import (
    FONT,
    HEADLINES,
    INK,
    LAMP,
    LINE,
    PAPER,
    SLOWED,
    SOFT,
    breadth,
    fitted,
    key_row,
    painted,
    running,
    xml,
)
from fanous.charts.plot import MOST_BOUNDS, IncidentSpan, Shape, band_of, steps_of
from fanous.charts.reachability import ShareLine
from fanous.model.coverage import Outcomes
from fanous.refdata.countries import local
from fanous.wording.language import END_ISOLATE, ISOLATE, Language

LEFT, RIGHT, TOP, FOOT = 46, 10, 6, 24
TITLE, GAP, ROW = 22, 14, 18
"""Pixels: above a panel for its title, between two panels, and for a row of words above or below all of them."""

NOTE = 13.5
"""Size of the note next to a panel's name on a phone, where it is largest (fanous.css)."""

WIDE, NARROW = Shape(760, 84, 7), Shape(360, 84, 4)
"""Sizes for a page and for a phone; the height is that of one panel."""

ALONE, LOW = 150, 64
"""Height of a panel in pixels if it is the only one, and if there are more than three."""

Stack = tuple[float, float]
"""Share that was blocked, and share that was blocked or slowed down; 0..1."""

Cells = Sequence[Stack | None]


def stack_of(cells: Sequence[Outcomes | None]) -> Cells:
    """The stack of some counts; ``None`` = no conclusive measurement."""
    return [
        (cell.blocked / cell.decided, cell.hit / cell.decided) if cell is not None and cell.decided else None
        for cell in cells
    ]


@dataclass(frozen=True, slots=True)
class Panel:
    """One row of the answer.

    Attributes:
        title: what it is about, on the panel itself.
        note: how much was measured.
        spans: incidents that name it.
        line: drawn instead of cells: shares of the highest value of the axis, with their range.
    """

    title: str
    note: str
    cells: Cells
    spans: Sequence[IncidentSpan] = ()
    line: ShareLine | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What all panels have in common.

    Attributes:
        edges: unix seconds at which bins begin, and the end of the last.
        ticks: (unix seconds, text) of the time axis.
        levels: (share, text) of the value axis.
        unit: what the value axis measures, in words.
        clock: whose clock the time axis follows, in words.
        marks: (unix seconds, text) of announced events.
        bounds: (unix seconds, text): when the incident began and ended, in words.
        title, description: for readers who use a screen reader.
        rtl: the language runs from the right; time still runs from the left.
    """

    edges: Sequence[float]
    ticks: Sequence[tuple[float, str]]
    levels: Sequence[tuple[float, str]]
    unit: str
    title: str
    description: str
    clock: str = ""
    marks: Sequence[tuple[float, str]] = ()
    bounds: Sequence[tuple[float, str]] = ()
    rtl: bool = False


HATCH = (
    '<pattern id="slowed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<path d="M0 0h6v6h-6z" fill="{PAPER}"/><path d="M0 0h3.4v6h-3.4z" fill="{SLOWED}"/></pattern>'
)
"""Patterns of a standalone picture; a page has its own, with the colours of its stylesheet."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the panels are; pixels from the top."""

    panels: int
    sheet: Sheet

    @property
    def high(self) -> int:
        """Height of a panel."""
        return ALONE if self.panels == 1 else WIDE.height if self.panels <= 3 else LOW

    @property
    def named(self) -> int:
        """Bottom of the row of events and bounds."""
        return TOP + ROW * bool(self.sheet.unit) + ROW * bool(self.sheet.marks or self.sheet.bounds)

    def top(self, panel: int) -> int:
        return self.named + panel * (TITLE + self.high + GAP) + TITLE

    def bottom(self, panel: int) -> int:
        return self.top(panel) + self.high

    @property
    def whole(self) -> int:
        return self.bottom(self.panels - 1) + FOOT + ROW * bool(self.sheet.clock)


def stacked(panels: Sequence[Panel], sheet: Sheet, shape: Shape, mark: str) -> str:
    """The panels for a page, with class names for its stylesheet and positions for its script.

    Args:
        mark: makes the ids of title and description unique in a page.
    """
    layout = _Layout(len(panels), sheet)
    each = ";".join(f"{layout.top(n)} {layout.bottom(n)}" for n in range(len(panels)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {shape.width} {layout.whole}" '
        f'data-frame="{LEFT} {shape.width - RIGHT} {layout.top(0)} {layout.bottom(len(panels) - 1)}" '
        f'data-panels="{each}" data-top="1" '
        f'role="img" aria-labelledby="{mark}t {mark}d"><title id="{mark}t">{xml(sheet.title)}</title>'
        f'<desc id="{mark}d">{xml(sheet.description)}</desc>{_panels(panels, sheet, shape, alone=False)}</svg>'
    )


def _panels(panels: Sequence[Panel], sheet: Sheet, shape: Shape, *, alone: bool) -> str:
    layout = _Layout(len(panels), sheet)
    frame = _Frame(sheet, shape, alone)
    last = layout.bottom(len(panels) - 1)
    parts = [frame.words(0, TOP + 12, "start", sheet.unit), frame.events(layout.named, last)]
    parts += [frame.panel(panel, layout.top(n), layout.bottom(n)) for n, panel in enumerate(panels)]
    parts += [
        frame.times(last + FOOT - 8),
        frame.words(frame.right, last + FOOT + ROW - 8, "end", sheet.clock),
    ]
    return "".join(parts)


BOUNDS = {"works": (2, 3), "slowed": (1, 2), "blocked": (0, 1)}
"""Class of an area -> the bounds of the stack between which it is drawn."""


class _Frame:
    """Maps times and shares to positions."""

    def __init__(self, sheet: Sheet, shape: Shape, alone: bool, left: int = LEFT) -> None:
        self.sheet, self.left, self.right, self.alone = sheet, left, shape.width - RIGHT, alone
        self.start, self.end = sheet.edges[0], sheet.edges[-1]

    def x(self, instant: float) -> float:
        share = (instant - self.start) / max(1, self.end - self.start)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def paint(self, name: str) -> str:
        return painted(name, alone=self.alone)

    def words(self, x: float, y: float, anchor: str, text: str) -> str:
        """The name of an axis."""
        return (
            f'<text x="{x:.0f}" y="{y}" text-anchor="{anchor}" {self.paint("axisname")}>{xml(text)}</text>'
            if text
            else ""
        )

    def panel(self, panel: Panel, top: float, base: float) -> str:
        room = self.right - LEFT - breadth(panel.note, NOTE) - 8
        _, (title, *_) = fitted(panel.title, (13,), room, 1)
        beside = panel.note
        if self.sheet.rtl:
            title, beside = (f"{ISOLATE}{text}{END_ISOLATE}" for text in (title, beside))
        note = f'<tspan dx="8" font-weight="400" {self.paint("tick")}>{xml(beside)}</tspan>'
        parts = [
            f'<text x="{LEFT}" y="{top - 7:.0f}" {self.paint("key")}>{xml(title)}{note if panel.note else ""}</text>'
        ]
        parts += [self.band(span, top, base) for span in panel.spans]
        parts.append(self.stack(panel.cells, top, base))
        for share, text in self.sheet.levels:
            y = base - share * (base - top)
            parts.append(
                f'<path d="M{LEFT} {y:.0f}H{self.right}" {self.paint("axis")}/>'
                f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end" {self.paint("tick")}>{xml(text)}</text>'
            )
        if panel.line is not None:
            parts += self.line(panel.line, top, base)
        lined = len(panel.spans) <= MOST_BOUNDS
        parts += [self.span(span, top, base, lined=lined) for span in panel.spans]
        return "".join(parts)

    def stack(self, cells: Cells, top: float, base: float) -> str:
        """What worked, what was slowed and what was blocked, one above the other."""
        paths = [(name, self.area(cells, *BOUNDS[name], top, base)) for name in BOUNDS]
        return "".join(f'<path d="{path}" {self.paint(name)}/>' for name, path in paths if path)

    def occurs(self, name: str, cells: Cells) -> bool:
        """Is an area of this class drawn?"""
        return bool(self.area(cells, *BOUNDS[name], 0, 1000))

    def area(self, cells: Cells, low: int, high: int, top: float, base: float) -> str:
        """The area between two bounds of the stack, in steps; a bin without data interrupts it, and equal bins are
        merged."""
        path, last = "", (-1, -1.0, -1.0)
        for n, cell in enumerate(cells):
            bounds = (0.0, *cell, 1.0) if cell is not None else (0.0,) * 4
            if bounds[high] - bounds[low] <= 1e-9:
                continue
            right = self.x(self.sheet.edges[n + 1])
            upper, lower = (round(base - bounds[one] * (base - top), 1) for one in (high, low))
            if last == (n, upper, lower):
                path = path[: path.rindex("H")] + f"H{right:.1f}V{lower:g}z"
            else:
                path += f"M{self.x(self.sheet.edges[n]):.1f} {lower:g}V{upper:g}H{right:.1f}V{lower:g}z"
            last = (n + 1, upper, lower)
        return path

    def line(self, line: ShareLine, top: float, base: float) -> list[str]:
        """A line over the band of its range."""

        def x(n: int) -> float:
            return self.x(self.sheet.edges[n])

        def y(share: float) -> float:
            return base - min(max(share, 0.0), 1.0) * (base - top)

        band = band_of(line, x, y)
        steps = steps_of(line, x, lambda _, share: round(y(share), 1))
        drawn = [f'<path d="{band}" {self.paint("band b0")}/>'] if band else []
        return [*drawn, f'<path d="{steps}" {self.paint("line l0")}/>']

    def band(self, span: IncidentSpan, top: float, base: float) -> str:
        """The times within which it began and ended."""
        sides = [(self.x(a), self.x(b)) for a, b in span.brackets]
        return "".join(
            f'<path d="M{a:.1f} {top:.0f}V{base:.0f}H{b:.1f}V{top:.0f}z" {self.paint("shade")}/>'
            for a, b in sides
            if b - a >= 1 and not span.is_other
        )

    def span(self, span: IncidentSpan, top: float, base: float, *, lined: bool) -> str:
        """A bar from its beginning to its end, with a line at each; for another incident only a grey bar."""
        a, b = self.x(span.start), self.x(span.end)
        bar = f'<path d="M{a:.1f} {top - 2:.0f}H{max(b, a + 2):.1f}"'
        if span.is_other:
            return f"{bar} {self.paint('past')}/>"
        seen = span.seen_within(self.start, self.end) if lined else ()
        lines = "".join(f"M{self.x(at):.1f} {top - 3:.0f}V{base:.0f}" for at in seen)
        drawn = f'<path d="{lines}" {self.paint("bound")}/>' if lines else ""
        return f"{drawn}{bar} {self.paint('lasts')}/>"

    def events(self, foot: float, bottom: float) -> str:
        """The words of events and bounds, in one row, on the side where there is room for them; those of events first,
        since a line without words says nothing."""
        parts, taken = [], list[tuple[float, float]]()
        for is_event, (at, text) in [
            *((True, mark) for mark in sorted(self.sheet.marks)),
            *((False, bound) for bound in self.sheet.bounds),
        ]:
            if not self.start <= at <= self.end:
                continue
            x, long = self.x(at), breadth(text, 12)
            if is_event:
                parts.append(f'<path d="M{x:.0f} {foot - 13:.0f}V{bottom:.0f}" {self.paint("event")}/>')
            for anchor, edge, left in (("start", x + 5, x + 5), ("end", x - 5, x - 5 - long)):
                right = left + long
                if left >= 0 and right <= self.right and all(right + 6 < a or left - 6 > b for a, b in taken):
                    taken.append((left, right))
                    parts.append(
                        f'<text x="{edge:.0f}" y="{foot - 4:.0f}" text-anchor="{anchor}" '
                        f"{self.paint('eventname')}>{xml(text)}</text>"
                    )
                    break
        return "".join(parts)

    def times(self, y: float) -> str:
        parts = []
        for at, text in self.sheet.ticks:
            x = self.x(at)
            anchor = "start" if x < LEFT + 24 else "end" if x > self.right - 24 else "middle"
            parts.append(
                f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {self.paint("tick")}>{xml(text)}</text>'
            )
        return "".join(parts)


ROW_GAP, ROW_HIGHEST, ROW_NAMES = 8, 150, 210
KEY_SIZE, NAME_SIZE, TICK_SIZE = 20, 23, 19
SCALED = 70
"""Height of a row, in pixels, from which the lowest and highest level fit at its side."""


def named_rows(panels: Sequence[Panel], sheet: Sheet, key: Sequence[tuple[str, str]], shape: Shape) -> str:
    """The panels as rows, each named at its side, in letters that are legible when the picture is small.

    It is drawn inside another picture, with its colours as attributes; that picture's definitions must include
    ``HATCH``.

    Args:
        key: (class of an area, what it means); those that occur are explained.
    """
    top, foot = KEY_SIZE + 22, TICK_SIZE + 8
    high = min(ROW_HIGHEST, (shape.height - top - foot) / len(panels) - ROW_GAP)
    frame = _Frame(sheet, shape, alone=True, left=ROW_NAMES)
    occurring = [one for one in key if any(frame.occurs(one[0], panel.cells) for panel in panels)]
    begins = frame.right if sheet.rtl else ROW_NAMES
    parts = [key_row(occurring, begins, KEY_SIZE - 1, KEY_SIZE, rtl=sheet.rtl)]
    bottom = top + len(panels) * (high + ROW_GAP) - ROW_GAP
    for n, panel in enumerate(panels):
        upper = top + n * (high + ROW_GAP)
        size, (name, *_) = fitted(panel.title, (NAME_SIZE, NAME_SIZE - 4), ROW_NAMES - 16, 1)
        parts += [frame.band(span, upper, upper + high) for span in panel.spans]
        parts.append(
            f'<text x="0" y="{upper + high / 2 + size / 3:.0f}" font-family="{FONT}" font-size="{size}" '
            f'font-weight="600" fill="{INK}">{xml(name)}</text>{frame.stack(panel.cells, upper, upper + high)}'
            f'<path d="M{ROW_NAMES} {upper + high:.0f}H{frame.right}" {painted("axis", alone=True)}/>'
        )
        if high >= SCALED:
            parts += [
                f'<text x="{ROW_NAMES - 8}" y="{upper + high * (1 - share) + TICK_SIZE / 3:.0f}" text-anchor="end" '
                f'font-family="{FONT}" font-size="{TICK_SIZE}" fill="{SOFT}">{xml(text)}</text>'
                for share, text in (*sheet.levels[:1], *sheet.levels[-1:])
            ]
    spans = [span for span in panels[0].spans if not span.is_other]
    for span in spans:
        a, b = frame.x(span.start), frame.x(span.end)
        parts.append(f'<path d="M{a:.1f} {top - 7}H{max(b, a + 3):.1f}" stroke="{INK}" stroke-width="5"/>')
        if len(spans) <= MOST_BOUNDS:
            seen = span.seen_within(frame.start, frame.end)
            drawn = "".join(f"M{frame.x(at):.1f} {top - 7}V{bottom:.0f}" for at in seen)
            parts.append(f'<path d="{drawn}" stroke="{INK}" stroke-width="2"/>')
    for at, text in sheet.ticks:
        x = frame.x(at)
        anchor = "start" if x < ROW_NAMES + 40 else "end" if x > frame.right - 40 else "middle"
        parts.append(
            f'<text x="{x:.0f}" y="{bottom + foot:.0f}" text-anchor="{anchor}" font-family="{FONT}" '
            f'font-size="{TICK_SIZE}" fill="{SOFT}">{xml(text)}</text>'
        )
    return "".join(parts)


def framed(
    panels: Sequence[Panel],
    sheet: Sheet,
    legend: Sequence[tuple[str, str]],
    foot: Sequence[str],
    subtitle: str,
) -> str:
    """The panels as a standalone picture: title, legend, axes with their units, source and licence.

    Args:
        legend: (class of an area, what it means).
        foot: lines below: source, licence, time, address.
    """
    width, side = 900, 30
    inner = Shape(width - 2 * side, WIDE.height, 8)
    drawn = _Layout(len(panels), sheet).whole
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
    begins = width - side - RIGHT if sheet.rtl else side + LEFT
    parts.append(key_row(legend, begins, head + 19, 13, rtl=sheet.rtl))
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
        words: for screen readers: mostly blocked, mostly slowed, worked.
        more: number of rows left out.
    """
    wide = cell_width(len(edges) - 1)
    drawn = [
        Drawn(name, Markup(_strip(cells, wide)), _told(cells, words), made) for name, cells, made in rows
    ]
    return _grid(drawn, edges, country, language, more)


def bars(
    rows: Sequence[Sequence[float | None]],
    edges: Sequence[float],
    country: str,
    language: Language,
    more: int,
) -> Drawing:
    """A grid of series: in each cell a bar as high as its share of the highest value.

    Args:
        more: number of rows left out.
    """
    wide = cell_width(len(edges) - 1)
    drawn = []
    for row in rows:
        shares = [(n, HIGH * min(max(share, 0.0), 1.0)) for n, share in enumerate(row) if share is not None]
        paths = "".join(f"M{n * wide} {HIGH - high:.1f}h{wide}v{high:.1f}h-{wide}z" for n, high in shares)
        drawn.append(Drawn("", Markup(f'<path class="hold" d="{paths}"/>'), (), 0))
    return _grid(drawn, edges, country, language, more)


def _grid(drawn: list[Drawn], edges: Sequence[float], country: str, language: Language, more: int) -> Drawing:
    columns = tuple(local(edge, country).replace(tzinfo=None) for edge in edges[:-1])
    grid = Grid(columns, timedelta(seconds=max(600, edges[1] - edges[0])), ())
    return drawing(grid, drawn, language, more)


def _strip(cells: Cells, wide: int) -> str:
    parts = []
    for n, cell in enumerate(cells):
        if cell is None:
            continue
        x = n * wide
        blocked, hit = HIGH * cell[0], HIGH * cell[1]
        if cell[1] < 1:
            parts.append(f'<path class="works" d="M{x} 0h{wide}v{HIGH - hit:.1f}h-{wide}z"/>')
        if hit > blocked:
            parts.append(
                f'<path class="slowed" d="M{x} {HIGH - hit:.1f}h{wide}v{hit - blocked:.1f}h-{wide}z"/>'
            )
        if blocked:
            parts.append(
                f'<path class="blocked" d="M{x} {HIGH - blocked:.1f}h{wide}v{blocked:.1f}h-{wide}z"/>'
            )
    return "".join(parts)


def _told(cells: Cells, words: tuple[str, str, str]) -> tuple[tuple[str, int], ...]:
    """Bins by what most of their measurements say."""
    known = [cell for cell in cells if cell is not None]
    slowed = sum(2 * (hit - blocked) > 1 for blocked, hit in known)
    blocked = sum(2 * one > 1 for one, _ in known)
    counts = (blocked, slowed, len(known) - blocked - slowed)
    return tuple((word, n) for word, n in zip(words, counts, strict=True) if n)
