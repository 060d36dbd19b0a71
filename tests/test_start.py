"""The pages for newcomers: every command in them is carried out, in order, in an empty folder.

What needs the internet, root, or goes on until it is stopped stands in blocks marked ``text``, and only that.
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
)
"""Internet, root, a file of the reader's own, minutes, or no end."""


@pytest.mark.parametrize("page", START, ids=label)
def test_every_command_of_a_page_for_newcomers_works_in_order(page: Path, tmp_path: Path) -> None:
    environment = child_environment() | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),  # the page's reader is in a checkout, where the benchmarks are
        **{
            name: str(tmp_path / "home")
            for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
        },
    }
    commands = block_lines(page, "")
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
    assert [command for command in block_lines(page, "text") if not NOT_HERE.match(command)] == []


@pytest.mark.parametrize("page", [page for page in START if block_lines(page, "toml")], ids=label)
def test_a_configuration_of_a_page_for_newcomers_is_accepted(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "fanous.toml"
    file.write_text("\n".join(block_lines(page, "toml")), encoding="utf-8")
    (tmp_path / "orders.json").touch()  # the page makes it before
    read(file, tmp_path / "store")
