"""What came, played at the rates of live video."""

import pytest

from fanous.probe.stream import LEVELS, SECONDS, play


def steady(kbps: float, seconds: float = 10.0) -> list[list[float]]:
    """A download that comes evenly, in ten reads a second."""
    return [[at / 10, kbps * 125 * at / 10] for at in range(1, int(seconds * 10) + 1)]


@pytest.mark.parametrize(
    ("kbps", "watchable"),
    [
        (137.0, [False, False, False]),  # a policer of 2021
        (450.0, [True, False, False]),
        (1_400.0, [True, True, False]),
        (3_500.0, [True, True, True]),
    ],
)
def test_a_steady_flow_carries_what_its_rate_carries(kbps: float, watchable: list[bool]) -> None:
    assert [
        play(steady(kbps), 10.0, rate, was_cut_off=True).watchable for rate in LEVELS.values()
    ] == watchable


def test_a_burst_that_freezes_carries_nothing() -> None:
    frozen = play([[0.1, 18_000]], 10.0, LEVELS["240p"], was_cut_off=True)
    assert (frozen.watchable, frozen.startup) == (False, None)


def test_a_stall_in_the_middle_is_counted_from_when_nothing_was_left() -> None:
    reads = [[1.0, 100_000], [6.0, 300_000]]  # two seconds of 400 kbit/s are there after one
    seen = play(reads, 10.0, 400, was_cut_off=True)
    assert (seen.startup, seen.stalled, seen.watchable) == (1.0, 3.0, False)


def test_after_a_stall_it_goes_on_with_one_second() -> None:
    trickle = [[1.0, 100_000], [6.0, 150_000], [7.0, 200_000], [8.0, 250_000], [9.0, 300_000]]
    assert play(trickle, 10.0, 400, was_cut_off=True).stalled == 3.0


def test_what_came_at_once_plays_to_its_end() -> None:
    seen = play([[0.2, 400 * 125 * SECONDS]], 0.2, 400, was_cut_off=False)
    assert (seen.watchable, seen.startup, seen.stalled) == (True, 0.2, 0.0)


@pytest.mark.parametrize(("reads", "cut", "watchable"), [([[0.2, 9_000]], False, None), ([], True, False)])
def test_too_little_tells_nothing_unless_time_was_over(
    reads: list[list[float]], cut: bool, watchable: bool | None
) -> None:
    assert play(reads, 10.0, 400, was_cut_off=cut).watchable is watchable
