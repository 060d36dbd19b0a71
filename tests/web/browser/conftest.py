"""A real browser (Debian's Chromium) on the pages of a real store, both started once.

Both end with this package: Playwright's event loop would be in the way of other tests', and a process has one
store open at a time.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from fanous.model.claim import Claim, Said
from fanous.model.event import AnnouncedEvent
from fanous.model.instant import from_iso
from fanous.model.measurement import Provenance
from fanous.model.place import Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.monitor.demo import NOTICE
from fanous.store.local import open_store
from fanous.store.protocol import OneThread
from fanous.web.answers import Site
from fanous.web.application import application
from tests.copies import copy_of
from tests.serving import served

AFTERWARDS = from_iso("2023-12-19T00:00Z")
RALLY = AnnouncedEvent(
    "PK", from_iso("2023-12-17T16:00Z"), from_iso("2023-12-17T19:00Z"), "Virtual rally", ("x",)
)
CLAIM = Claim(
    "NetBlocks",
    Said.DISRUPTED,
    "PK",
    from_iso("2023-12-17T14:00Z"),
    from_iso("2023-12-17T23:00Z"),
    hours=7,
    link="https://netblocks.example/",
    quote="a nation-scale disruption",
)

expect.set_options(timeout=20_000)
"""Milliseconds; other tests keep the machine busy, and Playwright's own five seconds are soon over."""

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
"""Chromium without windows takes two thirds of the time."""

FLAGS = [
    "--no-sandbox",  # in a container it cannot be set up, and the pages are our own
    "--disable-gpu",
    "--disable-gpu-rasterization",  # Debian's package turns it on; drawn by the processor it takes longer
    "--disable-software-rasterizer",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def routing() -> SourceSeries:
    """Four weeks of routing, as ordinary as can be."""
    times = np.arange(AFTERWARDS - 28 * 86_400, AFTERWARDS, 3600).astype(np.int64)
    key = SeriesKey(Place("PK"), "", "bgp", source="ripestat")
    return SourceSeries(key, 3600, times, 4000 + np.sin(times / 7200) * 20)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, (
        f"these tests need Chromium: apt-get install {BROWSERS[0]} (or leave them out: -m 'not browser')"
    )
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=FLAGS) as started,
    ):
        yield started


@pytest.fixture(scope="package")
def monitor(rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the pages about the generated event."""
    folder = copy_of(rally_folder, tmp_path_factory.mktemp("monitor") / "store")
    with open_store(folder) as store:
        store.ledger.add_event(RALLY, at=RALLY.start - 86_400)
        store.ledger.add_claim(CLAIM)
        store.of(Provenance.SYNTHETIC).facts.put_series([routing()])
    site = Site(notice=NOTICE, clock=lambda: AFTERWARDS)
    with (
        OneThread(lambda: open_store(folder, read_only=True)) as owner,
        served(application(owner.ask, site)) as address,
    ):
        yield address
