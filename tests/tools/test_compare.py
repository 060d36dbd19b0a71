"""What the comparison of two versions calls a difference."""

from pathlib import Path
from typing import Any

import pytest
from tools.compare import (
    ABSENT,
    EXPECTED,
    ROOT,
    SHORTER,
    Difference,
    Expected,
    Impossible,
    checked_out,
    differences,
    in_vain,
    read_expected,
    reason_for,
    unvaried,
)

from tests.each import each


def lines(old: Any, new: Any) -> list[str]:
    return [str(one) for one in differences(old, new, "confirm / demo")]


@each(
    "document",
    [None, 1, "a", [], {}, {"incidents": [{"id": "PK-2023-0001", "end": None}]}, [[1], [2.5, None]]],
)
def test_a_document_does_not_differ_from_itself(document: Any) -> None:
    assert lines(document, document) == []


@each(
    ("old", "new", "said"),
    [
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "a.b.1: 2 -> 3"),
        ({"a": 1}, {}, "a: 1 -> (absent)"),
        ({}, {"a": None}, "a: (absent) -> null"),
        ({"a": None}, {"a": 0}, "a: null -> 0"),
        ({"a": 1}, {"a": 1.0}, "a: 1 -> 1.0"),
        ({"a": 1}, {"a": True}, "a: 1 -> true"),
        ({"a": [1]}, {"a": {"0": 1}}, 'a: [1] -> {"0": 1}'),
        ([1, 2], [2, 1], "0: (absent) -> 2"),
    ],
)
def test_a_difference_is_named_by_its_path(old: Any, new: Any, said: str) -> None:
    assert lines(old, new)[0] == f"confirm / demo: {said}"


def test_an_added_item_leaves_those_after_it_alone() -> None:
    old = [{"id": n, "why": "because"} for n in range(5)]
    assert lines({"all": old}, {"all": [{"id": 9}, *old]}) == [
        'confirm / demo: all.0: (absent) -> {"id": 9}',
    ]
    changed = [*old[:2], old[2] | {"why": "no"}, *old[3:]]
    assert lines(old, changed) == ['confirm / demo: 2.why: "because" -> "no"']


def test_documents_of_another_kind_differ_as_a_whole() -> None:
    assert lines(ABSENT, [1]) == ["confirm / demo: (absent) -> [1]"]


def test_of_long_texts_the_place_is_shown_where_they_begin_to_differ() -> None:
    (said,) = lines("a" * 5_000 + "b", "a" * 5_000 + "c")
    assert "ab" in said and "ac" in said and len(said) < 200


def test_only_values_that_vary_by_nature_are_passed_over() -> None:
    document = {"document": {"revisions": [{"at": "now", "n": 1}], "at": "2023", "seconds": 1}}
    kept = unvaried(document, "confirm / show PK-2023-0001")
    assert kept["document"]["revisions"] == [{"at": "(varies)", "n": 1}]
    assert (kept["document"]["at"], kept["document"]["seconds"]) == ("2023", 1)


def test_an_answer_that_is_an_error_is_not_an_answer() -> None:
    assert in_vain({"exit": 1, "document": [], "error": "no store"}) == "no store"
    assert in_vain({"exit": 1, "document": {"result": "differs"}, "error": ""}) == ""
    assert in_vain({"exit": 0, "document": []}) == ""


def test_an_expected_difference_has_its_reason() -> None:
    expected = read_expected(
        '[[expected]]\ndifference = "verify / *: document.why: *"\nreason = "reworded"\n'
    )
    assert expected == [Expected("verify / *: document.why: *", "reworded")]
    assert reason_for(Difference("verify / old: document.why", "a", "b"), expected) == "reworded"
    assert reason_for(Difference("verify / old: document.result", "a", "b"), expected) == ""


@pytest.mark.parametrize(
    "text", ["[[expected]]\ndifference = '*'", "[[expected]]\ndifference = '*'\nreason = ' '", "["]
)
def test_a_difference_without_a_reason_is_not_expected(text: str) -> None:
    with pytest.raises(Impossible, match="reason"):
        read_expected(text)


def test_the_list_of_expected_differences_can_be_read() -> None:
    read_expected(EXPECTED.read_text(encoding="utf-8"))


def test_a_commit_that_does_not_exist_is_named(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    with pytest.raises(Impossible, match="no commit 'nonsense'"), checked_out("nonsense", tmp_path):
        pass


def test_each_line_that_shortens_a_corpus_is_found_in_one() -> None:
    import re

    corpora = [path.read_text(encoding="utf-8") for path in (ROOT / "corpora").glob("*/events.toml")]
    for line in SHORTER:
        assert any(re.search(line, text, re.MULTILINE) for text in corpora), line
