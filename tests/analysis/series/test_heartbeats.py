"""When a silence is longer than a network's habit."""

import numpy as np

from fanous.analysis.series.silence import HEARD_BINS, heartbeat
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from tests.each import each

STEP, HOUR, DAY = 600, 3600, 86_400
START = 1_700_006_400
"""A midnight."""


def volume(times: list[int]) -> Series:
    n = len(times)
    ones = np.ones(n, np.int64)
    return Series(
        key=SeriesKey(Place("PK", 17557), "", "measurements"),
        step=STEP,
        times=np.array(times, np.int64),
        values=ones.astype(np.float64),
        counts=ones,
        controlled=0 * ones,
        measurements=ones,
    )


def steady(hours: float) -> list[int]:
    """Heard in every bin."""
    return list(range(START, START + int(hours * HOUR), STEP))


def by_day(days: int) -> list[int]:
    """Heard from 8 to 20 o'clock, and on two days of seven not at all."""
    return [
        START + day * DAY + hour * HOUR + part * STEP
        for day in range(days)
        if day % 7 not in (5, 6)
        for hour in range(8, 20)
        for part in range(6)
    ]


@each(
    ("times", "after", "silent"),
    [
        (steady(24), 0, False),
        (steady(24), 2 * STEP, False),  # one bin missed, and the present one
        (steady(24), 2 * STEP + 1, True),
        (by_day(26), 12 * HOUR, False),  # a night
        (by_day(26), 60 * HOUR, False),  # a weekend is its habit
        (by_day(26), 60 * 1.5 * HOUR + 1, True),
        (by_day(5), 12 * HOUR, False),
        (by_day(5), 18 * HOUR + 1, True),  # it has known no weekend yet
        ([*steady(10), *(t + 3 * DAY for t in steady(10))], HOUR, True),  # a cut of once is no habit
    ],
)
def test_a_network_is_silent_when_it_is_so_for_longer_than_it_is_used_to(
    times: list[int], after: float, silent: bool
) -> None:
    assert heartbeat(volume(times), times[-1] + STEP + after).silent == silent


def test_a_network_that_is_heard_seldom_has_no_habit() -> None:
    few = steady(HEARD_BINS / 6)[:-1]
    beat = heartbeat(volume(few), few[-1] + 300 * DAY)
    assert (beat.habit, beat.silent) == (None, False)
    enough = steady(HEARD_BINS / 6)
    assert heartbeat(volume(enough), enough[-1] + 300 * DAY).silent


def test_nothing_was_heard_later_than_now() -> None:
    times = steady(24)
    assert heartbeat(volume(times), times[-1] + 5.0).last == times[-1] + 5.0
    assert heartbeat(volume(times), times[-1] + 5 * HOUR).last == times[-1] + STEP
