"""Which part of a service is cut: measurements of apps in, incidents and their words out."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fanous.analysis.incidents.revision import taken_back
from fanous.model.incident import Incident
from fanous.store.local import open_store
from fanous.wording.headline import headline
from fanous.wording.language import ENGLISH, LANGUAGES, Language
from fanous.wording.narrative import details, lede
from fanous.wording.reasons import gone_texts
from tests.apps import Scene, incident_of, messenger, telegram, whatsapp
from tests.each import each


def one_port(fails: Collection[str]) -> dict[str, Any]:
    """Port 443 of all access points, at which the app tries port 80."""
    return telegram(fails, centres=6)


SCENES = {
    "client": Scene("PK", "telegram", telegram, 0, ("client",)),
    "app": Scene("KE", "telegram", telegram, 20, ("api",)),
    "both": Scene("UG", "telegram", telegram, 40, ("api", "client")),
    "registration": Scene("IR", "whatsapp", whatsapp, 60, ("registration",)),
    "messenger": Scene("IQ", "facebook_messenger", messenger, 80, ("messenger",)),
    "one port": Scene("ET", "telegram", one_port, 100, ("api",)),
    "later": Scene("TZ", "telegram", telegram, 120, ("client",), later=("client", "api")),
    "elsewhere": Scene(
        "ZM",
        "telegram",
        telegram,
        140,
        ("client",),
        on_first=("client", "api"),
    ),
    "at last": Scene("GA", "telegram", telegram, 160, ("client",), at_last=("client", "api")),
}
"""Each in a country of its own and weeks apart: an app that fails in several at once is down."""


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Incident | None]:
    folder: Path = tmp_path_factory.mktemp("roles")
    with open_store(folder / "store", clock=lambda: SCENES["at last"].noon + 86_400) as store:
        return {name: incident_of(store, scene) for name, scene in SCENES.items()}


def said(incident: Incident) -> str:
    sentences = [headline(incident, {}, ENGLISH), lede(incident, ENGLISH), *details(incident, {}, ENGLISH)]
    return "\n".join(one.text for one in sentences)


@each(
    ("event", "named", "title", "told"),
    [
        ("client", "telegram/client", "Telegram's web client", "Parts of Telegram that still worked: app."),
        ("app", "telegram/api", "Telegram's app", "Parts of Telegram that still worked: web client."),
        ("both", "telegram", "Telegram (app and web client)", "Connections to Telegram got no answer."),
        (
            "registration",
            "whatsapp/registration",
            "WhatsApp's registration service",
            "Parts of WhatsApp that still worked: app and web client.",
        ),
        (
            "messenger",
            "facebook/messenger",
            "Facebook Messenger",
            "Whether the app of Facebook worked was not measured.",
        ),
        (
            "later",
            "telegram",
            "Telegram (at times only its web client)",
            "Not all parts of Telegram failed at the same time (local time): web client from 15 Apr, 14:30; "
            "app from 15 Apr, 21:00.",
        ),
        (
            "elsewhere",
            "telegram/client",
            "Telegram's web client",
            "One part of Telegram (app) is known to have failed only on AS64500.",
        ),
        (
            "at last",
            "telegram/client",
            "Telegram's web client",
            "Connections to Telegram's web client got no answer.",
        ),
    ],
)
def test_an_incident_says_which_part_of_a_service_is_cut(
    incidents: dict[str, Incident | None], event: str, named: str, title: str, told: str
) -> None:
    incident = incidents[event]
    assert incident is not None and incident.confirmed_at is not None
    assert incident.named == (named,)
    head, first, *rest = said(incident).splitlines()
    assert head.startswith(f"{title} blocked on 3 networks in ")
    assert first.startswith(f"Confirmed; now ended: {title} was blocked on 3 networks in ")
    assert told in rest


def test_an_app_works_if_one_of_two_ports_of_all_its_access_points_does(
    incidents: dict[str, Incident | None],
) -> None:
    """ts-018, ts-020: it tries them until one answers."""
    assert incidents["one port"] is None


def test_to_have_called_a_part_the_service_is_corrected_and_the_other_way_round_is_not(
    incidents: dict[str, Incident | None],
) -> None:
    now = incidents["client"]
    assert now is not None
    before = replace(now, parts=tuple(replace(part, roles=()) for part in now.parts))
    assert headline(before, {}, ENGLISH).text == "Telegram blocked on 3 networks in Pakistan"
    assert gone_texts(taken_back(before, now)) == ["the blocking of Telegram"]
    assert taken_back(now, before) == taken_back(now, now) == ()


@pytest.mark.parametrize("language", [one for one in LANGUAGES.values() if one is not ENGLISH])
def test_every_language_says_so(incidents: dict[str, Incident | None], language: Language) -> None:
    both = incidents["both"]
    assert both is not None
    assert f"{language.apart('Telegram')} (" in headline(both, {}, language).text  # its own direction
    for event in ("client", "app", "registration"):
        incident = incidents[event]
        assert incident is not None
        whole = replace(incident, parts=tuple(replace(part, roles=()) for part in incident.parts))
        for told in (headline(incident, {}, language), lede(incident, language)):
            assert told.language is language
        assert headline(incident, {}, language) != headline(whole, {}, language)
        assert lede(incident, language) != lede(whole, language)
