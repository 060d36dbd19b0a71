"""JSON Feed 1.1 (jsonfeed.org): the same entries for readers that speak JSON."""

from typing import Any

import msgspec

from fanous.model.instant import to_iso
from fanous.publish.edition import Edition
from fanous.publish.feeds.entries import Entry, Feed

MEDIA = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def json_feed(feed: Feed, edition: Edition) -> bytes:
    document = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": edition.permanent(feed.path),
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
