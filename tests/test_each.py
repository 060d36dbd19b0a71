"""Each: every case is run by itself, and each that fails is named."""

from pathlib import Path
from typing import Any

import pytest

from tests.each import Test, each


def run(test: Test, **fixtures: Any) -> list[tuple[str, list[str]]]:
    """What failed, and in which case."""
    try:
        test(**fixtures)
    except BaseExceptionGroup as many:
        return [(str(one), one.__notes__) for one in many.exceptions]
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
        return [(str(error), error.__notes__)]
    return []


def test_every_case_that_fails_is_named_and_none_hides_another() -> None:
    seen = []

    @each(("a", "b"), [(1, "x"), (2, "y"), (3, "z"), (4, "w")])
    def looked_at(a: int, b: str) -> None:
        seen.append(a)
        if a == 2:
            raise KeyError(b)
        if a == 3:
            pytest.fail("no")
        if a == 4:
            pytest.skip("not here")

    assert run(looked_at) == [
        ("'y'", ["in the case 2, 'y'"]),
        ("no", ["in the case 3, 'z'"]),
        ("not here", ["in the case 4, 'w'"]),
    ]
    assert seen == [1, 2, 3, 4]


def test_one_that_fails_alone_fails_as_it_is() -> None:
    @each("n", range(3), ids=lambda n: f"number {n}")
    def odd(n: int) -> None:
        assert n != 1, "one"

    with pytest.raises(AssertionError, match="one") as error:
        odd()
    assert error.value.__notes__ == ["in the case number 1"]


def test_a_case_has_its_own_folder_and_patches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"n": 0}

    @each("n", [1, 2])
    @each("m", [1, 2])
    def alone(n: int, m: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert list(tmp_path.iterdir()) == []
        assert changed == {"n": 0}
        (tmp_path / "left").touch()
        monkeypatch.setitem(changed, "n", n * m)

    alone(tmp_path=tmp_path, monkeypatch=monkeypatch)
    assert len(list(tmp_path.rglob("left"))) == 4
    assert changed == {"n": 0}


def test_without_a_case_there_is_no_test() -> None:
    with pytest.raises(ValueError, match="no case"):
        each("n", [])
    with pytest.raises(ValueError, match="no case"):
        each("n", list)(print)()


def test_cases_of_a_function_are_made_when_the_test_runs() -> None:
    asked, seen = list[int](), list[int]()

    def cases() -> list[int]:
        asked.append(1)
        return [1, 2]

    @each("n", cases)
    def looked_at(n: int) -> None:
        seen.append(n)

    assert (asked, seen) == ([], [])
    looked_at()
    assert (asked, seen) == ([1], [1, 2])


def test_a_mark_is_not_lost() -> None:
    with pytest.raises(TypeError, match=r"pytest\.mark\.parametrize"):
        each("n", [1, pytest.param(2, marks=pytest.mark.matrix)])


@each("given", [1, 2])
def test_pytest_gives_the_fixtures_and_no_case(given: int, tmp_path: Path) -> None:
    assert given in (1, 2)
    assert tmp_path.is_dir()
