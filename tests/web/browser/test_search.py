"""Suggestions below the search field: with the keyboard, the pointer, a screen reader, and without a script."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser.pages import INCIDENT, PHONE, is_right_for_everyone, opened

pytestmark = pytest.mark.browser


def typed(page: Page, text: str) -> None:
    """A reader types into the search field, and suggestions appear."""
    field = page.get_by_role("combobox", name="Search")
    field.press_sequentially(text)
    expect(field).to_have_attribute("aria-expanded", "true")


def test_arrow_keys_and_enter_lead_to_what_is_suggested(browser: Browser, monitor: str) -> None:
    with opened(browser, f"{monitor}/data") as page:
        typed(page, "youtube pakistan 2023")
        field, first = page.get_by_role("combobox"), page.get_by_role("option").first
        expect(page.locator("#voice")).to_have_text(re.compile(r"^Suggestions: [1-9]"))
        expect(first).to_contain_text("YouTube")
        field.press("ArrowDown")
        expect(first).to_have_attribute("aria-selected", "true")
        assert field.get_attribute("aria-activedescendant") == first.get_attribute("id")
        is_right_for_everyone(page)
        field.press("Enter")
        page.wait_for_url(f"{monitor}{INCIDENT}")


def test_a_suggestion_is_opened_with_the_pointer_in_the_readers_language(
    browser: Browser, monitor: str
) -> None:
    with opened(browser, f"{monitor}/search?lang=ur", viewport=PHONE) as page:
        field = page.locator("main [role=combobox]")
        field.press_sequentially("paki")
        option = page.get_by_role("option").first
        expect(option).to_have_text("پاکستان")
        is_right_for_everyone(page)
        option.click()
        page.wait_for_url(f"{monitor}/PK?lang=ur")


def test_escape_closes_the_suggestions_and_enter_still_searches(browser: Browser, monitor: str) -> None:
    with opened(browser, f"{monitor}/data") as page:
        typed(page, "pakistan")
        page.keyboard.press("Escape")
        expect(page.get_by_role("listbox")).to_have_count(0)
        expect(page.get_by_role("combobox")).to_have_attribute("aria-expanded", "false")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{monitor}/search?q=pakistan")


def test_what_fits_nothing_suggests_nothing(browser: Browser, monitor: str) -> None:
    with opened(browser, f"{monitor}/data") as page:
        typed(page, "pakistan")
        with page.expect_response(re.compile("search.json.*qwertz")):
            page.get_by_role("combobox").fill("qwertz")
        expect(page.get_by_role("combobox")).to_have_attribute("aria-expanded", "false")


def test_without_a_script_the_field_is_an_ordinary_one(browser: Browser, monitor: str) -> None:
    with opened(browser, f"{monitor}/data", java_script_enabled=False) as page:
        expect(page.get_by_role("combobox")).to_have_count(0)
        page.get_by_role("searchbox", name="Search").fill("pakistan")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{monitor}/search?q=pakistan")
        assert page.locator("main").get_by_role("link", name="Pakistan").first.is_visible()
