"""What probes on a network say over time."""

from collections.abc import Iterable

import pytest

from fanous.evaluation.simulate.series import STEP, Life, SimulatedVote, series_of, votes_of

DAYS_10 = 240.0


def share(votes: Iterable[SimulatedVote]) -> float:
    failed = [vote.failed for vote in votes]
    return sum(failed) / len(failed)


def test_the_same_seed_gives_the_same_votes() -> None:
    assert votes_of(Life(), 48, 3) == votes_of(Life(), 48, 3)
    assert votes_of(Life(), 48, 3) != votes_of(Life(), 48, 4)


def test_rates_are_per_probe_and_hour() -> None:
    votes = votes_of(Life(probes=4, rounds_per_hour=2), DAYS_10, 1)
    assert len(votes) == pytest.approx(4 * 2 * DAYS_10, rel=0.1)
    assert len({vote.probe for vote in votes}) == 4


def test_a_restriction_catches_its_share_and_only_while_it_lasts() -> None:
    votes = votes_of(Life(probes=10, rounds_per_hour=4, bursts_per_day=0, blocked=((100, 124),)), DAYS_10, 1)
    within = [vote for vote in votes if 100 <= vote.hour < 124]
    assert share(within) == pytest.approx(0.93, abs=0.03)
    assert share(vote for vote in votes if vote not in within) == pytest.approx(0.01, abs=0.005)


def test_bursts_cluster_failures_and_spoil_the_controls() -> None:
    calm = votes_of(Life(probes=5, rounds_per_hour=6, bursts_per_day=0), DAYS_10, 2)
    stormy = votes_of(Life(probes=5, rounds_per_hour=6, bursts_per_day=2), DAYS_10, 2)
    assert share(stormy) > 2 * share(calm)
    assert all(vote.controlled for vote in calm)
    uncontrolled = [vote for vote in stormy if not vote.controlled]
    assert share(uncontrolled) == pytest.approx(0.7, abs=0.08)


def test_a_shared_burst_is_felt_by_all_probes_at_once() -> None:
    life = Life(probes=6, rounds_per_hour=12, bursts_per_day=0, shared_bursts_per_day=1, failure_rate=0)
    votes = [vote for vote in votes_of(life, 72, 5) if vote.failed]
    first = votes[0].hour
    assert len({vote.probe for vote in votes if vote.hour < first + 0.5}) >= 4


def test_broken_and_lying_probes_fail_without_any_restriction() -> None:
    votes = votes_of(Life(probes=1, broken=1, lying=1, bursts_per_day=0), DAYS_10, 1)
    by_kind = {
        kind: share(v for v in votes if v.probe.startswith(kind)) for kind in ("sound", "broken", "lying")
    }
    assert by_kind["broken"] == 1
    assert by_kind["lying"] == pytest.approx(0.5, abs=0.1)
    assert by_kind["sound"] < 0.05
    assert not any(vote.controlled for vote in votes if vote.probe == "broken-0")


def test_no_one_measures_in_silence() -> None:
    votes = votes_of(Life(silent=((10, 50),)), 60, 1)
    assert [vote for vote in votes if 10 <= vote.hour < 50] == []
    assert votes_of(Life(rounds_per_hour=0), 60, 1) == []


def test_a_probe_has_one_vote_a_bin() -> None:
    made = [
        SimulatedVote(0.01, "a", True, True),
        SimulatedVote(0.02, "a", True, True),
        SimulatedVote(0.03, "a", False, False),
        SimulatedVote(0.04, "b", False, True),
        SimulatedVote(1.0, "b", True, False),
        SimulatedVote(1.01, "b", False, False),  # a tie counts as failed
    ]
    series = series_of(made)
    assert (series.times - series.times[0]).tolist() == [0, 6 * STEP]
    assert series.values.tolist() == [0.5, 1.0]
    assert series.counts.tolist() == [2, 1]
    assert series.controlled.tolist() == [2, 0]
    assert series.measurements.tolist() == [4, 2]
