"""Pages in a browser: with and without scripts, by keyboard, on paper, on a phone."""

import httpx
import pytest
from playwright.sync_api import Browser

from fanous.wording import LANGUAGES
from tests.web.browser.pages import CORE, DESKTOP, INCIDENT, PAGES, PHONE, opened

pytestmark = pytest.mark.browser

BORDER = 2
"""Pixels between the cells of a table: a column that stays moves by these."""


@pytest.mark.parametrize(
    "path",
    [path if path in CORE else pytest.param(path, marks=pytest.mark.matrix) for path in PAGES],
)
def test_a_page_is_complete_without_a_script_and_nothing_comes_from_elsewhere_or_is_stored(
    browser: Browser, monitor: str, path: str
) -> None:
    texts, asked = [], list[str]()
    httpx.get(
        monitor + path, timeout=120, trust_env=False
    )  # what takes long is made, and no visit tells how far it is
    for scripts in (True, False):
        with opened(browser, monitor + path, asked, viewport=PHONE, java_script_enabled=scripts) as page:
            if scripts:
                kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie].join()")
                assert kept == "0,0,"
            # What a script adds to charts is there and nowhere else.
            page.locator(".tools").evaluate_all("(tools) => tools.forEach((one) => one.remove())")
            texts.append(page.locator("main").inner_text())
    # The script draws names on charts anew, after their other words.
    assert sorted(texts[0].splitlines()) == sorted(texts[1].splitlines())
    assert len(texts[0]) > 100
    assert monitor + path in asked
    assert [url for url in asked if not url.startswith(monitor)] == []


def test_the_urdu_page_of_an_incident_is_in_urdu_but_for_what_is_marked(
    browser: Browser, monitor: str
) -> None:
    with opened(browser, f"{monitor}{INCIDENT}?lang=ur", viewport=DESKTOP) as page:
        assert "پاکستان" in page.locator("h1").inner_text()
        marked = page.locator("main [lang=en]").all_inner_texts()
    known = (
        "independent probes",
        "Authority",
        "routing",
        "RIPE",
        "ripestat",
        "PK-2023-0001",
        "published methods",
    )
    assert [text for text in marked if text and not any(word in text for word in known)] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_method_in_plain_words_fits_on_the_first_screen_of_a_phone(
    browser: Browser, monitor: str, code: str
) -> None:
    """Urdu as well, in the Nastaliq face where there is one; a monitor without a notice of its own."""
    with opened(browser, f"{monitor}/methodology?lang={code}", viewport=PHONE) as page:
        page.locator(".notice").evaluate_all("(notices) => notices.forEach((one) => one.remove())")
        place = page.locator("dl.brief").bounding_box()
    assert place is not None and place["y"] + place["height"] <= PHONE["height"]


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
