"""Incident: what, where, since when, how, for whom - and what the claim rests on."""

from dataclasses import dataclass

from markupsafe import Markup

from fanous.languages.telling import methods
from fanous.model.entity import Family
from fanous.model.incident import Incident, NetworkPart
from fanous.publishers.matrix import beside, matrix
from fanous.publishers.names import asn_of
from fanous.publishers.plot import NARROW, WIDE, Legend, Shape, plot
from fanous.publishers.reachable import Lines, reachable
from fanous.signals import SIGNALS
from fanous.store import Store
from fanous.users import user_weights
from fanous.web.page import Facts
from fanous.web.pages.axis import levels, ticks
from fanous.web.pages.drawn import oldest
from fanous.web.pages.stories import stories
from fanous.web.visit import Visit

HOUR, DAY = 3600.0, 86_400.0
BEFORE, AFTER = (6 * HOUR, 0.6), (3 * HOUR, 0.3)
"""How far a chart reaches before and after an incident: at least so long, or this share of its length."""

MOST_LINES = 5
"""As many lines as a reader tells apart."""

MOST_BESIDE = 3
"""Targets that were not disrupted beside those that were: what still worked is half of the story."""

MOST_REVISIONS = 12
FAMILIES = {
    Family.EDGE: "Fanous probes",
    Family.OONI: "OONI probes",
    Family.ROUTING: "Routing",
    Family.PROBING: "Active probing",
    Family.USAGE: "Traffic and users",
    Family.DARKNET: "Darknet traffic",
    Family.REPORTS: "Reports",
}


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
    return {
        "story": story,
        "incident": incident,
        "names": story.names,
        "matrix": matrix(incident, votes, columns, own),
        "weights": own,
        "chart": chart_of(incident, lines_of(store, incident, visit.now), visit),
        "methods": methods(incident, visit.language),
        "saw": who_saw(incident),
        "times": sorted(incident.networks, key=lambda network: -network.measurements),
        "revisions": revisions[:1] + revisions[1:][-MOST_REVISIONS:],
        "revision": revisions[-1].n if revisions else 0,
        "asn_of": asn_of,
        "spell": spell,
    }


def reach(store: Store, incident: Incident, now: float) -> tuple[float, float]:
    """What a chart of it shows: unix seconds, half-open; of a very busy country only the beginning."""
    end = now if incident.end is None else incident.end
    length = max(end - incident.onset, HOUR)
    since = min(incident.onset, incident.onset_earliest or incident.onset) - max(
        BEFORE[0], BEFORE[1] * length
    )
    until = min(end + max(AFTER[0], AFTER[1] * length), max(now, end) + 1)
    return since, oldest(store, incident.country, since, until)


def lines_of(store: Store, incident: Incident, now: float) -> Lines:
    """Its targets through time; an outage has one line, of all that is measured."""
    since, until = reach(store, incident, now)
    targets = [target for target in incident.targets if target][:MOST_LINES]
    votes = store.votes(incident.country, since, until, targets or None)
    return reachable(votes, targets, since, until, user_weights(incident.country))


def chart_of(incident: Incident, lines: Lines, visit: Visit) -> Chart | None:
    if not any(share is not None for line in lines.lines for share in line.shares):
        return None
    spans = [(one.start, visit.now if one.end is None else one.end) for one in incident.intervals]
    wide, narrow = (
        Markup(plot(lines, spans, legend_of(incident, lines, visit, shape), shape, mark))
        for shape, mark in ((WIDE, "w"), (NARROW, "n"))
    )
    return Chart(lines, wide, narrow, lines.start, lines.end)


def legend_of(incident: Incident, lines: Lines, visit: Visit, shape: Shape) -> Legend:
    """What a chart says in words: where each line was lowest."""
    language = visit.language
    lowest = [
        f"{line.target}: {language.percent(min(shares))}"
        for line in lines.lines
        if (shares := [share for share in line.shares if share is not None])
    ]
    return Legend(
        title=language.say("Share of users who could load each target"),
        description=f"{language.say('Lowest share')}: {'; '.join(lowest)}",
        ticks=ticks(lines.start, lines.end, incident.country, language, shape.ticks),
        levels=levels(language),
    )


def who_saw(incident: Incident) -> list[tuple[str, str]]:
    """(family of sources, what it says): only those that a signal of this monitor stands for."""
    saw = set(incident.evidence.families)
    told = []
    for family, name in FAMILIES.items():
        mine = [signal for signal in SIGNALS.values() if signal.family is family]
        if str(family) in saw:
            told.append((name, "Saw it"))
        elif any(incident.kind in signal.proves for signal in mine):
            told.append((name, "No data"))
        elif mine:
            told.append((name, "Could not see it"))
    return told


def spell(network: NetworkPart) -> tuple[float, float | None, int]:
    """First start, last end, number of periods."""
    intervals = network.intervals
    return intervals[0].start, intervals[-1].end, len(intervals)
