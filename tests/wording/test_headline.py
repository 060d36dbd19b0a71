"""A headline: what and where in one line, no more than the incident claims, and what has to come before it."""

from itertools import product
from typing import Any

import pytest

from fanous.model.incident import Estimate, Kind, Part, Scope, Stage, Status
from fanous.model.instant import DAY, HOUR
from fanous.model.measurement import Provenance
from fanous.model.reason import Reason
from fanous.refdata.countries import country_name
from fanous.wording import ENGLISH, LANGUAGES, Language
from fanous.wording.headline import HEADLINE, claim_line, headline, lead, reported
from fanous.wording.words import target_title
from tests.charts.events import NATION, ONGOING, START, SUSPECTED, incident, part
from tests.each import each

OF_A_REGION: dict[str, Any] = SUSPECTED | {
    "kind": Kind.OUTAGE,
    "parts": (Part("", Kind.OUTAGE, ("outage",), ("PK-BA",)),),
    "entities": ("PK-BA",),
}

OF_THE_COUNTRY: dict[str, Any] = {
    "kind": Kind.OUTAGE,
    "parts": (Part("", Kind.OUTAGE, ("outage.partial",), ("PK",)),),
    "scope": Scope.INSUFFICIENT,
    "entities": ("PK",),
    "level": Estimate(0.7, 0.6, 0.8),
}


@each(
    ("given", "text"),
    [
        ({}, "X (Twitter) blocked on Zong in Pakistan"),
        (NATION, "X (Twitter) blocked across Pakistan"),
        (SUSPECTED, "X (Twitter) may have been blocked on Zong in Pakistan"),
        ({"entities": ("AS59257", "AS17557")}, "X (Twitter) blocked on 2 networks in Pakistan"),
        ({"country": "PH", "entities": ("AS1",)} | NATION, "X (Twitter) blocked across the Philippines"),
        (
            {"targets": ("x", "youtube", "facebook")},
            "X (Twitter), YouTube and Facebook blocked on Zong in Pakistan",
        ),
        (OF_A_REGION, "Internet access may have been cut off in parts of Pakistan"),
        (
            OF_A_REGION | {"entities": ("AS17557",)},
            "Internet access may have been cut off on PTCL in Pakistan",
        ),
        (OF_THE_COUNTRY, "Internet down to about 70% of normal in Pakistan"),
        (OF_THE_COUNTRY | {"level": None}, "Internet connectivity fell in Pakistan"),
        (
            OF_THE_COUNTRY | {"confirmed_at": None, "status": Status.SUSPECTED},
            "Internet may have fallen to about 70% of normal in Pakistan",
        ),
        (OF_THE_COUNTRY | NATION, "Internet down to about 70% of normal across Pakistan"),
        (
            OF_THE_COUNTRY | NATION | {"level": Estimate(0.1, 0, 0.2)},
            "Internet access cut off across Pakistan",
        ),
        (
            OF_THE_COUNTRY
            | NATION
            | {"levels": (Stage(START, START + 6 * HOUR, 0.05), Stage(START + 6 * HOUR, START + DAY, 0.7))},
            "Internet down to about 70% of normal across Pakistan",  # the level that the lede gives
        ),
        (
            OF_THE_COUNTRY | {"entities": ("PK-BA",)},
            "Internet down to about 70% of normal in parts of Pakistan",
        ),
        (
            OF_THE_COUNTRY
            | {"level": Estimate(0.7, 0.6, 0.8, 0.6, 0.4), "status": Status.CONFIRMED, "end": None},
            "Internet down to about 70% of normal in Pakistan",
        ),
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


SHAPES: dict[str, tuple[Part, ...]] = {
    "one site": (part("x", Kind.BLOCKING),),
    "six, blocked and slowed": tuple(
        part(name, Kind.THROTTLING if name > "m" else Kind.BLOCKING)
        for name in ("x", "facebook", "instagram", "whatsapp", "telegram", "youtube")
    ),
    "long domains": tuple(part(f"{'long-' * n}name.example.org", Kind.BLOCKING) for n in (12, 6)),
    "the connection": (part("", Kind.OUTAGE),),
    "a slow connection": (part("", Kind.SLOWDOWN),),
    "traffic": (part("youtube", Kind.OUTAGE),),
}
WHERE: dict[str, tuple[Scope, tuple[str, ...]]] = {
    "nation": (Scope.NATION, ("PK",)),
    "network": (Scope.ISP, ("AS4200000001",)),
    "networks": (Scope.MULTI_ISP, tuple(f"AS{n}" for n in range(1, 130))),
    "region": (Scope.REGION, ("PK-BA",)),
    "somewhere": (Scope.INSUFFICIENT, ("PK",)),
}
LEFT = None, Estimate(0.66, 0.5, 0.8)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_headline_is_longer_than_it_may_be(shape: str, code: str) -> None:
    """In every language: every kind, scope and status, real and staged, in countries with long names."""
    names = {4200000001: "Société Congolaise des Postes et des Télécommunications"}
    for country, where, status, provenance, left in product(
        ["PK", "CD", "GS", "VC"], WHERE, Status, (Provenance.REAL, Provenance.SYNTHETIC), LEFT
    ):
        scope, places = WHERE[where]
        given = {
            "country": country,
            "scope": scope,
            "entities": places,
            "provenance": provenance,
            "level": left,
        }
        sure = None if status is Status.SUSPECTED else START
        parts = SHAPES[shape]
        one = incident(**given, status=status, parts=parts, kind=parts[0].kind, confirmed_at=sure)
        text = headline(one, names, LANGUAGES[code]).text
        assert shown(text) <= HEADLINE, text
        where_said = country_name(country, code)[:8] in text or country in text
        assert where_said and (not one.targets or target_title(one.targets[0])[:5] in text), text


def test_a_country_keeps_its_name_where_an_imported_table_alone_reports_an_outage() -> None:
    """The page of Venezuela 2019 said "across VE"."""
    reasons = (Reason("one_publisher", {"basis": "one_publisher", "deliverers": ("csv",)}),)
    level = Estimate(0.25, 0.1, 0.8)
    given: dict[str, Any] = NATION | {"kind": Kind.OUTAGE, "parts": (part("", Kind.OUTAGE),), "level": level}
    one = incident(**given, country="VE", status=Status.SUSPECTED, confirmed_at=None, reasons=reasons)
    text = headline(one, {}, ENGLISH).text
    assert text.startswith("Reported by an imported table: ") and text.endswith("across Venezuela")


def test_a_name_that_is_too_long_is_cut_short_and_the_country_stays() -> None:
    domain = "a-very-long-name-of-a-site.independent-newspapers.of-the-capital-city.example"
    one = incident(**NATION, country="CD", parts=(part(domain, Kind.BLOCKING),))
    text = headline(one, {}, ENGLISH).text
    assert text.startswith("a-very-long-name") and "…" in text and len(text) == HEADLINE
    assert text.endswith(" blocked across DR Congo")


def test_what_a_headline_begins_with_takes_room_from_the_names() -> None:
    gone = headline(incident(**LONG, status=Status.RETRACTED), {}, ENGLISH).text
    assert gone.startswith("Retracted: X (Twitter)") and len(gone) <= HEADLINE


BY_IODA = Reason(
    "basis.one_publisher", {"deliverers": ("ioda",), "families": ("routing",), "basis": "one_publisher"}
)
BY_VOLUNTEERS = Reason("basis.volunteers", {"probes": 4, "networks": 2, "basis": "volunteers"})


@each("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_a_suspicion_of_one_side_begins_with_who_reports_it_in_every_language(language: Language) -> None:
    plain = headline(incident(**SUSPECTED), {}, language).text
    for reason in (BY_IODA, BY_VOLUNTEERS):
        one = incident(**SUSPECTED | {"reasons": (reason,)})
        said = headline(one, {}, language).text
        assert said != plain and said.startswith(reported(one, language))
        assert shown(said) <= HEADLINE and "{" not in said
        assert reported(one, language) in lead(one, language)
        sure = incident(**ONGOING | {"reasons": (reason,)})
        assert lead(sure, language) == "", "others have confirmed it"


def test_in_english_the_one_who_reports_it_is_named() -> None:
    ioda, volunteers = (incident(**SUSPECTED | {"reasons": (one,)}) for one in (BY_IODA, BY_VOLUNTEERS))
    assert reported(ioda, ENGLISH) == "Reported by IODA"
    assert reported(volunteers, ENGLISH) == "Reported by volunteers' measurements"
    taken_back = incident(**SUSPECTED | {"reasons": (BY_IODA,), "status": Status.RETRACTED})
    assert lead(taken_back, ENGLISH) == "Retracted: "
