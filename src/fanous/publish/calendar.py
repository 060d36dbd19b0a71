"""Calendar: announced events as iCalendar (RFC 5545), for people who want to see them coming."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from fanous.model.event import AnnouncedEvent
from fanous.publish.edition import Edition
from fanous.refdata.countries import country_name
from fanous.text import printable
from fanous.wording.words import target_title

CALENDAR_MEDIA = "text/calendar; charset=utf-8"

REFRESH = timedelta(hours=6)
"""How often programs should ask again (RFC 7986, section 5.7): events are announced days before."""


def calendar(events: Sequence[AnnouncedEvent], edition: Edition, country: str = "") -> bytes:
    """One calendar of all the events, in UTC.

    Args:
        country: that it is about; empty = the world.
    """
    from icalendar import Calendar, Event

    say = edition.language.say
    title = f"Fanous: {say('Announced events')}"
    if country:
        title += f"{edition.language.comma}{country_name(country, edition.language.code)}"
    made = Calendar()
    made.add("version", "2.0")
    made.add("prodid", "-//Fanous//EN")
    made.add("name", title)
    made.add("x-wr-calname", title)
    made.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for one in events:
        event = Event()
        event.add("uid", f"{one.id}@{one.digest[:16]}.fanous")
        event.add("dtstamp", _utc(one.registered_at))
        event.add("dtstart", _utc(one.start))
        event.add("dtend", _utc(one.end))
        event.add("summary", f"{country_name(one.country, edition.language.code)}: {printable(one.title)}")
        event.add("description", _about(one, edition))
        event.add("url", edition.permanent(f"/{one.country}/{one.id}"))
        made.add_component(event)
    return bytes(made.to_ical())


def _about(one: AnnouncedEvent, edition: Edition) -> str:
    language = edition.language
    said = [
        language.say(
            "An announcement makes us look more closely. It is never evidence, and confirms nothing."
        )
    ]
    if one.targets:
        names = language.comma.join(target_title(target) for target in one.targets)
        said.insert(0, f"{language.say('Watched above all')}{language.colon}{names}")
    return "\n".join(said)


def _utc(instant: float) -> datetime:
    return datetime.fromtimestamp(int(instant), UTC)
