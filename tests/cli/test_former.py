"""A former name of a command leads to a hint at the present one, which exists."""

import re

import pytest

from tests.commands import fanous
from tests.documents import unknown_words
from tests.test_docs import ROOT_COMMAND


@pytest.mark.parametrize(
    ("words", "present"),
    [
        (("watch",), "fanous events"),
        (("watch", "list", "PK", "--json"), "fanous events"),
        (("watch", "--help"), "fanous events"),
        (("probe", "watch"), "fanous probe run --every 10m"),
        (("probe", "watch", "--every", "600", "--yes"), "fanous probe run --every 10m"),
    ],
)
def test_a_former_name_says_in_one_sentence_what_to_type(words: tuple[str, ...], present: str) -> None:
    said = fanous(*words, code=2)
    assert said.stdout == ""
    (line,) = said.stderr.splitlines()
    assert re.fullmatch(rf"fanous: No such command `fanous (probe )?watch`: it is now `{present}`", line)
    assert unknown_words(present, ROOT_COMMAND) == []


@pytest.mark.parametrize("group", [(), ("probe",)])
def test_no_help_shows_a_former_name(group: tuple[str, ...]) -> None:
    assert "watch " not in fanous(*group, "--help").stdout
