"""Stories: incidents with the names that their sentences need."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fanous.model.incident import Incident, NetworkPart, Status
from fanous.store.protocol import Store
from fanous.wording.narrative import is_open

DAY = 86_400.0
LATELY = 30 * DAY
"""How long an incident that is over stays on the first page."""

MOST_LATELY = 20


@dataclass(frozen=True, slots=True)
class Story:
    """Attributes:
    names: ASN -> the network's name as the measurements give it.
    """

    incident: Incident
    names: Mapping[int, str]

    @property
    def open(self) -> bool:
        return is_open(self.incident)

    @property
    def path(self) -> str:
        return incident_path(self.incident)


def incident_path(incident: Incident) -> str:
    """``/PK/PK-2023-0042``: for good."""
    return f"/{incident.country}/{incident.id}"


def stories(store: Store, incidents: Iterable[Incident]) -> list[Story]:
    """In the order given; each country's names are read once."""
    names: dict[str, dict[int, str]] = {}
    told = []
    for incident in incidents:
        if incident.country not in names:
            names[incident.country] = store.networks(incident.country)
        told.append(Story(incident, names[incident.country]))
    return told


def open_ones(incidents: Iterable[Incident]) -> list[Incident]:
    """Those that go on: confirmed before suspected, then the newest first."""
    going = [incident for incident in incidents if is_open(incident)]
    return sorted(going, key=lambda i: (i.status is not Status.CONFIRMED, -i.onset))


def lately_over(incidents: Iterable[Incident], now: float) -> list[Incident]:
    """Those that ended within ``LATELY``, the newest first; retracted ones are in the corrections."""
    over = [i for i in incidents if i.status is Status.ENDED and (i.end or i.onset) >= now - LATELY]
    return sorted(over, key=lambda i: -(i.end or i.onset))[:MOST_LATELY]


def spell(network: NetworkPart) -> tuple[float, float | None, int]:
    """First start, last end, number of periods."""
    intervals = network.intervals
    return intervals[0].start, intervals[-1].end, len(intervals)
