"""Now: what is disrupted, what is watched, and what cannot be seen."""

from dataclasses import dataclass

from fanous.store import Store
from fanous.web.page import Facts
from fanous.web.pages.lead import lead_of
from fanous.web.pages.stories import DAY, LATELY, lately_over, open_ones, stories
from fanous.web.pages.world import world_of
from fanous.web.visit import Visit

SEEN = 7 * DAY
"""A country whose last measurement is older is one that we cannot see."""

COUNTRIES = 249
"""Codes of ISO 3166-1."""

QUIET = DAY
"""A network that was heard in ``SEEN``, but not so lately, has fallen silent."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One country that is measured.

    Attributes:
        networks: heard within ``SEEN``.
        silent: of those, not heard within ``QUIET``.
        at: when anything was last heard.
        measurements: within ``SEEN``.
    """

    country: str
    networks: int
    silent: int
    at: float
    measurements: int


def now_facts(store: Store, visit: Visit) -> Facts:
    incidents = store.incidents(None, visit.now - LATELY, visit.now + DAY)
    going = stories(store, open_ones(incidents))
    over = stories(store, lately_over(incidents, visit.now))
    seen = watched(store, visit)
    return {
        "open": going,
        "lately": over,
        "watched": seen,
        "world": world_of(going, over, [one.country for one in seen], visit.site.world),
        "lead": lead_of(store, [*going, *over], visit),
        "unseen": COUNTRIES - len(seen),
    }


def watched(store: Store, visit: Visit) -> list[Watched]:
    """Countries by when they were last heard."""
    heard = {(one.country, one.asn): one for one in store.heard(visit.now - SEEN, visit.now + DAY)}
    last = {place: one.at for place, one in heard.items()}
    for place, at in visit.site.heard().items():
        last[place] = max(at, last.get(place, at))
    found = []
    for country in sorted({country for country, _ in last}):
        times = [at for place, at in last.items() if place[0] == country]
        made = sum(one.measurements for place, one in heard.items() if place[0] == country)
        silent = sum(at < visit.now - QUIET for at in times)
        found.append(Watched(country, len(times), silent, max(times), made))
    return sorted(found, key=lambda one: (-one.at, one.country))
