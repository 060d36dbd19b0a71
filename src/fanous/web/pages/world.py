"""World: the map of the first page - quiet land, what is watched, and countries with an incident."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fanous.publish.stories import Story
from fanous.refdata.world import HEIGHT, WIDTH, shapes


@dataclass(frozen=True, slots=True)
class Marked:
    """A country that the map points out.

    Attributes:
        state: ``confirmed``, ``unsure`` (suspected) or ``ended``: a class of the stylesheet.
    """

    country: str
    path: str
    state: str


@dataclass(frozen=True, slots=True)
class WorldMap:
    """Attributes:
    land: one path of all countries without a measurement.
    watched: one path of those with measurements and without an incident.
    """

    width: int
    height: int
    land: str
    watched: str
    marked: list[Marked]


def world_of(
    open_ones: Sequence[Story], lately: Sequence[Story], watched: Sequence[str], file: Path | None
) -> WorldMap:
    states: dict[str, str] = {one.incident.country: "ended" for one in lately if one.incident.confirmed_at}
    for one in sorted(open_ones, key=lambda story: story.incident.confirmed_at is not None):
        states[one.incident.country] = "unsure" if one.incident.confirmed_at is None else "confirmed"
    drawn = shapes(file)
    quiet = {code: path for code, path in drawn.items() if code not in states}
    return WorldMap(
        WIDTH,
        HEIGHT,
        "".join(path for code, path in quiet.items() if code not in watched),
        "".join(path for code, path in quiet.items() if code in watched),
        [Marked(code, drawn[code], state) for code, state in sorted(states.items()) if code in drawn],
    )
