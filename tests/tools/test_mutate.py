"""The table of mutations, and what the tool concludes from the tests' answers."""

from collections import Counter
from pathlib import Path

import pytest
from tools.mutate import (
    LIMIT,
    ROOT,
    Impossible,
    Mutation,
    Outcome,
    Result,
    Table,
    find,
    judge_all,
    mutated,
    pattern,
    read_table,
)

from tests.each import each

TABLE = read_table()


@each("one", TABLE.mutation, ids=lambda one: str(one.name))
def test_each_mutation_changes_code_that_is_there_exactly_once(one: Mutation) -> None:
    place = find(one)
    mutated((ROOT / place.file).read_text(), place, one.replacement)
    assert [path for path in TABLE.tests_of(one) if not (ROOT / path).exists()] == []


def test_each_of_five_packages_is_mutated_in_many_places() -> None:
    count = Counter(one.package for one in TABLE.mutation)
    many = ("analysis/rules", "analysis/detectors", "analysis/incidents", "store", "pipeline")
    assert min(count[package] for package in many) >= 8
    assert count.total() >= 44


@pytest.mark.parametrize(
    "source",
    ["x = f(a, b) and c", "x = f(a,\n    b,\n) and c", "x = f(\n  a, b\n)   and\tc"],
)
def test_a_text_is_found_however_its_lines_are_broken(source: str) -> None:
    assert len(pattern("f(a, b) and c").findall(source)) == 1
    assert len(pattern("f(a, b,) and c").findall(source)) == 1


@pytest.mark.parametrize("source", ["f(a, b) andc", "f(a, bb) and c", "ff(a, b) and c", "f(a, b) and cc"])
def test_a_text_is_not_found_within_other_names(source: str) -> None:
    assert not pattern("f(a, b) and c").findall(source)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one module, and a test of it, which needs none of the plug-ins that take a second to load."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    files = {
        "src/fanous/__init__.py": "",
        "src/fanous/room/__init__.py": "",
        "src/fanous/room/level.py": (
            "LEAST = 3\n\n\ndef enough(probes: int) -> bool:\n    return probes >= LEAST\n\n\n"
            "def wait(limit: int) -> None:\n    while limit > 0:\n        limit -= 1\n"
        ),
        "tests/test_level.py": (
            "from pathlib import Path\n\nfrom fanous.room.level import enough, wait\n\n\n"
            "def test_three_are_enough() -> None:\n    wait(5)\n    assert enough(3)\n\n\n"
            "def test_none_are_not_enough() -> None:\n    assert not enough(0)\n"
        ),
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


def judged(project: Path, *mutations: Mutation, limit: float = LIMIT) -> dict[str, Result]:
    table = Table({"room": ("tests",)}, mutations)
    found = judge_all(table, mutations, workers=1, limit=limit, root=project)
    return {result.mutation.name: result for result in found}


def test_a_mutation_is_caught_by_a_test_that_passes_without_it(project: Path) -> None:
    before = {path: path.read_text() for path in project.rglob("*.py")}
    found = judged(
        project,
        Mutation("turned", "room", "probes >= LEAST", "probes > LEAST", first="three"),
        Mutation("no import", "room", "LEAST = 3", "LEAST = lest"),
        Mutation("no matter", "room", "LEAST = 3", "LEAST = 2", first="none", tests=("tests/test_level.py",)),
    )
    assert (found["turned"].outcome, found["turned"].said) == (
        Outcome.CAUGHT,
        "tests/test_level.py::test_three_are_enough",
    )
    assert (found["turned"].place.line, found["turned"].is_expected) == (5, True)
    assert (found["no import"].outcome, found["no import"].said) == (Outcome.CAUGHT, "tests/test_level.py")
    assert found["no matter"].outcome is Outcome.SURVIVED
    assert {path: path.read_text() for path in project.rglob("*") if path.is_file()} == before


def test_a_survivor_is_expected_only_if_it_is_listed(project: Path) -> None:
    found = judged(
        project,
        Mutation("known", "room", "LEAST = 3", "LEAST = 2", first="enough", survives=True, reason="a trifle"),
        Mutation("new", "room", "LEAST = 3", "LEAST = 1", first="enough"),
    )
    assert (found["known"].outcome, found["known"].is_expected) == (Outcome.SURVIVED, True)
    assert (found["new"].outcome, found["new"].is_expected) == (Outcome.SURVIVED, False)


def test_a_test_that_fails_by_itself_catches_nothing(project: Path) -> None:
    (project / "tests/test_broken.py").write_text("def test_broken() -> None:\n    assert False\n")
    found = judged(project, Mutation("other", "room", "LEAST = 3", "LEAST = 2"))
    assert found["other"].outcome is Outcome.UNCLEAR
    assert found["other"].said == "fails without the mutation too: tests/test_broken.py::test_broken"
    assert not found["other"].is_expected


def test_an_endless_run_is_ended_at_the_limit(project: Path) -> None:
    found = judged(project, Mutation("endless", "room", "limit -= 1", "limit -= 0"), limit=2)
    assert found["endless"].outcome is Outcome.UNFINISHED
    assert not found["endless"].is_expected


@pytest.mark.parametrize(
    ("text", "replacement", "said"),
    [
        ("LEAST = 4", "LEAST = 5", "is found nowhere"),
        ("LEAST", "MOST", "src/fanous/room/level.py:1, src/fanous/room/level.py:5"),
    ],
)
def test_a_text_that_is_not_there_once_is_refused(
    project: Path, text: str, replacement: str, said: str
) -> None:
    with pytest.raises(Impossible, match="exactly once in room") as why:
        find(Mutation("wrong", "room", text, replacement), project)
    assert said in str(why.value)


@pytest.mark.parametrize(
    ("replacement", "said"), [("LEAST  =  3", "changes nothing"), ("LEAST = ", "is not Python")]
)
def test_a_replacement_must_be_other_python(project: Path, replacement: str, said: str) -> None:
    one = Mutation("wrong", "room", "LEAST = 3", replacement)
    with pytest.raises(Impossible, match=said):
        mutated("LEAST = 3\n", find(one, project), replacement)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[tests]\n[[mutation]]\nname = 'a'\n", "missing required field"),
        (
            "[tests]\nroom = ['tests']\n[[mutation]]\nname = 'a'\npackage = 'room'\ntext = 'x'\nreplacement = 'y'\n"
            "files = 'z'\n",
            "unknown field `files`",
        ),
        (
            "[tests]\nroom = ['tests']\n[[mutation]]\nname = 'a'\npackage = 'room'\ntext = 'x'\nreplacement = 'y'\n"
            "survives = true\n",
            "go together",
        ),
        (
            "[tests]\n[[mutation]]\nname = 'a'\npackage = 'room'\ntext = 'x'\nreplacement = 'y'\n",
            "no tests are named for room",
        ),
    ],
)
def test_a_table_that_says_something_else_is_refused(tmp_path: Path, table: str, said: str) -> None:
    (tmp_path / "mutations.toml").write_text(table)
    with pytest.raises(Impossible, match=said):
        read_table(tmp_path / "mutations.toml")
