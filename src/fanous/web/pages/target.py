"""Target: one platform or site - where it is or was disrupted, and where it is measured."""

from dataclasses import dataclass

from fanous.charts.grid import Drawing, by_network
from fanous.model.incident import Status
from fanous.model.instant import DAY
from fanous.publish.edition import newest, stories
from fanous.publish.feeds import feed_of
from fanous.questions.country import known_until
from fanous.refdata.platforms import platforms
from fanous.store.coverage import whole_hours
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.web.routes import Facts, page

REACH = 30 * DAY
MOST_COUNTRIES = 8
"""Most countries whose grid is drawn: those with disruptions first, then those measured last."""

LONGEST = 253
"""Longest host name (RFC 1035)."""


@dataclass(frozen=True, slots=True)
class TargetSeen:
    """One country in which the target was measured.

    Attributes:
        until: when it was last measured, if longer ago than ``REACH``; ``None`` = more recently.
    """

    country: str
    until: float | None
    grid: Drawing
    names: dict[int, str]


@page(
    "/target/{target}",
    "target.html",
    feed=lambda store, visit: feed_of(store, visit, target=visit.asked["target"]),
)
def target_facts(store: Store, visit: Visit) -> Facts | None:
    target = visit.asked["target"]
    if len(target) > LONGEST:
        return None
    store = store.about()
    naming = [
        incident
        for incident in store.ledger.incidents(synthetic=store.is_synthetic)
        if target in incident.targets
    ]
    seen = _seen(store, visit, target, [incident.country for incident in naming])
    if not naming and not seen and target not in platforms():
        return None
    naming.sort(key=lambda incident: (not incident.is_open, -incident.onset))
    return {
        "target": target,
        "hides_held": store.ledger.leaves_out_held,
        "incidents": stories(store, naming),
        "known_until": {
            incident.id: known_until(store, incident, visit.now) for incident in naming if incident.is_open
        },
        "seen": seen,
        "days": int(REACH / DAY),
        "staged": store.is_synthetic,
    }


def _seen(store: Store, visit: Visit, target: str, first: list[str]) -> list[TargetSeen]:
    """Countries with incidents of the target first, then those heard last, then others with data."""
    since, until = whole_hours(visit.now - REACH, visit.now + 1)
    heard = sorted(store.facts.heard(since, until), key=lambda one: -one.at)
    rows = []
    countries = dict.fromkeys([*first, *(arrival.country for arrival in heard), *store.facts.countries()])
    for country in list(countries)[:MOST_COUNTRIES]:
        ends = store.facts.ends(country, 0, until, [target])
        if ends is None:
            continue
        start, end = since, until
        if ends[1] < since:
            start, end = whole_hours(ends[1] - REACH, ends[1] + 1)
        drawn = newest(store.facts.volume(country, start, end), start)
        votes = store.facts.votes(country, drawn, end, [target])
        incidents = [
            incident
            for incident in store.ledger.incidents(country, start, end, synthetic=store.is_synthetic)
            if target in incident.targets and incident.status is not Status.RETRACTED
        ]
        grid = by_network(votes, incidents, country, visit.language)
        if grid:
            last = ends[1] if ends[1] < since else None
            rows.append(TargetSeen(country, last, grid, store.facts.networks(country)))
    return rows
