"""Every kind of page in every language, in the light and in the dark, on a phone and on a desk: axe-core.

A page is loaded once a language and looked at in one of four views in turn, so that each page meets each of
them.  ``FANOUS_EVERY_VIEW=1`` looks at all four: the page is turned dark or light, and made wide or narrow,
before its eyes.  ``make test`` looks at each page in English or in Urdu, which runs from right to left, in turn, and
at an incident's in both; ``make test-browser`` at all languages, in every view.
"""

import os
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ViewportSize

from fanous.wording import LANGUAGES
from tests.web.browser.pages import DESKTOP, INCIDENT, PAGES, PHONE, is_right_for_everyone, opened

pytestmark = pytest.mark.browser

View = tuple[ViewportSize, Literal["dark", "light"]]
VIEWS: tuple[View, ...] = ((DESKTOP, "light"), (PHONE, "dark"), (DESKTOP, "dark"), (PHONE, "light"))


def core(*values: object, has: bool) -> Any:
    """A case of ``make test``, or of ``make test-browser`` only."""
    return pytest.param(*values, marks=() if has else pytest.mark.matrix)


def each_language(of_the_core: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("language", [core(code, has=code == of_the_core) for code in LANGUAGES])


def is_core(path: str, language: str) -> bool:
    """Pages in turn in English and in Urdu; an incident's in both."""
    turn = ("en", "ur")[PAGES.index(path) % 2]
    return language == turn or (path == INCIDENT and language in ("en", "ur"))


def views(path: str, language: str) -> tuple[View, ...]:
    """The one whose turn it is."""
    if os.environ.get("FANOUS_EVERY_VIEW"):
        return VIEWS
    return (VIEWS[(PAGES.index(path) + list(LANGUAGES).index(language)) % len(VIEWS)],)


def measurement(browser: Browser, monitor: str) -> str:
    """Address of one measurement's page."""
    with opened(browser, f"{monitor}{INCIDENT}/measurements") as page:
        return str(page.locator("tbody a[href^='/measurement/']").first.get_attribute("href"))


def in_language(monitor: str, path: str, language: str) -> str:
    return f"{monitor}{path}{'&' if '?' in path else '?'}lang={language}"


@pytest.mark.parametrize(
    ("path", "language"),
    [core(path, code, has=is_core(path, code)) for path in PAGES for code in LANGUAGES],
)
def test_a_page_is_right_for_everyone(browser: Browser, monitor: str, path: str, language: str) -> None:
    address = in_language(monitor, path, language)
    (viewport, scheme), *others = views(path, language)
    with opened(browser, address, viewport=viewport, color_scheme=scheme) as page:
        assert page.locator("html").get_attribute("dir") == LANGUAGES[language].direction
        assert page.locator("h1").is_visible()
        is_right_for_everyone(page)
        for size, other in others:
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=other)
            is_right_for_everyone(page)


@each_language("ur")
def test_a_single_measurement_is_right_for_everyone(browser: Browser, monitor: str, language: str) -> None:
    path = measurement(browser, monitor)
    with opened(browser, in_language(monitor, path, language), viewport=PHONE) as page:
        for _, scheme in VIEWS[:2]:
            page.emulate_media(color_scheme=scheme)
            assert page.locator("main code").first.is_visible()
            is_right_for_everyone(page)


@each_language("en")
def test_a_page_that_is_not_there_is_right_for_everyone(
    browser: Browser, monitor: str, language: str
) -> None:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto(f"{monitor}/PK/PK-2023-9999?lang={language}", wait_until="load")
    for _, scheme in VIEWS[:2]:
        page.emulate_media(color_scheme=scheme)
        is_right_for_everyone(page)
    context.close()


def test_each_page_meets_each_view() -> None:
    for path in PAGES:
        met = [(size["width"], scheme) for code in LANGUAGES for size, scheme in views(path, code)]
        assert set(met) == {(size["width"], scheme) for size, scheme in VIEWS}
