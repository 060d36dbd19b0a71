"""The documents say what the code does: links, names, thresholds, commands."""

import ast
import fnmatch
import importlib
import json
import pkgutil
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from benchmarks.__main__ import bench_app
from tools.tables import BASE_RATES, documented, every_threshold, renewed_base_rates, retired
from tools.tables import DOCUMENTS as THRESHOLD_PAGES
from tools.tables import renewed as renewed_thresholds
from typer.testing import CliRunner

from fanous.analysis.detectors.interference import DETECTOR_VERSION
from fanous.analysis.explanations.base_rates import BASE_RATES as BASE_RATES_OF_ROWS
from fanous.analysis.explanations.table import TABLE
from fanous.analysis.incidents.assemble import CERTAIN, UNCONFIRMED
from fanous.analysis.incidents.interference import SHOWN_ELSEWHERE, SHOWN_HELPED
from fanous.analysis.rules import RULES, RULES_VERSION
from fanous.cli.main import BUG, app
from fanous.model.incident import Kind, Says, Scope, Status
from fanous.model.measurement import Layer, Observer
from fanous.model.place import Access, Family
from fanous.model.verdict import State
from fanous.sources.publishers import SERIES_FILES
from fanous.store.schema import FORMAT, TABLES
from tests.cli.test_main import KEYS
from tests.documents import (
    PAGES,
    ROOT,
    anchors,
    commands_of,
    found_command,
    label,
    rows,
    section,
    text_of,
    unknown_words,
    visible_below,
)
from tests.each import each
from tests.ontology_tables import ONTOLOGY, mechanism_rows, mechanisms_named, renewed
from tests.source_tables import DOCUMENTS
from tests.source_tables import renewed as renewed_sources

SOURCES = (ROOT / "src" / "fanous", ROOT / "lab" / "src" / "fanous_lab")
FORMATS = ROOT / "docs" / "formats.md"
REVIEWERS = ROOT / "docs" / "methodology-reviewers.md"
FIGURES = ROOT / "docs" / "methodology-appendix.md"

JUDGING = (
    "fanous.analysis.rules",
    "fanous.analysis.series",
    "fanous.analysis.detectors",
    "fanous.analysis.incidents",
    "fanous.analysis.explanations",
)
"""Packages whose every number must be explained."""
NO_THRESHOLD = {"HOUR", "DAY", "FACEBOOK", "MOST_GARBAGE", "WORDS", "GAP"}
"""Units, an ASN, how much waits for the garbage collector, and marks of bytes."""


# --- links and names ------------------------------------------------------------------------------


def complaints(pages: list[Path], look: Callable[[Path], list[str]]) -> dict[str, list[str]]:
    """What is wrong in each page; pages without a fault are left out."""
    found = {label(page): look(page) for page in pages}
    return {name: wrong for name, wrong in found.items() if wrong}


def links_to_nowhere(page: Path) -> list[str]:
    links = re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    return [link for link in links if not re.match(r"[a-z]+:", link) and not leads_somewhere(page, link)]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def test_every_relative_link_leads_somewhere() -> None:
    assert complaints(PAGES, links_to_nowhere) == {}


@pytest.mark.parametrize(
    ("link", "leads"),
    [("CHANGELOG.md", True), ("NONE.md", False), ("#testing", True), ("README.md#no-such-part", False)],
)
def test_a_link_to_nowhere_is_found(link: str, leads: bool) -> None:
    assert leads_somewhere(ROOT / "CONTRIBUTING.md", link) is leads


def without_locks(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*")) if path.is_file() and path.suffix != ".lock"]


NAMING = [
    *(page for page in PAGES if page.name != "CHANGELOG.md"),  # which is history
    *(ROOT / name for name in ("Makefile", "pyproject.toml", "zensical.toml", ".dockerignore")),
    *without_locks("packaging"),
    *without_locks("corpora"),
]
"""Files that name files and modules of the project."""
NO_MODULES = {
    "fanous.toml",
    "fanous.env",
    "fanous.conf",
    "fanous.example",
    "fanous.service",
    "fanous.commands",
    "fanous.needs",
}
"""Names of files, and of groups of entry points, that look like modules."""


def files_that_are_not_there(page: Path) -> list[str]:
    folders = "src|lab|tests|docs|corpora|benchmarks|tools|packaging"
    paths = re.findall(rf"(?<![\w/.-])((?:{folders})/[\w./-]*)", text_of(page))
    return [path for path in paths if not (ROOT / path.rstrip(".")).exists()]


def test_every_file_of_the_project_that_is_named_exists() -> None:
    assert complaints(NAMING, files_that_are_not_there) == {}


def python_files_that_are_not_there(page: Path) -> list[str]:
    """``store/ask.py``, or a name alone; ``NAME`` represents a file that is still to be written."""
    paths = re.findall(r"`((?:\w+/)*(?!NAME)\w+\.py)`", text_of(page))
    return [path for path in paths if not is_python_file(path)]


@cache
def is_python_file(path: str) -> bool:
    found = any((folder / path).exists() for folder in (ROOT, *SOURCES))
    return found or ("/" not in path and any(file for folder in SOURCES for file in folder.rglob(path)))


def test_every_python_file_that_is_named_from_within_the_package_exists() -> None:
    assert complaints(NAMING, python_files_that_are_not_there) == {}


def modules_that_are_not_there(page: Path) -> list[str]:
    dotted = r"(?<![\w/.@-])((?:fanous|fanous_lab|tests|tools|benchmarks)(?:\.[A-Za-z_]\w*)+)"
    named = sorted(set(re.findall(dotted, text_of(page))) - NO_MODULES)
    return [name for name in named if not is_importable(name)]


def test_every_module_that_is_named_exists() -> None:
    assert complaints(NAMING, modules_that_are_not_there) == {}


@cache
def is_importable(name: str) -> bool:
    """A module, or something in one."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def test_every_rule_or_mechanism_that_is_named_exists() -> None:
    known = {rule.id for rule in RULES} | mechanisms_named()
    layers = "|".join(["measurement", *Layer])
    named = re.compile(rf"`((?:{layers})\.[a-z0-9_]+(?:\.[a-z0-9_]+)*)`")
    assert complaints(PAGES, lambda page: sorted(set(named.findall(text_of(page))) - known)) == {}


@each(("source", "until"), [(SOURCES[0], "\nlab/src/"), (SOURCES[1], "\ntests/")])
def test_the_tree_in_the_architecture_has_every_part_and_no_other(source: Path, until: str) -> None:
    """A line deeper than the rooms names a folder of the room above it; not every folder needs one.  The lab's own
    files are on no line."""
    inside = text_of(ROOT / "ARCHITECTURE.md").partition(f"\n{source.relative_to(ROOT)}/\n")[2]
    tree = inside.partition(until)[0]
    named: list[str] = []
    deeper: list[Path] = []
    for line in tree.splitlines():
        name = line.split()[0].rstrip("/")
        if line.startswith("   "):
            deeper.append(source / named[-1] / name)
        else:
            named.append(name)
    parts = {p.name for p in source.iterdir() if p.is_dir() and p.name != "__pycache__"}
    if source.name == "fanous":
        parts |= {p.name for p in source.glob("*.py")} - {"__main__.py"}
    assert sorted(named) == sorted(parts)
    assert [path for path in deeper if not path.exists()] == []


def test_the_architecture_is_short_enough_to_be_read() -> None:
    assert len(text_of(ROOT / "ARCHITECTURE.md").splitlines()) <= 200


def test_the_methodology_is_short_enough_to_be_read() -> None:
    assert len(text_of(ROOT / "docs" / "methodology.md").splitlines()) <= 100
    assert len(text_of(REVIEWERS).splitlines()) <= 500


def test_every_design_note_is_listed() -> None:
    folder = ROOT / "docs" / "design"
    for note in folder.glob("[0-9]*.md"):
        assert f"({note.name})" in text_of(folder / "README.md")
        assert f'"design/{note.name}"' in text_of(ROOT / "zensical.toml")


def test_every_threat_names_the_test_that_holds_it() -> None:
    table = [
        row.split("|")[1:-1]
        for row in text_of(ROOT / "docs" / "threats.md").splitlines()
        if row.startswith("| ")
    ]
    named = [cell for row in table if (cell := row[-1].strip().strip("`")) != "test"]
    assert len(named) > 40
    for cell in named:
        file, _, name = cell.partition("::")
        assert name and (ROOT / file).is_file(), f"{cell} is not there"
        assert f"def {name}(" in text_of(ROOT / file), f"{cell} is not there"


def test_a_security_flaw_is_reported_where_someone_reads_it() -> None:
    authors = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["authors"]
    has_address = any("email" in author for author in authors)
    assert ("There is no mail address" in text_of(ROOT / "SECURITY.md")) is not has_address


def test_every_dependency_has_its_reason_and_its_cost() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    groups = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    wanted = {re.split(r"[^\w-]", entry)[0] for entry in sum(groups, project["dependency-groups"]["dev"])}
    listed = rows(section(text_of(ROOT / "ARCHITECTURE.md"), "## Dependencies"))
    assert {cells[0].strip("`") for cells in listed} == wanted
    assert all(len(cells) == 3 and all(cells) for cells in listed)


# --- the ontology ---------------------------------------------------------------------------------


def test_the_tables_of_rules_signals_and_mechanisms_are_those_of_the_code() -> None:
    text = text_of(ONTOLOGY)
    assert text.splitlines() == renewed(text).splitlines(), "run python -m tests.ontology_tables"


@pytest.mark.parametrize("page", DOCUMENTS, ids=label)
def test_the_sources_in_the_documents_are_those_that_are_declared(page: Path) -> None:
    text = text_of(page)
    assert text.splitlines() == renewed_sources(text).splitlines(), "run python -m tests.source_tables"


def test_every_source_is_named_where_the_documents_describe_files() -> None:
    text = text_of(FORMATS)
    described = rows([line for line in section(text, "### Quantity series") if line.startswith("| ")])
    assert {name for cells in described for name in re.findall("`([a-z-]+)`", cells[0])} == set(SERIES_FILES)


def test_every_mechanism_has_a_meaning() -> None:
    written = mechanism_rows(text_of(ONTOLOGY))
    assert set(written) == mechanisms_named()
    assert all(meaning for meaning, _ in written.values())


@each(
    ("heading", "values"),
    [
        ("## States of a verdict", State),
        ("## Layers", Layer),
        ("## Who observed", Observer),
        ("### Kinds", Kind),
        ("### Statuses", Status),
        ("### Scopes", Scope),
        ("### Access", Access),
        ("### Families of sources", Family),
        ("### Opinions", Says),
    ],
)
def test_every_value_has_its_meaning(heading: str, values: Any) -> None:
    table = rows(section(text_of(ONTOLOGY), heading))
    assert [cells[0].strip("`") for cells in table] == [str(value) for value in values]


# --- thresholds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", THRESHOLD_PAGES, ids=label)
def test_the_tables_of_thresholds_are_those_of_the_code(page: Path) -> None:
    text = text_of(page)
    fresh = renewed_thresholds(text, every_threshold(), retired())
    assert text.splitlines() == fresh.splitlines(), "run make tables"


def test_the_base_rates_are_those_that_were_counted() -> None:
    source = BASE_RATES.read_text(encoding="utf-8")
    assert renewed_base_rates(source) == source, "run make tables"
    assert {row.code for row in TABLE} == BASE_RATES_OF_ROWS.keys()
    changed = source.replace("BaseRate(0, 8)", "BaseRate(0, 9)")
    assert renewed_base_rates(changed) == source != changed


def test_every_threshold_is_in_one_table() -> None:
    written = [name for page in THRESHOLD_PAGES for name in documented(text_of(page))]
    assert sorted(written) == [one.id for one in every_threshold()]


def test_no_retired_threshold_is_declared() -> None:
    assert set(retired()) & {one.id for one in every_threshold()} == set()


def thresholds_that_are_not_there(page: Path) -> list[str]:
    """``detectors.*.rho`` stands for every detector with such an option."""
    declared = {one.id for one in every_threshold()}
    rooms = "|".join(sorted({name.partition(".")[0] for name in declared}))
    named = set(re.findall(rf"`((?:{rooms})\.[a-z_.*]+[a-z])`", text_of(page))) - set(retired())
    codes = {row.code for row in TABLE}
    return sorted(name for name in named - codes if not fnmatch.filter(declared, name))


def test_every_threshold_that_is_named_is_declared() -> None:
    pages = [page for page in PAGES if page.name.startswith("methodology")]
    assert complaints(pages, thresholds_that_are_not_there) == {}


def numbers_without_an_id(module: str) -> Iterator[str]:
    """Public numbers that a module assigns itself and does not declare as thresholds."""
    loaded = importlib.import_module(module)
    for statement in ast.parse(text_of(Path(str(loaded.__file__)))).body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and not is_threshold(statement.value):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            named = [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
            yield from (
                name
                for name in named
                if not name.startswith("_") and name.isupper() and _is_number(getattr(loaded, name))
            )


def is_threshold(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "threshold"


def _is_number(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, int | float)


def judging_modules() -> list[str]:
    within = [f"{package}.{found.name}" for package in JUDGING for found in modules_of(package)]
    within.remove("fanous.analysis.detectors.interference")  # how much it remembers changes no conclusion
    return [
        *JUDGING,
        *within,
        "fanous.pipeline.detect",
        "fanous.pipeline.ingest",
        "fanous.pipeline.replay",
        "fanous.pipeline.interference",
        "fanous.pipeline.vitals",
    ]


def modules_of(package: str) -> Iterator[pkgutil.ModuleInfo]:
    return pkgutil.iter_modules(importlib.import_module(package).__path__)


def test_every_number_that_judges_is_a_threshold() -> None:
    found = {(module, name) for module in judging_modules() for name in numbers_without_an_id(module)}
    assert {(module, name) for module, name in found if name not in NO_THRESHOLD} == set()


def test_the_measured_figures_are_of_these_rules_and_detectors() -> None:
    measured = re.search(r"Measured with rules `(.+)` and detectors `(.+)`", text_of(FIGURES))
    assert measured is not None
    assert measured.groups() == (RULES_VERSION, DETECTOR_VERSION), "evaluate again, and write what comes out"


# --- commands and documents -----------------------------------------------------------------------

ROOT_COMMAND: Any = typer.main.get_command(app)


def leaves(command: Any = ROOT_COMMAND, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = visible_below(command)
    return [leaf for name in below for leaf in leaves(below[name], (*words, name))] if below else [words]


def parameters_of(words: tuple[str, ...]) -> list[Any]:
    _, command, _ = found_command(list(words), ROOT_COMMAND)
    return list(command.params)


def options_of(words: tuple[str, ...]) -> set[str]:
    return {name for parameter in parameters_of(words) for name in parameter.opts}


def test_every_command_that_is_named_exists_with_its_options() -> None:
    typed = sorted({command for page in PAGES for command in commands_of(page)})
    assert {each: unknown for each in typed if (unknown := unknown_words(each, ROOT_COMMAND))} == {}
    assert len(typed) > 200


def test_every_command_has_help_and_is_in_the_readme() -> None:
    readme, commands = text_of(ROOT / "README.md"), {" ".join(words): words for words in leaves()}
    assert [name for name in commands if f"`fanous {name}" not in readme] == []
    helped = {name: CliRunner().invoke(app, [*words, "--help"]).exit_code for name, words in commands.items()}
    assert set(helped.values()) == {0}, helped


def test_every_option_and_argument_of_a_command_says_what_it_is() -> None:
    unexplained = {
        " ".join(words): names
        for words in leaves()
        if (names := [each.name for each in parameters_of(words) if not getattr(each, "help", "")])
    }
    assert unexplained == {}


def test_the_example_of_an_answer_has_the_keys_that_confirm_gives() -> None:
    text = "\n".join(section(text_of(FORMATS), "### `fanous confirm --json`"))
    example = json.loads(text.partition("```json\n")[2].partition("```")[0])
    assert list(example["incidents"][0]) == KEYS
    explained = {name for cells in rows(text.splitlines()) for name in re.findall(r"`(\w+)`", cells[0])}
    assert set(KEYS) <= explained


def test_the_caps_of_confidence_are_those_of_the_code() -> None:
    text = "\n".join(section(text_of(FORMATS), "### `fanous confirm --json`"))
    said = re.search(r"(\.\d+) unconfirmed, (\.\d+) or (\.\d+) confirmed by probes; .*at most (\.\d+)", text)
    assert said is not None
    caps = (UNCONFIRMED, SHOWN_ELSEWHERE, SHOWN_HELPED, CERTAIN)
    assert tuple(map(float, said.groups())) == caps


def test_the_example_of_an_answer_is_one_that_can_be() -> None:
    text = "\n".join(section(text_of(FORMATS), "### `fanous confirm --json`"))
    (incident,) = json.loads(text.partition("```json\n")[2].partition("```")[0])["incidents"]
    assert incident["confidence"] <= SHOWN_HELPED
    assert incident["level"] is None, "nothing but the line itself has a level"
    assert re.fullmatch(r"\d{4}\.\d+", incident["rules_version"])
    assert incident["rules_version"].partition(".")[0] == RULES_VERSION.partition(".")[0]


def test_the_format_and_the_tables_of_a_store_are_those_of_the_code() -> None:
    text = "\n".join(section(text_of(FORMATS), "## The store"))
    assert f"The format has version {FORMAT};" in text
    listed = {cells[0].strip("`") for cells in rows(text.splitlines())}
    assert listed == set(TABLES)


def test_every_document_that_a_command_prints_is_described() -> None:
    printing, text = (
        [" ".join(words) for words in leaves() if "--json" in options_of(words)],
        text_of(FORMATS),
    )
    assert [name for name in printing if not re.search(rf"`fanous {name}[^`]*--json", text)] == []
    assert len(printing) > 20


def test_make_bench_runs_every_bench() -> None:
    target = text_of(ROOT / "Makefile").partition("\nbench:")[2]
    ran = re.findall(r"\$\(BIN\)/python -m benchmarks (\w+)", target)
    assert sorted(ran) == sorted(str(command.name) for command in bench_app.registered_commands)


def test_the_exit_code_of_a_bug_is_the_documented_one() -> None:
    table = rows(section(text_of(FORMATS), "## Exit codes"))
    assert [cells[0] for cells in table if "bug" in cells[1]] == [str(BUG)]
