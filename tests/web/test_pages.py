"""The recipe for a page, carried out: one file, one line, and the application answers."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fanous
from fanous.web import routes
from fanous.web.answers import Site
from fanous.web.pages import PAGES, RESOURCES
from fanous.web.routes import page, resource
from fanous.wording.language import LANGUAGES
from tests import language_template
from tests.analysis.incidents.events import Ballot
from tests.children import child_environment
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, reader

FILE = '''"""Weather: what the sky over a country was like."""

from fanous.publish.feeds import feed_of
from fanous.store.protocol import Store
from fanous.web.answers import Reply
from fanous.web.answers import Visit
from fanous.web.routes import Facts, page, resource


@page("/weather", "weather.html", title="Countries", place=5, asks={"days": "[0-9]"}, feed=feed_of)
def weather_facts(_store: Store, visit: Visit) -> Facts:
    return {"days": visit.asked.get("days", "none")}


@resource("/weather.txt")
def weather_text(_store: Store, visit: Visit) -> Reply:
    return Reply.of(visit.path, "text/plain")
'''
TEMPLATE = """{% extends "base.html" %}
{% block title %}Weather{% endblock %}
{% block main %}<h1>{{ days }} days of rain</h1>{% endblock %}
"""
LINE = "from fanous.web.pages import weather as weather\n"
ASK = """
import json
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, reader
client = reader(SmallStore())
asked = ("/weather?days=3", "/weather.txt", "/weather/feed.json", "/")
print(json.dumps([(answer.status_code, answer.text) for answer in map(client.get, asked)]))
"""


def test_a_page_is_one_file_and_one_line(tmp_path: Path) -> None:
    package = tmp_path / "fanous"
    shutil.copytree(Path(fanous.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "web/pages/weather.py").write_text(FILE)
    (package / "web/templates/weather.html").write_text(TEMPLATE)
    registry = package / "web/pages/__init__.py"
    last = "from fanous.web.pages import target as target\n"
    registry.write_text(registry.read_text().replace(last, last + LINE))

    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        env=child_environment() | {"PYTHONPATH": f"{tmp_path}:{root}"},
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    (status, text), resource_, feed, first = json.loads(ran.stdout)
    assert (status, "<h1>3 days of rain</h1>" in text) == (200, True)
    assert 'href="/weather" aria-current="page"' in text
    assert resource_ == [200, "/weather.txt"]
    assert feed[0] == 200
    assert 'href="/weather">Countries</a>' in first[1]


@each(
    ("path", "template", "named", "why"),
    [
        ("/weather", "weather.html", {}, "has no weather.html"),
        ("/countries", "countries.html", {}, "already"),
        ("/{country:country}.json", "countries.html", {"title": "Weather"}, "needs a place"),
        ("/weather", "countries.html", {"title": "Weather", "place": 1}, "place 1 .* is taken"),
        ("/{weather:weather}", "countries.html", {}, "FORMS .* lists the forms of path parameters"),
        ("weather", "countries.html", {}, "begins with a slash"),
    ],
)
def test_a_declaration_that_cannot_be_right_ends_the_import(
    path: str, template: str, named: dict[str, object], why: str
) -> None:
    before = list(PAGES)
    with pytest.raises(ValueError, match=why):
        page(path, template, **named)(lambda _store, _visit: {})  # type: ignore[arg-type]  # a table of calls
    assert before == PAGES


def test_a_resource_at_a_path_that_is_taken_ends_the_import() -> None:
    before = list(RESOURCES)
    with pytest.raises(ValueError, match="already"):
        resource("/oembed")(lambda _store, _visit: None)
    assert before == RESOURCES


def test_no_page_has_a_form_that_no_page_uses() -> None:
    used = "".join(routes.paths())
    assert [form for form in routes.FORMS if f":{form}}}" not in used] == ["lower"]


@each(
    ("asked", "leads_to"),
    [
        ("/?days=7", "/"),
        ("/PK?days=8", "/PK"),
        ("/PK?days=007", "/PK"),
        ("/PK?days=7&days=30", "/PK?days=7"),
        ("/PK?x=1&lang=ur&days=7", "/PK?lang=ur&days=7"),
        ("/?lang=xx", "/"),
        ("/target/x.example?page=%0d%0aX", "/target/x.example"),
    ],
)
def test_what_a_page_does_not_heed_leads_to_its_one_address(asked: str, leads_to: str) -> None:
    store = SmallStore()
    answer = reader(store).get(asked)
    assert (answer.status_code, answer.headers["location"]) == (308, leads_to)
    assert store.questions == 0


def test_what_a_page_heeds_leads_nowhere_else() -> None:
    assert reader(SmallStore()).get("/PK?days=7&lang=ur").status_code == 200


FOREIGN = re.compile(r"[A-Za-z']+(?: [A-Za-z']+){3,}")
"""Four Latin words in a row, which no proper name in the texts of these pages has."""


@pytest.mark.parametrize(
    "path", ["/", "/countries", "/data", "/methodology", "/privacy", "/corrections", "/subscribe", "/explore"]
)
def test_no_sentence_of_a_persian_page_is_english(path: str) -> None:
    text = reader(SmallStore()).get(f"{path}?lang=fa").text
    for gone in (r"(?s)<(script|style|svg|code|pre)\b.*?</\1>", r"<small><bdi>.*?</bdi></small>", r"<[^>]+>"):
        text = re.sub(gone, "\n", text)
    proper = {*language_template.PROPER, "IP Geolocation by DB-IP"}
    assert [found for found in FOREIGN.findall(text) if not any(found in name for name in proper)] == []


def test_a_country_was_last_measured_when_it_was_however_long_ago() -> None:
    """Kenya, whose data end in 2023, was listed with "No data"; its own page said when."""
    store = SmallStore(ballots=(Ballot((1.0,), seen=False, asn=59257),), now_is=NOW - 3 * 365 * 86_400)
    text = reader(store, Site(clock=lambda: NOW)).get("/countries").text
    assert "3 years ago" in text
    assert "No data</span>" not in text


def test_countries_stand_in_the_order_of_the_readers_alphabet() -> None:
    order = {code: LANGUAGES[code].order for code in LANGUAGES}
    assert sorted(["Espagne", "Égypte", "Zambie"], key=order["fr"]) == ["Égypte", "Espagne", "Zambie"]
    assert sorted(["ترکیہ", "پاکستان", "بھارت"], key=order["ur"]) == ["بھارت", "پاکستان", "ترکیہ"]
    assert sorted(["چین", "ژاپن", "آلمان", "افغانستان"], key=order["fa"]) == [
        "آلمان",
        "افغانستان",
        "چین",
        "ژاپن",
    ]
