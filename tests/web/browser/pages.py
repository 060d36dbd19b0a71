"""Opening a page in a new window, and what must be true of every page for every reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

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
    f"{INCIDENT}/evidence",
    "/PK/PK-watch-1",
    "/corrections",
    "/privacy",
    "/search?q=x+pakistan+2023",
    "/explore?country=PK&target=x",
    "/embed/explore?country=PK&target=x",
    "/incidents",
    "/subscribe",
    "/explore?signal=bgp&country=PK",
)
CORE = (
    "/",
    "/PK",
    INCIDENT,
    f"{INCIDENT}/evidence",
    "/search?q=x+pakistan+2023",
    "/explore?country=PK&target=x",
)
"""Those with a script of their own, or that take a while to make."""
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1200, "height": 900}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@contextmanager
def opened(browser: Browser, address: str, asked: list[str] | None = None, **options: Any) -> Iterator[Page]:
    """A page in a new window; any complaint of the browser fails the test.

    Args:
        asked: takes down the addresses that the page asks for.
    """
    complaints: list[str] = []
    context = browser.new_context(**options)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    if asked is not None:
        page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address, wait_until="load")
    try:
        yield page
    finally:
        context.close()
    assert complaints == []


def is_right_for_everyone(page: Page) -> None:
    """axe-core finds nothing, and nothing has to be scrolled sideways."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.violations_count == 0, found.generate_report()
    viewport = page.viewport_size
    assert viewport is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
