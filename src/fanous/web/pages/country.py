"""Country: what is disrupted there, through time, on which networks, and how much of it can be seen.

Network: one ASN in one country - what could be reached from it, and which incidents name it.
"""

from dataclasses import dataclass

import numpy as np

from fanous.charts.reachability import LARGE
from fanous.model.incident import Incident, Kind, Status
from fanous.model.place import Access, asn_of
from fanous.model.series import Votes
from fanous.publish.edition import DAY, HOUR, newest, open_ones, stories, whole_hours
from fanous.publish.feeds import feed_of
from fanous.refdata.countries import is_country
from fanous.refdata.networks import registered_name
from fanous.refdata.users import user_weights
from fanous.store.protocol import Store
from fanous.web.pages.connectivity import connectivity, lowest, places
from fanous.web.pages.events import claims_between, events_between, statements_of
from fanous.web.pages.grids import by_network, by_target, timeline
from fanous.web.routes import Facts, Visit, page
from fanous.wording.narrative import is_open

WINDOWS = (7, 30, 90, 365)
"""Days that a reader may ask for."""

ORDINARY_WINDOW = 30
MOST_TARGETS = 6
"""Grids of single targets: those disrupted first, then those most measured."""

MOST_INCIDENTS = 50
AHEAD = 30 * DAY
"""How far ahead announced events are shown."""


@dataclass(frozen=True, slots=True)
class NetworkLine:
    """One network of the table.

    Attributes:
        share: of the country's users; ``None`` = no figure is known.
        at: last heard; ``None`` = not within the window.
    """

    asn: int
    share: float | None
    access: Access
    measurements: int
    probes: int
    at: float | None


def days_asked(visit: Visit) -> int:
    """The window in days; anything else than ``WINDOWS`` is the ordinary one."""
    asked = visit.asked.get("days", "")
    return int(asked) if asked in map(str, WINDOWS) else ORDINARY_WINDOW


@page(
    "/{country:country}",
    "country.html",
    asks=("days",),
    feed=lambda store, visit: feed_of(store, visit, visit.asked["country"]),
)
def country_facts(store: Store, visit: Visit) -> Facts | None:
    code = visit.asked["country"]
    if not is_country(code):
        return None
    days = days_asked(visit)
    since, until = visit.now - days * DAY, visit.now + 1
    incidents = store.incidents(code, since, until)
    standing = [incident for incident in incidents if incident.status is not Status.RETRACTED]
    measured = whole_hours(since, until)
    drawn = newest(store, code, *measured)
    votes = store.votes(code, drawn, measured[1])
    past = [incident for incident in store.incidents(code) if not is_open(incident)]
    past.sort(key=lambda incident: -incident.onset)
    lines = network_lines(store, code, *measured)
    events = events_between(store, code, since, until + AHEAD)
    told = stories(store, incidents)
    levels = connectivity(store, code, since, visit.now, visit, _outages(standing, visit.now))
    return {
        "code": code,
        "connectivity": levels,
        "level": lowest(levels),
        "places": places(store, code, visit.now),
        "inside": told,
        "timeline": timeline(told, [one for one in events if one.start < until], since, until, code, visit),
        "ahead": [event for event in events if event.start >= until],
        "statements": statements_of(store, claims_between(store, code, since, until)),
        "last": max((line.at for line in lines if line.at is not None), default=None),
        "measured": sum(line.measurements for line in lines),
        "days": days,
        "windows_asked": WINDOWS,
        "open": stories(store, open_ones(incidents)),
        "past": stories(store, past[:MOST_INCIDENTS]),
        "drawn": drawn if drawn > since else None,
        "grid": by_network(votes, standing, code, visit.language),
        "targets": target_grids(votes, standing, code, visit),
        "networks": lines,
        "names": store.networks(code),
        "weights": user_weights(code),
        "seen_share": sum(line.share or 0.0 for line in lines if line.measurements),
        "insufficient": store.insufficient(code, *measured)[:8],
    }


def _outages(incidents: list[Incident], now: float) -> list[tuple[float, float]]:
    """When the line itself was disrupted: what a chart of levels shades."""
    return [
        (one.start, now if one.end is None else one.end)
        for incident in incidents
        if incident.kind in (Kind.OUTAGE, Kind.SLOWDOWN)
        for one in incident.intervals
    ]


def target_grids(
    votes: Votes, incidents: list[Incident], code: str, visit: Visit
) -> list[tuple[str, object]]:
    """(target, its grid)."""
    if not len(votes):
        return []
    span = float(votes.times.min()), float(votes.times.max())
    places = votes.by_target()
    named = {target for incident in incidents for target in incident.targets}
    ordered = sorted(
        filter(None, places), key=lambda target: (target not in named, -len(places[target]), target)
    )
    return [
        (
            target,
            by_network(
                votes.of([target], places),
                [incident for incident in incidents if target in incident.targets],
                code,
                visit.language,
                span,
            ),
        )
        for target in ordered[:MOST_TARGETS]
    ]


def network_lines(store: Store, code: str, since: float, until: float) -> list[NetworkLine]:
    """Networks that were heard or have many users, by users, then by measurements."""
    known = {weight.asn: weight for weight in own.networks} if (own := user_weights(code)) else {}
    heard = {series.key.place.asn: series for series in store.volume(code, since, until, HOUR)}
    lines = []
    large = {asn for asn, weight in known.items() if weight.share >= LARGE}
    for asn in large | heard.keys():
        weight, series = known.get(asn), heard.get(asn)
        lines.append(
            NetworkLine(
                asn,
                weight.share if weight else None,
                weight.access if weight else Access.ANY,
                int(np.sum(series.measurements)) if series else 0,
                int(np.max(series.counts)) if series else 0,
                float(series.times[-1]) if series else None,
            )
        )
    return sorted(lines, key=lambda line: (-(line.share or 0.0), -line.measurements, line.asn))


@page(
    "/{country:country}/{network:network}",
    "network.html",
    asks=("days",),
    feed=lambda store, visit: feed_of(store, visit, visit.asked["country"], visit.asked["network"]),
)
def network_facts(store: Store, visit: Visit) -> Facts | None:
    code, place = visit.asked["country"], visit.asked["network"]
    asn = asn_of(place)
    days = days_asked(visit)
    since, until = whole_hours(visit.now - days * DAY, visit.now + 1)
    lines = [line for line in network_lines(store, code, since, until) if line.asn == asn]
    names = store.networks(code)
    if not is_country(code) or (not lines and asn not in names):
        return None
    naming = [incident for incident in store.incidents(code) if place in incident.entities]
    standing = [incident for incident in naming if incident.status is not Status.RETRACTED]
    drawn = newest(store, code, since, until)
    votes = store.votes(code, drawn, until)
    return {
        "code": code,
        "asn": asn,
        "entity": place,
        "days": days,
        "windows_asked": WINDOWS,
        "names": names,
        "registered": registered_name(asn),
        "line": lines[0] if lines else None,
        "weights": user_weights(code),
        "drawn": drawn if drawn > since else None,
        "incidents": stories(store, sorted(naming, key=lambda incident: -incident.onset)),
        "grid": by_target(votes, standing, code, asn, visit.language),
    }
