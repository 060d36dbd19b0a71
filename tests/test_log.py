"""How an event is written in the log."""

import re

import pytest

from fanous.log import logline
from tests.documents import ROOT

SOURCE = ROOT / "src" / "fanous"


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "drained"),
        ({"files": 3, "stored": 0}, "drained files=3 stored=0"),
        ({"seconds": 0.25, "wait": 60.0}, "drained seconds=0.25 wait=60"),
        ({"why": "the disk is full"}, 'drained why="the disk is full"'),
        ({"why": 'he said "no"'}, r'drained why="he said \"no\""'),
        ({"why": "two\nlines\r\nof it"}, 'drained why="two lines of it"'),
        ({"why": "a=b"}, 'drained why="a=b"'),
        ({"why": "", "end": None}, 'drained why=""'),
    ],
)
def test_an_event_is_one_line(facts: dict[str, object], line: str) -> None:
    assert logline("drained", **facts) == line


def test_every_line_of_a_log_is_an_event_with_its_facts() -> None:
    """But that of a fetch, which tells of a retry; and only ``log_to_stderr`` sets logs up."""
    calls = re.compile(r"\blog\.(?:debug|info|warning|error)\((?!\s*(?:logline|words|line)\b)")
    files = {path.relative_to(SOURCE): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
    assert {str(path) for path, text in files.items() if calls.search(text)} == {"sources/fetch.py"}
    setting_up = re.compile(r"basicConfig|StreamHandler[(\[]")
    assert {str(path) for path, text in files.items() if setting_up.search(text)} == {"log.py"}
