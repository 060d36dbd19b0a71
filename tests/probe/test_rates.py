"""What the reads of a download say."""

import pytest

from fanous.probe.transfer import MOST_POINTS, rates


def test_a_steady_flow_has_one_rate() -> None:
    found = rates([(second, 12_500) for second in range(1, 10)], 0.0, 9.0)
    assert (found["kbps"], found["kbps_late"], found["largest_gap"]) == (100.0, 100.0, 1.0)


def test_a_burst_in_front_does_not_hide_the_rate_behind_it() -> None:
    policed = [(number / 100, 10_000) for number in range(1, 6)] + [
        (float(second), 12_500) for second in range(1, 9)
    ]
    found = rates(policed, 0.0, 8.0)
    assert found["kbps"] == 150.0
    assert found["kbps_late"] == pytest.approx(100.0, rel=0.01)


def test_a_bucket_of_more_than_a_third_of_a_short_download_does_not_either() -> None:
    """45 KB at once, then 137 kbit/s."""
    policed = [(0.1, 45_000)] + [(0.1 + number / 10, 1_712) for number in range(1, 25)]
    assert rates(policed, 0.0, 2.5)["kbps_late"] == pytest.approx(137.0, rel=0.02)


def test_what_came_in_one_piece_at_the_end_has_no_separate_rate() -> None:
    """A page of 64 KB that arrives within a millisecond after two round trips."""
    found = rates([(0.1, 14_000), (0.2995, 20_000), (0.2997, 16_000), (0.3, 15_500)], 0.0, 0.3)
    assert found["kbps_late"] is None
    assert found["kbps"] == pytest.approx(1747, rel=0.01)


def test_the_pause_after_the_last_burst_belongs_to_a_download_that_was_cut_off() -> None:
    bursts = [(number / 4, 4_280) for number in range(1, 9)]  # 137 kbit/s, a quarter of a second apart
    assert rates(bursts, 0.0, 2.2)["kbps_late"] == pytest.approx(137.0, rel=0.15)
    assert rates(bursts, 0.0, 2.2)["kbps_late"] < rates(bursts, 0.0, 2.0)["kbps_late"]
    assert rates(bursts, 0.0, 9.0)["kbps_late"] == rates(bursts, 0.0, 2.0)["kbps_late"]  # that is a stall


def test_silence_at_the_end_is_a_gap() -> None:
    frozen = rates([(0.1, 8_000), (0.2, 8_000)], 0.0, 10.2)
    assert frozen["largest_gap"] == 10.0
    assert frozen["bytes"] == frozen["stall_offset"] == 16_000


def test_the_offset_of_a_stall_is_what_had_come_before_it() -> None:
    assert rates([(0.1, 8_000), (5.0, 8_000)], 0.0, 5.0)["stall_offset"] == 8_000
    assert rates([(5.0, 8_000)], 0.0, 5.0)["stall_offset"] == 0
    assert rates([(0.1, 8_000), (2.0, 8_000)], 0.0, 2.0)["stall_offset"] is None


@pytest.mark.parametrize("reads", [[], [(0.0, 100)]])
def test_what_cannot_have_a_rate_has_none(reads: list[tuple[float, int]]) -> None:
    assert rates(reads, 0.0, 1.0)["kbps"] is None


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    curve = rates([(number / 100, 1) for number in range(1, 1001)], 0.0, 10.0)["reads"]
    assert len(curve) <= MOST_POINTS + 1
    assert curve[-1] == [10.0, 1000]
