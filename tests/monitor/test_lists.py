"""Lists of sites under `fanous run`: what is lacking is offered, and what was fetched is renewed."""

import logging
import os
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.monitor import lists as monitor_lists
from fanous.monitor.lists import RENEWED_AFTER, SiteLists
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


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> "Publisher":
    found = Publisher()
    monkeypatch.setattr(monitor_lists, "download", found.fetch)
    return found


class Publisher:
    """Citizen Lab's lists, of which one is gone."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.asked.append(url.rpartition("/")[2])
        if self.asked[-1] == "in.csv":
            raise FanousError("404")
        return f"url\nhttps://{OUTLET}/\n".encode()


def test_an_old_list_is_fetched_again_and_one_that_is_gone_stays(
    folder: Path, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    installed(folder, "pk"), installed(folder, "in")
    lists = SiteLists({"PK"}, lambda: FETCHED_AT + RENEWED_AFTER)
    lists.renew()
    assert publisher.asked == [], "they are a week old, and no more"
    assert OUTLET not in watched()
    lists = SiteLists({"PK"}, lambda: FETCHED_AT + RENEWED_AFTER + 1)
    lists.renew()
    assert publisher.asked == ["in.csv", "pk.csv"]
    assert OUTLET in watched() and "news.example" in watched()
    assert "404" in caplog.text
    publisher.asked.clear()
    lists.renew()
    assert publisher.asked == ["in.csv"], "only that which could not be had"


def test_what_was_never_fetched_is_offered_and_not_fetched(
    folder: Path, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    installed(folder, "global")
    lists = SiteLists({"PK", "KE"}, lambda: FETCHED_AT + 2 * DAY)
    with caplog.at_level(logging.WARNING):
        lists.offer()
    assert "ke,pk" in caplog.text and "fanous refdata lists KE PK" in caplog.text
    lists.renew()
    assert publisher.asked == []
    installed(folder, "pk"), installed(folder, "ke")
    caplog.clear()
    lists.offer()
    assert caplog.text == ""
