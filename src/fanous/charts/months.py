"""Months: how many incidents began in each month, as stacked bars.

Confirmed ones are at the bottom by kind (blocked, slowed down, cut off), with suspicions on top of them,
outlined only, so that a reader can tell them apart without colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fanous.charts.paint import FONT, HEADLINES, INK, LAMP, PAPER, SOFT, key_row, painted, running, xml
from fanous.charts.plot import FOOT, RIGHT, TOP, Shape

LEFT = 30
"""Pixels for the numbers of the axis."""

TITLE = 18
"""Pixels above the bars for the title of the axis."""

WIDE, NARROW = Shape(760, 150, 12), Shape(360, 150, 6)
MOST_BARS = 72
"""Six years of months; earlier incidents are counted by the year."""

BROADEST = 72.0
"""Most pixels of a bar's width: a few months should not look like a wall."""

LEVELS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
"""Steps of the axis, of which the smallest is used that gives at most four lines."""


@dataclass(frozen=True, slots=True)
class MonthBar:
    """One month, or one year.

    Attributes:
        began: ``2023-12``, or ``2023``.
        blocked, slowed, offline: incidents confirmed at some time, by kind.
        suspected: incidents never confirmed.
    """

    began: str
    blocked: int = 0
    slowed: int = 0
    offline: int = 0
    suspected: int = 0

    @property
    def all(self) -> int:
        return self.blocked + self.slowed + self.offline + self.suspected


@dataclass(frozen=True, slots=True)
class BarWords:
    """What is written on the picture, in the reader's language.

    Attributes:
        axis: title of the value axis.
        ticks: (number of the bar, text).
        numbers: how a number is written, for each line of the axis.
        rtl: the language runs from the right; time still runs from the left.
    """

    title: str
    description: str
    axis: str
    ticks: Sequence[tuple[int, str]]
    numbers: Sequence[tuple[int, str]]
    rtl: bool = False


def axis_lines(bars: Sequence[MonthBar]) -> list[int]:
    """The numbers at which lines are drawn, from 0 up to at least the highest bar."""
    highest = max((bar.all for bar in bars), default=0)
    step = next((step for step in LEVELS if highest / step <= 4), LEVELS[-1])
    return list(range(0, max(highest, 1) + step, step))


def bars_drawn(bars: Sequence[MonthBar], words: BarWords, shape: Shape, mark: str) -> str:
    """The picture.

    Args:
        mark: makes the ids of title and description unique in a page.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {shape.width} {shape.height}" role="img"'
        f' aria-labelledby="{mark}t {mark}d"><title id="{mark}t">{xml(words.title)}</title>'
        f'<desc id="{mark}d">{xml(words.description)}</desc>{inside(bars, words, shape, mark, alone=False)}</svg>'
    )


def inside(bars: Sequence[MonthBar], words: BarWords, shape: Shape, mark: str, *, alone: bool) -> str:
    """The picture without its ``<svg>``, to be placed inside another."""
    top, bottom, right = TOP + TITLE, shape.height - FOOT, shape.width - RIGHT
    highest = max(number for number, _ in words.numbers) or 1
    wide = (right - LEFT) / max(1, len(bars))

    def y(count: float) -> float:
        return bottom - count / highest * (bottom - top)

    parts = [
        f'<defs><pattern id="{mark}h" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><path d="M0 0h6v6h-6z" {painted("slow2", alone=alone)}/>'
        f'<path d="M0 0h3v6h-3z" {painted("slow", alone=alone)}/></pattern></defs>',
        f'<text x="2" y="{TOP + 3}" {painted("tick", alone=alone)}>{xml(words.axis)}</text>',
    ]
    for number, text in words.numbers:
        parts.append(
            f'<path d="M{LEFT} {y(number):.1f}H{right}" {painted("axis", alone=alone)}/>'
            f'<text x="{LEFT - 6}" y="{y(number) + 4:.1f}" text-anchor="end" {painted("tick", alone=alone)}>'
            f"{xml(text)}</text>"
        )
    for n, bar in enumerate(bars):
        width = min(wide - 2 * min(2.0, wide / 6), BROADEST)
        x, foot = LEFT + (n + 0.5) * wide - width / 2, 0
        for name, count in (
            ("dark", bar.offline),
            ("cut", bar.blocked),
            ("slowed", bar.slowed),
            ("maybe", bar.suspected),
        ):
            if count:
                box = f'd="M{x:.1f} {y(foot + count):.1f}h{width:.1f}V{y(foot):.1f}h-{width:.1f}z"'
                fill = f'fill="url(#{mark}h)"' if name == "slowed" else painted(name, alone=alone)
                parts.append(f"<path {box} {fill}/>")
                foot += count
    for n, text in words.ticks:
        x = LEFT + (n + 0.5) * wide
        anchor = "start" if x < LEFT + 12 else "end" if x > right - 12 else "middle"
        parts.append(
            f'<text x="{x:.0f}" y="{shape.height - 7}" text-anchor="{anchor}" {painted("tick", alone=alone)}>'
            f"{xml(text)}</text>"
        )
    return "".join(parts)


FRAME = Shape(900, 230, 12)
"""Size of the bars in a standalone picture."""


def bars_framed(
    bars: Sequence[MonthBar], words: BarWords, keys: Sequence[tuple[str, str]], foot: Sequence[str]
) -> str:
    """The bars as a standalone picture: title, what the marks mean, source.

    Args:
        keys: (mark, its words), where a mark is ``dark``, ``cut``, ``slow`` or ``maybe``.
    """
    width, height = FRAME.width, 92 + FRAME.height + 24 + 19 * len(foot)
    begins = width - RIGHT if words.rtl else LEFT
    said = [
        f'<text x="{width // 2}" y="{104 + FRAME.height + n * 19}" text-anchor="middle" font-family="{FONT}" '
        f'font-size="13" fill="{SOFT}">{xml(running(line))}</text>'
        for n, line in enumerate(foot)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img"><title>{xml(words.title)}</title><desc>{xml(words.description)}</desc>'
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/><path d="M0 0h{width}v4H0z" fill="{LAMP}"/>'
        f'<text x="{width // 2}" y="42" text-anchor="middle" font-family="{HEADLINES}" font-weight="700" '
        f'font-size="21" fill="{INK}">{xml(running(words.title))}</text>{key_row(keys, begins, 80, 13, rtl=words.rtl)}'
        f'<g transform="translate(0 86)">{inside(bars, words, FRAME, "m", alone=True)}</g>{"".join(said)}</svg>'
    )
