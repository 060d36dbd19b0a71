"""Text: makes other people's text safe to show, since measurements, claims, bundles and servers' answers come from
anyone.

Raw, such text can move a terminal's cursor, set its title or clipboard, reverse the order of a line so that it
reads as something else, add lines that look like ours, or hide characters that a reader cannot see.
"""

import re
from unicodedata import category

MOST_QUOTED = 120
"""Most characters of a quotation; longer text is cut, so that no part of a file fills the screen."""

_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI, ECMA-48 section 5.4: colours, cursor movements, erasing
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC: strings
)
"""A terminal's control sequences (ECMA-48, ISO 6429).  Each alternative starts with a control character that its
repetitions exclude or end at, so matching takes time linear in the text."""

_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U000e0100-\U000e01ef]")
"""Characters that Python counts as printable and that show as nothing: fillers, the blank Braille pattern, the
grapheme joiner, and the supplement of variation selectors (DerivedCoreProperties, Default_Ignorable_Code_Point)."""


MOST_MARKS = 4
"""Marks over or under one letter (UTS #39, section 5.4); a pile of hundreds covers the lines above and below."""


def printable(text: str) -> str:
    """The text without characters that cannot be seen; white space of any kind becomes one space.

    Removed: C0 and C1 controls, bidirectional controls (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
    U+2069), zero-width characters, line and paragraph separators, tags, surrogates, private use, unassigned.
    Every visible character stays, so that a name is not shown as another one; of the marks on one letter, the first
    ``MOST_MARKS``.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    shown, marks = [], 0
    for letter in " ".join(_UNSEEN.sub("", text).split()):
        if letter.isprintable():
            marks = marks + 1 if category(letter) in ("Mn", "Me") else 0
            if marks <= MOST_MARKS:
                shown.append(letter)
    return "".join(shown)


def quoted(text: object, most: int = MOST_QUOTED) -> str:
    """The text in double quotes, printable, and cut after ``most`` characters, marked as someone else's words.

    Control sequences are removed completely, so that no ``[31m`` remains.  A double quote or backslash in the text
    is preceded by a backslash, so that the quotation ends where it ends.
    """
    raw = str(text)
    shown = printable(_ESCAPE.sub("", raw[: 8 * most]))
    cut = len(shown) > most or len(raw) > 8 * most
    escaped = shown[:most].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}..."' if cut else f'"{escaped}"'


def printable_lines(text: str) -> str:
    """Each line printable, for a message of ours with several lines; leading spaces of a line are kept."""
    return "\n".join(line[: len(line) - len(line.lstrip(" "))] + printable(line) for line in text.split("\n"))


ESCAPED_IN_JSON = re.compile(
    "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
"""Control and format characters that JSON allows raw within a string."""


def json_for_terminal(document: bytes) -> bytes:
    """The same JSON document with characters that could act on a terminal written as ``\\uXXXX``.

    JSON has such characters within strings only, where the escape means the same (RFC 8259, section 7).
    """
    if document.isascii() and b"\x7f" not in document:
        return document
    return ESCAPED_IN_JSON.sub(_json_escape, document.decode()).encode()


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def one_line(text: str) -> str:
    """The text as a single line, with the blanks that align it: nothing within it can begin a line of its own."""
    return "".join(
        c if c.isprintable() else " " for c in _UNSEEN.sub("", text) if c.isprintable() or c.isspace()
    )
