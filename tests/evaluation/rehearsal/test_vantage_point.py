"""A vantage point of the lab: what it measures side by side, and what not."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from fanous.model.verdict import State
from fanous.probe.outcome import Outcome, Speed
from fanous.probe.settings import Settings
from fanous.probe.trace import ProbeVantage
from fanous_lab.evaluation.rehearsal.score import LabClock
from fanous_lab.evaluation.rehearsal.vantage_point import Duty, LabProbe
from tests.builders import FakeNetwork

X, YOUTUBE = "https://x.com/", "https://www.youtube.com/"
SLOW = Outcome(
    X, "x", "web", State.THROTTLED, "", "", False, {}, (), speed=Speed(137.0, control_kbps=9_000.0, of="page")
)


@pytest.fixture
def probe(tmp_path: Path) -> LabProbe:
    duty = Duty("as1-1", ProbeVantage("PK", 1), (X, YOUTUBE), (), Settings(most_body=65_536))
    made = LabProbe(duty, FakeNetwork(), tmp_path, "http://192.0.2.1", LabClock(0.0, 0.0, 300.0))
    made._tick = 2.0
    return made


def test_a_target_whose_data_come_slowly_is_not_measured_twice_at_once(probe: LabProbe) -> None:
    probe._done(SLOW)
    with probe._measuring([X, YOUTUBE]) as first, probe._measuring([X, YOUTUBE]) as second:
        assert (first, second) == ([X, YOUTUBE], [YOUTUBE])
    with probe._measuring([X, YOUTUBE]) as later:
        assert later == [X, YOUTUBE]


def test_slow_targets_begin_together_so_that_their_rates_are_of_one_time(probe: LabProbe) -> None:
    probe._done(SLOW)
    with probe._measuring([X]):
        probe._done(replace(SLOW, url=YOUTUBE))
        with probe._measuring([X, YOUTUBE]) as second:
            assert second == []
    with probe._measuring([X, YOUTUBE]) as later:
        assert later == [X, YOUTUBE]


@pytest.mark.parametrize("speed", [Speed(9_000.0, None, "page"), None])
def test_one_that_is_fast_or_silent_is(probe: LabProbe, speed: Speed | None) -> None:
    """A silent one takes longer than a tick too, and costs the others no time."""
    probe._done(replace(SLOW, speed=speed))
    with probe._measuring([X]), probe._measuring([X]) as second:
        assert second == [X]


def test_measurements_that_leave_no_time_for_a_time_out_are_counted(probe: LabProbe) -> None:
    """22 s for an endpoint and 6 s for a handshake; a check of the line counts for itself."""
    for seconds, url in ((15.9, X), (16.1, X), (16.1, None)):
        probe._write_in_round(msgspec.json.encode({"input": url, "test_runtime": seconds}))
    assert (probe.kept.sites, probe.kept.hurried, probe.kept.measurements) == (2, 1, 3)


def test_one_that_is_fast_again_is_measured_as_the_others(probe: LabProbe) -> None:
    probe._done(SLOW)
    probe._done(replace(SLOW, speed=Speed(9_000.0, None, "page")))
    with probe._measuring([X]), probe._measuring([X]) as second:
        assert second == [X]
