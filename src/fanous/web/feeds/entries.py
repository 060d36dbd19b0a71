"""Entries: what a feed lists, before it has a format - incidents by their last revision, or corrections.

An entry's id is made from the incident's own and never changes; the time is that of the revision that it
shows, so that a reader shows a correction as news.  The status stands in the title: a feed is read alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from fanous.languages.telling import claim_line, sentences
from fanous.model.correction import Correction
from fanous.model.incident import Incident
from fanous.publishers.names import network_title, target_title
from fanous.refdata.countries import country_name
from fanous.refdata.platforms import target_of
from fanous.statements import corrections
from fanous.store import Store
from fanous.web.pages.stories import DAY, incident_path, stories
from fanous.web.visit import Visit

MOST = 50
REACH = 366 * DAY


@dataclass(frozen=True, slots=True)
class Entry:
    """Attributes:
    id: ``urn:uuid:...``
    published: unix seconds of the first revision; ``updated`` of the one shown.
    categories: (term, label).
    """

    id: str
    url: str
    title: str
    summary: str
    published: float
    updated: float
    categories: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """Attributes:
    path: of the page that the feed is of; its own address is that with ``feed.json`` or ``feed.atom``.
    """

    title: str
    path: str
    entries: tuple[Entry, ...]

    @property
    def updated(self) -> float:
        return max((entry.updated for entry in self.entries), default=0.0)

    def address(self, visit: Visit, ending: str) -> str:
        """Its own: with the language that it was asked in, since who reads feeds names none."""
        return visit.base + visit.link(f"{self.path.rstrip('/')}/feed.{ending}")


def feed_of(store: Store, visit: Visit) -> Feed:
    """Of the world, a country, a network there, or a target: as the address says."""
    asked = visit.asked
    country, network, target = asked.get("country"), asked.get("network"), asked.get("target")
    found = store.incidents(country, visit.now - REACH, visit.now + DAY)
    say = visit.language.say
    title, path = "Fanous: " + say("Disruptions of the internet"), "/"
    if country is not None:
        title, path = f"Fanous: {country_name(country, visit.language.code)}", f"/{country}"
    if network is not None:
        found = [one for one in found if network in one.entities]
        name = network_title(int(network.removeprefix("AS")), store.networks(country or "")) or network
        title, path = f"{title}, {name}", f"{path}/{network}"
    if target is not None:
        found = [one for one in found if target_of(target) in one.targets]
        title, path = f"Fanous: {target_title(target_of(target))}", f"/target/{target}"
    revised = [(store.revisions(one.id)[-1].at, one) for one in found]
    revised.sort(key=lambda pair: (-pair[0], pair[1].id))
    return Feed(title, path, tuple(_entries(store, visit, revised[:MOST])))


def corrections_feed(store: Store, visit: Visit) -> Feed:
    """What was claimed and taken back; one entry a revision."""
    found = corrections(store, None)[:MOST]
    title = f"Fanous: {visit.language.say('Correction')}"
    return Feed(title, "/corrections", tuple(_corrected(store, visit, found)))


def entry_id(visit: Visit, path: str) -> str:
    """``urn:uuid:...`` of a path: one monitor's label never names another monitor's incident, and the address
    by which a reader came does not matter."""
    return uuid5(NAMESPACE_URL, f"{visit.site.url or 'fanous:'}{path}").urn


def _entries(store: Store, visit: Visit, revised: list[tuple[float, Incident]]) -> Iterable[Entry]:
    told = stories(store, [incident for _, incident in revised])
    for (at, incident), story in zip(revised, told, strict=True):
        summary = " ".join(one.text for one in sentences(incident, story.names, visit.language))
        yield Entry(
            id=entry_id(visit, incident_path(incident)),
            url=visit.permanent(incident_path(incident)),
            title=_marked(visit, claim_line(incident, story.names, visit.language).text),
            summary=_marked(visit, summary),
            published=store.revisions(incident.id)[0].at,
            updated=at,
            categories=_categories(incident),
        )


def _corrected(store: Store, visit: Visit, found: list[Correction]) -> Iterable[Entry]:
    for one in found:
        incident = store.revisions(one.incident)[one.n - 1].incident
        path = incident_path(incident)
        claim = claim_line(incident, store.networks(one.country), visit.language)
        yield Entry(
            id=entry_id(visit, f"{path}#{one.n}"),
            url=visit.permanent(path),
            title=_marked(visit, f"{visit.language.say('Correction')}: {claim.text}"),
            summary=f"Taken back: {'; '.join(one.taken_back)}. {one.reason}",
            published=one.at,
            updated=one.at,
            categories=_categories(incident),
        )


def _marked(visit: Visit, text: str) -> str:
    """A recorded event must not be taken for news wherever a line of it lands."""
    return f"[{visit.language.say('Synthetic')}] {text}" if visit.site.notice else text


def _categories(incident: Incident) -> tuple[tuple[str, str], ...]:
    words = [str(incident.status), str(incident.kind), str(incident.scope)]
    return ((incident.country, country_name(incident.country)), *((word, word) for word in words))
