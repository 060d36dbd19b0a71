"""Subscribe: every way to follow what a reader is looking at - feeds, a calendar, alerts for machines, the operator's
channels."""

from urllib.parse import urlsplit

from fanous.model.event import AnnouncedEvent
from fanous.model.instant import DAY
from fanous.publish.edition import web_address
from fanous.publish.feeds import CALENDAR_MEDIA, calendar
from fanous.publish.filter import PATTERNS, IncidentFilter
from fanous.store.protocol import Store
from fanous.text import printable
from fanous.web.answers import Reply, Visit
from fanous.web.routes import Facts, page, resource

BACK = 366 * DAY
"""How far back the calendar of announced events reaches."""


@page("/subscribe", "subscribe.html", asks=PATTERNS)
def subscribe_facts(store: Store, visit: Visit) -> Facts:
    wanted = IncidentFilter.of(visit.asked)
    return {
        "wanted": wanted,
        "title": wanted.title(visit.language),
        "of_events": {"country": wanted.country} if wanted.country else {},
        "ahead": sum(one.end > visit.now for one in announced(store, visit)),
        "channels": [
            (address, channel_name(address)) for address in visit.site.channels if web_address(address)
        ],
    }


def channel_name(address: str) -> str:
    """``t.me/fanous``."""
    parts = urlsplit(address)
    return printable(f"{parts.netloc}{parts.path}".rstrip("/"))


@resource("/events.ics", asks={"country": PATTERNS["country"]})
def events_calendar(store: Store, visit: Visit) -> Reply:
    return Reply.of(calendar(announced(store, visit), visit, visit.asked.get("country", "")), CALENDAR_MEDIA)


def announced(store: Store, visit: Visit) -> list[AnnouncedEvent]:
    """Events of the country asked for, or of all: those ahead, and those of the past year."""
    events = store.ledger.events(visit.asked.get("country") or None)
    return [one for one in events if one.end >= visit.now - BACK]
