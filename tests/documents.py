"""Documents: the pages that test_docs.py holds against the code, and how they are read."""

import re
import shlex
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES = sorted([ROOT / name for name in NAMES] + list((ROOT / "docs").rglob("*.md")))

UNITS = {"min": 60, "h": 3600, "d": 86400, "KiB": 1 << 10, "MiB": 1 << 20}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def label(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(lines: list[str]) -> list[list[str]]:
    """Cells of the tables among the lines, without their heads."""
    found: list[list[str]] = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("|") and not line.startswith("|---") and not after.startswith("|---"):
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def first_table(lines: list[str]) -> list[list[str]]:
    start = next(n for n, line in enumerate(lines) if line.startswith("|"))
    end = next((n for n in range(start, len(lines)) if not lines[n].startswith("|")), len(lines))
    return rows(lines[start:end])


def section(text: str, heading: str) -> list[str]:
    """The lines under a heading, up to the next one of its rank or above."""
    lines = text.splitlines()
    start = lines.index(heading) + 1
    rank = heading.split()[0]
    ends = (n for n in range(start, len(lines)) if re.match(rf"#{{1,{len(rank)}}} ", lines[n]))
    return lines[start : next(ends, len(lines))]


def numbers(cell: str) -> float | tuple[float, ...]:
    """``1/30``, ``4,000 draws``, ``36 h``, ``14,000 to 24,000 bytes``; a unit of ``UNITS`` is worked out."""
    found = [text.replace(",", "") for text in re.findall(r"\d[\d,]*(?:\.\d+)?(?:/\d+)?", cell)]
    unit = UNITS.get(cell.split()[-1], 1)
    values = [float(text.partition("/")[0]) / float(text.partition("/")[2] or 1) * unit for text in found]
    return values[0] if len(values) == 1 else tuple(values)


def documented() -> list[tuple[str, str, str]]:
    """(holder, constant, value as written) of all tables of constants."""
    found = []
    for page in PAGES:
        lines = text_of(page).splitlines()
        for number, line in enumerate(lines):
            holder = re.match(r"Constants of `([^`]+)`", line)
            if holder:
                cells = first_table(lines[number:])
                found += [(holder[1], name.strip("`"), value) for name, value, _ in cells]
    return found


def commands_of(page: Path) -> list[str]:
    text = text_of(page)
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    typed = re.findall(r"^(?:\.venv/bin/)?(fanous .+)$", blocks, re.MULTILINE)
    return typed + re.findall(r"`(fanous [^`]+)`", text)


def unknown_words(typed: str, command: Any) -> list[str]:
    """Words of a command line that no command or option of Fanous has; empty = all are known."""
    words = shlex.split(typed)[1:]
    while words and getattr(command, "commands", None) and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return [words[0]]
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    return sorted({word for word in words if word.startswith("-")} - options)
