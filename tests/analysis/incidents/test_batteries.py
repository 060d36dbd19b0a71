"""Networks that fell at once and went on sinking, and networks that were cut."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fanous.analysis.incidents.hints import sank
from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Series
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import drop, key
from tests.each import each

GTR, BGP = "gtr", "bgp"

Course = Callable[[float], float]
"""Hours since the onset -> share of the ordinary level that is left."""


def portugal(hour: float) -> float:
    """28 April 2025, after Cloudflare Radar: half at once, a tenth five hours later."""
    return float(np.interp(hour, [0, 5, 12, 20], [0.5, 0.1, 0.1, 1]))


def cut(hour: float) -> float:
    return 0.03 if hour < 12 else 1.0


def half(hour: float) -> float:
    return 0.5 if hour < 12 else 1.0


def lines(courses: dict[int, Course], signal: str = GTR, days: int = 8) -> tuple[list[Anomaly], list[Series]]:
    """Half-hourly lines with a day's course, on networks that each follow a course from Monday noon on."""
    onset = 12.0
    hours = np.arange(-24 * days, 48, 0.5)
    ordinary = 100 + 60 * np.sin(2 * np.pi * (hours - 9) / 24)
    found, series = [], []
    for asn, course in courses.items():
        left = np.array([1.0 if hour < onset else course(hour - onset) for hour in hours])
        ones = np.ones(len(hours), np.int64)
        times = (MONDAY + HOUR * hours).astype(np.int64)
        series.append(Series(key(signal, asn), 1800, times, ordinary * left, ones, 0 * ones, ones))
        found.append(drop(signal, onset, onset + 20, asn=asn))
    return found, series


@each(
    ("courses", "expected"),
    [
        ({1: portugal, 2: portugal, 3: portugal}, True),
        ({1: portugal, 2: portugal, 3: half, 4: half}, True),
        ({1: portugal, 2: portugal, 3: half, 4: half, 5: half}, False),  # most did not sink on
        ({1: portugal}, False),  # one network may be cut piece by piece
        ({1: cut, 2: cut, 3: cut}, False),
        ({1: half, 2: half}, False),
        ({0: portugal}, False),  # the country's line alone: operators may follow one after another
    ],
)
def test_most_networks_have_to_sink_on(courses: dict[int, Course], expected: bool) -> None:
    assert (sank(*lines(courses)) is not None) is expected


def test_how_many_sank_is_said() -> None:
    told = sank(*lines({1: portugal, 2: portugal, 3: half}))
    assert told == Reason("hint.sank", {"some": 2, "all": 3})


def test_routers_tell_nothing_of_customers_power() -> None:
    assert not sank(*lines({1: portugal, 2: portugal}, BGP))


def test_without_days_before_nothing_is_ordinary() -> None:
    assert not sank(*lines({1: portugal, 2: portugal}, days=0))


def test_gaps_are_no_values() -> None:
    found, series = lines({1: portugal, 2: portugal})
    thin = [
        replace(
            one,
            times=one.times[::3],
            values=one.values[::3],
            counts=one.counts[::3],
            controlled=one.controlled[::3],
            measurements=one.measurements[::3],
        )
        for one in series
    ]
    assert sank(found, thin)
    assert not sank(found, [])
