"""Man pages: one for each command, from the same text as ``--help``.

    python -m tools.man_pages FOLDER

click-man does this for click; it does not see the options of typer's commands, which are classes of typer's.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from fanous import __version__
from fanous.cli.common import filled
from fanous.cli.main import app

TITLE = "Fanous"


def man_pages(command: Any = None, words: tuple[str, ...] = ("fanous",)) -> Iterator[tuple[str, str]]:
    """(file name, text in roff) of a command and all its subcommands."""
    command = command if command is not None else typer.main.get_command(app)
    yield f"{'-'.join(words)}.1", page(command, words)
    for name, below in getattr(command, "commands", {}).items():
        yield from man_pages(below, (*words, name))


def page(command: Any, words: tuple[str, ...]) -> str:
    """The man page of one command."""
    help_text = filled(command.help or "").strip()
    first, _, rest = help_text.partition("\n\n")
    name = "-".join(words)
    lines = [
        f'.TH "{name.upper()}" 1 "" "{TITLE} {__version__}" "{TITLE} manual"',
        ".SH NAME",
        rf"{escaped(name)} \- {escaped(' '.join(first.split()).rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {escaped(' '.join(words))}",
        escaped(_usage(command)),
    ]
    if rest:
        lines += [".SH DESCRIPTION", *_paragraphs(rest)]
    lines += _below(command, words) + _options(command)
    see = ", ".join(filter(None, ("-".join(words[:-1]), "fanous" if len(words) > 2 else "")))
    if see:
        lines += [".SH SEE ALSO", f".BR {see.replace(', ', ' (1), ')} (1)"]
    return "\n".join(line for line in lines if line) + "\n"


def _usage(command: Any) -> str:
    arguments = [_metavar(p) for p in command.params if p.param_type_name == "argument"]
    below = ["COMMAND"] if getattr(command, "commands", None) else []
    return " ".join(["[OPTIONS]", *below, *arguments])


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _paragraphs(text: str) -> list[str]:
    """Paragraphs, and the items of lists, which begin with a hyphen."""
    parts = (part for paragraph in text.split("\n\n") for part in re.split(r"\n(?=- )", paragraph))
    return [line for part in parts for line in _part(" ".join(part.split()))]


def _part(text: str) -> tuple[str, str]:
    return (r".IP \(bu 2", escaped(text[2:])) if text.startswith("- ") else (".PP", escaped(text))


def _below(command: Any, words: tuple[str, ...]) -> list[str]:
    lines = []
    for name, below in getattr(command, "commands", {}).items():
        told = " ".join((below.help or "").strip().partition("\n\n")[0].split())
        lines += [".TP", rf"\fB{escaped('-'.join((*words, name)))}\fR(1)", escaped(told)]
    return [".SH COMMANDS", *lines] if lines else []


def _options(command: Any) -> list[str]:
    lines = []
    for option in (p for p in command.params if p.param_type_name == "option"):
        names = ", ".join(rf"\fB{escaped(name)}\fR" for name in [*option.opts, *option.secondary_opts])
        value = "" if option.is_flag else rf" \fI{escaped(_metavar(option))}\fR"
        default = f" [default: {option.default}]" if option.default not in (None, False, "", ()) else ""
        from_there = f" [${option.envvar}]" if option.envvar else ""
        lines += [".TP", names + value, escaped(f"{option.help or ''}{default}{from_there}".strip())]
    return [".SH OPTIONS", *lines] if lines else []


def escaped(text: str) -> str:
    """Escape text for roff: hyphens stay hyphens, and no line is taken for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text


def main(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in man_pages():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"{folder}: {sum(1 for _ in folder.glob('*.1'))} man pages")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/man"))
