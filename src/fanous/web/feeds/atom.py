"""Atom: incidents as a feed (RFC 4287).  An entry's id is made from the incident's own id and never changes;
its ``updated`` is the time of the last revision, so that a reader shows a correction as news."""

import re
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from fanous.languages.telling import headline, sentences
from fanous.model.incident import Incident
from fanous.model.instant import to_iso
from fanous.refdata.countries import country_name
from fanous.store import Store
from fanous.web.pages.stories import DAY, incident_path, stories
from fanous.web.reply import Reply
from fanous.web.visit import Visit

ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "application/atom+xml; charset=utf-8"
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MOST = 50
REACH = 366 * DAY


def atom_feed(store: Store, visit: Visit) -> Reply:
    """The incidents of a year, those revised last first."""
    revised = [
        (store.revisions(incident.id)[-1].at, incident)
        for incident in store.incidents(None, visit.now - REACH, visit.now + DAY)
    ]
    revised.sort(key=lambda pair: (-pair[0], pair[1].id))
    return Reply.of(_document(store, visit, revised[:MOST]), MEDIA)


def entry_id(visit: Visit, path: str) -> str:
    """``urn:uuid:...`` of a path: one monitor's label never names another monitor's incident, and the address
    by which a reader came does not matter."""
    return uuid5(NAMESPACE_URL, f"{visit.site.url or 'fanous:'}{path}").urn


def _document(store: Store, visit: Visit, revised: list[tuple[float, Incident]]) -> bytes:
    ElementTree.register_namespace("", ATOM)
    say = visit.language.say
    feed = ElementTree.Element(
        f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": visit.language.code}
    )
    _text(feed, "id", entry_id(visit, "/feed.atom"))
    _text(feed, "title", f"Fanous: {say('Disruptions of the internet')}")
    _text(feed, "updated", to_iso(revised[0][0] if revised else 0.0))
    _link(feed, "self", visit.permanent("/feed.atom"), "application/atom+xml")
    _link(feed, "alternate", visit.permanent("/"), "text/html")
    _text(ElementTree.SubElement(feed, f"{{{ATOM}}}author"), "name", "Fanous")
    told = stories(store, [incident for _, incident in revised])
    for (at, incident), story in zip(revised, told, strict=True):
        entry = ElementTree.SubElement(feed, f"{{{ATOM}}}entry")
        _text(entry, "id", entry_id(visit, incident_path(incident)))
        _text(entry, "title", headline(incident, story.names, visit.language).text)
        _text(entry, "updated", to_iso(at))
        _text(entry, "published", to_iso(store.revisions(incident.id)[0].at))
        _link(entry, "alternate", visit.permanent(incident_path(incident)), "text/html")
        for term, label in _categories(incident):
            ElementTree.SubElement(entry, f"{{{ATOM}}}category", {"term": term, "label": label})
        _text(
            entry, "summary", " ".join(one.text for one in sentences(incident, story.names, visit.language))
        )
    return bytes(ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True))


def _categories(incident: Incident) -> list[tuple[str, str]]:
    words = [str(incident.status), str(incident.kind), str(incident.scope)]
    return [(incident.country, country_name(incident.country)), *((word, word) for word in words)]


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}").text = _xml(text)


def _xml(text: str) -> str:
    """Less the characters that XML 1.0 forbids."""
    return FORBIDDEN.sub("", text)


def _link(parent: ElementTree.Element, rel: str, href: str, media: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "href": href, "type": media})
