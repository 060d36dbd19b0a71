"""Rounds from vantage points of others under `fanous run`: at their own pace, and only what may be asked."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fanous.errors import FanousError
from fanous.model.instant import HOUR
from fanous.monitor.clock import Clock
from fanous.monitor.sources import AGAIN, Remote, errands
from fanous.pipeline.judge import Ingested
from fanous.pipeline.remote import one_round
from fanous.sources.publishers import source_settings
from fanous.sources.remote import client
from fanous.store.local import open_store
from fanous.store.protocol import OneThread
from tests.sources.remote.fake_globalping import FakeGlobalping, globalping
from tests.sources.remote.worlds import ABROAD, PAKISTAN


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "GLOBALPING_BETWEEN", 0.0)


def written(tmp_path: Path, more: str) -> Path:
    config = tmp_path / "fanous.toml"
    config.write_text(f'[sources.globalping]\ncountries = ["PK"]\n{more}\n')
    return config


class Later(Clock):
    """A clock that tests move on."""

    moment = 1_795_000_000.0

    def __call__(self) -> float:
        return self.moment


def rounds(tmp_path: Path, server: FakeGlobalping, waits: list[float]) -> list[Ingested | None]:
    """One attempt after each wait."""
    config = written(tmp_path, f'mirror = "{server.address}"\nlists = ["ai"]')

    async def play(owner: OneThread) -> list[Ingested | None]:
        clock = Later()
        task = Remote(owner.ask, errands(source_settings(config)), clock)
        found = []
        for wait in waits:
            Later.moment += wait
            found.append(await task.run_one(task._wanted[0]))
        return found

    with OneThread(lambda: open_store(tmp_path / "store")) as owner:
        return asyncio.run(play(owner))


def test_a_round_an_hour_also_across_restarts(tmp_path: Path) -> None:
    with globalping(*PAKISTAN, *ABROAD, slow=0) as server:
        first, early, second = rounds(tmp_path, server, [0, HOUR - 1, 1])
        (restarted,) = rounds(tmp_path, server, [HOUR - 1])
    assert first is not None
    assert second is not None
    assert first.stored > 0
    assert (early, restarted) == (None, None)


def test_a_round_that_was_cut_off_is_not_ordered_again_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise SystemExit

    with globalping(*PAKISTAN, *ABROAD, slow=0) as server:
        with monkeypatch.context() as cut:
            cut.setattr("fanous.monitor.sources.bring_round", dies)
            with pytest.raises(SystemExit):
                rounds(tmp_path, server, [0])
        ordered = len(server.orders)
        early, due = rounds(tmp_path, server, [HOUR - 1, 1])
    assert ordered > 0
    assert early is None
    assert due is not None


def test_what_could_not_be_reached_is_tried_again_within_minutes_and_ordered_once_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = iter([True, True])

    def reached(*given: Any, **more: Any) -> Iterator[bytes]:
        if next(down, False):
            raise FanousError("cannot reach it", permanent=False)
        return one_round(*given, **more)

    monkeypatch.setattr("fanous.monitor.sources.one_round", reached)
    with globalping(*PAKISTAN, *ABROAD, slow=0) as server:
        tried = rounds(tmp_path, server, [0, AGAIN - 1, 1, AGAIN, AGAIN, AGAIN, HOUR - AGAIN])
    assert [one is not None for one in tried] == [False, False, False, False, True, False, True]


def test_a_country_without_vantage_points_is_tried_again_and_nothing_is_ordered(tmp_path: Path) -> None:
    with globalping(*ABROAD, slow=0) as server:
        assert rounds(tmp_path, server, [0, AGAIN, HOUR]) == [None, None, None]
        assert server.orders == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('lists = ["circumvention"]', "other people's lines"),
        ('lists = ["nothing"]', "no list 'nothing'"),
        ('token = "NOT_SET_ANYWHERE"', "set the environment variable NOT_SET_ANYWHERE"),
    ],
)
def test_what_may_not_be_asked_is_said_before_anything_begins(tmp_path: Path, more: str, why: str) -> None:
    with pytest.raises(FanousError, match=why):
        errands(source_settings(written(tmp_path, more)))


def test_atlas_measurements_want_a_key_and_the_operators_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "fanous.toml"
    config.write_text('[sources.atlas-measurements]\ncountries = ["PK"]\n')
    with pytest.raises(FanousError, match="set the environment variable RIPE_ATLAS_KEY"):
        errands(source_settings(config))
    monkeypatch.setenv("RIPE_ATLAS_KEY", "secret")
    with pytest.raises(FanousError, match=r"RIPE publishes the results .* set consent = true"):
        errands(source_settings(config))
    config.write_text('[sources.atlas-measurements]\ncountries = ["PK"]\nconsent = true\nevery = 60\n')
    (errand,) = errands(source_settings(config))
    assert errand.settings.every == 6 * HOUR


def test_a_dangerous_country_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "fanous.toml"
    config.write_text('[sources.globalping]\ncountries = ["KP"]\n')
    with pytest.raises(FanousError, match="measuring from KP is disabled"):
        errands(source_settings(config))
