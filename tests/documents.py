"""Documents: the pages that test_docs.py holds against the code, and how they are read."""

import re
import shlex
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
PAGES = sorted([ROOT / name for name in NAMES] + list((ROOT / "docs").rglob("*.md")))

COMMAND_BLOCKS = ("", "text", "sh", "bash", "console")
"""What follows the fence of a block that may contain commands."""


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


def block_lines(page: Path, *kinds: str) -> list[str]:
    """The lines of all fenced blocks of these kinds (the word after the fence; empty = none)."""
    found: list[str] = []
    inside: str | None = None
    for line in text_of(page).splitlines():
        if line.startswith("```"):
            inside = line[3:].strip() if inside is None else None
        elif inside in kinds and line:
            found.append(line)
    return found


def prose_of(page: Path) -> str:
    """The text without its fenced blocks."""
    kept, is_inside = [], False
    for line in text_of(page).splitlines():
        if line.startswith("```"):
            is_inside = not is_inside
        elif not is_inside:
            kept.append(line)
    return "\n".join(kept)


def typed_in(page: Path) -> list[str]:
    """Command lines of Fanous in blocks, to be typed unchanged."""
    lines = block_lines(page, *COMMAND_BLOCKS)
    found = (re.match(r"(?:sudo )?(?:\.venv/bin/)?(fanous .+?)(?: \| .+)?$", line) for line in lines)
    return [match[1] for match in found if match]


def named_in(page: Path) -> list[str]:
    """Command lines of Fanous, whole or in part, that are named in sentences."""
    return [" ".join(typed.split()) for typed in re.findall(r"`(fanous [^`]+)`", prose_of(page))]


def commands_of(page: Path) -> list[str]:
    return typed_in(page) + named_in(page)


def words_of(typed: str) -> list[str]:
    """As a shell parts them, without ``fanous``."""
    return shlex.split(typed)[1:]


def visible_below(command: Any) -> dict[str, Any]:
    """The commands of a group by name, without former names, which only say what the present one is."""
    below = getattr(command, "commands", None) or {}
    return {name: one for name, one in below.items() if not one.hidden}


def found_command(words: list[str], root: Any) -> tuple[tuple[str, ...], Any, list[str]]:
    """The names that lead to a command, the command (or group), and what stands behind the names."""
    command, rest = root, list(words)
    path: tuple[str, ...] = ()
    while rest and rest[0] in (below := visible_below(command)):
        command, path, rest = below[rest[0]], (*path, rest[0]), rest[1:]
    return path, command, rest


def unknown_words(typed: str, root: Any) -> list[str]:
    """Words of a command line that no command or option of Fanous has; empty = all are known."""
    _, command, rest = found_command(words_of(typed), root)
    if getattr(command, "commands", None) and rest and not rest[0].startswith("-"):
        return [rest[0]]
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    return sorted({word for word in rest if word.startswith("-")} - options)


def wrong_usage(typed: str, root: Any) -> str:
    """Why the command would refuse its options and arguments; empty = it takes them.  Nothing is run."""
    path, command, rest = found_command(words_of(typed), root)
    has_more = getattr(command, "commands", None) and not command.invoke_without_command
    if has_more and "--help" not in rest:
        return "a command is missing"
    try:
        with redirect_stdout(StringIO()):
            command.make_context(" ".join(path), rest)
    except Exception as error:
        if type(error).__name__ == "Exit":  # --help
            return ""
        said = getattr(error, "format_message", None)  # a usage error of whichever copy of click typer has
        if said is None:
            raise
        return str(said())
    return ""
