"""Speeds: what speed tests on a country's networks say, told in physical terms - lines, crowds, caps.

A test gets a share of its network's pipe, which is smaller the more people are on; delays grow as the pipe
fills.  Nothing here comes from a detector's model of the world.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fanous.evaluation.simulate.notation import DAY
from fanous.model.place import Place
from fanous.model.series import Floats, Series, SeriesKey

FIVE_MINUTES = 300


@dataclass(frozen=True, slots=True)
class SpeedCountry:
    """How people and pipes behave.

    Attributes:
        asns: networks.
        days: since the beginning, a Tuesday.
        tests_a_minute: on each network, averaged over the day.
        line_kbps: median of what lines are sold for; they differ by the factor e in two thirds of cases.
        rush: share of a line's speed that is lost at the busiest minute of the evening.
        crowded: (day, rush) of evenings that were worse than others: a match, a holiday.
        capped: (from, to) in hours, and the kbps that a line gets at most meanwhile.
        slowed: (from, to) in hours, and the share of its speed that a line keeps meanwhile.
    """

    asns: Sequence[int] = (45669, 59257, 24499, 56167, 17557, 9541)
    days: int = 16
    tests_a_minute: float = 4.0
    line_kbps: float = 9000.0
    rush: float = 0.45
    crowded: tuple[tuple[int, float], ...] = ()
    capped: tuple[tuple[float, float, float], ...] = ()
    slowed: tuple[tuple[float, float, float], ...] = ()


def speeds(country: SpeedCountry, source: str, prefix: str, seed: int, *, code: str = "PK") -> list[Series]:
    """A series of median speeds and one of median round trips for each network.

    Args:
        source: who made the tests; prefix: ``ndt`` or ``transfer``, as the signals are named.
    """
    found = []
    for asn in country.asns:
        chance = np.random.default_rng([seed, asn])
        minutes = np.arange(country.days * 1440)
        lost = _crowd(country, minutes)
        kbps, rtt = _tests(country, minutes, lost, chance)
        for signal, values in ((f"{prefix}_kbps", kbps), (f"{prefix}_rtt_ms", rtt)):
            key = SeriesKey(Place(code, asn), "", signal, source=source)
            times = DAY + FIVE_MINUTES * np.arange(len(values), dtype=np.int64)
            kept = ~np.isnan(values)
            ones = np.ones(int(kept.sum()), np.int64)
            found.append(Series(key, FIVE_MINUTES, times[kept], values[kept], ones, 0 * ones, 0 * ones))
    return found


def _crowd(country: SpeedCountry, minutes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """Share of the speed that is lost to other people, minute by minute: most at nine in the evening."""
    hour, day = minutes % 1440 / 60, minutes // 1440
    people = np.exp(-(((hour - 21 + 12) % 24 - 12) ** 2) / 18)
    weekend = np.isin(day % 7, [3, 4, 5])  # Friday to Sunday, from a Tuesday on
    lost = country.rush * people * np.where(weekend, 1.25, 1.0)
    for evening, rush in country.crowded:
        lost = np.where(day == evening, rush * people, lost)
    return np.asarray(lost)


def _tests(
    country: SpeedCountry,
    minutes: np.ndarray[tuple[int], np.dtype[np.int64]],
    lost: Floats,
    chance: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Medians of the tests of each five minutes; NaN where nobody tested."""
    busy = 0.3 + 1.4 * lost / max(lost.max(), 1e-9)
    at = np.repeat(minutes, chance.poisson(country.tests_a_minute * busy))
    kbps = (
        country.line_kbps * chance.lognormal(0, 1, len(at)) * (1 - lost[at]) * chance.uniform(0.7, 1, len(at))
    )
    rtt = 40 / (1 - 0.8 * lost[at]) * chance.lognormal(0, 0.25, len(at))
    for start, end, kept in country.slowed:
        inside = (at >= start * 60) & (at < end * 60)
        kbps = np.where(inside, kbps * kept, kbps)
    for start, end, most in country.capped:
        inside = (at >= start * 60) & (at < end * 60)
        kbps = np.where(inside, np.minimum(kbps, most * chance.uniform(0.95, 1, len(at))), kbps)
    return _medians(at // 5, kbps, len(minutes) // 5), _medians(at // 5, rtt, len(minutes) // 5)


def _medians(bins: np.ndarray[tuple[int], np.dtype[np.int64]], values: Floats, count: int) -> Floats:
    edges = np.searchsorted(bins, np.arange(count + 1))
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return np.array([np.median(values[a:b]) if b > a else np.nan for a, b in pairs])
