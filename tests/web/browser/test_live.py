"""A page that is open learns of a new incident by itself."""

import pytest
from playwright.sync_api import Browser, expect

from fanous.web.application import application
from fanous.web.routes import Site
from tests.charts.events import ONGOING, incident
from tests.web.browser.conftest import served
from tests.web.small_store import SmallStore
from tests.web.visits import NOW

pytestmark = pytest.mark.browser

PATIENCE_MS = 20_000
"""The monitor's promise is 5 s; a busy test machine may be slower."""


def test_a_new_incident_appears_on_the_open_page(browser: Browser) -> None:
    store = SmallStore()
    with served(application(store.ask, Site(clock=lambda: NOW))) as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        expect(page.locator("h1")).to_have_text("Nothing has been measured yet, so nothing can be said")
        page.wait_for_timeout(500)
        store.facts.known = [incident(**ONGOING)]
        expect(page.locator("h1")).to_have_text(
            "1 confirmed internet disruption is ongoing", timeout=PATIENCE_MS
        )
        expect(page.locator("#voice")).to_have_text("This page has just changed.")
        context.close()
