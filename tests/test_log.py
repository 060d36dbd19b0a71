"""How an event is written in the log."""

import io
import logging
import re
import sys
from dataclasses import dataclass, field

from fanous.log import INTERVAL, MOST_KINDS, MOST_OF_A_KIND, PrintableFormatter, SparingHandler, logline
from tests.documents import ROOT
from tests.each import each
from tests.hostile import HOSTILE, planted

SOURCES = (ROOT / "src" / "fanous", ROOT / "lab" / "src" / "fanous_lab")


@each(
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
    """And only ``log_to_stderr`` sets logs up."""
    calls = re.compile(r"\blog\.(?:debug|info|warning|error)\((?!\s*(?:logline|words|line)\b)")
    files = {
        path.relative_to(source): path.read_text(encoding="utf-8")
        for source in SOURCES
        for path in source.rglob("*.py")
    }
    assert not [str(path) for path, text in files.items() if calls.search(text)]
    setting_up = re.compile(r"basicConfig|StreamHandler[(\[]")
    assert {str(path) for path, text in files.items() if setting_up.search(text)} == {"log.py"}


def test_no_words_of_others_act_or_begin_a_line() -> None:
    """Those that a library logs too, and those in a traceback."""
    stream = io.StringIO()
    handler = SparingHandler(stream)
    handler.setFormatter(PrintableFormatter())
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        trace = sys.exc_info()
    handler.handle(logging.LogRecord("urllib3", logging.WARNING, "", 0, "said %s", (HOSTILE,), trace))
    text = stream.getvalue()
    assert "said A" in text and "ValueError: A" in text
    assert not planted(text)


@dataclass
class Told:
    """A log whose clock a test turns."""

    stream: io.StringIO = field(default_factory=io.StringIO)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.handler = SparingHandler(self.stream, lambda: self.now)

    def say(
        self, text: str, times: int = 1, name: str = "fanous.web", error: Exception | None = None
    ) -> None:
        info = (type(error), error, None) if error else None
        for _ in range(times):
            self.handler.handle(logging.LogRecord(name, logging.WARNING, "", 0, text, None, info))

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def test_a_kind_of_line_is_written_so_often_and_the_rest_is_counted() -> None:
    told = Told()
    told.say("admin_refused action=claim", 1000)
    assert told.lines == ["admin_refused action=claim"] * MOST_OF_A_KIND
    told.now = INTERVAL + 1
    told.say("stopping")
    assert told.lines[-2:] == ["admin_refused ... and 970 more like this in 60 s", "stopping"]
    told.say("admin_refused action=claim")
    assert told.lines[-1] == "admin_refused action=claim", "a new interval"


def test_one_kind_takes_nothing_from_another() -> None:
    told = Told()
    told.say("not_accepted why=x", 1000)
    told.say("incident id=PK-2023-0001")
    told.say("not_accepted why=x", name="fanous.collector")
    assert told.lines[-2:] == ["incident id=PK-2023-0001", "not_accepted why=x"]


def test_what_was_held_back_is_told_at_the_end() -> None:
    told = Told()
    told.say("x", 31)
    told.handler.close()
    assert told.lines[-1] == "x ... and 1 more like this in 60 s"


def test_a_traceback_is_written_once() -> None:
    told = Told()
    told.say("task_crashed", 5, error=ValueError("why"))
    assert told.lines.count("ValueError: why") == 1
    assert told.lines.count("task_crashed") == 5


def test_kinds_that_someone_makes_up_are_one_kind() -> None:
    told = Told()
    for number in range(2 * MOST_KINDS):
        told.say(f"word{number}")
    assert len(told.lines) == MOST_KINDS + MOST_OF_A_KIND
