"""Series months: five weeks of a made-up country without an outage, as public sources would show it.

Told by what people and networks do: when they get up and go to bed, rest days and holidays, how many blocks
there are, what a source fails to measure.  Nothing here comes from a detector or is a setting of one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey

Array = NDArray[np.float64]

DAY = 86400
FIRST = 1_735_516_800
"""Monday, 30 December 2024, 00:00 UTC."""


@dataclass(frozen=True, slots=True)
class SeriesCountry:
    """What a made-up country is like.

    Attributes:
        blocks: /24 blocks of it that answer pings on an ordinary day.
        routes: /24 blocks of it in routing.
        cities: with users of a browser, by day.
        strays: sources of stray traffic in a bin.
        wavering: of search traffic in a bin, a share (the noise of the source).
        missing: share of the bins that a source does not give.
        steps: seconds of the bins of probing, routing, search traffic, stray traffic and cities.
        mood: of whole days, by which search traffic is higher or lower, a share.
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
"""Days of rest, from Monday = 0: Friday and Saturday, Saturday and Sunday, Sunday alone."""

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
    made = (
        ("ping-slash24", step[0], _counted(chance, blocks)),
        ("bgp", step[1], np.round(routes * (1 + 2e-4 * chance.standard_normal(len(routes))))),
        ("gtr", step[2], np.maximum(searches, 0)),
        ("merit-nt", step[3], chance.poisson(strays).astype(float)),
        ("mozilla", step[4], np.round(cities)),
    )
    return [_series(chance, name, width, values, country.missing) for name, width, values in made]


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
        return np.asarray(np.arange(self.days * DAY // step) * step / 3600 + self.offset)

    def awake(self, step: int) -> Array:
        """Share of the day's activity, between that of the night and 1."""
        hours, total = self._hours(step), np.zeros(self.days * DAY // step)
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
        """Higher and lower days, and what sways within hours."""
        day = np.clip(self._hours(step) / 24, 0, len(self.mood) - 1)
        return np.asarray(np.interp(day, np.arange(len(self.mood)) + 0.5, self.mood))


def _risen(hours: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(hours, -60, 60))))


def _growth(chance: np.random.Generator, days: int, step: int, most: float) -> Array:
    """A level that drifts, and moves once to another, a source counts more or fewer from then on."""
    bins = days * DAY // step
    drift = 1 + chance.uniform(-most, most) * np.arange(bins) / bins
    jump = np.where(np.arange(bins) >= chance.integers(bins), 1 + chance.uniform(-most, most), 1.0)
    return np.asarray(drift * jump)


def _bursts(chance: np.random.Generator, days: int, step: int) -> Array:
    """Stray traffic swells where somebody's machines are infected, and goes back."""
    bins = days * DAY // step
    found = np.ones(bins)
    for _ in range(int(chance.integers(2, 8))):
        at, length = chance.integers(bins), chance.uniform(2, 40) * 3600 / step
        found += (
            chance.uniform(0.2, 1.5)
            * np.exp(-np.maximum(np.arange(bins) - at, 0) / length)
            * (np.arange(bins) >= at)
        )
    return found


def _counted(chance: np.random.Generator, blocks: Array) -> Array:
    """Blocks that answer: each of a few per cent is missed now and then."""
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
