"""What a place lost on the same days of earlier years."""

import numpy as np

from fanous.analysis.series.baselines import RETURNS, lost_as_much
from tests.analysis.detectors.quantity_series import HOUR, cut, daily, without
from tests.builders import DAY
from tests.each import each

DAYS = 900
FEAST = 700 * 24
"""Hours since the beginning."""


def asked(lag: int, then: float, now: float = 0.75, *, seen: bool = True) -> int | None:
    series = daily(DAYS, noise=0.01, step=7200)
    before = FEAST - lag * 24
    series = cut(cut(series, before, before + 8, then), FEAST, FEAST + 8, now)
    if not seen:
        series = without(series, before - 1, before + 9)
    start = DAY + FEAST * HOUR
    return lost_as_much(series, float(start), float(start + 8 * HOUR))


@each("lag", RETURNS)
def test_a_feast_that_returns_by_any_calendar_is_known_by_its_year(lag: int) -> None:
    then = np.datetime64(int(DAY + (FEAST - lag * 24) * HOUR), "s").astype("datetime64[Y]").astype(int) + 1970
    assert asked(lag, 0.74) == then


def test_a_deeper_loss_another_day_or_an_outage_excuses_nothing() -> None:
    assert asked(365, 0.85) is None, "it is deeper now"
    assert asked(340, 0.74) is None, "no calendar returns after 340 days"
    assert asked(365, 0.3, 0.6) is None, "then it was an outage itself"
    assert asked(365, 0.74, seen=False) is None, "then nothing was measured"
    assert asked(365, 0.74) is not None


def test_without_a_year_of_history_nothing_is_excused() -> None:
    series = cut(daily(60, step=7200), 1000, 1008, 0.7)
    start = float(DAY + 1000 * HOUR)
    assert lost_as_much(series, start, start + 8 * HOUR) is None


def test_what_led_up_to_a_loss_is_compared_with_the_same_hours_then() -> None:
    """A morning that is low for hours, and lowest in the last, as in the year before."""
    series = daily(DAYS, noise=0.01, step=7200)
    for lag, least in ((365, 0.8), (0, 0.79)):
        begin = FEAST - lag * 24
        series = cut(cut(series, begin, begin + 6, 0.9), begin + 6, begin + 8, least)
    start = float(DAY + FEAST * HOUR)
    assert lost_as_much(series, start, start + 8 * HOUR) is not None
