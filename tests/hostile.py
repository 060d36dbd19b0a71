"""Hostile text: what someone plants who wants a terminal, a page, a feed or a log to lie."""

import re

FORGED = "signed by SHA256:feedfacefeedface (genuine)"

HOSTILE = (
    f"A\x1b[2J\x1b[31mB\x1b]0;title\x07C\x1b]52;c;cm0=\x1b\\D\x9b1mE\x9d0;t\x9cF\r\n  {FORGED}\n"
    "G\u202eH\u2066I\u2069J\u200eK\u200fL\u061cM\u200bN\ufeffO\u2028P\u2029Q\u0085R\x00S\x08T\x7fU\U000e0041V"
)
"""Erasing, colours, title, clipboard, C1 forms, new lines, bidirectional controls, zero width, NUL, tags."""

ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
"""Characters of ``HOSTILE`` that act or are unseen; new lines and tabs are ours as well."""


def planted(text: str) -> list[str]:
    """The parts of ``HOSTILE`` that are left raw in an output, or forge a separate line; empty = none."""
    text = text.replace("\r\n", "\n")  # as formats of lines have it; a line that is not ours is found below
    left = [f"U+{ord(c):04X} in {text[max(at - 20, 0) : at + 20]!r}" for at, c in _acting(text)]
    return left + [line for line in text.splitlines() if line.strip().startswith(FORGED)]


def _acting(text: str) -> list[tuple[int, str]]:
    return [(found.start(), found[0]) for found in ACTING.finditer(text)]
