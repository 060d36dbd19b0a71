"""What a person is asked, in their own language."""

import re

from fanous.probe.consent import WIDTH, consent_text, language_of, languages, localise_text, question
from tests.each import each

RIGHT_TO_LEFT = {"ur", "fa", "ar"}
COMMANDS = ("--cap-mb", "fanous probe consent --withdraw")


@each(
    ("environment", "language"),
    [
        ({"LANG": "ur_PK.UTF-8"}, "ur"),
        ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "es_MX"}, "es"),
        ({"LANG": "fr_FR", "LC_MESSAGES": "es_MX", "LC_ALL": "fa_IR.UTF-8"}, "fa"),
        ({"LANG": "ar"}, "ar"),
        ({"LANG": "my_MM.UTF-8"}, "en"),  # no text in Burmese yet
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": ""}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_persons_or_english(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


@each("language", languages())
def test_every_language_says_the_same_things(language: str) -> None:
    text = consent_text(language, 42.0)
    assert "42" in text and "{" not in text and "`" not in text
    assert text.count("\n- ") + text.count("\n\u200f- ") == consent_text("en", 42.0).count("\n- ") == 4
    for command in COMMANDS:
        words = r"\s+".join(re.escape(word) for word in command.split())
        assert re.search(words, text.replace("\u200f", ""))
    assert question(language).rstrip("\u200f")[-1] in "?؟"
    assert all(len(line) <= WIDTH + 8 for line in text.splitlines())


@each("language", languages())
def test_what_runs_from_right_to_left_is_marked_and_commands_in_it_are_set_apart(language: str) -> None:
    text = consent_text(language, 42.0)
    marked = [line.startswith("\u200f") for line in text.splitlines()]
    assert marked == [language in RIGHT_TO_LEFT] * len(marked)
    assert ("\u2066--cap-mb\u2069" in text) == (language in RIGHT_TO_LEFT)


def test_a_language_without_the_text_falls_back_to_english() -> None:
    assert consent_text("my", 42.0) == consent_text("en", 42.0)
    assert localise_text("ur") == localise_text("en")
