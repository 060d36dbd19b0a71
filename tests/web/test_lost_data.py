"""Data removed or replaced while they are shown: readers are told, and the monitor goes on as soon as it can."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from fanous.errors import FanousError
from fanous.monitor.intake import _complete
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from fanous.web import live
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.wording.language import LANGUAGES
from tests.copies import copy_of
from tests.each import each
from tests.web.visits import NOW

LATER = NOW + 7 * 3600
HERE = "http://here"
MAIN = '<main id="main">'
NOTICE = '<main id="main"><p class="notice">'
"""Only this notice is added within a page that was made before."""


def without_ledger(folder: Path) -> None:
    (folder / "ledger.sqlite").rename(folder / "aside")


def with_an_older_ledger(folder: Path) -> None:
    shutil.copy(folder / "ledger.sqlite", folder / "older")
    (folder / "older").rename(folder / "ledger.sqlite")


def without_facts(folder: Path) -> None:
    shutil.rmtree(folder / "facts")


async def seen(folder: Path, damage: Callable[[Path], None], owner: OneThread) -> dict[str, Any]:
    """What readers get before the damage, after it, and once the monitor has done what it can."""
    clock, found = [NOW], dict[str, Any]()
    app = application(owner.ask, Site(clock=lambda: clock[0]))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=HERE) as client,
    ):

        async def pages() -> dict[str, httpx.Response]:
            return {code: await client.get(f"/PK?lang={code}") for code in LANGUAGES}

        async def until(is_marked: bool) -> dict[str, httpx.Response]:
            async with asyncio.timeout(20):
                while {NOTICE in one.text for one in (await pages()).values()} != {is_marked}:
                    await asyncio.sleep(0.02)
            return await pages()

        found["before"] = await pages()
        damage(folder)
        clock[0] = LATER
        found["pages"] = await until(is_marked=True)
        found["others"] = [await client.get(path) for path in ("/IR", "/api/v1/incidents", "/feed.atom")]
        try:
            await owner.ask(_complete)
            found["then"] = await until(is_marked=False)
        except FanousError as error:
            found["error"] = str(error)
        (folder / "aside").exists() and (folder / "aside").rename(folder / "ledger.sqlite")
        found["again"] = await until(is_marked=False)
        found["votes"] = len(await owner.ask(votes))
    return found


def votes(store: Store) -> tuple[str, ...]:
    return tuple(store.about("PK").facts.votes("PK", 0.0, 2e9).uids)


async def first_votes(owner: OneThread) -> tuple[str, ...]:
    return await owner.ask(votes)


@each("damage", [without_ledger, with_an_older_ledger, without_facts], ids=lambda one: one.__name__)
def test_readers_are_told_in_each_language_and_the_monitor_recovers(
    damage: Callable[[Path], None], rally_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "POLL_SECONDS", 0.02)
    folder = copy_of(rally_folder, tmp_path / "store")
    with OneThread(lambda: open_store(folder)) as owner:
        whole = len(asyncio.run(first_votes(owner)))
        found = asyncio.run(seen(folder, damage, owner))
    for code, page in found["pages"].items():
        assert page.status_code == 200
        before, after = found["before"][code].text.split(MAIN), page.text.split(NOTICE)
        assert after[0] == before[0], "nothing else is changed"
        notice, _, rest = after[1].partition("</p>")
        assert rest == before[1]
        assert code == "en" or "monitor has not" not in notice
    told = found["pages"]["en"].text.split(NOTICE)[1].partition("</p>")[0]
    assert told.startswith(
        "Since 18 December 2023, 07:00 UTC, this monitor has not been able to read its data."
    )
    assert "from 18 December 2023, 00:00 UTC" in told
    assert [one.status_code for one in found["others"]] == [503] * 3
    assert all(one.headers["retry-after"] for one in found["others"])
    assert (damage is without_ledger) == ("removed or replaced" in found.get("error", ""))
    assert found["again"]["en"].status_code == 200
    assert found["votes"] == whole > 0
