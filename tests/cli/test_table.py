"""The table of commands: what it says is so, and one line adds a command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fanous.cli import main
from fanous.cli.main import (
    COMMANDS,
    ELSEWHERE,
    IN_THE_LAB,
    CommandEntry,
    LazyCommands,
    all_commands,
    app,
    built,
)
from fanous.store.local import open_store
from tests.children import child_environment
from tests.commands import fanous
from tests.documents import ROOT
from tests.each import each
from tests.store.cases import judged

GROUPS = ["Start", "Bring in", "Ask", "Publish", "Operate", "Develop"]
"""In DESIGN.md's order."""

RECIPE = '''"""``fanous hello``: the recipe of ``fanous.cli``, followed by a test."""

from fanous.cli.common import country_code
from fanous.cli.options import CountryArgument, Options, command


class HelloOptions(Options):
    country: CountryArgument


@command
def hello(options: HelloOptions) -> None:
    """Greet a country. It answers nothing."""
    print(f"hello {country_code(options.country)}")
'''


def first_sentence(text: str) -> str:
    first, stop, _ = " ".join(text.partition("\n\n")[0].split()).partition(". ")
    return first + stop.strip()


@each("entry", all_commands(), ids=lambda entry: entry.name)
def test_a_line_of_the_table_loads_and_says_what_the_command_says(entry: CommandEntry) -> None:
    command = built(entry.name, entry)
    assert command.name == entry.name
    assert entry.line == first_sentence(command.help)


@each("entry", all_commands(), ids=lambda entry: entry.name)
def test_help_has_no_words_in_brackets_which_would_not_be_shown(entry: CommandEntry) -> None:
    """Brackets are markup to rich: "`url` of [web] in the configuration" was shown as "`url` of  in the"."""
    command = built(entry.name, entry)
    for one in (command, *getattr(command, "commands", {}).values()):
        for text in (one.help, *(getattr(given, "help", "") for given in one.params)):
            assert not re.search(r"\[[a-z.]+\]", text or ""), text


@pytest.mark.parametrize(
    ("name", "module"), [("confirm", "fanous.cli.nothing"), ("nothing", "fanous.cli.confirm")]
)
def test_a_line_that_leads_nowhere_fails_loudly(name: str, module: str) -> None:
    with pytest.raises((ImportError, AttributeError), match="nothing"):
        built(name, CommandEntry("Ask", name, "", module))


def test_help_lists_the_groups_in_order_and_every_command_once() -> None:
    text = fanous("--help").stdout
    heads = [line[:-1] for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert heads == ["Options", *GROUPS]
    named = [line.split()[0] for line in text.splitlines() if line[:2] == "  " and line[2:3].isalpha()]
    assert [name for name in named if name in LazyCommands()] == [entry.name for entry in all_commands()]


def test_no_name_means_two_commands() -> None:
    names = [*(entry.name for entry in COMMANDS), *ELSEWHERE]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (("--help",), ""),
        (("--version",), ""),
        (("lab", "list"), "fanous_lab.commands.lab"),
        (("probe", "list"), "fanous.cli.probe"),
    ],
)
def test_only_the_command_that_is_typed_is_loaded(words: tuple[str, ...], module: str) -> None:
    code = (
        "import sys; from fanous.cli.main import all_commands, app;"
        f"app({list(words)!r}, standalone_mode=False);"
        "names = {entry.module or 'fanous.cli.' + entry.name for entry in all_commands()};"
        "print(*(names & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment()
    )
    assert done.returncode == 0
    assert set(done.stderr.split()) <= {module, module.replace("probe", "orders")}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("fanous ev", {"events", "evaluate"}),
        ("fanous incidents sh", {"show"}),
        ("fanous confirm --js", {"--json"}),
    ],
)
def test_a_shell_completes_names_of_commands_and_options(typed: str, offered: set[str]) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    done = subprocess.run(
        [Path(sys.executable).with_name("fanous")],
        capture_output=True,
        text=True,
        env=child_environment() | {"_FANOUS_COMPLETE": "complete_bash"} | words,
    )
    assert set(done.stdout.split()) == offered


def test_a_name_with_a_slip_is_answered_with_the_one_that_was_meant() -> None:
    assert "Did you mean 'confirm'?" in CliRunner().invoke(app, ["conform"]).stderr


def test_a_command_is_added_by_one_file_and_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The recipe in the docstring of ``fanous.cli``."""
    (tmp_path / "hello.py").write_text(RECIPE, encoding="utf-8")
    monkeypatch.setattr("fanous.cli.__path__", [str(ROOT / "src" / "fanous" / "cli"), str(tmp_path)])
    line = CommandEntry("Ask", "hello", "Greet a country.")
    monkeypatch.setattr(main, "COMMANDS", (*COMMANDS, line))
    all_commands.cache_clear()
    fresh = typer.Typer(cls=main.Root)
    fresh.callback()(lambda: None)
    try:
        assert "hello      Greet a country." in CliRunner().invoke(fresh, ["--help"]).stdout
        assert CliRunner().invoke(fresh, ["hello", "pk"]).stdout == "hello PK\n"
    finally:
        sys.modules.pop("fanous.cli.hello", None)
        all_commands.cache_clear()


def test_a_command_of_the_lab_says_where_it_is_when_its_package_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(main, "entry_points", lambda **_: ())
    all_commands.cache_clear()
    fresh = typer.Typer(cls=main.Root)
    fresh.callback()(lambda: None)
    try:
        said = CliRunner().invoke(fresh, ["lab", "list"])
        assert said.exit_code == 2
        assert IN_THE_LAB in " ".join(said.stderr.split())
        assert "evaluate" not in CliRunner().invoke(fresh, ["--help"]).stdout
    finally:
        all_commands.cache_clear()


@pytest.mark.parametrize(("words", "starts"), [(("incidents", "list"), False), (("confirm", "PK"), True)])
def test_the_engine_starts_only_for_measurements(
    tmp_path: Path, words: tuple[str, ...], starts: bool
) -> None:
    """Loading and starting it takes more than half of the time of a command that lists what the ledger holds."""
    with open_store(tmp_path / "store") as store:
        store.append([judged("a")], rules_version="1")
    code = (
        "import sys; from fanous.cli.main import app;"
        f"app({[*words, '--store', str(tmp_path / 'store')]!r}, standalone_mode=False);"
        "print(*({'chdb', 'clickhouse_connect'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment()
    )
    assert done.returncode == 0
    assert bool(done.stderr.split()) is starts
