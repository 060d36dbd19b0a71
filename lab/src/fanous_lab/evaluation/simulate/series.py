"""Series: made-up months of public sources and speed tests, described in physical terms.

Five weeks of a country without an outage are described by what people and networks do: when they get up and
go to bed, rest days and holidays, how many blocks there are, what a source fails to measure.  Nothing here
comes from a detector or is a setting of one.

A speed test gets a share of its network's pipe, which is smaller the more people are on; delays grow as the pipe
fills.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanous.model.place import Access, Place
from fanous.model.series import Floats, Rate, Series, SeriesKey

Array = NDArray[np.float64]

FIRST_DAY = 1_699_920_000
"""Tuesday 14 November 2023, 00:00 UTC: an arbitrary start, a multiple of every bin width in use."""

STEP = 600

DAY_SECONDS = 86400
FIRST = 1_735_516_800
"""Monday, 30 December 2024, 00:00 UTC."""


@dataclass(frozen=True, slots=True)
class SeriesCountry:
    """What a made-up country is like.

    Attributes:
        blocks: its /24 blocks that answer pings on an ordinary day.
        routes: its /24 blocks in routing.
        cities: number of cities with users of a browser in a day.
        strays: number of sources of stray traffic in a bin.
        wavering: noise of search traffic in a bin, as a share.
        missing: share of bins for which a source has no value.
        steps: bin widths, in seconds, of probing, routing, search traffic, stray traffic and cities.
        mood: how much higher or lower search traffic is on whole days, as a share.
    """

    name: str
    blocks: int
    routes: int
    cities: int
    strays: int
    wavering: float
    missing: float
    steps: tuple[int, int, int, int, int]
    mood: float = 0.05


REST = ((4, 5), (5, 6), (6,))
"""Weekends, from Monday = 0: Friday and Saturday, Saturday and Sunday, Sunday alone."""

EXPORT = (1800, 1800, 1800, 1800, 3600)
LIVE = (600, 300, 1800, 300, 3600)

COUNTRIES = (
    SeriesCountry("large, as exported", 20_000, 60_000, 400, 900, 0.01, 0.0, EXPORT),
    SeriesCountry("large, live", 20_000, 60_000, 400, 900, 0.01, 0.01, LIVE),
    SeriesCountry("middling, a tenth missing", 2_000, 6_000, 40, 120, 0.02, 0.1, EXPORT),
    SeriesCountry("middling, live, a tenth missing", 2_000, 6_000, 40, 120, 0.02, 0.1, LIVE),
    SeriesCountry("small", 300, 900, 8, 30, 0.05, 0.02, EXPORT),
    SeriesCountry("tiny, a tenth missing", 40, 90, 2, 6, 0.1, 0.1, EXPORT),
    SeriesCountry("tiny, live", 40, 90, 2, 6, 0.1, 0.02, LIVE),
    SeriesCountry("moody", 5_000, 20_000, 60, 200, 0.02, 0.0, EXPORT, mood=0.12),
)


def quiet_month(country: SeriesCountry, seed: int, days: int = 35) -> list[Series]:
    """All five series of ``days`` days in which nothing was cut."""
    chance = np.random.default_rng((seed, country.blocks, country.steps[0]))
    people = _People(chance, days, country.mood)
    step = country.steps
    blocks = country.blocks * people.machines(step[0]) * _growth(chance, days, step[0], 0.03)
    routes = country.routes * _growth(chance, days, step[1], 0.004)
    searches = 80 * people.awake(step[2]) * people.moods(step[2]) * _growth(chance, days, step[2], 0.1)
    searches = searches * (1 + country.wavering * chance.standard_normal(len(searches)))
    strays = country.strays * (0.7 + 0.3 * people.awake(step[3])) * _bursts(chance, days, step[3])
    cities = country.cities * np.minimum(people.awake(step[4]) * 1.2, 1)
    values_of = (
        ("ping-slash24", step[0], _counted(chance, blocks)),
        ("bgp", step[1], np.round(routes * (1 + 2e-4 * chance.standard_normal(len(routes))))),
        ("gtr", step[2], np.maximum(searches, 0)),
        ("merit-nt", step[3], chance.poisson(strays).astype(float)),
        ("mozilla", step[4], np.round(cities)),
    )
    return [_series(chance, name, width, values, country.missing) for name, width, values in values_of]


class _People:
    """When they are awake: each day has an hour at which half of them are up, and one at which half sleep."""

    def __init__(self, chance: np.random.Generator, days: int, mood: float) -> None:
        self.days, self.offset = days, float(chance.uniform(0, 24))
        weekday, holiday = np.arange(days + 2) % 7, np.zeros(days + 2, np.bool_)
        holiday[chance.integers(0, days + 2, chance.integers(1, 4))] = True
        free = np.isin(weekday, REST[int(chance.choice(3, p=[0.3, 0.5, 0.2]))])
        slept = np.where(free, chance.uniform(0.5, 1.5), 0)
        slept += np.where(holiday, chance.uniform(1, 2.5, days + 2), 0)
        self.up = 7 + slept + 0.2 * chance.standard_normal(days + 2)
        self.down = 23.5 + 0.6 * (np.roll(free, -1) | holiday) + 0.25 * chance.standard_normal(days + 2)
        self.busy = np.where(free, chance.uniform(0.8, 1.0), 1.0) * np.where(holiday, 0.88, 1.0)
        self.alike = (float(chance.uniform(0.7, 1.3)), float(chance.uniform(0.6, 1.1)))
        self.night, self.evening = float(chance.uniform(0.1, 0.25)), float(chance.uniform(0, 0.2))
        self.swing = float(chance.uniform(0.01, 0.06))
        walk = chance.standard_normal(days + 2)
        self.mood = np.exp(mood * (0.8 * walk + 0.6 * np.roll(walk, 1)))

    def _hours(self, step: int) -> Array:
        """Local hours since midnight of the day before the first."""
        return np.asarray(np.arange(self.days * DAY_SECONDS // step) * step / 3600 + self.offset)

    def awake(self, step: int) -> Array:
        """Share of the day's activity, between the night's level and 1."""
        hours, total = self._hours(step), np.zeros(self.days * DAY_SECONDS // step)
        for day in range(len(self.up)):
            at = hours - 24 * day
            risen = _risen((at - self.up[day]) / self.alike[0])
            asleep = _risen((at - self.down[day]) / self.alike[1])
            evening = 1 + self.evening * np.exp(-(((at - 21) / 2.5) ** 2))
            total += self.busy[day] * risen * (1 - asleep) * evening
        return self.night + (1 - self.night) * total

    def machines(self, step: int) -> Array:
        """Share of the blocks that answer: some machines are off at night."""
        return 1 - self.swing * (1 - self.awake(step))

    def moods(self, step: int) -> Array:
        """Factors for higher and lower days, and for swings within hours."""
        day = np.clip(self._hours(step) / 24, 0, len(self.mood) - 1)
        return np.asarray(np.interp(day, np.arange(len(self.mood)) + 0.5, self.mood))


def _risen(hours: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(hours, -60, 60))))


def _growth(chance: np.random.Generator, days: int, step: int, most: float) -> Array:
    """A level that drifts, and jumps once, as when a source begins to count more or fewer."""
    bins = days * DAY_SECONDS // step
    drift = 1 + chance.uniform(-most, most) * np.arange(bins) / bins
    jump = np.where(np.arange(bins) >= chance.integers(bins), 1 + chance.uniform(-most, most), 1.0)
    return np.asarray(drift * jump)


def _bursts(chance: np.random.Generator, days: int, step: int) -> Array:
    """Stray traffic swells when someone's machines are infected, and then declines."""
    bins = days * DAY_SECONDS // step
    swollen = np.ones(bins)
    for _ in range(int(chance.integers(2, 8))):
        at, length = chance.integers(bins), chance.uniform(2, 40) * 3600 / step
        swollen += (
            chance.uniform(0.2, 1.5)
            * np.exp(-np.maximum(np.arange(bins) - at, 0) / length)
            * (np.arange(bins) >= at)
        )
    return swollen


def _counted(chance: np.random.Generator, blocks: Array) -> Array:
    """Blocks that answer: a few per cent of them are missed now and then."""
    return np.asarray(chance.binomial(np.round(blocks * 1.02).astype(np.int64), 1 / 1.02).astype(float))


def _series(chance: np.random.Generator, signal: str, step: int, values: Array, missing: float) -> Series:
    kept = chance.random(len(values)) >= missing
    if missing:  # now and then a source is away for hours
        for _ in range(2):
            at, length = chance.integers(len(values)), int(chance.uniform(1, 8) * 3600 / step)
            kept[at : at + length] = False
    times = FIRST + step * np.arange(len(values), dtype=np.int64)
    ones = np.ones(int(kept.sum()), np.int64)
    key = SeriesKey(Place("XA"), "", signal, source="made up")
    return Series(key, step, times[kept], values[kept], ones, 0 * ones, 0 * ones)


FIVE_MINUTES = 300


@dataclass(frozen=True, slots=True)
class SpeedCountry:
    """How people and pipes behave.

    Attributes:
        asns: networks.
        days: since the beginning, a Tuesday.
        tests_a_minute: on each network, averaged over the day.
        line_kbps: median speed that lines are sold with; two thirds are within a factor of e of it.
        rush: share of a line's speed lost at the busiest minute of the evening.
        crowded: (day, rush) of evenings worse than others, as with a match or a holiday.
        capped: (from, to) in hours, and the most kbps that a line gets in that time.
        slowed: (from, to) in hours, and the share of its speed that a line keeps in that time.
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
    series = []
    for asn in country.asns:
        chance = np.random.default_rng([seed, asn])
        minutes = np.arange(country.days * 1440)
        lost = _crowd(country, minutes)
        kbps, rtt = _tests(country, minutes, lost, chance)
        for signal, values in ((f"{prefix}_kbps", kbps), (f"{prefix}_rtt_ms", rtt)):
            key = SeriesKey(Place(code, asn), "", signal, source=source)
            times = FIRST_DAY + FIVE_MINUTES * np.arange(len(values), dtype=np.int64)
            kept = ~np.isnan(values)
            ones = np.ones(int(kept.sum()), np.int64)
            series.append(Series(key, FIVE_MINUTES, times[kept], values[kept], ones, 0 * ones, 0 * ones))
    return series


def rates(country: SpeedCountry, probes: int, seed: int, *, code: str = "PK") -> list[Rate]:
    """Downloads of ``probes`` probes on each network next to three targets in turn, every five minutes, and of one
    abroad, where nothing happens."""
    found = []
    places = [(code, asn, probe) for asn in country.asns for probe in range(probes)] + [("SE", 1257, 0)]
    for where, asn, probe in places:
        chance = np.random.default_rng([seed, asn, probe])
        line = country.line_kbps * chance.lognormal(0, 0.8)
        minutes = np.arange(probe % 5, country.days * 1440, 5)
        kept = np.ones(len(minutes))
        if where == code:
            kept -= _crowd(country, minutes)
            for start, end, share in country.slowed:
                kept = np.where((minutes >= start * 60) & (minutes < end * 60), kept * share, kept)
        for beside in ("x", "youtube", "telegram"):
            speed = line * kept * chance.lognormal(0, 0.35, len(minutes))
            found += [
                Rate(
                    f"{asn}-{probe}-{minute}-{beside}",
                    where,
                    asn,
                    Access.FIXED,
                    f"{asn}-{probe}",
                    at,
                    kbps,
                    40.0,
                    beside,
                    "edge",
                    receipt=at,
                    vouched=True,
                )
                for minute, at, kbps in zip(
                    minutes.tolist(), (FIRST_DAY + 60.0 * minutes).tolist(), speed.tolist(), strict=True
                )
            ]
    return found


def _crowd(country: SpeedCountry, minutes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """Share of the speed lost to other people, minute by minute; it peaks at nine in the evening."""
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
    """Medians of the tests in each five minutes; NaN if there were none."""
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
    """Medians of the values of each bin; sorted once, since a numpy call for each of thousands of bins takes
    seconds."""
    ordered = values[np.lexsort((values, bins))]
    edges = np.searchsorted(bins, np.arange(count + 1))
    first, last = edges[:-1], edges[1:] - 1
    medians = np.full(count, np.nan)
    some = last >= first
    middle = first[some] + last[some]
    medians[some] = (ordered[middle // 2] + ordered[(middle + 1) // 2]) / 2
    return medians
