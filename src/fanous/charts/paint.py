"""Paint: the colours of states and lines, how a drawing refers to them, and the key that says what they mean; how much
room text takes, and how it is broken into lines that fit.

In a page a drawing has class names, and the stylesheet (which has a dark mode) has the colours.  A standalone
picture has the colours as attributes, because a strict content policy allows no style in it.

SVG is rendered to PNG with our own fonts, so that all machines draw the same and Arabic is shaped.  The fonts
(Noto, SIL Open Font License 1.1) are in ``fonts``, reduced to the Latin and Arabic characters.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import as_file, files
from xml.sax.saxutils import escape

from fanous.wording.language import END_ISOLATE, ISOLATE

PAPER, INK, SOFT, LINE, LAMP = "#fbfaf6", "#1b1a17", "#625d52", "#ddd8cb", "#b4530a"
BLOCKED, SLOWED, OK = "#a3231c", "#d98a12", "#d9e6e0"
SLOWED_LIGHT, OFFLINE = "#e6ae58", "#22201c"

FONT = "Noto Sans, Noto Sans Arabic, sans-serif"
HEADLINES = "Noto Serif, Noto Naskh Arabic, serif"

STROKES = (
    ("#1b6ca8", ""),
    ("#7a4ea3", "7 3"),
    ("#c2528b", "2 3"),
    ("#3f7d3a", "10 3 2 3"),
    ("#8a5a00", "14 4"),
)
"""Line colours and dashes, told apart without colour; classes ``l0`` to ``l4``, and ``b0`` to ``b4`` of
their bands."""

_ATTRIBUTES: dict[str, dict[str, str]] = {
    "axis": {"stroke": LINE},
    "tick": {"fill": SOFT, "font-family": FONT, "font-size": "12"},
    "thread": {"fill": "none", "stroke-width": "1"},
    "name": {"fill": INK, "font-family": FONT, "font-size": "12", "font-weight": "600"},
    "axisname": {"fill": SOFT, "font-family": FONT, "font-size": "12", "font-weight": "600"},
    "shade": {"fill": LAMP, "opacity": "0.12"},
    "line": {"fill": "none", "stroke-width": "2.2", "stroke-linejoin": "round"},
    "band": {"opacity": "0.2"},
    "event": {"stroke": INK, "stroke-dasharray": "3 3", "fill": "none"},
    "eventname": {
        "fill": INK,
        "font-family": FONT,
        "font-size": "12",
        "stroke": PAPER,
        "stroke-width": "4",
        "paint-order": "stroke",
    },
    "dark": {"fill": OFFLINE},
    "cut": {"fill": BLOCKED},
    "slow": {"fill": SLOWED},
    "slow2": {"fill": SLOWED_LIGHT},
    "maybe": {"fill": "none", "stroke": SLOWED, "stroke-width": "2", "stroke-dasharray": "4 2"},
    "works": {"fill": OK},
    "slowed": {"fill": "url(#slowed)"},
    "blocked": {"fill": BLOCKED},
    "bound": {"stroke": INK, "stroke-width": "1.2", "fill": "none"},
    "lasts": {"stroke": INK, "stroke-width": "3", "fill": "none"},
    "past": {"stroke": SOFT, "stroke-width": "3", "fill": "none"},
    "key": {"fill": INK, "font-family": FONT, "font-size": "13", "font-weight": "600"},
    **{
        f"l{n}": {"stroke": colour} | ({"stroke-dasharray": dashes} if dashes else {})
        for n, (colour, dashes) in enumerate(STROKES)
    },
    **{f"b{n}": {"fill": colour} for n, (colour, _) in enumerate(STROKES)},
}


def painted(classes: str, *, alone: bool) -> str:
    """Attributes of an element: its classes, or in a picture that is ``alone``, their colours."""
    if not alone:
        return f'class="{classes}"'
    said: dict[str, str] = {}
    for name in classes.split():
        said |= _ATTRIBUTES.get(name, {})
    return " ".join(f'{name}="{value}"' for name, value in said.items())


JOINERS_AND_ISOLATES = "\u200c\u200d\u200e\u200f\u2066\u2067\u2068\u2069\u00a0"
"""Invisible, but Persian spelling and the order of mixed scripts depend on them."""


def xml(text: str) -> str:
    """Text for an element, without control characters."""
    return escape("".join(c for c in text if c.isprintable() or c in JOINERS_AND_ISOLATES))


def key_row(entries: Sequence[tuple[str, str]], edge: float, y: float, size: float, *, rtl: bool) -> str:
    """What the areas of a picture that stands alone mean, in one row, from the side where the language begins.

    Args:
        entries: (class of an area, what it means).
        edge: where the row begins: its left edge, or with ``rtl`` its right one.
        y: the foot of the words.
    """
    way, anchor = (-1, "end") if rtl else (1, "start")
    parts, at = [], edge
    for name, text in entries:
        parts.append(
            f'<path d="M{at:.0f} {y - 0.8 * size:.0f}h{way * 1.2 * size:.0f}v{0.85 * size:.0f}H{at:.0f}z" '
            f'{painted(name, alone=True)}/><text x="{at + way * 1.6 * size:.0f}" y="{y:.0f}" '
            f'text-anchor="{anchor}" font-family="{FONT}" font-size="{size:g}" fill="{SOFT}">{xml(text)}</text>'
        )
        at += way * (2.9 * size + breadth(text, size))
    return "".join(parts)


@lru_cache(maxsize=1)
def _fonts() -> list[str]:
    """Paths of the font files.  A wheel is unpacked, so they are ordinary files."""
    with as_file(files(__package__) / "fonts") as folder:
        return sorted(str(file) for file in folder.glob("*.ttf"))


PICTURE_WIDTH = 1500
"""Pixels; for print, 12.7 cm at 300 dpi."""

WITH_ARABIC = re.compile("(?<=>)[^<>]*[\u0600-\u06ff][^<>]*")
"""Text of an SVG in which there are Arabic letters."""

IN_NASKH = "[!,.0-9:\u00a0\u00ab\u00bb\u0600-\u06ff\u0750-\u077f\u200c-\u2011\ufb50-\ufdff\ufe70-\ufeff]+"
NASKH = re.compile(f"{IN_NASKH}(?: {IN_NASKH})*")
"""Characters of our Arabic font."""

NAMED = r'<tspan font-family="Noto Naskh Arabic">\g<0></tspan>'


def png(svg: str, width: int) -> bytes:
    """The picture, ``width`` pixels wide.

    The Arabic font is named wherever it is needed: resvg takes a character that a font lacks, and the digits next to
    it, from the first file that has them, and all would be bold.
    """
    from resvg_py import svg_to_bytes

    svg = WITH_ARABIC.sub(lambda text: NASKH.sub(NAMED, text[0]), svg)
    return bytes(
        svg_to_bytes(
            svg_string=svg,
            width=width,
            skip_system_fonts=True,
            font_files=_fonts(),
            sans_serif_family="Noto Sans",
            serif_family="Noto Serif",
            font_family="Noto Sans",
        )
    )


ISOLATED = re.compile(f"{ISOLATE}[^{ISOLATE}{END_ISOLATE}]*{END_ISOLATE}")
"""An isolated name, the innermost of nested ones."""

NO_BREAK = "\u00a0"

NARROW, BROAD = frozenset("iljtfrI.,:;'|!()[] "), frozenset("mwMW%@")


def breadth(text: str, size: float) -> float:
    """About how many pixels bold text takes; errs on the high side."""
    ems = sum(0.33 if c in NARROW else 0.95 if c in BROAD else 0.62 for c in text if c.isprintable())
    return ems * size


def broken(text: str, size: float, room: float) -> list[str]:
    """Lines of at most ``room`` pixels; a longer word gets its own line, an isolated name is never broken."""
    whole = ISOLATED.sub(lambda name: name[0].replace(" ", NO_BREAK), text)
    lines: list[str] = []
    for word in whole.split(" "):
        if lines and breadth(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [balanced(line) for line in lines]


def balanced(line: str) -> str:
    """A line that was cut out of a text, less the marks of what begins or ends in another line: half a list of
    names would no longer know in which direction it runs."""
    begun: list[int] = []
    halves = set[int]()
    for at, c in enumerate(line):
        if c == ISOLATE:
            begun.append(at)
        elif c == END_ISOLATE and begun:
            begun.pop()
        elif c == END_ISOLATE:
            halves.add(at)
    halves.update(begun)
    return "".join(c for at, c in enumerate(line) if at not in halves)


def fitted(text: str, sizes: tuple[int, ...], room: float, most: int) -> tuple[int, list[str]]:
    """The text in the largest of ``sizes`` (descending) at which it fits in ``most`` lines; else cut with an
    ellipsis."""
    for size in sizes:
        lines = broken(text, size, room)
        if len(lines) <= most:
            return size, lines
    *lines, last = broken(text, sizes[-1], room)[:most]
    while " " in last and breadth(f"{last} …", sizes[-1]) > room:
        last = last.rpartition(" ")[0]
    return sizes[-1], [*lines, f"{last} …"]


def running(text: str) -> str:
    """Text with isolated names runs from the right: a picture begins from the left unless the text itself says so
    (U+202B)."""
    return f"\u202b\u200f{text}\u200f\u202c" if ISOLATE in text else text
