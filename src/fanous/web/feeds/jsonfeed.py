"""JSON Feed 1.1 (jsonfeed.org): the same entries for readers that speak JSON."""

from typing import Any

import msgspec

from fanous.model.instant import to_iso
from fanous.web.feeds.entries import Entry, Feed
from fanous.web.reply import Reply
from fanous.web.visit import Visit

MEDIA = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def json_feed(feed: Feed, visit: Visit) -> Reply:
    document = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": visit.permanent(feed.path),
        "feed_url": feed.address(visit, "json"),
        "language": visit.language.code,
        "authors": [{"name": "Fanous"}],
        "items": [_item(entry) for entry in feed.entries],
    }
    return Reply.of(msgspec.json.encode(document), MEDIA)


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
