"""Explanations: everything that a row can answer has its sentence in every language, with the row's own figures."""

import ast
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard

import pytest

from fanous.analysis import explanations as package
from fanous.analysis.explanations.explanation import Explanation
from fanous.model.explanation import Standing, Weighed
from fanous.model.reason import Reason
from fanous.wording import ENGLISH, LANGUAGES, Language
from fanous.wording.explanations import EXCLUDED_BY, EXPLANATIONS, STANDINGS, UNTESTED_FOR
from fanous.wording.findings import Text
from fanous.wording.narrative import untested_said, what_else
from fanous.wording.reasons import REASONS
from tests.each import each
from tests.store.cases import incident
from tests.wording.test_reasons import PARAMS

SENTENCES: dict[str, Mapping[str, Text]] = {
    "holds": {code: text for code, text in REASONS.items() if code not in {**EXCLUDED_BY, **UNTESTED_FOR}},
    "excluded": EXCLUDED_BY,
    "untested": UNTESTED_FOR,
}
"""Name of the function with which a row answers -> sentences by code."""


NUMBERS = {(code, "networks") for code in ("site.may_refuse", "name.moved", "software.each")}
"""Figures that are a number in one row's answer, and names in another's."""


def modules() -> list[ModuleType]:
    found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    return [import_module(one.name) for one in found]


def rows() -> set[str]:
    """The code of every row in a table of the package."""
    tables = [value for module in modules() for value in vars(module).values() if isinstance(value, tuple)]
    return {one.code for table in tables for one in table if isinstance(one, Explanation)}


@cache
def answers() -> list[tuple[str, str, frozenset[str]]]:
    """(function, code, names of its figures) of each answer in the rows' source."""
    return [one for module in modules() for one in answers_of(module)]


def answers_of(module: ModuleType) -> Iterator[tuple[str, str, frozenset[str]]]:
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    for node in ast.walk(tree):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name in SENTENCES:
            for code in codes(node.args[0], module, tree):
                yield name, code, frozenset(str(one.arg) for one in node.keywords)


def codes(node: ast.expr, module: ModuleType, tree: ast.Module) -> set[str]:
    """A code as it is written, a constant of the module, or those that a function of the module returns."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    assert isinstance(node, ast.Name), ast.unparse(node)
    if node.id in vars(module):
        return {str(vars(module)[node.id])}
    given = {ast.unparse(one.value) for one in ast.walk(tree) if _assigns(one, node.id)}
    makers = [one for one in tree.body if isinstance(one, ast.FunctionDef) and _calls(given, one.name)]
    returned = [value for one in makers for value in ast.walk(one) if isinstance(value, ast.Return)]
    names = {one.id for value in returned for one in ast.walk(value) if isinstance(one, ast.Name)}
    found = {str(vars(module)[one]) for one in names if isinstance(vars(module).get(one), str)}
    assert found, f"{module.__name__}: where does {node.id} come from?"
    return found


def _assigns(node: ast.AST, name: str) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and any(ast.unparse(one) == name for one in node.targets)


def _calls(given: set[str], function: str) -> bool:
    return any(one.startswith(f"{function}(") for one in given)


def places(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def of(*explanations: Weighed) -> Any:
    return replace(incident(), explanations=explanations)


def test_every_row_has_a_sentence_and_there_is_none_without_a_row() -> None:
    assert len(rows()) > 20
    assert set(EXPLANATIONS) == rows()


def test_every_answer_of_a_row_has_a_sentence_and_there_is_none_without_an_answer() -> None:
    assert len(answers()) > 60
    assert [(name, code) for name, code, _ in answers() if code not in SENTENCES[name]] == []
    for name in ("excluded", "untested"):
        assert set(SENTENCES[name]) == {code for said, code, _ in answers() if said == name}


def test_a_sentence_needs_no_figure_that_its_row_does_not_give() -> None:
    lacking = {
        (code, place)
        for name, code, given in answers()
        for place in places(str(SENTENCES[name].get(code))) - given
    }
    assert lacking == set()


@each("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_every_explanation_is_told_in_the_readers_language_with_all_its_figures(language: Language) -> None:
    for name, code, given in answers():
        figures = {one: 3 if (code, one) in NUMBERS else PARAMS[one] for one in given}
        table = [Weighed(row, Standing(name), Reason(code, figures)) for row in EXPLANATIONS]
        for one in what_else(of(*table), language):
            assert one.says.language == one.because.language == language
            assert language.knows(one.word)
            assert not re.search(r"[{}]|\(\)|  ", f"{one.says.text} {one.because.text}"), code


def test_what_holds_comes_first_and_what_is_excluded_last() -> None:
    told = what_else(
        of(
            Weighed("route.may_fail", Standing.EXCLUDED, Reason("lasts")),
            Weighed("platform.down", Standing.UNTESTED, Reason("no_other_country")),
            Weighed("site.own_page", Standing.HOLDS, Reason("site.own_page")),
            Weighed("host.may_fail", Standing.EXCLUDED, Reason("host_reached", {"entities": ("AS1", "AS2")})),
        ),
        ENGLISH,
    )
    assert [one.word for one in told] == ["Possible", "Not tested", "Excluded", "Excluded"]
    assert told[0].because.text.startswith("The site itself may show this page")
    assert told[3].says.text == "The network that hosts these sites had failed, or the route to it had."
    assert (
        told[3].because.text
        == "Other sites of the same hosting network were reached at the time (AS1 and AS2)."
    )


def test_an_incident_of_before_has_no_other_explanations_to_show() -> None:
    assert what_else(of(), ENGLISH) == []
    assert untested_said(of(), ENGLISH) is None


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_a_row_of_another_version_is_shown_by_its_code_as_english(language: Language) -> None:
    (one,) = what_else(of(Weighed("of.{tomorrow}\x1b[31m", Standing.HOLDS, Reason("so.what"))), language)
    assert (one.says.text, one.says.language) == ("Of.{tomorrow}[31m.", ENGLISH)
    assert one.because.language == ENGLISH


def test_every_standing_has_a_word() -> None:
    assert set(STANDINGS) == set(Standing)


@each(
    ("untested", "words"),
    [
        ((), "All of them could be tested."),
        (("host.may_fail",), "as many as one in 65 events like this."),
        (("host.may_fail", "line.at_fault"), "as many as one in 28 events like this."),
        (("addresses.given_up", "usage.weekly"), "could be behind most events like this: no one has shown"),
    ],
)
def test_how_often_what_could_not_be_tested_may_be_behind_it(untested: tuple[str, ...], words: str) -> None:
    table = [Weighed(code, Standing.UNTESTED, Reason("few_others", {"needed": 5})) for code in untested]
    known = Weighed("site.own_page", Standing.EXCLUDED, Reason("other_way", {"mechanisms": ()}))
    told = untested_said(of(*table, known), ENGLISH)
    assert told is not None and words in told.text
    for language in LANGUAGES.values():
        there = untested_said(of(*table, known), language)
        assert there is not None and there.language is language
