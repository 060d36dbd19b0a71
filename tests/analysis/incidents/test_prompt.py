"""A loss of nearly everything that two hands show is confirmed within the hour after their values can be known."""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.analysis.series.signals import SIGNALS, Value, deliverer_of, lag_of
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Place
from fanous.model.series import Floats, Series, SeriesKey
from fanous.pipeline.outages import found_in
from tests.each import each

SOURCES = {
    "ping-slash24": "ioda",
    "bgp": "ioda",
    "merit-nt": "ioda",
    "prefixes_v4": "ripestat",
    "radar_netflows": "radar",
    "google_traffic": "google",
    "scan_up": "scan",
}
CUT = 20 * DAY
LEVEL, LEFT = 1000, 0.02

Course = Callable[[Floats, int], Floats]
"""Share left so many seconds after the cut, of the first or the second of two series."""


def measured(signal: str, start: float, seed: int, course: Callable[[Floats], Floats]) -> Series:
    """Thirty days as the publisher of the signal sees them."""
    about = SIGNALS[signal]
    times = 1000 * DAY + about.step * np.arange(30 * DAY // about.step, dtype=np.int64)
    since = (times - start).astype(np.float64)
    parts = [0.0] if about.value is Value.SAMPLE else (np.arange(20) + 0.5) / 20 * about.step
    lost = np.mean([course(since + part) for part in parts], axis=0)
    noise = 0.03 if about.of_people else 0.005
    daily = 1 + (0.3 if about.of_people else 0.02) * np.sin(2 * np.pi * (times % DAY) / DAY)
    values = LEVEL * daily * lost * (1 + noise * np.random.default_rng(seed).standard_normal(len(times)))
    ones = np.ones(len(times), np.int64)
    key = SeriesKey(Place("XA"), "", signal, source=SOURCES[signal])
    return Series(key, about.step, times, np.round(values), ones, 0 * ones, 0 * ones)


def known_at(one: Series, start: float) -> float:
    """When its publisher has published the first value of nearly nothing."""
    low = one.times[(one.times >= start - one.step) & (one.values < LEVEL / 10)]
    return float(low[0]) + one.step + lag_of(one.key)


def at_once(since: Floats, which: int) -> Floats:
    return np.where((since >= 0) & (since < 30 * HOUR), LEFT, 1.0)


def after_a_lower_day(since: Floats, which: int) -> Floats:
    return np.where(since < -DAY, 1, np.where(since < 0, 0.94, np.where(since < 30 * HOUR, LEFT, 1.0)))


def little_by_little(since: Floats, which: int) -> Floats:
    return np.where(since < 0, 1, np.where(since < 30 * HOUR, np.maximum(LEFT, 1 - since / (2 * HOUR)), 1.0))


def one_hours_later(since: Floats, which: int) -> Floats:
    return np.where((since >= which * 2.5 * HOUR) & (since < 30 * HOUR), LEFT, 1.0)


@each("course", [at_once, after_a_lower_day, little_by_little, one_hours_later])
def test_two_hands_confirm_within_the_hour(course: Course) -> None:
    pairs = 0
    for first, second in combinations(SOURCES, 2):
        start = 1000 * DAY + CUT + float(np.random.default_rng(pairs).integers(0, DAY))
        two = [
            measured(signal, start, n + pairs, lambda since, n=n: course(since, n))  # type: ignore[misc]
            for n, signal in enumerate((first, second))
        ]
        one_family = SIGNALS[first].family is SIGNALS[second].family
        if one_family or deliverer_of(two[0].key) == deliverer_of(two[1].key):
            continue
        told = [i for i in found_in(Quantities(two), Setting("XA", None, "", "")) if i.until > start]
        (confirmed,) = [i.confirmed_at for i in told if i.confirmed_at is not None]
        assert confirmed <= max(known_at(one, start) for one in two) + HOUR, (first, second)
        pairs += 1
    assert pairs >= 10
