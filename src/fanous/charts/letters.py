"""Letters: how much room text takes in a picture, and how it is broken into lines that fit."""

import re

from fanous.wording.language import END_ISOLATE, ISOLATE

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
