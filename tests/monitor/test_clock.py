"""A lab's clock: how fast it runs, and that whatever it dates says so."""

import json
from time import time

import pytest

from fanous.monitor.clock import Clock, ClockedNetwork
from fanous.probe.net.network import Meter


def test_by_default_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    clock = Clock()
    assert (clock(), clock.lasts(600.0), clock.notice) == (1_700_000_000.0, 600.0, "")
    assert clock.marked(b'{"annotations": {}}') == b'{"annotations": {}}'


def test_a_fast_one_goes_on_where_it_was_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_010.0)
    assert Clock(600.0, 1_700_000_000.0)() == Clock(600.0, 1_700_000_000.0)() == 1_700_006_000.0
    assert Clock(600.0, 1_700_000_000.0).lasts(600.0) == 1.0


def test_what_it_dates_says_so() -> None:
    clock = Clock(600.0, 1_700_000_000.0)
    assert (
        clock.notice == "Lab: the clock here runs 600 times as fast as real time, since 2023-11-14T22:13:20Z"
    )
    marked = json.loads(clock.marked(b'{"annotations": {"platform": "linux"}, "input": null}'))
    assert marked == {
        "annotations": {
            "platform": "linux",
            "x_clock": "600 times as fast since 2023-11-14T22:13:20Z",
        },
        "input": None,
    }


def test_measurements_over_its_network_are_dated_by_it() -> None:
    clock = Clock(2.0, time() - 1_000_000)
    assert ClockedNetwork(clock, Meter()).wall() > time() + 900_000
