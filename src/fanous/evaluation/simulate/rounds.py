"""Rounds: when a generated probe measures.

An organisation's probe keeps a clock, a volunteer's runs when its owner's day allows: by chance, and less
at night.
"""

from collections.abc import Iterator
from random import Random

from fanous.evaluation.simulate.places import Keeper, SimulatedProbe

Span = tuple[float, float]
"""``[start, end)`` in unix seconds."""

ORDINARY = 3 * 3600.0
"""Seconds between rounds of an organisation's probe in ordinary times."""

WATCHING = 1200.0
"""The same while an announced event is watched."""

A_DAY = 2.0
"""Rounds of a volunteer's probe in an ordinary day."""

CURIOUS = 6.0
"""How many times more often volunteers measure while their apps do not work (they run it by hand)."""

NIGHT_UTC = (20, 3)
"""Hours between which hardly anybody's device is awake: 1 to 8 in the morning in Karachi."""

AWAKE_AT_NIGHT = 0.3


def rounds_of(
    probe: SimulatedProbe, window: Span, watch: Span, trouble: Span | None, chance: Random
) -> Iterator[float]:
    """Unix seconds within ``window`` at which the probe begins a round, ascending.

    Args:
        watch: when an organisation's probes measure more often.
        trouble: when apps do not work for the probe's owner; ``None`` = never.
    """
    since, until = window
    if probe.keeper is Keeper.OPERATOR:
        yield from _by_the_clock(since + probe.number * 97 % 1200, until, watch, chance)
    else:
        yield from _by_chance(since, until, trouble or (until, until), chance)


def _by_the_clock(at: float, until: float, watch: Span, chance: Random) -> Iterator[float]:
    while at < until:
        yield at + chance.uniform(0, 30)
        within = watch[0] <= at + WATCHING <= watch[1]
        at += WATCHING if within else ORDINARY


def _by_chance(at: float, until: float, trouble: Span, chance: Random) -> Iterator[float]:
    """Candidates at the highest rate, thinned to the rate of the moment."""
    while (at := at + chance.expovariate(A_DAY * CURIOUS / 86_400)) < until:
        hour = at % 86_400 / 3600
        asleep = hour >= NIGHT_UTC[0] or hour < NIGHT_UTC[1]
        share = 1.0 if trouble[0] <= at < trouble[1] else 1 / CURIOUS
        if chance.random() < share * (AWAKE_AT_NIGHT if asleep else 1.0):
            yield at
