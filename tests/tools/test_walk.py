"""How a walk through the code is counted, and that both walks can be taken through today's code."""

from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tools.compare import ROOT, Impossible
from tools.walk import MOVED, WALKS, Step, Tracer, Visited, found, returns, visited, walked

FIRST = """
def ask(answer):
    def once():
        return answer()
    return once() + answer() + after()

def after():
    return 0
"""
SECOND = """
def number():
    return 1

ONE = number()

def answer():
    return ONE
"""


def module(file: Path, source: str) -> Mapping[str, Any]:
    """Its names, as an import leaves them."""
    names: dict[str, Any] = {}
    exec(compile(source, str(file), "exec"), names)
    return names


def traced(root: Path, inside: str = "") -> list[Step]:
    tracer = Tracer(root, inside)
    tracer.install()
    try:
        with tracer.taking():
            first, second = module(root / "first.py", FIRST), module(root / "second.py", SECOND)
            library = module(root.parent / "library.py", SECOND)
            thread = Thread(target=first["ask"], args=[second["answer"]])
            thread.start()
            thread.join()
            first["ask"](library["answer"])
        second["number"]()
    finally:
        tracer.uninstall()
    return tracer.steps()


def test_first_calls_are_taken_down_in_order_in_every_thread(tmp_path: Path) -> None:
    assert traced(tmp_path / "code") == [
        Step("first.py", "ask", 0),
        Step("first.py", "ask.<locals>.once", 1),
        Step("second.py", "answer", 2),
        Step("first.py", "after", 1),
    ]


def test_only_what_a_function_calls_is_taken_down_if_one_is_named(tmp_path: Path) -> None:
    assert [step.function for step in traced(tmp_path / "code", "once")] == ["ask.<locals>.once", "answer"]


def test_a_visit_to_a_file_left_before_is_a_return() -> None:
    steps = [Step(file, f"f{n}", 0) for n, file in enumerate(["a", "a", "b", "a", "c", "b", "b"])]
    files = visited(steps)
    assert files == [Visited("a", 3, 2), Visited("b", 3, 2), Visited("c", 1, 1)]
    assert returns(files) == 2


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.matrix) for name in WALKS])
def test_todays_code_can_be_walked(name: str) -> None:
    steps = walked(name, ROOT)
    rooms = {step.file.partition("/")[0] for step in steps}
    # Measurements are parsed and judged in a confined process, which is not followed.
    needed = {"ingest": {"sources", "pipeline", "store"}, "page": {"store", "web"}}
    assert rooms >= needed[name]
    assert all((ROOT / "src" / "fanous" / step.file).is_file() for step in steps)
    assert not any("progress" in step.file for step in steps), "only from file to store"


def test_a_name_that_is_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MOVED, "open_store", ("fanous.no_such_room", "fanous.store"))
    with pytest.raises(
        Impossible, match=r"no open_store in fanous\.no_such_room or fanous\.store: add to MOVED"
    ):
        found("open_store")
