"""Every page in a browser: English and Urdu, phone and desktop, with and without scripts, axe-core."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

pytestmark = pytest.mark.browser

INCIDENT = "/PK/PK-2023-0001"
PAGES = (
    "/",
    "/countries",
    "/methodology",
    "/data",
    "/PK",
    "/PK/AS17557",
    "/target/x",
    INCIDENT,
    f"/embed{INCIDENT}",
    f"{INCIDENT}/measurements",
    "/PK/PK-watch-1",
    "/corrections",
)
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1200, "height": 900}
BORDER = 2
"""Pixels between the cells of a table: a column that stays moves by these."""

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """A page in a window of its own; whatever the browser complains of fails the test."""
    complaints: list[str] = []
    context = browser.new_context(**options)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address, wait_until="load")
    try:
        yield page
    finally:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("language", "viewport", "scheme"),
    [("en", DESKTOP, "light"), ("ur", PHONE, "dark"), ("en", PHONE, "light"), ("ur", DESKTOP, "dark")],
    ids=["English desktop light", "Urdu phone dark", "English phone light", "Urdu desktop dark"],
)
def test_a_page_is_right_for_everyone(
    browser: Browser, monitor: str, path: str, language: str, viewport: Any, scheme: Any
) -> None:
    address = f"{monitor}{path}?lang={language}"
    with opened(browser, address, viewport=viewport, color_scheme=scheme) as page:
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ur" else "ltr")
        assert page.locator("h1").is_visible()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_complete_without_a_script(browser: Browser, monitor: str, path: str) -> None:
    texts = []
    for scripts in (True, False):
        with opened(browser, monitor + path, viewport=PHONE, java_script_enabled=scripts) as page:
            texts.append(page.locator("main").inner_text())
    assert texts[0] == texts[1]
    assert len(texts[0]) > 100


def test_the_urdu_page_of_an_incident_is_in_urdu_but_for_what_is_marked(
    browser: Browser, monitor: str
) -> None:
    with opened(browser, f"{monitor}{INCIDENT}?lang=ur", viewport=DESKTOP) as page:
        assert "پاکستان" in page.locator("h1").inner_text()
        marked = page.locator("main [lang=en]").all_inner_texts()
    known = ("independent probes", "Authority", "routing", "RIPE", "PK-2023-0001", "published methods")
    assert [text for text in marked if text and not any(word in text for word in known)] == []


def test_the_language_goes_along_from_page_to_page(browser: Browser, monitor: str) -> None:
    with opened(browser, f"{monitor}/?lang=ur", viewport=DESKTOP) as page:
        page.locator("article.story a").first.click()
        page.wait_for_load_state()
        assert page.locator("html").get_attribute("lang") == "ur"


def test_the_keyboard_reaches_the_content_first(browser: Browser, monitor: str) -> None:
    with opened(browser, f"{monitor}/PK", viewport=DESKTOP) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_grid_keeps_its_names_in_view_while_it_scrolls(browser: Browser, monitor: str) -> None:
    with opened(browser, monitor + INCIDENT, viewport=PHONE) as page:
        name = page.locator(".gridt th[scope=row]").first
        before = name.bounding_box()
        page.locator(".wrap").first.evaluate("(box) => { box.scrollLeft = 200 }")
        after = name.bounding_box()
    assert before and after
    assert abs(before["x"] - after["x"]) <= BORDER


@pytest.mark.parametrize("language", ["fa", "ar", "fr", "es"])
@pytest.mark.parametrize("path", ["/", "/PK", INCIDENT, "/methodology"])
def test_the_other_languages_are_right_for_everyone_too(
    browser: Browser, monitor: str, path: str, language: str
) -> None:
    with opened(browser, f"{monitor}{path}?lang={language}", viewport=PHONE, color_scheme="dark") as page:
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_single_measurement_is_right_for_everyone(browser: Browser, monitor: str) -> None:
    with opened(browser, f"{monitor}{INCIDENT}/measurements", viewport=PHONE) as page:
        page.locator("tbody a[href^='/measurement/']").first.click()
        page.wait_for_load_state()
        assert page.locator("main code").first.is_visible()
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_comes_from_elsewhere_and_nothing_is_stored(
    browser: Browser, monitor: str, path: str
) -> None:
    asked: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(monitor + path, wait_until="load")
    kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie].join()")
    context.close()
    assert [url for url in asked if not url.startswith(monitor)] == []
    assert kept == "0,0,"


def test_on_paper_a_page_is_whole_and_light(browser: Browser, monitor: str) -> None:
    with opened(browser, monitor + INCIDENT, viewport=DESKTOP, color_scheme="dark") as page:
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 26, 23)"
        assert not page.locator("body > header nav").is_visible()
        assert page.locator("#when table").is_visible()


def test_who_wants_no_motion_gets_none(browser: Browser, monitor: str) -> None:
    with opened(browser, monitor + INCIDENT, viewport=DESKTOP, reduced_motion="reduce") as page:
        moving = (
            "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s')"
        )
        assert page.evaluate(f"{moving}.length") == 0


def test_text_in_a_chart_on_a_phone_is_not_smaller_than_on_a_desk(browser: Browser, monitor: str) -> None:
    heights = []
    for viewport in (DESKTOP, PHONE):
        with opened(browser, monitor + INCIDENT, viewport=viewport) as page:
            box = page.locator("figure svg:visible text.tick").first.bounding_box()
            assert box
            heights.append(box["height"])
    assert heights[1] >= heights[0] * 0.9
