"""Lead: the incident that the first page opens on, with its chart and its networks through time."""

from collections.abc import Sequence
from dataclasses import dataclass

from fanous.model.incident import Status
from fanous.publish.pictures import lines_of, reach, spans_of
from fanous.publish.stories import Story
from fanous.store.protocol import Store
from fanous.web.pages.connectivity import Connectivity, connectivity
from fanous.web.pages.grids import Drawing, by_network
from fanous.web.pages.incident import Chart, chart_of
from fanous.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Lead:
    """Attributes:
    chart: ``None`` = too little was measured to draw one; likewise ``grid``.
        connectivity: of an outage, the levels of its country.
    """

    story: Story
    chart: Chart | None
    grid: Drawing | None
    connectivity: Connectivity | None


def lead_of(store: Store, told: Sequence[Story], visit: Visit) -> Lead | None:
    """The first that was ever confirmed: a suspicion does not lead a page."""
    story = next((one for one in told if one.incident.confirmed_at is not None), None)
    if story is None:
        return None
    incident = story.incident
    since, until = reach(store, incident, visit.now)
    votes = store.votes(incident.country, since, until, [target for target in incident.targets if target])
    levels = None
    if not incident.targets:
        spans = spans_of(incident, visit.now)
        levels = connectivity(store, incident.country, since, min(until, visit.now), visit, spans)
    about = [] if incident.status is Status.RETRACTED else [incident]
    return Lead(
        story,
        chart_of(incident, lines_of(store, incident, visit.now), visit),
        by_network(votes, about, incident.country, visit.language),
        levels,
    )
