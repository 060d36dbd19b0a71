"""Heartbeats: when a network or a country was last heard, and whether its silence is longer than usual.  Pure.

Probes sleep at night and at weekends, so each network is compared only with its own baseline.  Silence by
itself is not evidence: a cut line and volunteers who are offline look alike.

A *collapse* is a run of days on which almost no network of a country was heard.  Counts of measurements say
little, since one volunteer can make a thousand a day; whether a network was heard at all on a day says more.  The
controls are whether other countries were heard as usual, and whether the country's networks fell silent together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.reason import Reason
from fanous.model.series import Floats, Series

MEMORY = 28 * 86_400.0
"""Seconds of a network's past that make its baseline: four weekends."""

HEARD_BINS = 24
"""Least bins in which a network was heard: with fewer, it has no baseline yet."""

RARE = 2
"""Number of silences that may have been longer than the baseline: past cuts must not become part of it."""

SLACK = 1.5
"""Factor on the longest usual silence, since habits drift."""

LEAST_BINS = 2
"""Least bins of a silence: a probe that measures in every bin may miss one."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When one network was last heard.

    Attributes:
        place: country and ASN.
        last: unix seconds, the end of the last bin in which a probe was heard.
        habit: longest usual silence, in seconds; None = not known yet.
        silent: is it silent now, for longer than usual?
    """

    place: Place
    last: float
    habit: float | None
    silent: bool


def heartbeat(volume: Series, now: float) -> Heartbeat:
    """The heartbeat of a network, from the bins in which something was measured.

    Args:
        volume: at least one bin, within ``MEMORY`` (``Facts.volume``).
        now: unix seconds.
    """
    last = min(float(volume.times[-1]) + volume.step, now)
    habit = _habit(volume)
    limit = None if habit is None else max(SLACK * habit, LEAST_BINS * volume.step)
    return Heartbeat(volume.key.place, last, habit, limit is not None and now - last > limit)


def _habit(volume: Series) -> float | None:
    if len(volume) < HEARD_BINS:
        return None
    silences = np.sort(np.diff(volume.times) - volume.step)
    return float(silences[-1 - RARE])


BASELINE_DAYS = 14
"""Earlier days from which a network's baseline is computed."""

LEAST_DAYS = 5
"""Least days of data before anything is reported."""

CHANCE = 0.0001
"""Probability of hearing so few networks by chance below which a day is a collapse: once in 27 years if networks fell
silent independently.  They do not quite, so this is an order of magnitude."""

BACK = 0.05
"""The same probability above which a day is normal again."""

LEAST_LOST = 0.5
"""Share of the expected networks that must be missing: a few on holiday are not a collapse."""

LEAST_ELSEWHERE = 5.0
"""Networks of other countries that must be expected for them to be a control."""


class CollapseReading(StrEnum):
    """What a collapse may be."""

    BLACKED_OUT = "blacked_out"
    COLLECTOR = "collector"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Collapse:
    """Days on which almost no network was heard; unix seconds, half-open.

    Attributes:
        end: None = no one is back yet.
        expected: networks a day, by their baselines; heard: the mean of those heard.
        chance: probability of so few on the worst day, if networks fell silent independently.
    """

    start: int
    end: int | None
    expected: float
    heard: float
    chance: float
    reading: CollapseReading

    @property
    def reason(self) -> Reason:
        return Reason(f"silence.{self.reading}")


def collapses(own: Sequence[Series], elsewhere: Sequence[Series], until: float) -> list[Collapse]:
    """Runs of whole days on which almost no network of a country was heard.

    Args:
        own: measurements a day, one series for each network (``Facts.volume`` with a step of a day).
        elsewhere: the same for other countries.
        until: unix seconds; the day that contains it is not over, so it is not judged.
    """
    days = _days([*own, *elsewhere], until)
    if len(days) <= LEAST_DAYS:
        return []
    here, there = _heard(own, days), _heard(elsewhere, days)
    usual = np.ones(len(days), np.bool_)
    found: list[tuple[list[int], float, float]] = []
    on: list[int] | None = None
    for day in range(LEAST_DAYS, len(days)):
        habit = _expected(here, usual, day)
        few = int(here[:, day].sum())
        chance = at_most(habit, few)
        lost = few < (1 - LEAST_LOST) * habit.sum()
        if on is None and chance < CHANCE and lost:
            on = []
            found.append((on, float(habit.sum()), chance))
        elif on is not None and (chance > BACK or not lost):
            on = None
        if on is not None:
            on.append(day)
            usual[day] = False  # a collapse never becomes part of the baseline
            found[-1] = (on, found[-1][1], min(found[-1][2], chance))
    return [_collapse(days, here, there, *one) for one in found]


def _days(series: Sequence[Series], until: float) -> list[int]:
    first = min((int(s.times[0]) for s in series if len(s)), default=0)
    return list(range(first // DAY * DAY, int(until) // DAY * DAY, DAY)) if first else []


def _heard(series: Sequence[Series], days: Sequence[int]) -> Floats:
    """Which network (row) was heard on which day, 0 or 1; shape (networks, days)."""
    place = {day: n for n, day in enumerate(days)}
    heard = np.zeros((len(series), len(days)))
    for row, one in enumerate(series):
        for at in (one.times // DAY * DAY).tolist():
            if at in place:
                heard[row, place[at]] = 1
    return heard


def _expected(heard: Floats, usual: NDArray[np.bool_], day: int) -> Floats:
    """Probability of hearing each network: its share of the usual days before, never quite 0 or 1."""
    before = np.flatnonzero(usual[:day])[-BASELINE_DAYS:]
    seen = heard[:, before].sum(axis=1)
    known = heard[:, :day].any(axis=1)
    return np.asarray(np.where(known, (seen + 0.5) / (len(before) + 1), 0.0))


def at_most(chances: Floats, count: int) -> float:
    """Probability that at most ``count`` of independent events happen (Poisson binomial distribution, exact)."""
    spread = np.zeros(len(chances) + 1)
    spread[0] = 1.0
    for chance in chances.tolist():
        spread[1:] = spread[1:] * (1 - chance) + spread[:-1] * chance
        spread[0] *= 1 - chance
    return float(min(1.0, spread[: count + 1].sum()))


def _collapse(
    days: Sequence[int], here: Floats, there: Floats, on: list[int], expected: float, chance: float
) -> Collapse:
    last = on[-1]
    return Collapse(
        start=days[on[0]],
        end=None if last == len(days) - 1 else days[last] + DAY,
        expected=expected,
        heard=float(here[:, on].sum(axis=0).mean()),
        chance=chance,
        reading=_reading(there, on),
    )


def _reading(there: Floats, on: list[int]) -> CollapseReading:
    usual = np.ones(there.shape[1], np.bool_)
    habit = _expected(there, usual, on[0]) if len(there) else np.zeros(0)
    if habit.sum() < LEAST_ELSEWHERE:
        return CollapseReading.CANNOT_TELL
    worst = min(int(there[:, day].sum()) for day in on)
    return (
        CollapseReading.COLLECTOR if worst < (1 - LEAST_LOST) * habit.sum() else CollapseReading.BLACKED_OUT
    )
