"""Each: a matrix of cheap cases as one test, which names every case that fails.

pytest spends milliseconds on a test before it asserts anything, and every worker collects all of them.  A matrix of
hundreds of cases that take microseconds each is therefore one test that goes through them all; what takes longer,
may be skipped or has its own fixture stays with ``pytest.mark.parametrize``.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

Test = Callable[..., None]

WRONG = (Exception, pytest.fail.Exception, pytest.skip.Exception)
"""A case that is skipped would go unseen among the others, and is as wrong as one that fails."""


def each(
    names: str | tuple[str, ...],
    cases: Iterable[Any] | Callable[[], Iterable[Any]],
    *,
    ids: Callable[[Any], object] = repr,
) -> Callable[[Test], Test]:
    """Run a test once for each case, as ``pytest.mark.parametrize`` would.

    ``tmp_path`` is a folder for each case, and what ``monkeypatch`` changes lasts as long as the case; other
    fixtures are shared by all of them.

    Args:
        names: of the arguments, ``"one"`` or ``("one", "other")``.
        cases: values; tuples of them where there are several names.  A function that gives them is called when
            the test runs, and not by each worker that collects it.
        ids: says in a complaint which value it was.

    Raises:
        ValueError: there is no case, so the test would say nothing.
        TypeError: a case is a ``pytest.param``.
    """
    single = isinstance(names, str)
    keys: tuple[str, ...] = (names,) if isinstance(names, str) else names
    known = None if callable(cases) else _rows(cases, single)

    def decorated(test: Test) -> Test:
        @wraps(test)
        def through_all(**fixtures: Any) -> None:
            errors = []
            rows = _rows(cases(), single) if callable(cases) else known or []
            for number, row in enumerate(rows):
                try:
                    _run(test, dict(zip(keys, row, strict=True)), fixtures, number)
                except WRONG as error:
                    error.add_note("in the case " + ", ".join(_label(ids, value) for value in row))
                    errors.append(error)
            if len(errors) == 1:
                raise errors[0]
            if errors:
                raise BaseExceptionGroup(f"{len(errors)} of {len(rows)} cases", errors)

        shown = signature(test)
        others = [each for name, each in shown.parameters.items() if name not in keys]
        through_all.__signature__ = shown.replace(parameters=others)  # type: ignore[attr-defined]
        return through_all

    return decorated


def _rows(cases: Iterable[Any], single: bool) -> list[tuple[Any, ...]]:
    listed = list(cases)
    if not listed:
        raise ValueError("no case to look at")
    if any(isinstance(case, type(pytest.param())) for case in listed):
        raise TypeError("a case that has a mark or an id of its own is one for pytest.mark.parametrize")
    return [(case,) if single else tuple(case) for case in listed]


def _run(test: Test, case: dict[str, Any], fixtures: dict[str, Any], number: int) -> None:
    own = dict(fixtures)
    if "tmp_path" in own:
        folder: Path = own["tmp_path"] / str(number)
        folder.mkdir()
        own["tmp_path"] = folder
    if "monkeypatch" not in own:
        return test(**case, **own)
    with pytest.MonkeyPatch.context() as own["monkeypatch"]:
        return test(**case, **own)


def _label(ids: Callable[[Any], object], value: Any) -> str:
    text = str(ids(value))
    return text if len(text) <= 200 else f"{text[:200]}..."
