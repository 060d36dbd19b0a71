"""The catalogues: complete, current, and without a placeholder that the sentence lacks."""

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from fanous.wording import LANGUAGES, Language, words
from fanous.wording.headline import ACROSS, IN_PARTS, ON_SOME
from tests.documents import ROOT, first_table, rows, section, text_of
from tests.language_template import KEYWORDS, SOURCE, Text, texts

TRANSLATED = [language for language in LANGUAGES.values() if language.code != "en"]


def read(language: Language) -> Catalog:
    source = files("fanous.wording") / "catalogues" / f"{language.code}.po"
    return read_po(BytesIO(source.read_bytes()), locale=language.code)


def places(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def one_of(text: Text) -> str:
    return text if isinstance(text, str) else text[0]


def said(file: Path) -> Iterator[str]:
    """The texts for translators in a file's code, within f-strings too, where Babel looks only since Python 3.12."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in KEYWORDS and isinstance(node.args[0].value, str):
                yield node.args[0].value


@pytest.mark.parametrize("part", ["publish", "web", "wording"])
def test_nothing_is_said_that_is_not_there_to_translate(part: str) -> None:
    known = {one for text in texts() for one in ([text] if isinstance(text, str) else text)}
    found = [text for file in (SOURCE / part).rglob("*.py") for text in said(file)]
    assert found, f"nothing of {part} was looked at"
    assert set(found) - known == set()


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.code)
def test_everything_that_is_said_has_a_translation_and_nothing_else(language: Language) -> None:
    known = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in read(language)
        if message.id
    }
    assert known == {one_of(text) for text in texts()}
    assert all(language.knows(one_of(text)) for text in texts())


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.code)
def test_a_translation_has_the_places_of_its_sentence(language: Language) -> None:
    for message in read(language):
        if not message.id:
            continue
        wanted = places(message.id if isinstance(message.id, str) else message.id[1])
        forms = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
        assert len(forms) == (1 if isinstance(message.id, str) else read(language).num_plurals)
        assert places(forms[-1]) == wanted, message.id
        # The form for one thing, or for two, may say the number in a word.
        assert all(places(form) <= wanted for form in forms), message.id


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.code)
def test_a_suspicion_is_never_said_as_a_fact(language: Language) -> None:
    """The hedged headline differs from the sure one in every language."""
    for table in (ACROSS, ON_SOME, IN_PARTS):
        for (kind, sure), text in table.items():
            if not sure:
                assert language.say(text, **dict.fromkeys(places(text), "?")) != language.say(
                    table[kind, True], **dict.fromkeys(places(text), "?")
                )


GLOSSARY = text_of(ROOT / "docs" / "glossary.md")


def glossary(language: Language) -> list[list[str]]:
    """English (in backticks where it is a text of the catalogue), translation, note."""
    return rows(section(GLOSSARY, f"## {language.name}"))


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.code)
def test_the_glossary_has_the_status_words_as_the_catalogue_says_them(language: Language) -> None:
    written = {cells[0].strip("`"): cells[1] for cells in glossary(language)}
    for word in (*words.STATUSES.values(), words.ENDED_SURE, words.ENDED_UNSURE):
        assert written[word] == language.say(word)


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.code)
def test_every_word_of_the_glossary_is_in_the_catalogue_and_has_a_note(language: Language) -> None:
    said = " ".join(str(message.string) for message in read(language) if message.id)
    for english, translation, note in glossary(language):
        if english.startswith("`"):
            assert language.say(english.strip("`")) == translation
        else:
            assert translation in said
        assert len(note) > 2, english


def test_the_glossary_explains_the_same_words_in_every_language() -> None:
    explained = [cells[0] for cells in first_table(GLOSSARY.splitlines())]
    for language in TRANSLATED:
        here = {cells[0].strip("`") for cells in glossary(language)}
        assert here - {"Blocking", "Throttling"} == {*explained}


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.code)
def test_an_incident_is_never_called_a_claim(language: Language) -> None:
    """A claim is what someone else says."""
    claim = {"ur": "دعو", "fa": "ادعا", "ar": "ادعاء", "fr": "affirmation", "es": "afirmaci"}[language.code]
    for message in read(language):
        forms = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
        if message.id and "claim" not in str(message.id):
            assert not any(claim in form for form in forms), message.id


def test_what_is_not_translated_is_said_in_english() -> None:
    urdu = LANGUAGES["ur"]
    assert urdu.say("A text that nobody has translated.") == "A text that nobody has translated."
    assert not urdu.knows("A text that nobody has translated.")
