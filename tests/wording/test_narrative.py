"""An incident in headlines and sentences, in every language."""

from typing import Any

import pytest

from fanous.model.incident import Kind, Part
from fanous.refdata.users import user_weights
from fanous.wording import ENGLISH, LANGUAGES
from fanous.wording.narrative import NETWORKS, headline, sentences
from fanous.wording.sentence import sentence
from tests.charts.events import END, NATION, ONGOING, START, SUSPECTED, incident

OF_A_REGION: dict[str, Any] = SUSPECTED | {
    "kind": Kind.OUTAGE,
    "parts": (Part("", Kind.OUTAGE, ("outage",), ("PK-BA",)),),
    "entities": ("PK-BA",),
}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "X (Twitter) blocked on Zong in Pakistan"),
        (NATION, "X (Twitter) blocked across Pakistan"),
        (SUSPECTED, "X (Twitter) may be blocked on Zong in Pakistan"),
        ({"entities": ("AS59257", "AS17557")}, "X (Twitter) blocked on 2 networks in Pakistan"),
        ({"country": "PH", "entities": ("AS1",)} | NATION, "X (Twitter) blocked across the Philippines"),
        (
            {"targets": ("x", "youtube", "facebook")},
            "X (Twitter), YouTube and Facebook blocked on Zong in Pakistan",
        ),
        (OF_A_REGION, "Internet access may be cut off in parts of Pakistan"),
        (OF_A_REGION | {"entities": ("AS17557",)}, "Internet access may be cut off on PTCL in Pakistan"),
    ],
)
def test_a_headline_claims_what_the_incident_does(given: dict[str, Any], text: str) -> None:
    assert headline(incident(**given), {}, ENGLISH).text == text


def test_english_has_the_one_sentence_of_the_publisher() -> None:
    one = incident(**ONGOING)
    assert [told.text for told in sentences(one, {}, ENGLISH)] == [sentence(one, {})]


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
@pytest.mark.parametrize(
    "given",
    [
        {},
        ONGOING,
        SUSPECTED,
        OF_A_REGION,
        NATION,
        {"onset_earliest": None},
        ONGOING | {"onset_earliest": None},
        {"onset_earliest": START - 90_000, "onset_latest": START},
        ONGOING | {"onset_earliest": START - 90_000},
    ],
)
def test_every_sentence_comes_out_in_the_language(code: str, given: dict[str, Any]) -> None:
    language = LANGUAGES[code]
    told = sentences(incident(**given), {}, language)
    assert len(told) >= 3
    assert {one.language.code for one in told} == {code}
    assert not any("{" in one.text for one in told)


def test_an_end_that_nobody_saw_is_not_given() -> None:
    french = LANGUAGES["fr"]
    going = " ".join(told.text for told in sentences(incident(**ONGOING), {}, french))
    over = " ".join(told.text for told in sentences(incident(end=END), {}, french))
    assert "aucune fin" in going
    assert "aucune fin" not in over


def test_shares_are_of_users_only_where_user_figures_are_known() -> None:
    known, unknown = incident(**NATION), incident(**NATION, country="KP")
    assert user_weights("PK") is not None and user_weights("KP") is None
    assert "of users" in sentence(known) and "networks (" not in sentence(known)
    assert "of networks" in sentence(unknown) and "users" not in sentence(unknown)
    for language in LANGUAGES.values():
        if language.code != "en":
            last = sentences(unknown, {}, language)[-1].text
            first = language.say(NETWORKS, mean="", low="", high="").split()[0]
            assert last.startswith(first[:3]) and last != sentences(known, {}, language)[-1].text
