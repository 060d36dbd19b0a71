"""A complaint names file, line, table and key, however deep the key is."""

from time import process_time
from typing import Literal

import pytest

from fanous.config import Section, WrongKey, convert, line_of, parse
from fanous.errors import FanousError
from tests.each import each

TEXT = """\
title = "A"
tick = "2s"

[[network]]
asn = 1

[[event]]
at = "1s"

[[event]]
at = "2s"
networks = { access = "mobile" }
[[event.on]]
networks = [1]

[corpus]
since = 1
"""


@each(
    ("name", "key", "line"),
    [
        ("", "tick", 2),
        ("", "missing", 1),
        ("network[1]", "asn", 5),
        ("event[1]", "at", 8),
        ("event[2]", "at", 11),
        ("event[2]", "missing", 10),  # the table itself
        ("event[2].networks", "access", 12),  # written inline
        ("event[2].on[1]", "networks", 14),
        ("corpus", "since", 17),
        ("nowhere", "since", 1),  # the file
    ],
)
def test_the_line_of_a_key(name: str, key: str, line: int) -> None:
    assert line_of(TEXT, name, key) == line


class On(Section, frozen=True):
    networks: tuple[int, ...]


class Chosen(Section, frozen=True):
    access: Literal["fixed"]


class Event(Section, frozen=True):
    at: str
    networks: Chosen | None = None
    on: tuple[On, ...] = ()

    def __post_init__(self) -> None:
        if self.at == "3s":
            raise WrongKey("at", "too late")


class File(Section, frozen=True):
    title: str
    tick: str
    network: tuple[dict[str, int], ...]
    event: tuple[Event, ...]
    corpus: dict[str, Event | int]

    def __post_init__(self) -> None:
        if self.title == "B":
            raise WrongKey("event[2].at", "not in B")


@each(
    ("was", "becomes", "complaint"),
    [
        ('tick = "2s"', "tick = 2", "a.toml:2: tick: a string is needed, not 2"),
        ('tick = "2s"', "", "a.toml:1: tick: it is missing"),
        ('at = "2s"', "att = 2", "a.toml:11: [event[2]] att: unknown key; did you mean 'at'?"),
        ('at = "2s"', 'at = "3s"', "a.toml:11: [event[2]] at: too late"),
        ('"A"', '"B"', "a.toml:11: [event[2]] at: not in B"),
        (
            "networks = [1]",
            'networks = ["AS1"]',
            "a.toml:14: [event[2].on[1]] networks: a list of whole numbers is needed, not ['AS1']",
        ),
        ("networks = [1]", "networks = 1", "a.toml:14: [event[2].on[1]] networks: a list is needed, not 1"),
        ('"mobile"', '"fixd"', "a.toml:12: [event[2].networks] access: 'fixd' is not one of fixed"),
    ],
)
def test_a_complaint_names_the_line_the_table_and_the_key(was: str, becomes: str, complaint: str) -> None:
    assert was in TEXT
    with pytest.raises(FanousError) as error:
        parse(
            TEXT.replace('"mobile"', '"fixed"' if was != '"mobile"' else was).replace(was, becomes),
            File,
            "a.toml",
        )
    assert str(error.value).startswith(complaint)


def test_without_the_text_there_is_no_line() -> None:
    assert line_of("", "event[1]", "at") == 0
    with pytest.raises(FanousError, match=r"^a\.toml: \[event\] at: it is missing$"):
        convert({}, Event, "a.toml", "event")


@each(
    ("text", "why"),
    [
        ("a = " + "[" * 100_000, "nested more deeply"),
        ("a = " + "9" * 5_000, "limit"),
        ("a." * 100_000 + "b = 1", "a key has more than"),
        ("[" + "'a' . \"b\"." * 50_000 + "c]", "a key has more than"),
        ("title = 1\ntick = '" + "x" * 100_000 + "'", "title"),
        ("tick = ['" + "x" * 100_000 + "']", "tick"),
        ("x" * 100_000 + " = 1", "unknown key"),
    ],
)
def test_a_hostile_file_is_a_short_sentence_at_once(text: str, why: str) -> None:
    start = process_time()
    with pytest.raises(FanousError, match=why) as refused:
        parse(text, File, "hostile.toml")
    assert len(str(refused.value)) < 1_000
    assert process_time() - start < 2
