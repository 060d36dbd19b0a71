"""Incident: what, where, since when, how, for whom - and what the claim rests on."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fanous.analysis.cost import cost_of, of_incident
from fanous.analysis.incidents.review import is_held
from fanous.charts.matrix import beside, matrix
from fanous.charts.plot import NARROW, WIDE, plot
from fanous.charts.reachability import Lines
from fanous.model.incident import Incident, Status
from fanous.publish.pictures import legend_of, lines_among, reach, spans_of
from fanous.publish.stories import spell, stories
from fanous.publish.witnesses import witness_rows
from fanous.refdata.economies import economy
from fanous.refdata.users import user_weights
from fanous.store.protocol import Store
from fanous.web.page import Facts
from fanous.web.pages.connectivity import connectivity
from fanous.web.pages.context import Announced, announced_beside, claims_about, statements_of
from fanous.web.visit import Visit
from fanous.wording.cost import cost_lines
from fanous.wording.names import printable
from fanous.wording.narrative import methods

MOST_BESIDE = 3
"""Targets that were not disrupted beside those that were: what still worked is half of the story."""

MOST_REVISIONS = 12
MOST_TITLE = 28
"""Letters of an event's title that a chart has room for; the page has the whole of it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Attributes:
    lines: what is drawn; the legend of the page names them.
    """

    lines: Lines
    wide: Markup
    narrow: Markup
    since: float
    until: float


def incident_facts(store: Store, visit: Visit) -> Facts | None:
    incident = store.incident(visit.asked["id"])
    if incident is None or incident.country != visit.asked["country"]:
        return None
    (story,) = stories(store, [incident])
    since, until = reach(store, incident, visit.now)
    votes = store.votes(incident.country, since, until)
    own = user_weights(incident.country)
    columns = [*incident.targets, *beside(incident, votes, MOST_BESIDE)]
    revisions = store.revisions(incident.id)
    announced = announced_beside(store, incident)
    lines = lines_among(incident, votes, since, until)
    return {
        "story": story,
        "incident": incident,
        "names": story.names,
        "matrix": matrix(incident, votes, columns, own),
        "weights": own,
        "chart": chart_of(incident, lines, visit, announced),
        "connectivity": connectivity(
            store, incident.country, since, min(until, visit.now), visit, spans_of(incident, visit.now)
        ),
        "announced": announced,
        "statements": statements_of(store, claims_about(store, incident, visit.now)),
        "methods": methods(incident, visit.language),
        "cost": cost_lines(
            cost_of(of_incident(incident, visit.now), economy(incident.country)), visit.language
        ),
        "saw": witness_rows(store, incident),
        "times": sorted(
            (network for network in incident.networks if network.asn),
            key=lambda network: -network.measurements,
        ),
        "packable": bool(incident.targets)
        and incident.status is not Status.RETRACTED
        and not is_held(incident),
        "revisions": revisions[:1] + revisions[1:][-MOST_REVISIONS:],
        "revision": revisions[-1].n if revisions else 0,
        "spell": spell,
    }


def chart_of(
    incident: Incident, lines: Lines, visit: Visit, announced: Sequence[Announced] = ()
) -> Chart | None:
    if not any(share is not None for line in lines.lines for share in line.shares):
        return None
    spans = spans_of(incident, visit.now)
    marks = [(one.event.start, _short(one.event.title)) for one in announced]
    wide, narrow = (
        Markup(plot(lines, spans, legend_of(incident, lines, visit.language, shape, marks), shape, mark))
        for shape, mark in ((WIDE, "w"), (NARROW, "n"))
    )
    return Chart(lines, wide, narrow, lines.start, lines.end)


def _short(title: str) -> str:
    shown = printable(title)
    return shown if len(shown) <= MOST_TITLE else f"{shown[: MOST_TITLE - 1].rstrip()}…"


def is_packable(incident: Incident) -> bool:
    """Can its evidence be packed: does it rest on measurements, and does the ledger claim it?"""
    return bool(incident.targets) and incident.status is not Status.RETRACTED and not is_held(incident)
