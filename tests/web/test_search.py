"""The search page: what fits comes first, and nothing that is typed can do harm."""

import pytest

from fanous.model.event import AnnouncedEvent
from fanous.wording.language import LANGUAGES
from tests.charts.events import START, incident
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.test_explore import BALLOTS, NAMES
from tests.web.visits import Reader, reader

ONE = incident(id="PK-2023-0001")


def visiting() -> Reader:
    event = AnnouncedEvent(
        "PK", START, START + 7200, "Rally <b>of</b> the lamps", (), "PK-watch-1", START - 60
    )
    return reader(SmallStore([ONE], NAMES, ballots=BALLOTS, announced=[event]))


@pytest.mark.parametrize("words", ["twitter+pakistan+2023", "x+pakistan+december+2023", "blocked+zong"])
def test_what_names_an_incident_leads_to_it_first(words: str) -> None:
    text = visiting().get(f"/search?q={words}").text
    links = text[text.index("</form>", text.index("<main")) :].split('href="')[1:]
    assert links[0].startswith("/PK/PK-2023-0001")


def test_without_an_incident_the_measurements_come_first() -> None:
    text = visiting().get("/search?q=youtube+pakistan+2023").text
    assert "/explore?country=PK&amp;target=youtube&amp;since=2023-01-01&amp;until=2023-12-31" in text
    assert text.index("/explore?country=PK") < text.index('href="/PK"', text.index("<main"))
    assert "PK-2023-0001" not in text


def test_the_way_from_a_query_to_the_numbers_is_two_clicks() -> None:
    visitor = visiting()
    found = visitor.get("/search?q=twitter+pakistan+2023").text
    link = found.split('href="/explore')[2].split('"')[0].replace("&amp;", "&")
    assert "1 incident" not in found
    assert visitor.get(f"/explore{link}").status_code == 200


def test_networks_are_compared_by_their_names() -> None:
    text = visiting().get("/search?q=compare+x+ptcl+zong+17+december+2023").text
    assert "/explore?country=PK&amp;network=AS17557,AS59257&amp;target=x&amp;since=2023-12-17" in text
    assert "X (Twitter) · PTCL · Zong · Pakistan · 17 December 2023" in text
    assert "network=" not in visiting().get("/search?q=x+ptcl+nonsense").text


@each(
    ("words", "path"),
    [
        ("pakistan", "/PK"),
        ("PK", "/PK"),
        ("paki", "/PK"),
        ("ptcl", "/PK/AS17557"),
        ("AS59257", "/PK/AS59257"),
        ("youtube", "/target/youtube"),
        ("lamps", "/PK/PK-watch-1"),
        ("PK-watch-1", "/PK/PK-watch-1"),
        ("PK-2023-0001", "/PK/PK-2023-0001"),
    ],
)
def test_pages_are_found_by_their_names(words: str, path: str) -> None:
    visitor = visiting()
    text = visitor.get(f"/search?q={words}").text
    assert f'href="{path}"' in text[text.index("<main") :]
    assert path in [one["path"] for one in visitor.get(f"/search.json?q={words}").json()["suggestions"]]


def test_what_fits_nothing_is_reported() -> None:
    assert "No matches for qwertz." in visiting().get("/search?q=qwertz").text


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}"])
def test_what_is_typed_is_shown_as_text(words: str) -> None:
    answer = visiting().get("/search") if not words else visiting().get(f"/search?q={words}")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert (
        "49"
        not in answer.text[
            answer.text.index("<main") : answer.text.index("</form>", answer.text.index("<main"))
        ]
    )


def test_text_that_cannot_be_seen_leads_to_what_can_be() -> None:
    answer = visiting().get("/search?q=pakistan%E2%80%AE++2023")
    assert (answer.status_code, answer.headers["location"]) == (307, "/search?q=pakistan+2023")
    assert visiting().get("/search?q=" + "a" * 121).status_code == 400


@each("language", LANGUAGES)
def test_every_page_has_the_field_and_keeps_the_language(language: str) -> None:
    text = visiting().get(f"/?lang={language}").text
    assert '<form class="find" action="/search" role="search">' in text
    assert f'<input type="hidden" name="lang" value="{language}">' in text
    assert visiting().get(f"/search?q=pakistan&lang={language}").status_code == 200
