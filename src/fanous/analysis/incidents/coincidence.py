"""Coincidence: does the same fall at the same time in countries too far apart for one cut?

A cut cable takes neighbours with it: West Africa in March 2024, East Africa in May 2024, the countries on the Red Sea
in September 2025.  That is an outage of each.  But where search traffic or stray traffic falls in the same hour in
countries all over the world, so many governments have hardly given one order, and no cut reaches that far: a
publisher's machinery failed, or something that the whole internet uses.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from fanous.analysis.incidents.fusion import family_of
from fanous.analysis.incidents.group import is_country
from fanous.model.incident import Interval
from fanous.model.place import Family
from fanous.model.reason import Reason
from fanous.model.series import Anomaly

NEAR = 3600.0
"""Seconds within which outages of two countries may have one cause."""

COUNTRIES = 3
"""Other countries in which a family must have fallen, as many as for a platform that is down."""

REGION = 5000.0
"""Kilometres: the countries that one cut took were this close to one of them (Lagos is 4,500 km from Johannesburg)."""

WITHIN = 0.75
"""Share of the countries that must be so close: the others may have had an outage of their own by chance."""

WORLDWIDE = "shared.worldwide"


@dataclass(frozen=True, slots=True)
class OutageElsewhere:
    """When another country had an outage.

    Attributes:
        fell: family -> when its series of that country began to fall.
    """

    country: str
    when: Interval
    fell: Mapping[str, float] = field(default_factory=dict)


def worldwide(
    group: Sequence[Anomaly],
    elsewhere: Sequence[OutageElsewhere],
    country: str,
    distance: Callable[[str, str], float],
) -> tuple[frozenset[Family], Reason] | None:
    """The families that fell in countries all over the world in the same hour, and the reason that says so; ``None`` =
    there are none.

    Args:
        distance: kilometres between two countries.
    """
    began: dict[Family, float] = {}
    for one in group:
        if is_country(one.key.place):
            began[family_of(one)] = min(one.start, began.get(family_of(one), one.start))
    beside = {
        family: {
            other.country
            for other in elsewhere
            if other.country != country and abs(other.fell.get(str(family), -NEAR) - at) <= NEAR
        }
        for family, at in began.items()
    }
    found = {
        family: others
        for family, others in beside.items()
        if len(others) >= COUNTRIES and not _close_together({country, *others}, distance)
    }
    if not found:
        return None
    families = tuple(str(family) for family in Family if family in found)
    countries = tuple(sorted(set().union(*found.values())))
    return frozenset(found), Reason(WORLDWIDE, {"families": families, "countries": countries})


def _close_together(countries: Collection[str], distance: Callable[[str, str], float]) -> bool:
    """Do most of them lie around one of them?"""
    return any(
        sum(distance(middle, other) <= REGION for other in countries) >= WITHIN * len(countries)
        for middle in countries
    )
