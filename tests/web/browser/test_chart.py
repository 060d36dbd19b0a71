"""A chart that is read by pointer and by keys, and zoomed into."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser.pages import DESKTOP, INCIDENT, PHONE, is_right_for_everyone, opened

pytestmark = pytest.mark.browser

CHART = "figure.chart >> nth=0 >> [role=slider]:visible"
NEAR = re.compile(r"matrix\((?!1 )")
READING = "figure.chart >> nth=0 >> .reading"


def bin_read(page: Page) -> int:
    return int(page.locator(CHART).get_attribute("aria-valuenow") or -1)


def last_bin(page: Page) -> int:
    return int(page.locator(CHART).get_attribute("aria-valuemax") or -1)


def place_on_screen(page: Page, share: float) -> tuple[float, float]:
    """Pixels of a place in the picture, by its share of the width."""
    box = page.locator(CHART).bounding_box()
    assert box
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


@pytest.mark.parametrize(("viewport", "language"), [(DESKTOP, "en"), (PHONE, "ur")])
def test_a_pointer_reads_what_is_under_it(
    browser: Browser, monitor: str, viewport: object, language: str
) -> None:
    with opened(browser, f"{monitor}{INCIDENT}?lang={language}", viewport=viewport) as page:
        page.locator(CHART).scroll_into_view_if_needed()
        expect(page.locator(READING)).to_have_text("")
        page.mouse.move(*place_on_screen(page, 0.5))
        shown = page.locator(READING).inner_text()
        names = [
            name.strip() for name in page.locator("figure.chart ul.lines >> nth=0 >> li").all_text_contents()
        ]
        assert all(name in shown for name in names)
        assert "PKT" in shown
        assert "%" in shown
        page.mouse.move(*place_on_screen(page, 3.0))
        expect(page.locator(READING)).to_have_text("")


def test_what_is_read_is_what_the_lines_show(browser: Browser, monitor: str) -> None:
    with opened(browser, monitor + INCIDENT, viewport=DESKTOP) as page:
        page.locator(CHART).focus()
        page.keyboard.press("Home")
        first = page.locator("figure.chart ul.lines li").first
        shares = (first.get_attribute("data-shares") or "").split(",")
        for n, share in enumerate(shares):
            told = page.locator(CHART).get_attribute("aria-valuetext") or ""
            name = (first.text_content() or "").strip()
            value = f"{share}%" if share else "No data"
            assert f"\u2068{name}\u2069: \u2068{value}\u2069" in told, n
            page.keyboard.press("ArrowRight")
        assert len(set(shares)) > 1


def test_the_keys_alone_reach_read_and_widen_a_chart(browser: Browser, monitor: str) -> None:
    with opened(browser, monitor + INCIDENT, viewport=DESKTOP) as page:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('role')") == "slider":
                break
        page.keyboard.press("End")
        assert bin_read(page) == last_bin(page)
        page.keyboard.press("ArrowRight")
        assert bin_read(page) == last_bin(page)
        page.keyboard.press("+")
        expect(page.locator(f"{CHART} >> .moving")).to_have_attribute("transform", NEAR)
        page.keyboard.press("Home")
        assert bin_read(page) == 0
        expect(page.locator(f"{CHART} >> .cursor")).not_to_have_attribute("d", "")
        page.keyboard.press("-")
        expect(page.locator(f"{CHART} >> .moving")).to_have_attribute("transform", "matrix(1 0 0 1 0 0)")
        page.keyboard.press("Escape")
        expect(page.locator(READING)).to_have_text("")


def test_a_chart_that_spans_less_is_dragged_along(browser: Browser, monitor: str) -> None:
    with opened(browser, monitor + INCIDENT, viewport=DESKTOP) as page:
        page.locator("figure.chart >> nth=0 >> .tools button").first.click()
        moving = page.locator(f"{CHART} >> .moving")
        before = moving.get_attribute("transform")
        page.mouse.move(*place_on_screen(page, 0.4))
        page.mouse.down()
        page.mouse.move(*place_on_screen(page, 0.6), steps=4)
        page.mouse.up()
        assert moving.get_attribute("transform") != before
        is_right_for_everyone(page)


def test_every_tick_of_a_part_is_within_the_picture(browser: Browser, monitor: str) -> None:
    with opened(browser, f"{monitor}{INCIDENT}?lang=fa", viewport=PHONE) as page:
        page.locator("figure.chart >> nth=0 >> .tools button").first.click()
        ticks = page.locator(f"{CHART} >> g:not(.moving) > text.tick")
        assert ticks.count() >= 1
        frame = page.locator(CHART).bounding_box()
        assert frame
        for tick in ticks.all():
            box = tick.bounding_box()
            assert box
            assert frame["x"] - 1 <= box["x"]
            assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
            assert any(digit in (tick.text_content() or "") for digit in "۰۱۲۳۴۵۶۷۸۹")


def test_an_embedded_chart_can_be_read_too(browser: Browser, monitor: str) -> None:
    with opened(browser, f"{monitor}/embed{INCIDENT}", viewport=PHONE) as page:
        page.mouse.move(*place_on_screen(page, 0.5))
        expect(page.locator(READING)).not_to_have_text("")
