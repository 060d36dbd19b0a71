"""Plot: shares over time as lines in SVG, from left to right in every language.

Lines are named at their ends where the picture is wide enough, and the axes say what they measure.  There are two
shapes: wide for a page, and narrow for a phone, where text must not shrink with the picture.  Ticks along the time axis
follow the country's clock.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fanous.charts.paint import fitted, painted, xml
from fanous.charts.reachability import Lines, ShareLine
from fanous.model.instant import DAY, HOUR
from fanous.refdata.countries import local
from fanous.wording import clocks
from fanous.wording.language import END_ISOLATE, ISOLATE, Language

LEFT, RIGHT, TOP, FOOT = 44, 14, 10, 26
BESIDE = 2.5
"""Pixels between lines that coincide."""

OVER = 18
"""Pixels of a row of words: names of announced events above the lines, names of the axes above and below."""

MOST_BOUNDS = 3
"""Incidents in more pieces are not marked by lines, which would hide what was measured."""

NAMES, NAME_HIGH = 172, 15
"""Pixels next to the lines for their names, and from row to row of them."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a picture, in its own units.

    Attributes:
        ticks: labels of the time axis, at most.
    """

    width: int
    height: int
    ticks: int


WIDE, NARROW = Shape(760, 262, 6), Shape(360, 250, 4)


@dataclass(frozen=True, slots=True)
class IncidentSpan:
    """An incident on the time axis; unix seconds.

    Attributes:
        end: of an ongoing one, until when it is known.
        brackets: the times within which it began and ended.
        is_open: it is ongoing.
        is_other: the picture is about another incident.
    """

    start: float
    end: float
    brackets: Sequence[tuple[float, float]] = ()
    is_open: bool = False
    is_other: bool = False

    def seen_within(self, since: float, until: float) -> list[float]:
        """Its beginning and its end, if they were seen and lie in these times."""
        bounds = [self.start] if self.is_open else [self.start, self.end]
        return [at for at in bounds if since <= at <= until]


@dataclass(frozen=True, slots=True)
class PartBar:
    """When one place was low, as a row below the lines; half-open, unix seconds."""

    name: str
    spans: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Legend:
    """What is written on a plot, in the reader's language.

    Attributes:
        title: what it shows, for screen readers.
        description: what the picture shows, in words.
        ticks: (unix seconds, text) of the time axis.
        levels: (share, text) of the value axis; the highest is the top of the picture.
        marks: (unix seconds, text) of announced events, each a line across the picture.
        unit: what the value axis measures, in words.
        clock: whose clock the time axis follows, in words.
        names: names of the lines, in order, for their ends in a wide picture; empty = they are named elsewhere.
        bars: rows below the lines.
        rtl: the language runs from the right; time still runs from the left.
    """

    title: str
    description: str
    ticks: Sequence[tuple[float, str]]
    levels: Sequence[tuple[float, str]]
    marks: Sequence[tuple[float, str]] = ()
    unit: str = ""
    clock: str = ""
    names: Sequence[str] = ()
    bars: Sequence[PartBar] = ()
    rtl: bool = False

    @property
    def top(self) -> float:
        """Share at the upper edge."""
        return max((share for share, _ in self.levels), default=1.0)


def plot(
    lines: Lines,
    spans: Sequence[IncidentSpan],
    legend: Legend,
    shape: Shape,
    mark: str,
    *,
    alone: bool = False,
) -> str:
    """The chart.

    Args:
        spans: when incidents were on, which is shaded, as are their brackets.
        mark: makes the ids of title and description unique in a page.
        alone: a standalone picture has its colours as attributes; one in a page says where its lines are, so that a
            script can read it.
    """
    frame = _Frame(lines, shape, legend)
    size = f' width="{shape.width}" height="{frame.height}"' if alone else frame.told
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {shape.width} {frame.height}"{size} role="img"'
        f' aria-labelledby="{mark}t {mark}d"><title id="{mark}t">{xml(legend.title)}</title>'
        f'<desc id="{mark}d">{xml(legend.description)}</desc>{frame.drawn(spans, legend, alone)}</svg>'
    )


def drawing(lines: Lines, spans: Sequence[IncidentSpan], legend: Legend, shape: Shape) -> str:
    """The chart without its ``<svg>``, to be placed inside another picture that stands alone."""
    return _Frame(lines, shape, legend).drawn(spans, legend, alone=True)


class _Frame:
    """Maps times and shares to positions in the picture."""

    def __init__(self, lines: Lines, shape: Shape, legend: Legend) -> None:
        self.lines, self.shape, self.highest = lines, shape, legend.top
        self.named = legend.names if shape.width >= WIDE.width else ()
        self.around = (ISOLATE, END_ISOLATE) if legend.rtl else ("", "")
        self.top = TOP + OVER * bool(legend.unit) + OVER * bool(legend.marks)
        self.right = shape.width - (NAMES if self.named else RIGHT)
        self.bottom = shape.height - FOOT - OVER * bool(legend.clock)
        self.row_height = NAME_HIGH + OVER * (
            not self.named
        )  # where there is no room at the side, names are above
        self.height = shape.height + self.row_height * len(legend.bars)

    @property
    def told(self) -> str:
        """For a script: left, right, top and bottom of the lines in pixels, and the share at the top."""
        return f' data-frame="{LEFT} {self.right} {self.top} {self.bottom}" data-top="{self.highest:g}"'

    def x(self, instant: float) -> float:
        share = (instant - self.lines.start) / max(1, self.lines.end - self.lines.start)
        return LEFT + min(max(share, 0.0), 1.0) * (self.right - LEFT)

    def y(self, share: float) -> float:
        return self.bottom - min(share / self.highest, 1.0) * (self.bottom - self.top)

    def drawn(self, spans: Sequence[IncidentSpan], legend: Legend, alone: bool) -> str:
        parts = [
            f'<rect x="{self.x(a):.0f}" y="{self.top}" width="{max(self.x(b) - self.x(a), 2):.0f}" '
            f'height="{self.bottom - self.top}" {painted("shade", alone=alone)}/>'
            for span in spans
            for a, b in ((span.start, span.end), *span.brackets)
        ]
        for span in spans if len(spans) <= MOST_BOUNDS else ():
            parts += [
                f'<path d="M{self.x(at):.0f} {self.top}V{self.bottom}" {painted("bound", alone=alone)}/>'
                for at in span.seen_within(self.lines.start, self.lines.end)
            ]
        for x, foot, anchor, text in (
            (0, TOP + 8, "start", legend.unit),
            (self.right, self.shape.height - 7, "end", legend.clock),
        ):
            if text:
                paint = painted("axisname", alone=alone)
                parts.append(f'<text x="{x}" y="{foot}" text-anchor="{anchor}" {paint}>{xml(text)}</text>')
        for share, text in legend.levels:
            y = self.y(share)
            parts.append(
                f'<path d="M{LEFT} {y:.0f}H{self.right}" {painted("axis", alone=alone)}/>'
                f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end" {painted("tick", alone=alone)}>'
                f"{xml(text)}</text>"
            )
        parts += [self._tick(at, text, alone) for at, text in legend.ticks]
        for n, line in enumerate(self.lines.lines):
            if band := band_of(line, self._edge, self.y):
                parts.append(f'<path d="{band}" {painted(f"band b{n}", alone=alone)}/>')
        for n, path in enumerate(self._paths()):
            parts.append(f'<path d="{path}" {painted(f"line l{n}", alone=alone)}/>')
        parts += self._ends(alone)
        for n, bar in enumerate(legend.bars):
            parts += self._bar(bar, self.shape.height + self.row_height * n, alone)
        parts += [self._mark(at, text, alone) for at, text in legend.marks]
        return "".join(parts)

    def _ends(self, alone: bool) -> list[str]:
        """The names of the lines at their ends, moved apart if they would touch, each with a thin line to its own.

        A row of a name runs from the side where its own script starts.
        """
        last = [
            (next((share for share in reversed(line.shares) if share is not None), 0.0), n)
            for n, line in enumerate(self.lines.lines[: len(self.named)])
        ]
        free, places = float("-inf"), []
        rows = max(2, int((self.bottom - self.top) / NAME_HIGH / max(1, len(last))))
        for share, n in sorted(last, key=lambda one: (-one[0], one[1])):
            _, name = fitted(self.named[n], (12,), NAMES - 22, rows)
            place = max(self.y(share), free)
            free = place + NAME_HIGH * len(name)
            places.append((place, self.y(share), n, name))
        over = max(0.0, free - NAME_HIGH - self.bottom)
        parts = []
        for place, end, n, name in places:
            parts.append(
                f'<path d="M{self.right} {end:.0f}L{self.right + 14} {place - over:.0f}" '
                f"{painted(f'thread l{n}', alone=alone)}/>"
            )
            parts += [
                f'<text x="{self.right + 18}" y="{place - over + 4 + NAME_HIGH * row:.0f}" '
                f"{painted('name', alone=alone)}>{xml(part.join(self.around))}</text>"
                for row, part in enumerate(name)
            ]
        return parts

    def _mark(self, at: float, text: str, alone: bool) -> str:
        """An announced event, with its words on the side where there is room."""
        x = self.x(at)
        anchor, words = ("end", x - 5) if x > (LEFT + self.right) / 2 else ("start", x + 5)
        return (
            f'<path d="M{x:.0f} {self.top - OVER}V{self.bottom}" {painted("event", alone=alone)}/>'
            f'<text x="{words:.0f}" y="{self.top - OVER + 9}" text-anchor="{anchor}" '
            f"{painted('eventname', alone=alone)}>{xml(text)}</text>"
        )

    def _tick(self, at: float, text: str, alone: bool) -> str:
        x = self.x(at)
        anchor = "start" if x < LEFT + 24 else "end" if x > self.right - 24 else "middle"
        return (
            f'<text x="{x:.0f}" y="{self.bottom + FOOT - 7}" text-anchor="{anchor}" '
            f"{painted('tick', alone=alone)}>{xml(text)}</text>"
        )

    def _bar(self, bar: PartBar, top: float, alone: bool) -> list[str]:
        """The row of one place: its name at the side of a wide picture, and above its bar in a narrow one."""
        room = NAMES - 22 if self.named else self.right - LEFT
        x, foot, middle = (self.right + 18, top + 10, top + 6) if self.named else (LEFT, top + 11, top + 20)
        (name,) = fitted(bar.name, (12,), room, 1)[1]
        spans = [(self.x(a), self.x(b)) for a, b in bar.spans if b > self.lines.start and a < self.lines.end]
        path = "".join(f"M{a:.0f} {middle:.0f}H{max(b, a + 2):.0f}" for a, b in spans)
        return [
            f'<path d="M{LEFT} {middle:.0f}H{self.right}" {painted("axis", alone=alone)}/>',
            f'<path d="{path}" {painted("lasts", alone=alone)}/>',
            f'<text x="{x}" y="{foot:.0f}" {painted("name", alone=alone)}>{xml(name)}</text>',
        ]

    def _edge(self, n: int) -> float:
        return self.x(self.lines.start + n * self.lines.step)

    def _paths(self) -> list[str]:
        """The lines; where they coincide, the later ones are drawn next to the first, towards the middle, so that each
        can be seen."""
        taken: Counter[tuple[int, int]] = Counter()

        def apart(n: int, share: float) -> float:
            y = round(self.y(share))
            aside = BESIDE * taken[n, y] * (1 if y < (self.top + self.bottom) / 2 else -1)
            taken[n, y] += 1
            return y + aside

        return [steps_of(line, self._edge, apart) for line in self.lines.lines]


def steps_of(line: ShareLine, x: Callable[[int], float], y: Callable[[int, float], float]) -> str:
    """The path of a line: level within each step, since nothing is known about a slope; a gap stays a gap.

    Args:
        x: where a step begins.
        y: where a share of a step lies.
    """
    path, before = "", False
    for n, share in enumerate(line.shares):
        if share is not None:
            path += f"V{y(n, share):g}" if before else f"M{x(n):.0f} {y(n, share):g}"
            path += f"H{x(n + 1):.0f}"
        before = share is not None
    return path


def band_of(line: ShareLine, x: Callable[[int], float], y: Callable[[float], float]) -> str:
    """The range of each step in which values differ; empty = there is none."""
    path = ""
    for n, extent in enumerate(line.ranges):
        high, low = (round(y(share)) for share in reversed(extent)) if extent else (0, 0)
        if high < low:
            path += f"M{x(n):.0f} {high}H{x(n + 1):.0f}V{low}H{x(n):.0f}z"
    return path


MONTHS = 91 * DAY
"""Seconds between ticks from which labels give month and year instead of the day."""

STEPS = (
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    4 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    MONTHS,
    182 * DAY,
    365 * DAY,
    1826 * DAY,
)


def ticks(since: float, until: float, country: str, language: Language, most: int) -> list[tuple[float, str]]:
    """Round hours of the country's clock: at midnight the day, else the hour; over years, the month."""
    step = next((step for step in STEPS if (until - since) / step <= most), STEPS[-1])
    offset = (local(since, country).utcoffset() or timedelta(0)).total_seconds()
    first = -(-(since + offset) // step) * step
    found = []
    while first - offset <= until:
        moment = datetime.fromtimestamp(first, UTC)
        midnight = moment.hour == 0 and moment.minute == 0
        if step >= MONTHS:
            text = language.apart(clocks.short_month(moment.year, moment.month, language))
        else:
            day, hour = clocks.day(moment, language), language.in_digits(f"{moment:%H:%M}")
            text = language.apart(day) if midnight else hour
        found.append((first - offset, text))
        first += step
    return found
