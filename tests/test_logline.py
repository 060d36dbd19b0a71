"""How an event is written in the log."""

import pytest

from fanous.logline import logline


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
