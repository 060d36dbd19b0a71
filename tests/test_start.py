"""The pages for newcomers: every command in them is carried out, in order, in an empty folder.

What needs the internet, root, or goes on until it is stopped stands in blocks marked ``text``, and only that.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import child_environment
from tests.documents import ROOT, label

START = sorted((ROOT / "docs" / "start").glob("*.md"))

NOT_HERE = re.compile(
    r"fanous (run|collect|pull|lab|evaluate|probe (watch|run|serve|consent --lang)|(judge|ingest ooni) \d)"
)
"""Internet, root, a file of the reader's own, minutes, or no end."""


def blocks(page: Path, kind: str) -> list[str]:
    """The lines of all fenced blocks of a kind (the word after the fence)."""
    found, inside = [], None
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line[3:] if inside is None else None
        elif inside == kind and line:
            found.append(line)
    return found


@pytest.mark.parametrize("page", START, ids=label)
def test_every_command_of_a_page_for_newcomers_works_in_order(page: Path, tmp_path: Path) -> None:
    environment = child_environment() | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **{
            name: str(tmp_path / "home")
            for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
        },
    }
    commands = blocks(page, "")
    assert commands
    for command in commands:
        ran = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"


@pytest.mark.parametrize("page", START, ids=label)
def test_only_what_cannot_be_done_here_is_left_out(page: Path) -> None:
    assert [command for command in blocks(page, "text") if not NOT_HERE.match(command)] == []
