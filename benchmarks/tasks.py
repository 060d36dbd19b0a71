"""What people do on the pages, done in a real browser and timed, with scripts and without.

    FANOUS_SHARED_DATA=... python -m benchmarks.tasks [--json] [--pictures FOLDER] [--stores FOLDER]

Five tasks, each from the first page (the operator's from the login): find what happened to Telegram in Kenya in 2023;
compare X on three networks of Pakistan on 17 December 2023; download the numbers behind a chart; list all throttling of
2023; approve an incident that waits.  There are two stores, since real and staged incidents are never listed
together: one holds OONI's tables of Telegram in Kenya in 2023, the other a generated event modelled on Pakistan,
17 December 2023, whose nation-wide incident waits for a person's approval.

With ``--stores`` the stores are kept in this folder, or taken from there.  A task counts only if its goal is
reached at its end; it is done three times, the first of which fills the shelf of pages.  Three figures are given,
from the third time:

- how many clicks, keys and pages it takes;
- the seconds for which a reader waits: the browser loads and draws, the server works;
- the seconds that a practised person takes, by the keystroke-level model (Card, Moran and Newell, Communications of the
  ACM 23(7), 1980): 0.28 s a key (an average typist), 1.10 s to point, 0.20 s to click, 0.40 s from hand to mouse or
  keyboard, 1.35 s to think before each click and each field, and the waits.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright
from tests import serving

from fanous.model.instant import from_iso
from fanous.pipeline import ingest
from fanous.pipeline.actions import Hold
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from fanous.web.answers import Site
from fanous.web.application import application
from fanous_lab.evaluation.simulate import pakistan

NOW = from_iso("2024-01-05T12:00Z")
TOKEN = "4f" * 32
TABLES = ("2023-KE-telegram.csv.gz", "2023-KE-web_connectivity-telegram.org.csv.gz")
NETWORKS = ("ptcl", "telenor", "zong")

KEY, POINT, CLICK, HOME, THINK = 0.28, 1.10, 0.20, 0.40, 1.35
"""Seconds, of the keystroke-level model."""

TRIES = 3

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


class Hand:
    """Does what a person does, and counts it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.clicks = self.keys = self.pages = 0
        self.waited, self.moved = 0.0, 0.0
        self._on_keyboard = False

    def open(self, path: str) -> None:
        self._waits(lambda: self.page.goto(self.address + path, wait_until="load"))
        self.pages += 1

    def click(self, what: Locator, *, leads_on: bool = True) -> None:
        """Click a link or a button; most lead to another page."""
        self._reach()
        self.clicks += 1

        def press() -> None:
            if not leads_on:
                what.click()
                return
            with self.page.expect_navigation(wait_until="load"):
                what.click()

        self._waits(press)
        self.pages += leads_on

    def type(self, what: Locator, text: str) -> None:
        """Type into a field that is clicked first, replacing its content."""
        self._reach()
        self.clicks += 1
        self._waits(lambda: what.fill(text))
        self._press(len(text))

    def enter(self) -> None:
        def press() -> None:
            with self.page.expect_navigation(wait_until="load"):
                self.page.keyboard.press("Enter")

        self._press(1)
        self._waits(press)
        self.pages += 1

    def take(self, what: Locator) -> bytes:
        """Download the file behind a link."""
        self._reach()
        self.clicks += 1
        began = time.perf_counter()
        with self.page.expect_download() as coming:
            what.click()
        content = Path(coming.value.path()).read_bytes()
        self.waited += time.perf_counter() - began
        return content

    def _reach(self) -> None:
        self.moved += THINK + POINT + CLICK + (HOME if self._on_keyboard else 0.0)
        self._on_keyboard = False

    def _press(self, keys: int) -> None:
        self.moved += KEY * keys + (0.0 if self._on_keyboard else HOME)
        self.keys += keys
        self._on_keyboard = True

    def _waits(self, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        work()
        self.waited += time.perf_counter() - began


def find_kenya(hand: Hand) -> None:
    hand.open("/")
    hand.type(hand.page.locator("header .find input[type=search]"), "telegram kenya 2023")
    hand.enter()
    hand.click(hand.page.locator("main ul.briefs a").first)
    title = hand.page.locator("h1").inner_text()
    assert "Telegram" in title and "Kenya" in title, title
    assert hand.page.locator("main").get_by_text("2023").count(), "the page says when"


def compare_networks(hand: Hand) -> None:
    hand.open("/")
    hand.type(
        hand.page.locator("header .find input[type=search]"), f"x {' '.join(NETWORKS)} 17 december 2023"
    )
    hand.enter()
    hand.click(hand.page.locator("main a[href^='/explore']").first)
    rows = hand.page.locator("table.figures tbody tr")
    assert rows.count() == len(NETWORKS), rows.all_inner_texts()
    assert hand.page.locator("figure svg").first.is_visible(), "a picture compares them"


def take_numbers(hand: Hand) -> None:
    hand.open("/")
    hand.type(hand.page.locator("header .find input[type=search]"), "telegram kenya 2023")
    hand.enter()
    hand.click(hand.page.locator("main a[href^='/explore']").first)
    assert hand.page.locator("figure svg").first.is_visible(), "there is a chart"
    table = hand.take(hand.page.locator("#take + ul a", has_text="CSV")).decode()
    rows = [line for line in table.splitlines() if line and not line.startswith("#")]
    assert len(rows) > 10 and "," in rows[0], table[:500]


def list_throttling(hand: Hand) -> None:
    hand.open("/")
    hand.click(hand.page.locator("header nav a[href^='/incidents']"))
    links = hand.page.locator("main nav.windows")
    hand.click(links.locator("a[href*='kind=throttling']"))
    hand.click(links.locator("a[href*='began=2023']").first)
    listed = hand.page.locator("ol.index li small")
    assert listed.count() >= 1
    for one in listed.all_inner_texts():
        assert "Throttling" in one and "-2023-" in one, one


def approve_held(hand: Hand) -> None:
    hand.open("/desk/login")
    hand.type(hand.page.locator("[name=secret]"), TOKEN)
    hand.keys -= len(TOKEN)  # pasted, or filled in by the browser
    hand.moved -= KEY * len(TOKEN)
    hand.enter()
    hand.click(hand.page.locator(".queue a").first)
    hand.type(hand.page.locator("[name=by]").first, "duty editor")
    hand.click(hand.page.locator("button[value=approve]"))
    assert "Approved." in hand.page.locator(".done").inner_text()


@dataclass(frozen=True)
class Measured:
    """One task, in the last of ``TRIES``; times in seconds."""

    task: str
    scripts: bool
    clicks: int
    keys: int
    pages: int
    waited: float
    person: float


TASKS: dict[str, tuple[str, Callable[[Hand], None]]] = {
    "Find Telegram in Kenya, 2023": ("KE", find_kenya),
    "Compare X on three networks, 17 December 2023": ("PK", compare_networks),
    "Download the numbers behind a chart": ("KE", take_numbers),
    "List all throttling of 2023": ("PK", list_throttling),
    "Approve an incident that waits": ("PK", approve_held),
}
"""Name -> the store, and the actions."""


def fill(folder: Path, country: str, data: Path) -> None:
    """A store; the incident of Pakistan waits."""
    with open_store(folder) as store:
        if country == "KE":
            ingest.ingest(store, "ooni-csv", [data / "ooni" / name for name in TABLES])
            return
        rally = folder.with_name("rally.jsonl")
        pakistan.write(rally, seed=3)
        store.ledger.hold_national(True)
        ingest.ingest(store, "ooni", [rally])


def hold_again(owner: OneThread) -> None:
    """Hold the incident again, so that there is something to approve at each try."""

    def once(store: Store) -> None:
        known = store.ledger.incidents("PK", synthetic=True)
        if not any(one.held_by for one in known):
            confirmed = [one for one in known if one.confirmed_at]
            Hold(confirmed[0].id, "duty editor").perform(store)

    with ThreadPoolExecutor(1) as thread:  # Playwright has an event loop in this one
        thread.submit(asyncio.run, owner.ask(once)).result()


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, OneThread]]:
    """Serve the store's pages and desk as ``fanous run`` does; yields their address."""
    began = time.monotonic()
    site = Site(clock=lambda: NOW + time.monotonic() - began, token=TOKEN)
    with (
        OneThread(lambda: open_store(folder)) as owner,
        serving.served(application(owner.ask, site)) as address,
    ):
        yield address, owner


def done(browser: Browser, address: str, task: str, pictures: Path | None, *, scripts: bool) -> Measured:
    """Do a task in a new window."""
    context = browser.new_context(java_script_enabled=scripts, locale="en-GB", accept_downloads=True)
    hand = Hand(context.new_page(), address)
    try:
        TASKS[task][1](hand)
        if pictures is not None:
            number = list(TASKS).index(task) + 1
            hand.page.screenshot(
                path=pictures / f"task-{number}-{'with' if scripts else 'without'}-scripts.png"
            )
    finally:
        context.close()
    return Measured(
        task,
        scripts,
        hand.clicks,
        hand.keys,
        hand.pages,
        round(hand.waited, 2),
        round(hand.moved + hand.waited, 1),
    )


def main() -> None:
    data, path = os.environ.get("FANOUS_SHARED_DATA", ""), shutil.which("chromium")
    if not Path(data, "ooni", TABLES[0]).is_file() or path is None:
        sys.exit("needs Chromium, and OONI's tables of Kenya in the folder that FANOUS_SHARED_DATA names")
    pictures = Path(sys.argv[sys.argv.index("--pictures") + 1]) if "--pictures" in sys.argv else None
    found = []
    with tempfile.TemporaryDirectory() as folder:
        stores = Path(sys.argv[sys.argv.index("--stores") + 1] if "--stores" in sys.argv else folder)
        for country in ("KE", "PK"):
            if not (stores / country).exists():
                fill(stores / country, country, Path(data))
            with (
                served(stores / country) as (address, owner),
                sync_playwright() as playwright,
                playwright.chromium.launch(executable_path=path, args=FLAGS) as browser,
            ):
                for task, (there, _) in TASKS.items():
                    for scripts in (True, False) if there == country else ():
                        for _ in range(TRIES):
                            if country == "PK":
                                hold_again(owner)
                            last = done(browser, address, task, pictures, scripts=scripts)
                        found.append(last)
    found.sort(key=lambda one: list(TASKS).index(one.task))
    if "--json" in sys.argv:
        print(json.dumps({"tasks": [asdict(one) for one in found]}, indent=2))
        return
    print(f"{'task':47} {'scripts':7} {'clicks':>6} {'keys':>5} {'pages':>5} {'waits':>7} {'a person':>9}")
    for one in found:
        print(
            f"{one.task:47} {'yes' if one.scripts else 'no':7} {one.clicks:>6} {one.keys:>5} {one.pages:>5} "
            f"{one.waited:>5.2f} s {one.person:>7.1f} s"
        )


if __name__ == "__main__":
    main()
