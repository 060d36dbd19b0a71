"""Table: complaints name the line."""

import tomllib

import pytest

from fanous.config import Table, line_of

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


@pytest.mark.parametrize(
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


def test_without_the_text_there_is_no_line() -> None:
    assert line_of("", "event[1]", "at") == 0
    assert str(Table("a.toml", "", {}).wrong("tick", "no")) == "a.toml: tick: no"


def test_a_complaint_names_file_line_table_and_key() -> None:
    table = Table("a.toml", "", tomllib.loads(TEXT), TEXT).tables("event")[1]
    assert str(table.wrong("at", "no")) == "a.toml:11: [event[2]] at: no"
