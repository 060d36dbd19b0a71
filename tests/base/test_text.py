"""Text of others, made safe to show."""

import json
import time

import pytest

from fanous.base.text import json_for_terminal, printable, printable_lines, quoted
from tests.each import each
from tests.hostile import HOSTILE, planted


def test_nothing_that_acts_is_left() -> None:
    for shown in (printable(HOSTILE), quoted(HOSTILE, 1000)):
        assert planted(shown) == []
        assert len(shown.splitlines()) == 1


@each(
    ("text", "shown"),
    [
        ("Safaricom", '"Safaricom"'),
        ("", '""'),
        ('say "so"', r'"say \"so\""'),
        ("back\\slash", r'"back\\slash"'),
        ("two\n\tlines\u2029here", '"two lines here"'),
        ("\x1b[1;31mred\x1b[0m", '"red"'),
        ("\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", '"link"'),
        ("\x1b]0;never ended", '""'),
        ("\x9b31mred", '"red"'),
        ("user\u202etxt.exe", '"usertxt.exe"'),
        ("pay\u200bpal\u3164", '"paypal"'),
        ("\ud800half", '"half"'),
        ("پاکستان", '"پاکستان"'),
        ("مُحَمَّد ที่นี้ क्षत्रिय ệ", '"مُحَمَّد ที่นี้ क्षत्रिय ệ"'),
        ("a" + 90 * "\u0301" + "b" + 9 * "\u20dd", '"a' + 4 * "\u0301" + "b" + 4 * "\u20dd" + '"'),
        ("x" * 200, f'"{"x" * 120}..."'),
        (None, '"None"'),
    ],
)
def test_a_quotation(text: object, shown: str) -> None:
    assert quoted(text) == shown


def test_a_message_keeps_its_lines() -> None:
    assert printable_lines("one:\n  two\x1b[2J\r\n\u202ethree") == "one:\n  two[2J\nthree"


def test_a_document_means_the_same() -> None:
    raw = json.dumps({HOSTILE: [HOSTILE, "پاکستان"]}, ensure_ascii=False).encode()
    safe = json_for_terminal(raw)
    assert planted(safe.decode()) == []
    assert json.loads(safe) == json.loads(raw)
    assert "پاکستان".encode() in safe


@pytest.mark.parametrize(
    "text", ["\x1b]" * 500_000, "\x1b[" * 500_000, "\x1b[" + "0" * 1_000_000, "\x9d" * 10**6]
)
def test_the_worst_text_takes_time_linear_in_its_length(text: str) -> None:
    began = time.process_time()
    quoted(text, len(text))
    assert time.process_time() - began < 3
