"""A headline: what and where in one line, no more than the incident claims, and what has to stand before it."""

from typing import Any

import pytest

from fanous.model.incident import Kind, Part, Scope, Status
from fanous.model.measurement import Provenance
from fanous.wording import ENGLISH, LANGUAGES
from fanous.wording.headline import HEADLINE, claim_line, headline
from tests.charts.events import NATION, SUSPECTED, incident
from tests.each import each

OF_A_REGION: dict[str, Any] = SUSPECTED | {
    "kind": Kind.OUTAGE,
    "parts": (Part("", Kind.OUTAGE, ("outage",), ("PK-BA",)),),
    "entities": ("PK-BA",),
}


@each(
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
        ({"status": Status.RETRACTED}, "Retracted: X (Twitter) blocked on Zong in Pakistan"),
        ({"provenance": Provenance.SYNTHETIC}, "[Synthetic] X (Twitter) blocked on Zong in Pakistan"),
    ],
)
def test_a_headline_claims_what_the_incident_does(given: dict[str, Any], text: str) -> None:
    assert headline(incident(**given), {}, ENGLISH).text == text


def test_what_leaves_the_pages_has_its_status_before_it() -> None:
    said = claim_line(incident(), {}, ENGLISH, "Correction").text
    assert said == "Correction: Confirmed, ended: X (Twitter) blocked on Zong in Pakistan."
    french = claim_line(incident(status=Status.RETRACTED), {}, LANGUAGES["fr"]).text
    assert french.startswith("Rétracté")


LONG = {
    "country": "CD",
    "targets": ("x", "facebook", "instagram", "whatsapp", "telegram", "youtube"),
    "entities": ("AS4200000001",),
    "scope": Scope.ISP,
}


def shown(text: str) -> int:
    """Characters that take room: the isolates of right-to-left scripts do not."""
    return sum(letter not in "\u2068\u2069" for letter in text)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("given", [LONG, LONG | NATION, LONG | SUSPECTED], ids=["network", "nation", "may"])
def test_a_headline_is_short_in_every_language(given: dict[str, Any], code: str) -> None:
    names = {4200000001: "Société Congolaise des Postes et des Télécommunications"}
    assert shown(headline(incident(**given), names, LANGUAGES[code]).text) <= HEADLINE


def test_what_a_headline_begins_with_takes_room_from_the_names() -> None:
    gone = headline(incident(**LONG, status=Status.RETRACTED), {}, ENGLISH).text
    assert gone.startswith("Retracted: X (Twitter)") and len(gone) <= HEADLINE
