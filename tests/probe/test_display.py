"""The table of a run on terminals of any width."""

import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich.console import Console

from fanous.model.verdict import State
from fanous.probe.outcome import Outcome
from fanous.probe.output import WIDE, table_of
from tests.each import each

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LONG = "a-very-long-name-of-a-site.subdomain.example.org"


def outcome(target: str, layers: dict[str, str], state: State = State.INSUFFICIENT) -> Outcome:
    return Outcome(f"https://{target}/with/a/path", target, "web", state, "", "Why.", False, layers, ())


DONE = [
    outcome(LONG, {"dns": "dns_temporary_failure"}),
    outcome("x", {"dns": "ok", "tcp": "ok", "tls": "connection_reset"}, State.BLOCKED),
    outcome("[red]y.example", {"dns": "ok", "tcp": "ok", "tls": "ok", "http": "ok"}, State.OK),
]


def drawn(width: int) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        console.print(table_of(DONE, len(DONE), width))
    return captured.get().splitlines()


@each("width", [20, 40, 60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, drawn(width))) <= width


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_shows_whole_words_of_what_fails_and_what_it_means(width: int) -> None:
    text = " ".join(" ".join(drawn(width)).split())
    assert "TLS:" in text and "blocked" in text and "works" in text
    assert len(drawn(width)) < 16  # not a letter a line


def test_a_wide_one_shows_every_layer() -> None:
    assert all(name in " ".join(drawn(WIDE)) for name in ("DNS", "TCP", "TLS", "HTTP", "QUIC", "Address"))


def test_a_name_is_shown_as_it_is_written() -> None:
    assert "[red]y.example" in " ".join(drawn(120))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"TERM": "dumb"}, marks=pytest.mark.matrix),
        pytest.param({"TERM": "xterm", "NO_COLOR": "1"}, marks=pytest.mark.matrix),
        {"TERM": "xterm"},
    ],
)
def test_a_run_on_a_terminal_of_40_columns_overflows_nowhere(given: dict[str, str], tmp_path: Path) -> None:
    text = on_terminal({"XDG_DATA_HOME": str(tmp_path)} | given)
    plain = ESCAPES.sub("", text)
    lines = [part for line in plain.split("\n") for part in line.split("\r")]
    assert max(map(len, lines)) <= 40
    assert "could not be reached" in " ".join(plain.split())
    assert bool(re.search(r"\x1b\[[0-9;]*3\dm", text)) is (given == {"TERM": "xterm"})


def on_terminal(given: dict[str, str]) -> str:
    """What ``fanous probe run`` of a closed port of loopback writes on a terminal."""
    words = ["probe", "run", "--yes", "--no-health", "-i", "https://127.0.0.1:1/"]
    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (24, 40))
    command = [sys.executable, "-m", "fanous", *words]
    said = ("NO_COLOR", "COLUMNS", "LINES")
    environment = {name: value for name, value in os.environ.items() if name not in said} | given
    process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=environment)
    os.close(inside)
    written = b""
    while True:
        try:
            more = os.read(terminal, 65_536)
        except OSError:  # Linux says so when the other side is gone
            break
        if not more:
            break
        written += more
    os.close(terminal)
    process.wait()
    return written.decode()
