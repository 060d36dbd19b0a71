"""Many patterns in one pass, and the loop that replaces it."""

import pytest

from fanous.analysis.rules.fingerprints import (
    Matcher,
    PatternText,
    compile_matcher,
    dumped,
    loaded,
    loop_matcher,
)
from fanous.errors import FanousError
from tests.each import each

PATTERNS = [
    PatternText("word", "blocked"),
    PatternText("regex", r"https?://10\.10\.34\.3[4-6]"),
    PatternText("literal", "a.b", literal=True),
    PatternText("title", "access denied", in_title=True),
    PatternText("letters", "доступ.{0,60}ограничен|eri(s|ş)im"),
]


@each("matcher", [compile_matcher(PATTERNS), loop_matcher(PATTERNS)])
@each(
    ("text", "found"),
    [
        ("This site is BLOCKED.", [0]),
        ("see http://10.10.34.35/?x", [1]),
        ("see http://10.10.34.37/", []),
        ("a.b", [2]),
        ("axb", []),
        ("<title> Access Denied </title>", [3]),
        ("<h1>Access Denied</h1>", []),
        ("доступ к сайту ограничен", [4]),
        ("erişim blocked", [0, 4]),
        ("", []),
    ],
)
def test_both_matchers_find_the_same(matcher: Matcher, text: str, found: list[int]) -> None:
    assert sorted(index for index, _ in matcher.find(text.encode())) == found


@pytest.mark.parametrize("matcher", [compile_matcher(PATTERNS), loop_matcher(PATTERNS)])
def test_the_end_of_a_match_is_in_bytes(matcher: Matcher) -> None:
    assert matcher.find("ş blocked".encode()) == [(0, len("ş blocked".encode()))]


@each("compiler", [compile_matcher, loop_matcher])
@each("pattern", ["(", "a[bşc]d", "eriş?im"])
def test_a_pattern_that_cannot_be_compiled_is_named(compiler: object, pattern: str) -> None:
    assert callable(compiler)
    with pytest.raises(FanousError, match=r"fingerprint bad: .*correct or remove"):
        compiler([PatternText("good", "x"), PatternText("bad", pattern)])


def test_no_patterns_find_nothing() -> None:
    assert compile_matcher([]).find(b"blocked") == []


def test_a_compiled_form_finds_the_same_after_loading() -> None:
    data = dumped(compile_matcher(PATTERNS))
    assert data is not None
    again = loaded(data)
    assert again is not None
    assert again.find(b"This site is BLOCKED.") == [(0, 20)]


@pytest.mark.parametrize("data", [b"", b"no database"])
def test_what_is_no_compiled_form_is_not_loaded(data: bytes) -> None:
    assert loaded(data) is None
    assert dumped(loop_matcher(PATTERNS)) is None
