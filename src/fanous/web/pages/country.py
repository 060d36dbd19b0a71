"""Country: what is disrupted there, over time and on which networks, and how much of the country can be seen.

A network's page (one ASN in one country) shows what could be reached from it, and which incidents name it.  Each
page first makes all its queries, and then draws from the answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from fanous.charts.grid import ROOM, Drawing, by_network, by_target
from fanous.charts.plot import ticks
from fanous.charts.reachability import LARGE
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY
from fanous.model.place import Access, UserWeights, asn_of
from fanous.model.series import Series, Votes
from fanous.publish.edition import Story, history, newest, open_ones, statements_of
from fanous.publish.feeds import feed_of
from fanous.publish.pictures import incident_spans
from fanous.questions.country import known_until, seen_on
from fanous.questions.explore import control_targets
from fanous.refdata.countries import is_country
from fanous.refdata.networks import registered_name
from fanous.refdata.users import user_weights
from fanous.store.coverage import Heard, end_of_data, whole_hours
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.web.pages.connectivity import connectivity, places
from fanous.web.pages.explore_common import signals_of
from fanous.web.pages.incident import past_filter
from fanous.web.routes import Facts, page
from fanous.wording.language import Language

WINDOWS = (7, 30, 90, 365)
"""Windows that a reader may choose, in days."""

ASKED = {"days": "|".join(map(str, WINDOWS))}
ORDINARY_WINDOW = 30
MOST_INCIDENTS = 50
MOST_INSUFFICIENT = 8
MOST_HISTORY = 8
"""Lines of a country's history, the most frequent first."""

AHEAD = 30 * DAY
"""How far ahead announced events are shown."""


@page(
    "/{country:country}",
    "country.html",
    asks=ASKED,
    feed=lambda store, visit: feed_of(store, visit, visit.asked["country"]),
)
def country_facts(store: Store, visit: Visit) -> Facts | None:
    code, days = visit.asked["country"], days_asked(visit)
    if not is_country(code):
        return None
    weights = user_weights(code)
    store = store.about(code)
    facts, ledger = store.facts, store.ledger
    span = facts.span(code)
    end = end_of_data(span[1] if span else None, visit.now)
    since, until = end - days * DAY, end + 1
    hours = whole_hours(since, until)
    volume, heard, names = facts.volume(code, *hours), facts.heard_in(code, *hours), facts.networks(code)
    insufficient = facts.insufficient(code, *hours)[:MOST_INSUFFICIENT]
    published = facts.series_licences(code)
    every = ledger.incidents(code, synthetic=store.is_synthetic)
    events, claims = ledger.events(code, since, until + AHEAD), ledger.claims(code, since, until)

    incidents = [incident for incident in every if incident.is_on(since, until)]
    standing = [incident for incident in incidents if incident.status is not Status.RETRACTED]
    past = sorted(
        [incident for incident in every if not incident.is_open], key=lambda incident: -incident.onset
    )
    stories = [Story(incident, names) for incident in incidents]
    going = [Story(one, names) for one in open_ones(incidents)]
    statements = statements_of(store, sorted(claims, key=lambda claim: -claim.since))
    drawn = newest(volume, hours[0])
    votes = facts.votes(code, drawn, hours[1])
    shaded = [
        span for incident in standing if incident.is_of_line for span in incident_spans(incident, visit.now)
    ]
    levels = connectivity(store, code, every, since, end, visit, published, shaded) if published else None
    networks = network_lines(volume, heard, weights, code, visit)
    bars = timeline(stories, [event for event in events if event.start < until], since, until, code, visit)
    targets, grid = grids(votes, standing, code, visit.language)
    return {
        "code": code,
        "staged": store.is_synthetic,
        "hides_held": ledger.leaves_out_held,
        "days": days,
        "windows_asked": WINDOWS,
        "open": going,
        "known_until": {story.incident.id: known_until(store, story.incident, visit.now) for story in going},
        "past": [Story(one, names) for one in past[:MOST_INCIDENTS]],
        "history": [(row, past_filter(code, row)) for row in history(every)[:MOST_HISTORY]],
        "inside": stories,
        "timeline": bars,
        "ahead": [event for event in events if event.start >= until],
        "statements": statements,
        "connectivity": levels,
        "level": levels.lowest if levels else None,
        "places": places(store, code, every, end, visit, published) if published else None,
        "signals": signals_of(store, [code]) if published else [],
        "networks": networks,
        "names": names,
        "weights": weights,
        "measured": sum([line.measurements for line in networks]),
        "last": max([line.at for line in networks if line.at is not None], default=None),
        "seen_share": sum([line.share or 0.0 for line in networks if line.measurements]),
        "drawn": drawn if drawn > since else None,
        "past_until": end if end < visit.now else None,
        "targets": targets,
        "grid": grid,
        "insufficient": insufficient,
    }


MOST_TARGETS = 6
"""Most grids of single targets on one page."""


def grids(
    votes: Votes, incidents: Sequence[Incident], country: str, language: Language
) -> tuple[list[tuple[str, Drawing | None]], Drawing | None]:
    """Networks x time of single targets, those disrupted first, then those most measured; and of all together.

    Controls are left out, since they would make a total block look like a partial one.

    Args:
        incidents: a control named by one of them is treated as any target.
    """
    named = {target for incident in incidents for target in incident.targets}
    votes = votes.where(~np.isin(votes.targets, [one for one in control_targets() if one not in named]))
    if not len(votes):
        return [], None
    span, places = (float(votes.times.min()), float(votes.times.max())), votes.by_target()
    ordered = sorted([(target not in named, -len(rows), target) for target, rows in places.items() if target])
    drawn = []
    for _, _, target in ordered[:MOST_TARGETS]:
        about = [incident for incident in incidents if target in incident.targets]
        drawn.append((target, by_network(votes.where(places[target]), about, country, language, span)))
    return drawn, by_network(votes, incidents, country, language)


def days_asked(visit: Visit) -> int:
    """The window in days: one of ``WINDOWS``."""
    return int(visit.asked.get("days", ORDINARY_WINDOW))


@dataclass(frozen=True, slots=True)
class NetworkLine:
    """One network of the table.

    Attributes:
        share: of the country's users; ``None`` = no figure is known.
        at: time of the last measurement; ``None`` = none in the window.
    """

    asn: int
    share: float | None
    access: Access
    measurements: int
    probes: int
    at: float | None


def network_lines(
    volume: Sequence[Series], heard: Sequence[Heard], weights: UserWeights | None, code: str, visit: Visit
) -> list[NetworkLine]:
    """Networks with measurements or many users, by users, then by measurements.

    When each was last heard is the same as on the first page: its last measurement or heartbeat.
    """
    last = {one.asn: one.at for one in heard}
    for (country, asn), at in visit.site.heard().items():
        if country == code and asn in last:
            last[asn] = max(at, last[asn])
    weight_of = {weight.asn: weight for weight in weights.networks} if weights else {}
    measured = {series.key.place.asn: series for series in volume}
    lines = []
    large = {asn for asn, weight in weight_of.items() if weight.share >= LARGE}
    for asn in large | measured.keys():
        weight, series = weight_of.get(asn), measured.get(asn)
        lines.append(
            NetworkLine(
                asn,
                weight.share if weight else None,
                weight.access if weight else Access.ANY,
                int(np.sum(series.measurements)) if series is not None else 0,
                int(np.max(series.counts)) if series is not None else 0,
                last.get(asn),
            )
        )
    return sorted(lines, key=lambda line: (-(line.share or 0.0), -line.measurements, line.asn))


BAR_HIGH = 22
LEAST_WIDTH = 3
"""Smallest width in pixels; ten minutes in a month would otherwise be invisible."""

MOST_BARS = 14
MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: an incident, or an event.

    Attributes:
        picture: shapes for an ``<svg>`` of ``ROOM`` pixels.
    """

    picture: Markup
    story: Story | None = None
    event: AnnouncedEvent | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A country's incidents and announced events on one axis, as the page draws them.

    Attributes:
        ruler: (pixels from the left, text).
        more: rows that are left out.
    """

    width: int
    high: int
    ruler: list[tuple[int, str]]
    bars: list[Bar]
    more: int


def timeline(
    stories: Sequence[Story],
    events: Sequence[AnnouncedEvent],
    since: float,
    until: float,
    country: str,
    visit: Visit,
) -> Timeline | None:
    """Rows in order of onset; ``None`` = there is nothing to show.

    Args:
        told: incidents that overlap the window.
    """
    rows: list[tuple[float, Bar]] = [
        (story.incident.onset, Bar(_of_incident(story.incident, since, until), story=story))
        for story in stories
    ]
    rows += [
        (event.start, Bar(_shape("announced", event.start, event.end, since, until), event=event))
        for event in events
    ]
    if not rows:
        return None
    rows.sort(key=lambda row: -row[0])
    shown = [bar for _, bar in rows[:MOST_BARS]]
    marks = [
        (round((at - since) / (until - since) * ROOM), text)
        for at, text in ticks(since, until, country, visit.language, MOST_TICKS)
    ]
    return Timeline(ROOM, BAR_HIGH, _apart(marks), shown, len(rows) - len(shown))


def _apart(marks: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Labels that neither touch the previous one nor run over the edge."""
    kept: list[tuple[int, str]] = []
    for x, text in marks:
        if x <= ROOM - 48 and (not kept or x - kept[-1][0] >= 48):
            kept.append((x, text))
    return kept


def _of_incident(incident: Incident, since: float, until: float) -> Markup:
    """An incident's bar: filled if confirmed, outlined if suspected, a thin line if retracted, so they differ
    without colour."""
    if incident.status is Status.RETRACTED:
        name = "gone"
    else:
        name = "cut" if incident.confirmed_at is not None else "maybe"
    spans = [
        (interval.start, until if interval.end is None else interval.end) for interval in incident.intervals
    ]
    return Markup().join(_shape(name, a, b, since, until) for a, b in spans if b >= since and a <= until)


def _shape(name: str, start: float, end: float, since: float, until: float) -> Markup:
    start_at = (min(max(start, since), until) - since) / (until - since) * ROOM
    right = (min(max(end, since), until) - since) / (until - since) * ROOM
    x, wide = min(start_at, ROOM - LEAST_WIDTH), max(right - start_at, LEAST_WIDTH)
    y, high = {"maybe": (4, 14), "gone": (10, 2), "announced": (15, 5)}.get(name, (3, 16))
    return Markup('<path class="{}" d="M{:.1f} {}h{:.1f}v{}h-{:.1f}z"/>').format(name, x, y, wide, high, wide)


@page(
    "/{country:country}/{network:network}",
    "network.html",
    asks=ASKED,
    feed=lambda store, visit: feed_of(store, visit, visit.asked["country"], visit.asked["network"]),
)
def network_facts(store: Store, visit: Visit) -> Facts | None:
    code, place, days = visit.asked["country"], visit.asked["network"], days_asked(visit)
    if not is_country(code):
        return None
    asn, weights = asn_of(place), user_weights(code)
    store = store.about(code)
    facts = store.facts
    last = [
        network.last for network in facts.known_networks() if (network.country, network.asn) == (code, asn)
    ]
    end = end_of_data(last[0] if last else None, visit.now)
    since, until = whole_hours(end - days * DAY, end + 1)
    volume, heard, names = (
        facts.volume(code, since, until),
        facts.heard_in(code, since, until),
        facts.networks(code),
    )
    lines = [line for line in network_lines(volume, heard, weights, code, visit) if line.asn == asn]
    if not lines and asn not in names:
        return None
    every = store.ledger.incidents(code, synthetic=store.is_synthetic)
    naming = [incident for incident in every if place in incident.entities]
    naming.sort(key=lambda incident: -incident.onset)
    standing = [incident for incident in naming if incident.status is not Status.RETRACTED]
    drawn = newest(volume, since)
    votes = facts.votes(code, drawn, until)
    clean = ~np.isin(
        votes.targets, [name for one in standing if one.is_on(since, until) for name in one.targets]
    )
    return {
        "code": code,
        "asn": asn,
        "entity": place,
        "staged": store.is_synthetic,
        "days": days,
        "windows_asked": WINDOWS,
        "names": names,
        "registered": registered_name(asn),
        "line": lines[0] if lines else None,
        "weights": weights,
        "past_until": end if end < visit.now else None,
        "drawn": drawn if drawn > since else None,
        "incidents": [Story(incident, names) for incident in naming],
        "grid": by_target(votes, standing, code, asn, visit.language),
        "sensitivity": seen_on(store, code, asn, (since, until), votes.where(clean)),
    }
