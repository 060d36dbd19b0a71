"""Places: how high the regions and networks of a country stand by ready-made series, the lowest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from fanous.analysis.series.baselines import look_back, outage_times
from fanous.analysis.series.signals import SIGNALS
from fanous.charts.connectivity import place_name
from fanous.model.incident import Incident
from fanous.model.place import Place
from fanous.model.series import Series
from fanous.store.protocol import Store
from fanous.web.pages.connectivity import DAY, Level, level_of

LOOK_BACK = 8 * DAY
"""What is read of each outside outages of the country: a day and the week before it, which is enough for what
is ordinary at an hour."""

MOST_PLACES = 40


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One region or network.

    Attributes:
        asn: 0 = a region.
        level: of its series that is furthest below its ordinary level.
    """

    name: str
    asn: int
    level: Level


@dataclass(frozen=True, slots=True)
class Places:
    """Attributes:
    all: of which levels are known; ``lowest`` are shown.
    """

    lowest: list[PlaceRow]
    all: int

    @property
    def licences(self) -> list[str]:
        """Each source that is shown, with its licence."""
        levels = [place.level for place in self.lowest]
        return list(dict.fromkeys(f"{one.source} ({one.licence})" for one in levels))


def places(store: Store, country: str, now: float) -> Places | None:
    """The places of a country; ``None`` = no source tells them apart here."""
    incidents = store.incidents(country, until=now)
    since = look_back(now, outage_times(incidents, Place(country)), LOOK_BACK)
    series = [
        one
        for one in store.levels(country, since, now)
        if one.key.place != Place(country) and not one.key.target and one.key.signal in SIGNALS and len(one)
    ]
    found = standing(series, now, incidents)
    return Places(found[:MOST_PLACES], len(found)) if found else None


def standing(series: Sequence[Series], now: float, incidents: Sequence[Incident] = ()) -> list[PlaceRow]:
    """Each place once, the lowest first; those without history are left out.

    Args:
        incidents: of the country: what was lost in one is not ordinary.
    """
    lowest: dict[Place, PlaceRow] = {}
    for one in series:
        level = level_of(one, now, outage_times(incidents, one.key.place))
        if level is None or level.share is None or not level.falls:
            continue
        entity = one.key.place
        known = lowest.get(entity)
        if known is None or level.share < (known.level.share or 0.0):
            lowest[entity] = PlaceRow(place_name(one.key), entity.asn, level)
    return sorted(lowest.values(), key=lambda place: (place.level.share or 0.0, place.name))
