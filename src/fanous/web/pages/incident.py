"""Incident: what, where, since when, how, for whom - and what the claim rests on."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fanous.cost import cost_of, of_incident
from fanous.incidents.review import is_held
from fanous.languages.telling import methods
from fanous.model.incident import Incident, NetworkPart, Status
from fanous.model.votes import Votes
from fanous.publishers.cost import cost_lines
from fanous.publishers.matrix import beside, matrix
from fanous.publishers.names import printable
from fanous.publishers.plot import NARROW, WIDE, Legend, Shape, plot
from fanous.publishers.reachable import Lines, reachable
from fanous.refdata.economies import economy
from fanous.store import Store
from fanous.users import user_weights
from fanous.web.page import Facts
from fanous.web.pages.axis import levels, ticks
from fanous.web.pages.beside import Announced, announced_beside, claims_about, statements_of
from fanous.web.pages.connectivity import connectivity
from fanous.web.pages.drawn import oldest
from fanous.web.pages.stories import stories
from fanous.web.pages.witnesses import witness_rows
from fanous.web.visit import Visit

HOUR, DAY = 3600.0, 86_400.0
BEFORE, AFTER = (6 * HOUR, 0.6), (3 * HOUR, 0.3)
"""How far a chart reaches before and after an incident: at least so long, or this share of its length."""

MOST_LINES = 5
"""As many lines as a reader tells apart."""

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
    lines = _lines(incident, votes, since, until)
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
    votes = store.votes(incident.country, since, until, _drawn_targets(incident) or None)
    return _lines(incident, votes, since, until)


def _lines(incident: Incident, votes: Votes, since: float, until: float) -> Lines:
    return reachable(votes, _drawn_targets(incident), since, until, user_weights(incident.country))


def _drawn_targets(incident: Incident) -> list[str]:
    return [target for target in incident.targets if target][:MOST_LINES]


def spans_of(incident: Incident, now: float) -> list[tuple[float, float]]:
    """What a chart shades: when it was on."""
    return [(one.start, now if one.end is None else one.end) for one in incident.intervals]


def chart_of(
    incident: Incident, lines: Lines, visit: Visit, announced: Sequence[Announced] = ()
) -> Chart | None:
    if not any(share is not None for line in lines.lines for share in line.shares):
        return None
    spans = spans_of(incident, visit.now)
    wide, narrow = (
        Markup(plot(lines, spans, legend_of(incident, lines, visit, shape, announced), shape, mark))
        for shape, mark in ((WIDE, "w"), (NARROW, "n"))
    )
    return Chart(lines, wide, narrow, lines.start, lines.end)


def legend_of(
    incident: Incident, lines: Lines, visit: Visit, shape: Shape, announced: Sequence[Announced] = ()
) -> Legend:
    """What a chart says in words: where each line was lowest."""
    language = visit.language
    lowest = [
        f"{line.target}: {language.percent(min(shares))}"
        for line in lines.lines
        if (shares := [share for share in line.shares if share is not None])
    ]
    return Legend(
        title=language.say("Share of users for whom each target worked as usual"),
        description=language.say("Lowest share") + f": {'; '.join(lowest)}",
        ticks=ticks(lines.start, lines.end, incident.country, language, shape.ticks),
        levels=levels(language),
        marks=[(one.watch.start, _short(one.watch.title)) for one in announced],
    )


def _short(title: str) -> str:
    shown = printable(title)
    return shown if len(shown) <= MOST_TITLE else f"{shown[: MOST_TITLE - 1].rstrip()}…"


def is_packable(incident: Incident) -> bool:
    """Can its evidence be packed: does it rest on measurements, and does the ledger claim it?"""
    return bool(incident.targets) and incident.status is not Status.RETRACTED and not is_held(incident)


def spell(network: NetworkPart) -> tuple[float, float | None, int]:
    """First start, last end, number of periods."""
    intervals = network.intervals
    return intervals[0].start, intervals[-1].end, len(intervals)
