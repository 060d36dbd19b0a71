"""A page that is open learns of a new incident by itself."""

import pytest
from playwright.sync_api import Browser, Route, expect

from fanous.model.incident import Status
from fanous.web.answers import Site
from fanous.web.application import application
from tests.charts.events import ONGOING, incident
from tests.serving import served
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


EMBED = "/embed/PK/PK-2023-0042"


def test_a_retraction_reaches_an_embed_that_is_left_open_and_silence_of_the_monitor_is_said(
    browser: Browser,
) -> None:
    store, now = SmallStore(known=[incident(**ONGOING)]), [NOW]
    with served(application(store.ask, Site(clock=lambda: now[0]))) as address:
        context = browser.new_context()
        page = context.new_page()
        page.clock.install()
        page.goto(f"{address}{EMBED}")
        expect(page.get_by_text("As of 18 December 2023, 05:00 PKT (00:00 UTC)")).to_be_visible()
        store.facts.known, now[0] = [incident(status=Status.RETRACTED)], NOW + 900
        page.wait_for_timeout(3000)
        expect(page.get_by_text("Retracted")).to_have_count(0)
        page.clock.fast_forward(600_000)
        expect(page.get_by_text("Retracted").first).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("As of 18 December 2023, 05:15 PKT (00:15 UTC)")).to_be_visible()
        context.set_offline(True)
        page.clock.fast_forward(600_000)
        expect(page.get_by_text("The monitor cannot be reached")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("As of 18 December 2023, 05:15 PKT (00:15 UTC)")).to_be_visible()
        context.set_offline(False)
        page.clock.fast_forward(600_000)
        expect(page.get_by_text("The monitor cannot be reached")).to_be_hidden(timeout=PATIENCE_MS)
        context.close()


def test_an_embed_renews_itself_without_scripts(browser: Browser) -> None:
    store = SmallStore(known=[incident(**ONGOING)])
    with served(application(store.ask, Site(clock=lambda: NOW))) as address:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()

        def sooner(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.text().replace('content="300"', 'content="1"'))

        page.route(f"**{EMBED}", sooner)
        page.goto(f"{address}{EMBED}")
        expect(page.get_by_text("Retracted")).to_have_count(0)
        store.facts.known = [incident(status=Status.RETRACTED)]
        expect(page.get_by_text("Retracted").first).to_be_visible(timeout=PATIENCE_MS)
        context.close()
