"""Text in a picture: lines broken where they fit, starting from the side where the script begins."""

import re
from dataclasses import dataclass

from fanous.charts.paint import xml

RTL_ISOLATE, END_ISOLATE = "\u2067", "\u2069"
"""Unicode Annex 9: a line that begins with a Latin name still runs from the right."""

ISOLATE = "\u2068"
ISOLATED = re.compile("\u2068[^\u2068\u2069]*\u2069")
"""A name that was set apart, the innermost of nested ones."""

NO_BREAK = "\u00a0"

NARROW, BROAD = frozenset("iljtfrI.,:;'|!()[] "), frozenset("mwMW%@")


@dataclass(frozen=True, slots=True)
class Side:
    """Where text begins: ``x`` is its first edge.

    Attributes:
        rtl: from the right.
    """

    x: int
    rtl: bool

    def text(self, y: int, text: str, attributes: str) -> str:
        """One line; ``attributes`` as XML."""
        said = f"{RTL_ISOLATE}{text}{END_ISOLATE}" if self.rtl else text
        anchor = "end" if self.rtl else "start"
        return f'<text x="{self.x}" y="{y}" text-anchor="{anchor}" {attributes}>{xml(said)}</text>'


def breadth(text: str, size: float) -> float:
    """About how many pixels bold text takes; on the safe side."""
    ems = sum(0.33 if c in NARROW else 0.95 if c in BROAD else 0.62 for c in text if c.isprintable())
    return ems * size


def broken(text: str, size: float, room: float) -> list[str]:
    """Lines of at most ``room`` pixels; a longer word stands alone, an isolated name is never broken."""
    whole = ISOLATED.sub(lambda name: name[0].replace(" ", NO_BREAK), text)
    lines: list[str] = []
    for word in whole.split(" "):
        if lines and breadth(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [balanced(line) for line in lines]


def balanced(line: str) -> str:
    """A line that was cut out of a text, with every isolate closed and none closed that is not open."""
    kept, depth = "", 0
    for c in line:
        depth += (c == ISOLATE) - (c == END_ISOLATE)
        if depth < 0:
            depth = 0
        else:
            kept += c
    return kept + END_ISOLATE * depth


def fitted(text: str, sizes: tuple[int, ...], room: float, most: int) -> tuple[int, list[str]]:
    """The largest of ``sizes`` (falling) at which ``most`` lines hold the text; else cut with an ellipsis."""
    for size in sizes:
        lines = broken(text, size, room)
        if len(lines) <= most:
            return size, lines
    lines = broken(text, sizes[-1], room)[:most]
    return sizes[-1], [*lines[:-1], f"{lines[-1]} …"]
