"""Card: an incident as a 1200x630 picture for sharing: status, headline, chart, times on both clocks.

It can be read at 400 pixels and in grey: the status is a word, and each row of the chart has its name at its side.
Text is wrapped to fit, and starts at the side where the script starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fanous.charts.counts import HATCH
from fanous.charts.paint import BLOCKED, FONT, HEADLINES, INK, LAMP, PAPER, SLOWED, SOFT, breadth, fitted, xml
from fanous.charts.plot import Shape
from fanous.wording.language import END_ISOLATE

RTL_ISOLATE = "\u2067"
"""Unicode Annex 9: a line that begins with a Latin name still runs from the right."""


@dataclass(frozen=True, slots=True)
class Side:
    """Where text begins; ``x`` is its leading edge.

    Attributes:
        rtl: text runs from the right.
    """

    x: int
    rtl: bool

    def text(self, y: int, text: str, attributes: str) -> str:
        """One line; ``attributes`` as XML."""
        said = f"{RTL_ISOLATE}{text}{END_ISOLATE}" if self.rtl else text
        anchor = "end" if self.rtl else "start"
        return f'<text x="{self.x}" y="{y}" text-anchor="{anchor}" {attributes}>{xml(said)}</text>'


WIDTH, HEIGHT = 1200, 630
LAMP_FRAME = "M16 2v3M11 8h10M12 8l-4 8 4 9h8l4-9-4-8M10 28h12"
LAMP_FLAME = "M16 12c2.600 2.600 3.600 4.200 3.600 6.200a3.600 3.600 0 0 1-7.200 0c0-2 1-3.600 3.600-6.200z"
"""The mark, in 32 units."""

EDGE = 56
SIZES = (62, 56, 50, 44, 40)
CAPTION = 292
"""Baseline of the caption, in pixels; two lines of a headline end above it from the size of 50 on."""
CHART = Shape(1098, 240, 6)
TEXT_SIZES = (30, 27, 24, 22)
LEADING = 1.38
FOOT_GAP = 38
"""Pixels between the baselines of a sentence's last line and of the foot."""
FOOT_SIZES = (23, 21, 19, 17, 15)
REGULAR = 0.92
"""Width of regular letters relative to bold ones, which ``breadth`` assumes."""


@dataclass(frozen=True, slots=True)
class Words:
    """The text on a card, in the reader's language.

    Attributes:
        confirmed: was it ever confirmed, so that the chip is filled?
        over: has it ended?
        gone: was it retracted?
        sentence: shown if there is no chart.
        foot: at most three lines at the foot: time on both clocks, what is drawn, whose data it is.
        notice: shown at the top; empty = nothing.
        rtl: the language runs from the right.
        caption: one line between headline and chart; empty = nothing.
    """

    status: str
    headline: str
    sentence: str
    foot: Sequence[str]
    confirmed: bool
    over: bool
    gone: bool
    notice: str = ""
    rtl: bool = False
    caption: str = ""


GREY = '<filter id="grey"><feColorMatrix type="saturate" values="0"/></filter>'


def card(words: Words, chart: str) -> str:
    """The card as standalone SVG.

    Args:
        chart: SVG of the size ``CHART``, with its colours as attributes; empty = a sentence takes its place.
    """
    side = Side(WIDTH - EDGE if words.rtl else EDGE, words.rtl)
    captioned = bool(chart and words.caption)
    size, headline = fitted(words.headline, SIZES[2:] if captioned else SIZES, WIDTH - 2 * EDGE, 2)
    y = 150 + size
    first, step = (HEIGHT - 66, 26) if len(words.foot) > 2 else (HEIGHT - 52, 30)
    parts = [GREY] if words.gone else []
    parts += [_top(words), _chip(words)]
    struck = f'fill="{SOFT}" text-decoration="line-through"' if words.gone else f'fill="{INK}"'
    bold = f'font-family="{HEADLINES}" font-weight="700" font-size="{size}" {struck}'
    for line in headline:
        parts.append(side.text(y, line, bold))
        y += round(size * 1.22)
    if not chart:
        plain = f'font-family="{FONT}" fill="{INK}"'
        parts += _paragraph(words.sentence, side, y + 20, first - FOOT_GAP, plain)
    else:
        drawn = f'<g transform="translate({EDGE} 304)">{chart}</g>'
        parts.append(f'<g filter="url(#grey)" opacity="0.5">{drawn}</g>' if words.gone else drawn)
    if captioned:
        parts.append(_small(side, CAPTION, words.caption, FOOT_SIZES, INK))
    parts += [_small(side, first + n * step, line, FOOT_SIZES) for n, line in enumerate(words.foot[:3])]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}"><defs>{HATCH}</defs><rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>'
        f'<rect width="{WIDTH}" height="10" fill="{LAMP}"/>{"".join(parts)}</svg>'
    )


def _paragraph(text: str, side: Side, first: int, last: int, look: str) -> list[str]:
    """Lines between two heights, as large as they fit."""
    size, told = 0, list[str]()
    for size in TEXT_SIZES:
        most = 1 + (last - first) // round(size * LEADING)
        size, told = fitted(text, (size,), WIDTH - 2 * EDGE, max(1, most))
        if not told[-1].endswith("…"):
            break
    return [
        side.text(first + n * round(size * LEADING), line, f'{look} font-size="{size}"')
        for n, line in enumerate(told)
    ]


def _small(side: Side, y: int, text: str, sizes: tuple[int, ...], ink: str = SOFT) -> str:
    """One line at the foot or of the caption, as large as it fits."""
    size, lines = fitted(text, sizes, (WIDTH - 2 * EDGE) / REGULAR, 1)
    return side.text(y, lines[0], f'font-family="{FONT}" font-size="{size}" fill="{ink}"')


def _top(words: Words) -> str:
    """The lamp and the name; a notice on the other side."""
    lamp = WIDTH - EDGE - 44 if words.rtl else EDGE
    mark = (
        f'<g transform="translate({lamp} 34) scale(1.4)"><path d="{LAMP_FRAME}" fill="none" stroke="{LAMP}" '
        f'stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/>'
        f'<path d="{LAMP_FLAME}" fill="#e08a1e"/></g>'
    )
    near = Side(WIDTH - EDGE - 58 if words.rtl else EDGE + 58, words.rtl)
    name = near.text(66, "Fanous", f'font-family="{HEADLINES}" font-weight="700" font-size="30" fill="{INK}"')
    if not words.notice:
        return mark + name
    x, anchor = (EDGE, "start") if words.rtl else (WIDTH - EDGE, "end")
    notice = (
        f'<text x="{x}" y="64" text-anchor="{anchor}" font-family="{FONT}" font-size="24" font-weight="700" '
        f'fill="{LAMP}">{xml(words.notice)}</text>'
    )
    return mark + name + notice


def _chip(words: Words) -> str:
    """Filled = certain; a dashed frame = a suspicion; grey = retracted."""
    width = round(breadth(words.status, 26) + 36)
    x = WIDTH - EDGE - width if words.rtl else EDGE
    fill = (INK if words.over else BLOCKED) if words.confirmed else PAPER
    frame = fill if words.confirmed else SLOWED
    dashes = "" if words.confirmed else ' stroke-dasharray="10 6"'
    ink = "#fff" if words.confirmed else INK
    if words.gone:
        fill, frame, dashes, ink = PAPER, SOFT, "", INK
    return (
        f'<rect x="{x}" y="98" width="{width}" height="44" rx="6" fill="{fill}" stroke="{frame}" '
        f'stroke-width="3"{dashes}/><text x="{x + width // 2}" y="129" text-anchor="middle" '
        f'font-family="{FONT}" font-weight="700" font-size="26" fill="{ink}">{xml(words.status)}</text>'
    )
