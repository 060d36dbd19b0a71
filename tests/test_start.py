"""The pages for newcomers: every command in them is carried out, in order, in an empty folder.

Commands that need the internet or root, or run until stopped, are in blocks marked ``text``, and no others are.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fanous.monitor.settings import read
from tests.children import child_environment
from tests.documents import ROOT, block_lines, label

START = sorted((ROOT / "docs" / "start").glob("*.md"))

NOT_HERE = re.compile(
    r"fanous (run|collect|pull|lab|evaluate|probe (run|serve|consent --lang)|(judge|ingest ooni) \d)"
    r"|python3 -m venv probe|probe/bin/(pip install --|fanous probe consent)"
)
"""Internet, root, a file of the reader's own, an installation of its own (``tests/packaging`` has one), minutes, or no
end."""


def environment_of(home: Path) -> dict[str, str]:
    """Of a reader in a checkout, where the benchmarks are."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    names = ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
    return child_environment() | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(paths),
        **dict.fromkeys(names, str(home)),
    }


def carry_out(command: str, folder: Path) -> None:
    """As a shell in this folder does."""
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment_of(folder / "home"),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"


@pytest.mark.matrix
@pytest.mark.parametrize("page", START, ids=label)
def test_every_command_of_a_page_for_newcomers_works_in_order(page: Path, tmp_path: Path) -> None:
    commands = block_lines(page, "")
    assert commands
    for command in commands:
        carry_out(command, tmp_path)


@pytest.mark.parametrize("page", START, ids=label)
def test_only_what_cannot_be_done_here_is_left_out(page: Path) -> None:
    assert [command for command in block_lines(page, "text") if not NOT_HERE.match(command)] == []


@pytest.mark.parametrize("page", [page for page in START if block_lines(page, "toml")], ids=label)
def test_a_configuration_of_a_page_for_newcomers_is_accepted(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "fanous.toml"
    file.write_text("\n".join(block_lines(page, "toml")), encoding="utf-8")
    (tmp_path / "orders.json").touch()  # the page makes it before
    read(file, tmp_path / "store")
