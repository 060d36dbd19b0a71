"""Lists of sites under `fanous run`: what is lacking is offered, and what was fetched is renewed."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.monitor.lists import RENEWED_AFTER, SiteLists
from fanous.refdata.update import Updated, update_lists
from fanous.refdata.watchlist import lists_folder, watched

FETCHED_AT = 1_700_000_000.0
OUTLET = "new-outlet.example"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    found = lists_folder()
    found.mkdir(parents=True)
    return found


def installed(folder: Path, name: str) -> Path:
    path = folder / f"citizenlab-{name}.csv"
    path.write_text("url\nhttps://news.example/\n")
    os.utime(path, (FETCHED_AT, FETCHED_AT))
    return path


class Publisher:
    """Citizen Lab's lists, of which one is gone."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.asked.append(url.rpartition("/")[2])
        if self.asked[-1] == "in.csv":
            raise FanousError("404")
        return f"url\nhttps://{OUTLET}/\n".encode()

    def update(self, names: Sequence[str], folder: Path) -> list[Updated]:
        return update_lists(names, folder, fetch=self.fetch)


def test_an_old_list_is_fetched_again_and_one_that_is_gone_stays(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher()
    installed(folder, "pk"), installed(folder, "in")
    lists = SiteLists({"PK"}, lambda: FETCHED_AT + RENEWED_AFTER, publisher.update)
    lists.renew()
    assert publisher.asked == [], "they are a week old, and no more"
    assert OUTLET not in watched()
    lists = SiteLists({"PK"}, lambda: FETCHED_AT + RENEWED_AFTER + 1, publisher.update)
    lists.renew()
    assert publisher.asked == ["in.csv", "pk.csv"]
    assert OUTLET in watched() and "news.example" in watched()
    assert "404" in caplog.text
    publisher.asked.clear()
    lists.renew()
    assert publisher.asked == ["in.csv"], "only that which could not be had"


def test_what_was_never_fetched_is_offered_and_not_fetched(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher()
    installed(folder, "global")
    lists = SiteLists({"PK", "KE"}, lambda: FETCHED_AT + 2 * DAY, publisher.update)
    with caplog.at_level(logging.WARNING):
        lists.offer()
    assert "ke,pk" in caplog.text and "fanous refdata lists KE PK" in caplog.text
    lists.renew()
    assert publisher.asked == []
    installed(folder, "pk"), installed(folder, "ke")
    caplog.clear()
    lists.offer()
    assert caplog.text == ""
