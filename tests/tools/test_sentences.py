"""Thirty sentences for a reader to judge: there are so many, and each comes out in the language asked."""

import json

import pytest
from tools.compare import ROOT
from tools.sentences import COMPLAINTS, LANGUAGES, TOLD, _run

from fanous import wording


def test_it_knows_the_languages() -> None:
    assert set(LANGUAGES) == set(wording.LANGUAGES)


@pytest.mark.parametrize("language", ["en", "ur"])
def test_ledes_and_reasons_come_out_in_the_language(language: str) -> None:
    done = _run(ROOT, "-c", TOLD, language)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert len(said["ledes"]) + len(said["reasons"]) + len(COMPLAINTS) == 30
    assert len(set(said["ledes"])) == len(said["ledes"])
    assert all(("Confirmed" in one) is False for one in said["ledes"]) or language == "en"
    assert any("two sessions a day on weekdays" in one for one in said["ledes"]) is (language == "en")
