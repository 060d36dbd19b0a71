"""The desk and the set-up page in a real browser: right for everyone, on a phone, without scripts, and attacked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from fanous.model.incident import Scope, Status
from fanous.publish.alerts.settings import Alerting
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.web.desk_pages import PAGES
from fanous.web.setup import SetUp
from fanous.wording.language import LANGUAGES
from tests.charts.events import ONGOING, incident
from tests.hostile import HOSTILE
from tests.serving import served
from tests.web.browser.pages import DESKTOP, PHONE, is_right_for_everyone
from tests.web.browser.test_everyone import each_language
from tests.web.test_desk_house import CLAIM, Ledger, Outbox, hook, ill
from tests.web.test_desk_login import TOKEN, WORDS
from tests.web.visits import NOW

pytestmark = pytest.mark.browser

CODE = "abcdefghjk"
WAITING = "/desk/incidents/PK-2023-0042"
LISTED = [f"/desk{page.path}" for page in PAGES if page.title]
REFUSED = ("the server responded with a status of 422", "does not conform to the required format")
"""What the browser notes when a form was sent in vain, and of a text that comes back in a field for a time."""
MARKUP = "\"'><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{7*7}}"


def waiting_ledger() -> Ledger:
    """A national claim that waits, an incident that is on, and one of each state of an alert."""
    held = replace(
        incident(**ONGOING), status=Status.SUSPECTED, confirmed_at=None, scope=Scope.NATION, held_by="review"
    )
    store = Ledger([held, replace(incident(**ONGOING), id="PK-2023-0041")])
    store.outbox = Outbox()
    return store


@pytest.fixture(scope="module")
def desk() -> Iterator[str]:
    site = Site(clock=lambda: NOW, token=TOKEN, workings=ill(), alerting=Alerting(channels={"hook": hook()}))
    with served(application(waiting_ledger().ask, site)) as address:
        yield address


@contextmanager
def at_the_desk(
    browser: Browser, address: str, *, scripts: bool = True, phone: bool = True
) -> Iterator[tuple[Page, list[str]]]:
    """Logged in, in a new window; gives the page and its requests to the server."""
    asked: list[str] = []
    complaints: list[str] = []
    context = browser.new_context(viewport=PHONE if phone else DESKTOP, java_script_enabled=scripts)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        log_in(page, address)
        yield page, asked
    finally:
        context.close()
    assert [one for one in complaints if not any(said in one for said in REFUSED)] == []


def log_in(page: Page, address: str, secret: str = TOKEN) -> None:
    page.goto(f"{address}/desk/login", wait_until="load")
    field = page.locator("[name=secret]")
    expect(field).to_be_focused()  # by the browser; it complains if we are there first
    field.fill(secret)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def unfolded(page: Page) -> None:
    page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")


@each_language("ur")
def test_every_page_of_the_desk_is_right_for_everyone(browser: Browser, desk: str, language: str) -> None:
    with at_the_desk(browser, desk) as (page, asked):
        for path in (*LISTED, WAITING):
            page.goto(f"{desk}{path}?lang={language}", wait_until="load")
            assert page.locator("html").get_attribute("dir") == LANGUAGES[language].direction
            assert page.locator("h1").is_visible()
            unfolded(page)
            for size, scheme in ((PHONE, "dark"), (DESKTOP, "light")):
                page.set_viewport_size(size)
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal, in a tuple
                is_right_for_everyone(page)
        assert not [one for one in asked if ".js" in one]


@each_language("ar")
def test_the_login_is_right_for_everyone(browser: Browser, desk: str, language: str) -> None:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    try:
        page.goto(f"{desk}/desk/login?lang={language}", wait_until="load")
        is_right_for_everyone(page)
        page.locator("[name=secret]").fill("a wrong one")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator("[role=alert]").is_visible()
        is_right_for_everyone(page)
    finally:
        context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_claim_is_recorded_and_an_incident_reviewed(browser: Browser, desk: str, scripts: bool) -> None:
    with at_the_desk(browser, desk, scripts=scripts) as (page, _):
        page.locator(f".queue a[href*='{WAITING}']").first.click()
        assert (
            "confirmed" in page.locator(".would").inner_text().lower() or page.locator(".would").is_visible()
        )
        assert page.locator("button[value=approve]").is_visible()
        page.locator("nav a[href^='/desk/claims']").click()
        form = page.locator("form.card").first
        for name in ("who", "country", "since", "until", "networks", "targets", "level", "hours"):
            form.locator(f"[name={name}]").fill(CLAIM[name])
        form.locator("[name=what]").select_option(CLAIM["what"])
        with page.expect_navigation():
            form.locator("button").last.click()
        expect(page.locator(".done")).to_have_text("Recorded.")
        expect(page.locator("main")).to_contain_text("NetBlocks")


FIELDS = (
    ("/desk/events", ("title", "targets", "country", "start", "end", "calendar")),
    ("/desk/claims", ("who", "country", "networks", "targets", "level", "link", "quote")),
    (WAITING, ("by", "text")),
)


@pytest.mark.parametrize(("path", "fields"), FIELDS, ids=lambda value: str(value)[:20])
def test_hostile_text_in_any_field_runs_nothing(
    browser: Browser, desk: str, path: str, fields: tuple[str, ...]
) -> None:
    """It is sent as a browser sends it, in each field of each form, with everything the fields refuse to take."""
    with at_the_desk(browser, desk) as (page, _):
        for name in fields:
            page.goto(desk + path, wait_until="load")
            unfolded(page)
            for number in range(page.locator("form.card").count()):
                page.goto(desk + path, wait_until="load")
                form = page.locator("form.card").nth(number)
                if not form.locator(f"[name={name}]").count():
                    continue
                send = """(form, [name, text]) => {
                    form.noValidate = true;
                    const field = form.elements[name];
                    const free = document.createElement('textarea');
                    free.name = name; free.value = text;
                    field.replaceWith(free);
                    form.querySelector('button:last-of-type').click();
                }"""
                with page.expect_navigation():
                    form.evaluate(send, [name, f"{MARKUP}{HOSTILE}"])
                assert "owned" not in page.title()
                assert page.locator("main script, main img").count() == 0
                assert page.evaluate("document.title") != "owned"
        page.goto(f"{desk}/desk", wait_until="load")
        assert "owned" not in page.title()


def cookie_of(context: BrowserContext) -> str:
    (one,) = [one for one in context.cookies() if "desk" in one.get("name", "")]
    return one.get("value", "")


def test_a_session_that_was_planted_beforehand_opens_nothing(browser: Browser, desk: str) -> None:
    """Fixation: an attacker sets the cookie of the victim's browser, waits for the login, and uses it."""
    victim, thief = browser.new_context(), browser.new_context()
    try:
        planted = {"name": "fanous_desk", "value": "a" * 43, "url": desk}
        victim.add_cookies([planted])  # type: ignore[list-item]  # a SetCookieParam
        log_in(page := victim.new_page(), desk)
        assert page.url.startswith(f"{desk}/desk") and "login" not in page.url
        assert cookie_of(victim) != "a" * 43
        thief.add_cookies([planted])  # type: ignore[list-item]
        stolen = thief.new_page()
        stolen.goto(f"{desk}/desk")
        assert "/desk/login" in stolen.url
    finally:
        victim.close()
        thief.close()


def test_another_sites_page_can_decide_nothing(browser: Browser, desk: str) -> None:
    """CSRF: the operator is logged in and opens a hostile page, which sends a form by itself."""
    decide = (
        f"<form method=post action='{desk}{WAITING}'><input name=decision value=approve>"
        "<input name=by value=x></form><script>document.forms[0].submit()</script>"
    )
    with at_the_desk(browser, desk) as (page, _):
        hostile = page.context.new_page()
        hostile.route(
            "http://evil.example/", lambda route: route.fulfill(body=decide, content_type="text/html")
        )
        hostile.goto("http://evil.example/")
        hostile.wait_for_url(f"{desk}/**")
        assert "form was not sent from a page of this session" in hostile.locator("main").inner_text()
        hostile.close()
        page.goto(f"{desk}{WAITING}")
        assert page.locator("button[value=approve]").is_visible(), "it still waits"
        frame = page.context.new_page()
        frame.route(
            "http://evil.example/",
            lambda route: route.fulfill(
                body=f"<iframe src='{desk}/desk' width=900 height=600></iframe>", content_type="text/html"
            ),
        )
        frame.goto("http://evil.example/")
        frame.wait_for_timeout(300)
        inner = frame.frames[1]
        assert inner.url.startswith("chrome-error:"), "it cannot be framed, so no click on it can be stolen"
        frame.close()


def test_guessing_is_slowed_down_and_says_so(browser: Browser) -> None:
    site = Site(clock=lambda: NOW, token=TOKEN)
    with served(application(waiting_ledger().ask, site)) as address:
        context = browser.new_context()
        page = context.new_page()
        try:
            for n in range(11):
                log_in(page, address, f"guess {n}")
            assert page.locator("form [name=secret]").count() == 0
            assert "429" in page.content() or page.locator("h1").is_visible()
            assert not [one for one in context.cookies() if one.get("value")]
        finally:
            context.close()


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    path = tmp_path / "fanous.toml"
    with served(SetUp(path, CODE, "127.0.0.1:8470").app()) as address:
        yield address, path


@each_language("ur")
def test_the_set_up_page_is_right_for_everyone(
    browser: Browser, setup: tuple[str, Path], language: str
) -> None:
    address, _ = setup
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    try:
        page.goto(f"{address}/?lang={language}", wait_until="load")
        assert page.locator("html").get_attribute("dir") == LANGUAGES[language].direction
        for size in (PHONE, DESKTOP):
            page.set_viewport_size(size)
            is_right_for_everyone(page)
    finally:
        context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_monitor_is_set_up_with_a_source_that_needs_a_key(
    browser: Browser, setup: tuple[str, Path], scripts: bool
) -> None:
    address, path = setup
    context = browser.new_context(viewport=PHONE, java_script_enabled=scripts)
    page = context.new_page()
    try:
        page.goto(address, wait_until="load")
        page.locator("[name=code]").fill(CODE)
        page.locator("[name=countries]").fill("PK")
        page.locator("[name=accept_radar]").check()
        for name in ("passphrase", "again"):
            page.locator(f"[name={name}]").fill(WORDS)
        with page.expect_navigation():
            page.locator("form button").click()
        expect(page.locator("[role=alert]")).to_contain_text("type the key of your account there")
        assert not path.exists()
        assert page.locator("[name=accept_radar]").is_checked()
        page.locator("[name=key_CLOUDFLARE_API_TOKEN]").fill("a-key-of-radar")
        for name in ("passphrase", "again"):
            page.locator(f"[name={name}]").fill(WORDS)
        with page.expect_navigation():
            page.locator("form button").click()
        expect(page.locator("[role=status]")).to_be_visible()
        assert "a-key-of-radar" not in page.content()
    finally:
        context.close()
    assert "[sources.radar]" in path.read_text().splitlines()
    kept = path.with_suffix(".env")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "=a-key-of-radar\n" in kept.read_text()
