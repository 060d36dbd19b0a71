"""Feeds: incidents for programs that poll, as Atom, JSON Feed and CAP; and announced events as iCalendar (RFC 5545).

A feed lists incidents by their latest revision, or corrections.  An entry's id is made from the incident's own and
never changes; its time is that of the revision, so that feed readers show a correction as news. The title gives the
status, because often only the title is read.

To add a format: a function here that writes a ``Feed``, and its line in ``FORMATS``.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

import msgspec

from fanous.analysis.incidents.revision import happenings, news_in, reach_changed
from fanous.base.text import printable
from fanous.model.alert import Happening
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Correction, Incident, Status
from fanous.model.instant import DAY, to_iso
from fanous.model.reason import is_by_method
from fanous.publish.edition import Edition, incident_path, stories
from fanous.publish.filter import IncidentFilter, every, filtered
from fanous.questions.claims import corrections, method_changes
from fanous.questions.country import data_ended
from fanous.refdata.countries import country_name, local
from fanous.refdata.networks import network_title
from fanous.refdata.platforms import target_of
from fanous.store.ledger import Revision
from fanous.store.protocol import Store
from fanous.wording.headline import claim_line, led, synthetic
from fanous.wording.language import Language, Sentence
from fanous.wording.narrative import sentences, unheard_since
from fanous.wording.reasons import corrected, method_said, reasons_said
from fanous.wording.words import target_title

MOST = 50
REACH = 366 * DAY
"""Seconds; what ended before is not in the feeds of places and targets, unless it was retracted since."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One incident in a feed.

    Attributes:
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
    cap: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed before it is written as Atom or JSON.

    Attributes:
        path: of the page that the feed belongs to; the feed's own address adds ``feed.json`` or ``feed.atom``.
        query: the page's parameters that apply to the feed.
    """

    title: str
    path: str
    entries: tuple[Entry, ...]
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def updated(self) -> float:
        return max((entry.updated for entry in self.entries), default=0.0)

    def address(self, edition: Edition, ending: str) -> str:
        """The feed's own address, with its language, since feed readers do not request one."""
        return edition.base + edition.link(f"{self.path.rstrip('/')}/feed.{ending}", **self.query)

    def page(self, edition: Edition) -> str:
        """The permanent address of its page."""
        return edition.permanent(self.path, **self.query)


def feed_of(
    store: Store,
    edition: Edition,
    country: str | None = None,
    network: str | None = None,
    target: str | None = None,
) -> Feed:
    """The feed of the world, a country, a network there (``AS17557``), or a target."""
    since = edition.now - REACH
    recent = store.ledger.incidents(country, since, edition.now + DAY)
    withdrawn = store.ledger.incidents(country, retracted=since)
    listed = list({incident.id: incident for incident in (*recent, *withdrawn)}.values())
    say = edition.language.say
    title, path = "Fanous: " + say("Disruptions of the internet"), "/"
    if country is not None:
        title, path = f"Fanous: {country_name(country, edition.language.code)}", f"/{country}"
    if network is not None:
        listed = [incident for incident in listed if network in incident.entities]
        name = (
            network_title(int(network.removeprefix("AS")), store.about(country).facts.networks(country or ""))
            or network
        )
        title, path = f"{title}, {name}", f"{path}/{network}"
    if target is not None:
        listed = [incident for incident in listed if target_of(target) in incident.targets]
        title, path = f"Fanous: {target_title(target_of(target))}", f"/target/{target}"
    entries = tuple(_latest(store, edition, listed))
    return Feed(title, path, entries if path != "/" else _with_notices(store, edition, entries))


def filtered_feed(store: Store, edition: Edition, wanted: IncidentFilter) -> Feed:
    """The feed of all matching incidents, regardless of when they were."""
    fitting = filtered(store, every(store, wanted), wanted, edition)
    title = f"Fanous: {edition.language.say('Incidents')}"
    if about := wanted.title(edition.language):
        title += f"{edition.language.comma}{about}"
    return Feed(title, "/incidents", tuple(_latest(store, edition, fitting)), wanted.query)


def _latest(store: Store, edition: Edition, incidents: Iterable[Incident]) -> Iterable[Entry]:
    """The most recently revised, newest first, without provisional ones and those whose names are withheld."""
    fitting = (incident for incident in incidents if not incident.is_provisional and not incident.is_unlisted)
    revised = [(news_at(store.ledger.revisions(incident.id)), incident) for incident in fitting]
    revised.sort(key=lambda pair: (-pair[0], pair[1].id))
    return _entries(store, edition, revised[:MOST])


def news_at(revisions: Sequence[Revision]) -> float:
    """When it was last revised, other than to take something back, or to label it, because the method had changed."""
    for before, after in reversed(list(pairwise(revisions))):
        news = set(happenings(before.incident, after.incident)) - {Happening.CORRECTED}
        if news or not is_by_method(after.reasons):
            return after.at
    return revisions[0].at


def corrections_feed(store: Store, edition: Edition) -> Feed:
    """Corrections, one entry per revision, and one for all that a change of the method took back."""
    listed = [correction for correction in corrections(store, None) if not correction.by_method][:MOST]
    title = f"Fanous: {edition.language.say('Corrections')}"
    entries = _with_notices(store, edition, _corrected(store, edition, listed))
    return Feed(title, "/corrections", entries)


def _with_notices(store: Store, edition: Edition, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries with those that the method changed, newest first.  A notice stays as new as it was, although it
    counts what is computed again later."""
    notices = []
    for change in method_changes(store):
        title, text = method_said(change, edition.language)
        notices.append(
            Entry(
                id=entry_id(edition, f"/corrections#{to_iso(change.at)}"),
                url=edition.permanent("/corrections"),
                title=title,
                summary=text,
                published=change.at,
                updated=change.at,
                categories=(("method", edition.language.say("Method")),),
            )
        )
    return tuple(sorted([*entries, *notices], key=lambda entry: -entry.updated)[:MOST])


def entry_id(edition: Edition, path: str) -> str:
    """``urn:uuid:...`` of a path: the same label on two monitors gives different ids, and the address that a reader
    used makes no difference."""
    return uuid5(NAMESPACE_URL, f"{edition.base or 'fanous:'}{path}").urn


def _entries(store: Store, edition: Edition, revised: list[tuple[float, Incident]]) -> Iterable[Entry]:
    listed = stories(store, [incident for _, incident in revised])
    for (at, incident), story in zip(revised, listed, strict=True):
        revisions = store.ledger.revisions(incident.id)
        ended = unheard_since(data_ended(store, incident, edition.now), incident, edition.language)
        reach = reach_said(revisions, edition.language)
        account = [*sentences(incident, story.names, edition.language), *reach, *ended]
        yield Entry(
            id=entry_id(edition, incident_path(incident)),
            url=edition.permanent(incident_path(incident)),
            title=claim_line(incident, story.names, edition.language).text,
            summary=" ".join(sentence.text for sentence in account),
            published=revisions[0].at,
            updated=at,
            categories=_categories(incident),
            cap=edition.permanent(f"{incident_path(incident)}.cap"),
        )


def reach_said(revisions: Sequence[Revision], language: Language) -> list[Sentence]:
    """That it has widened or narrowed, if that is the last news of it."""
    news, news_before = news_in(revision.incident for revision in revisions)
    return [] if news_before is None else reasons_said(reach_changed(news, news_before), language)


def _corrected(store: Store, edition: Edition, found: list[Correction]) -> Iterable[Entry]:
    for correction in found:
        incident = store.ledger.revisions(correction.incident)[correction.n - 1].incident
        if incident.is_unlisted:
            continue
        path = incident_path(incident)
        names = store.of(incident.provenance).facts.networks(correction.country)
        yield Entry(
            id=entry_id(edition, f"{path}#{correction.n}"),
            url=edition.permanent(path),
            title=claim_line(incident, names, edition.language, "Correction").text,
            summary=led(
                incident,
                corrected(correction.taken_back, correction.reasons, edition.language),
                edition.language,
            ),
            published=correction.at,
            updated=correction.at,
            categories=_categories(incident),
        )


def _categories(incident: Incident) -> tuple[tuple[str, str], ...]:
    words = [str(incident.status), str(incident.kind), str(incident.scope)]
    return ((incident.country, country_name(incident.country)), *((word, word) for word in words))


ATOM = "http://www.w3.org/2005/Atom"
ATOM_MEDIA = "application/atom+xml; charset=utf-8"
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(feed: Feed, edition: Edition) -> bytes:
    ElementTree.register_namespace("", ATOM)
    root = ElementTree.Element(
        f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": edition.language.code}
    )
    address = feed.address(edition, "atom")
    asked = f"?{urlencode(feed.query)}" if feed.query else ""
    _text(root, "id", entry_id(edition, f"{feed.path.rstrip('/')}/feed.atom{asked}"))
    _text(root, "title", feed.title)
    _text(root, "updated", to_iso(feed.updated))
    _link(root, "self", address, "application/atom+xml")
    _link(root, "alternate", feed.page(edition), "text/html")
    _text(ElementTree.SubElement(root, f"{{{ATOM}}}author"), "name", "Fanous")
    for entry in feed.entries:
        _entry(root, entry)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _entry(root: ElementTree.Element, entry: Entry) -> None:
    element = ElementTree.SubElement(root, f"{{{ATOM}}}entry")
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    _text(element, "updated", to_iso(entry.updated))
    _text(element, "published", to_iso(entry.published))
    _link(element, "alternate", entry.url, "text/html")
    if entry.cap:
        _link(element, "related", entry.cap, "application/cap+xml")
    for term, label in entry.categories:
        ElementTree.SubElement(element, f"{{{ATOM}}}category", {"term": term, "label": label})
    _text(element, "summary", entry.summary)


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}").text = xml_text(text)


def xml_text(text: str) -> str:
    """The text without characters that XML 1.0 forbids."""
    return FORBIDDEN.sub("", text)


def _link(parent: ElementTree.Element, rel: str, href: str, media: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "href": href, "type": media})


JSON_FEED_MEDIA = "application/feed+json"
JSON_FEED_VERSION = "https://jsonfeed.org/version/1.1"


def json_feed(feed: Feed, edition: Edition) -> bytes:
    document = {
        "version": JSON_FEED_VERSION,
        "title": feed.title,
        "home_page_url": feed.page(edition),
        "feed_url": feed.address(edition, "json"),
        "language": edition.language.code,
        "authors": [{"name": "Fanous"}],
        "items": [_item(entry) for entry in feed.entries],
    }
    return msgspec.json.encode(document)


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "content_text": entry.summary,
        "date_published": to_iso(entry.published),
        "date_modified": to_iso(entry.updated),
        "tags": [term for term, _ in entry.categories],
    }


@dataclass(frozen=True, slots=True)
class Format:
    """How a feed is written.

    Attributes:
        media: media type of the document.
    """

    write: Callable[[Feed, Edition], bytes]
    media: str


FORMATS: dict[str, Format] = {"atom": Format(atom, ATOM_MEDIA), "json": Format(json_feed, JSON_FEED_MEDIA)}
"""Ending of a feed's address -> how it is written."""


CAP = "urn:oasis:names:tc:emergency:cap:1.2"
CAP_MEDIA = "application/cap+xml; charset=utf-8"

CERTAINTY = {Status.CONFIRMED: "Observed", Status.SUSPECTED: "Possible", Status.RETRACTED: "Unlikely"}
"""For an ended incident, whether it was confirmed or suspected."""


def cap(store: Store, incident: Incident, edition: Edition) -> bytes:
    """The latest revision as CAP."""
    ElementTree.register_namespace("", CAP)
    root = ElementTree.Element(f"{{{CAP}}}alert")
    revisions = store.ledger.revisions(incident.id)
    _head(root, incident, revisions, edition)
    _info(ElementTree.SubElement(root, f"{{{CAP}}}info"), store, incident, edition)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _head(
    root: ElementTree.Element, incident: Incident, revisions: Sequence[Revision], edition: Edition
) -> None:
    kind = "Alert" if len(revisions) == 1 else "Update"
    kind = "Cancel" if incident.status is Status.RETRACTED else kind
    last = revisions[-1]
    _cap_text(root, "identifier", _identifier(incident.id, last.n))
    _cap_text(root, "sender", sender_of(edition))
    _cap_text(root, "sent", moment(last.at))
    staged = edition.notice or incident.provenance.is_synthetic
    _cap_text(root, "status", "Exercise" if staged else "Actual")
    _cap_text(root, "msgType", kind)
    _cap_text(root, "scope", "Public")
    if staged:
        _cap_text(root, "note", edition.notice or synthetic(incident))
    if len(revisions) > 1:
        references = [
            f"{sender_of(edition)},{_identifier(incident.id, r.n)},{moment(r.at)}" for r in revisions[:-1]
        ]
        _cap_text(root, "references", " ".join(references))


def _identifier(label: str, n: int) -> str:
    """Without spaces, commas, < and &, as the standard requires."""
    return f"fanous.{label}.{n}"


def sender_of(edition: Edition) -> str:
    return f"fanous@{urlsplit(edition.base).hostname or 'localhost'}"


def moment(instant: float) -> str:
    """With a numeric offset, since the standard does not allow ``Z``."""
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%S}-00:00"


def _urgency(incident: Incident, known_until: float | None) -> str:
    if incident.status in (Status.ENDED, Status.RETRACTED):
        return "Past"
    return "Immediate" if known_until is None else "Unknown"


def _info(info: ElementTree.Element, store: Store, incident: Incident, edition: Edition) -> None:
    names = store.of(incident.provenance).facts.networks(incident.country)
    until = data_ended(store, incident, edition.now)
    sentences_said = [
        *sentences(incident, names, edition.language),
        *reach_said(store.ledger.revisions(incident.id), edition.language),
        *unheard_since(until, incident, edition.language),
    ]
    _cap_text(info, "language", edition.language.code)
    _cap_text(info, "category", "Infra")
    _cap_text(info, "event", "loss of traffic" if incident.is_of_traffic else f"internet {incident.kind}")
    _cap_text(info, "urgency", _urgency(incident, until))
    _cap_text(info, "severity", "Unknown")
    _cap_text(info, "certainty", _certainty(incident))
    _cap_text(info, "onset", moment(incident.onset))
    if incident.end is not None:
        _cap_text(info, "expires", moment(max(incident.end, incident.end_latest or incident.end)))
    _cap_text(info, "senderName", "Fanous")
    _cap_text(info, "headline", claim_line(incident, names, edition.language).text)
    _cap_text(info, "description", " ".join(sentence.text for sentence in sentences_said))
    _cap_text(info, "web", edition.permanent(incident_path(incident)))
    for name in ("status", "kind", "scope"):
        _named(info, "parameter", f"fanous:{name}", str(getattr(incident, name)))
    for name in ("onset_earliest", "onset_latest", "end_earliest", "end_latest", "reached"):
        if (at := getattr(incident, name)) is not None:
            _named(info, "parameter", f"fanous:{name}", moment(at))
    area = ElementTree.SubElement(info, f"{{{CAP}}}area")
    _cap_text(area, "areaDesc", country_name(incident.country, edition.language.code))
    _named(area, "geocode", "ISO3166-1", incident.country)


def _certainty(incident: Incident) -> str:
    if incident.status is Status.ENDED:
        return "Possible" if incident.confirmed_at is None else "Observed"
    return CERTAINTY[incident.status]


def _named(parent: ElementTree.Element, name: str, key: str, value: str) -> None:
    element = ElementTree.SubElement(parent, f"{{{CAP}}}{name}")
    _cap_text(element, "valueName", key)
    _cap_text(element, "value", value)


def _cap_text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{CAP}}}{name}").text = xml_text(text)


CALENDAR_MEDIA = "text/calendar; charset=utf-8"

REFRESH = timedelta(hours=6)
"""How often programs should ask again (RFC 7986, section 5.7): events are announced days before."""


def calendar(events: Sequence[AnnouncedEvent], edition: Edition, country: str = "") -> bytes:
    """One calendar of all the events, in UTC; whole days of an event's country stay whole days.

    Args:
        country: the country that it is about; empty = the world.
    """
    from icalendar import Calendar, Event

    say = edition.language.say
    title = f"Fanous: {say('Announced events')}"
    if country:
        title += f"{edition.language.comma}{country_name(country, edition.language.code)}"
    document = Calendar()
    document.add("version", "2.0")
    document.add("prodid", "-//Fanous//EN")
    document.add("name", title)
    document.add("x-wr-calname", title)
    document.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for one in events:
        event = Event()
        event.add("uid", f"{one.id}@{one.digest[:16]}.fanous")
        event.add("dtstamp", _utc(one.registered_at))
        event.add("dtstart", _day_or_time(one.start, one))
        event.add("dtend", _day_or_time(one.end, one))
        event.add("summary", f"{country_name(one.country, edition.language.code)}: {printable(one.title)}")
        event.add("description", _about(one, edition))
        if edition.base:  # a calendar is kept apart from its address, so a relative one would mean nothing
            event.add("url", edition.permanent(f"/{one.country}/{one.id}"))
        document.add_component(event)
    return bytes(document.to_ical())


def _about(event: AnnouncedEvent, edition: Edition) -> str:
    language = edition.language
    lines = [
        language.say(
            "An announcement makes us look more closely. It is never evidence, and confirms nothing."
        )
    ]
    if event.targets:
        names = language.comma.join(target_title(target) for target in event.targets)
        lines.insert(0, f"{language.say('Watched above all')}{language.colon}{names}")
    return "\n".join(lines)


def _day_or_time(instant: float, event: AnnouncedEvent) -> date | datetime:
    """A date if the event begins and ends at midnight there, so that calendars elsewhere show the same days."""
    is_whole = all(local(at, event.country).time() == time() for at in (event.start, event.end))
    return local(instant, event.country).date() if is_whole else _utc(instant)


def _utc(instant: float) -> datetime:
    return datetime.fromtimestamp(int(instant), UTC)
