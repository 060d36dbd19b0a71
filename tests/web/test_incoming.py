"""While a monitor is still fetching the past, or cannot, its first page says so, in each language."""

import re

from fanous.web.answers import Incoming, Site
from fanous.wording.language import LANGUAGES
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, reader


def page(*incoming: Incoming, language: str = "en") -> str:
    site = Site(clock=lambda: NOW, incoming=lambda: list(incoming))
    return " ".join(reader(SmallStore(), site).get(f"/?lang={language}").text.split())


def test_how_far_it_is() -> None:
    said = page(Incoming("PK", 0.26, NOW - 86400 * 9))
    assert "measured in Pakistan is coming in: 26% so far, back to" in said
    assert "What is said here may change until it is all in." in said


def test_before_the_first_and_where_the_source_cannot_be_reached() -> None:
    assert "measured in Pakistan is coming in, the newest first." in page(Incoming("PK", 0.0))
    said = page(Incoming("PK", 0.0, failing_since=NOW - 86400 * 9))
    assert re.search(r"volunteers in Pakistan have been out of reach since .*, \d\d:\d\d PKT \(.*UTC\)", said)


def test_nothing_is_said_when_all_is_in() -> None:
    assert "coming in" not in page()


@each("language", sorted(LANGUAGES))
def test_in_every_language(language: str) -> None:
    without, said = page(language=language), page(Incoming("PK", 0.5, NOW), language=language)
    assert len(said) > len(without)
    assert ("is coming in" in said) is (language == "en")
    assert len(page(Incoming("PK", 0.0, failing_since=NOW), language=language)) > len(without)


@each("language", sorted(LANGUAGES))
def test_a_machine_without_internet_is_reported(language: str) -> None:
    def at(*, offline: bool) -> str:
        return (
            reader(SmallStore(), Site(clock=lambda: NOW, offline=lambda: offline))
            .get(f"/?lang={language}")
            .text
        )

    assert len(at(offline=True)) > len(at(offline=False))
    assert ("this machine seems to have no internet connection" in at(offline=True)) is (language == "en")
