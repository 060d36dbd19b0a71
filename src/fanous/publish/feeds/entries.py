"""Entries: what a feed lists, before it has a format - incidents by their last revision, or corrections.

An entry's id is made from the incident's own and never changes; the time is that of the revision that it
shows, so that a reader shows a correction as news.  The status stands in the title: a feed is read alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from fanous.model.correction import Correction
from fanous.model.incident import Incident
from fanous.pipeline.claims import corrections
from fanous.publish.edition import Edition
from fanous.publish.stories import DAY, incident_path, stories
from fanous.refdata.countries import country_name
from fanous.refdata.platforms import target_of
from fanous.store.protocol import Store
from fanous.wording.names import network_title, target_title
from fanous.wording.narrative import claim_line, sentences

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

    def address(self, edition: Edition, ending: str) -> str:
        """Its own: with the language that it was asked in, since who reads feeds names none."""
        return edition.base + edition.link(f"{self.path.rstrip('/')}/feed.{ending}")


def feed_of(
    store: Store,
    edition: Edition,
    country: str | None = None,
    network: str | None = None,
    target: str | None = None,
) -> Feed:
    """Of the world, a country, a network there (``AS17557``), or a target."""
    found = store.incidents(country, edition.now - REACH, edition.now + DAY)
    say = edition.language.say
    title, path = "Fanous: " + say("Disruptions of the internet"), "/"
    if country is not None:
        title, path = f"Fanous: {country_name(country, edition.language.code)}", f"/{country}"
    if network is not None:
        found = [one for one in found if network in one.entities]
        name = network_title(int(network.removeprefix("AS")), store.networks(country or "")) or network
        title, path = f"{title}, {name}", f"{path}/{network}"
    if target is not None:
        found = [one for one in found if target_of(target) in one.targets]
        title, path = f"Fanous: {target_title(target_of(target))}", f"/target/{target}"
    revised = [(store.revisions(one.id)[-1].at, one) for one in found]
    revised.sort(key=lambda pair: (-pair[0], pair[1].id))
    return Feed(title, path, tuple(_entries(store, edition, revised[:MOST])))


def corrections_feed(store: Store, edition: Edition) -> Feed:
    """What was claimed and taken back; one entry a revision."""
    found = corrections(store, None)[:MOST]
    title = f"Fanous: {edition.language.say('Correction')}"
    return Feed(title, "/corrections", tuple(_corrected(store, edition, found)))


def entry_id(edition: Edition, path: str) -> str:
    """``urn:uuid:...`` of a path: one monitor's label never names another monitor's incident, and the address
    by which a reader came does not matter."""
    return uuid5(NAMESPACE_URL, f"{edition.url or 'fanous:'}{path}").urn


def _entries(store: Store, edition: Edition, revised: list[tuple[float, Incident]]) -> Iterable[Entry]:
    told = stories(store, [incident for _, incident in revised])
    for (at, incident), story in zip(revised, told, strict=True):
        summary = " ".join(one.text for one in sentences(incident, story.names, edition.language))
        yield Entry(
            id=entry_id(edition, incident_path(incident)),
            url=edition.permanent(incident_path(incident)),
            title=_marked(edition, claim_line(incident, story.names, edition.language).text),
            summary=_marked(edition, summary),
            published=store.revisions(incident.id)[0].at,
            updated=at,
            categories=_categories(incident),
        )


def _corrected(store: Store, edition: Edition, found: list[Correction]) -> Iterable[Entry]:
    for one in found:
        incident = store.revisions(one.incident)[one.n - 1].incident
        path = incident_path(incident)
        claim = claim_line(incident, store.networks(one.country), edition.language)
        yield Entry(
            id=entry_id(edition, f"{path}#{one.n}"),
            url=edition.permanent(path),
            title=_marked(edition, f"{edition.language.say('Correction')}: {claim.text}"),
            summary=f"Taken back: {'; '.join(one.taken_back)}. {one.reason}",
            published=one.at,
            updated=one.at,
            categories=_categories(incident),
        )


def _marked(edition: Edition, text: str) -> str:
    """A recorded event must not be taken for news wherever a line of it lands."""
    return f"[{edition.language.say('Synthetic')}] {text}" if edition.notice else text


def _categories(incident: Incident) -> tuple[tuple[str, str], ...]:
    words = [str(incident.status), str(incident.kind), str(incident.scope)]
    return ((incident.country, country_name(incident.country)), *((word, word) for word in words))
