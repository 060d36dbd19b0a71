"""Worlds: what a corpus says of countries in which a platform fails, or is blocked, at the same time."""

from dataclasses import dataclass, fields
from enum import StrEnum

from fanous.config import Table
from fanous.evaluation.simulate.block_rows import TECHNIQUES

LEAST_COUNTRIES = 6
"""The one that blocks, two that always did, two with a liar each, and one where nothing is the matter."""


WARM_UP, AFTER = 8, 2
"""Days before anything happens, since the week before tells whether the target worked, and after its end."""

SPARE = WARM_UP + AFTER


class WorldEvent(StrEnum):
    """What happens at a random moment, in the words of the table that is printed."""

    FAILS = "it fails everywhere"
    BLOCKED = "one country blocks it"
    TWO = "two countries block it at once"
    AMID = "one blocks it; two always did, two have a liar"


@dataclass(frozen=True, slots=True)
class SimulatedWorld:
    """Countries that are each a replay of the same quiet measurements.

    Attributes:
        countries: the first one is that which blocks.
        targets: as Fanous names what the measurements are of.
        networks_quiet: that are quiet for as long as the tables reach, not only in the corpus's window.
        technique: how a measurement fails, whoever is to blame.
        hours: how long.
        density: how many quiet days are laid over each other.
        days: of one replay.
        times: of each happening and length.
    """

    countries: tuple[str, ...]
    targets: tuple[str, ...]
    networks_quiet: tuple[int, ...]
    technique: str
    hours: tuple[float, ...]
    density: float
    days: int
    times: int


def world_of(table: Table) -> SimulatedWorld:
    """The table ``[world]`` of a corpus.

    Raises:
        FanousError: a key is unknown or wrong; names it.
    """
    table.allow(*(field.name for field in fields(SimulatedWorld)))
    countries = table.texts("countries")
    if len(set(countries)) < LEAST_COUNTRIES:
        raise table.wrong("countries", f"{LEAST_COUNTRIES} different ones are needed")
    world = SimulatedWorld(
        countries=countries,
        targets=table.texts("targets"),
        networks_quiet=table.integers("networks_quiet") if table.has("networks_quiet") else (),
        technique=table.one_of("technique", tuple(TECHNIQUES)),
        hours=table.numbers("hours"),
        density=table.number("density", default=1.0),
        days=table.integer("days", default=14),
        times=table.integer("times", default=4, least=1),
    )
    if max(world.hours) > (world.days - SPARE) * 24:
        raise table.wrong("days", f"{SPARE} days more than the longest event are needed")
    return world
