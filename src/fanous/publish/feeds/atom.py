"""Atom: a feed in the format of RFC 4287."""

import re
from xml.etree import ElementTree

from fanous.model.instant import to_iso
from fanous.publish.edition import Edition
from fanous.publish.feeds.entries import Entry, Feed, entry_id

ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "application/atom+xml; charset=utf-8"
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(feed: Feed, edition: Edition) -> bytes:
    ElementTree.register_namespace("", ATOM)
    root = ElementTree.Element(
        f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": edition.language.code}
    )
    own = feed.address(edition, "atom")
    _text(root, "id", entry_id(edition, f"{feed.path.rstrip('/')}/feed.atom"))
    _text(root, "title", feed.title)
    _text(root, "updated", to_iso(feed.updated))
    _link(root, "self", own, "application/atom+xml")
    _link(root, "alternate", edition.permanent(feed.path), "text/html")
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
    for term, label in entry.categories:
        ElementTree.SubElement(element, f"{{{ATOM}}}category", {"term": term, "label": label})
    _text(element, "summary", entry.summary)


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}").text = xml_text(text)


def xml_text(text: str) -> str:
    """Less the characters that XML 1.0 forbids."""
    return FORBIDDEN.sub("", text)


def _link(parent: ElementTree.Element, rel: str, href: str, media: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "href": href, "type": media})
