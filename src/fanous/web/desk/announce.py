"""Announce: events registered beforehand, and claims by others."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fanous.errors import FanousError
from fanous.model.claim import Said
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Scope
from fanous.model.place import asn_of
from fanous.pipeline.actions import Action, Announce, RecordClaim
from fanous.refdata.countries import is_country, main_zone
from fanous.refdata.platforms import target_of
from fanous.sources.ics import read_events
from fanous.store.protocol import Store
from fanous.web.desk.form import words
from fanous.web.pages.events import CLAIMED, statements_of
from fanous.web.routes import Facts, Visit

MOST_LISTED = 100


def events_facts(store: Store, _visit: Visit) -> Facts:
    """Registered events, the latest first."""
    events = sorted(store.ledger.events(), key=lambda one: -one.start)
    return {"events": events[:MOST_LISTED], "more": max(0, len(events) - MOST_LISTED)}


def event_of(form: Mapping[str, str], _path: Mapping[str, Any]) -> Action:
    """A single event, or all of a pasted calendar."""
    country, targets = _country(form), tuple(target_of(one) for one in words(form, "targets"))
    if text := form.get("calendar", ""):
        left: list[str] = []
        found = read_events(text, "the calendar", country, left.append)
        if not found:
            raise FanousError(f"the calendar has no usable event: {'; '.join(left[:3]) or 'it is empty'}")
        return Announce(tuple(AnnouncedEvent(country, e.start, e.end, e.title, targets) for e in found))
    start, end = (_local(form, name, country) for name in ("start", "end"))
    return Announce((AnnouncedEvent(country, start, end, form.get("title", ""), targets),))


def claims_facts(store: Store, _visit: Visit) -> Facts:
    """Claims by others, latest first, checked against the evidence."""
    claims = sorted(store.ledger.claims(), key=lambda one: -one.recorded_at)
    return {
        "statements": statements_of(store, claims),
        "more": max(0, len(claims) - len(statements_of(store, claims))),
        "kinds": CLAIMED,
        "scopes": list(Scope),
    }


def claim_of_form(form: Mapping[str, str], _path: Mapping[str, Any]) -> Action:
    """A claim; empty fields were not stated."""
    what, scope = form.get("what", ""), form.get("scope", "")
    if what not in list(Said) or (scope and scope not in list(Scope)):
        raise FanousError("choose what they say happened, and how far it reached")
    return RecordClaim(
        who=form.get("who", ""),
        what=Said(what),
        country=_country(form),
        since=form.get("since", ""),
        until=form.get("until", ""),
        targets=words(form, "targets"),
        networks=tuple(_network(one) for one in words(form, "networks")),
        scope=Scope(scope) if scope else None,
        level=None if not form.get("level") else _number(form, "level") / 100,
        hours=None if not form.get("hours") else _number(form, "hours"),
        link=form.get("link", ""),
        quote=form.get("quote", ""),
    )


def _country(form: Mapping[str, str]) -> str:
    code = form.get("country", "").upper()
    if not is_country(code):
        raise FanousError(f"country: {code!r} is not an ISO 3166-1 code such as 'PK'")
    return code


def _local(form: Mapping[str, str], name: str, country: str) -> float:
    """A local time in the country; ``<input type=datetime-local>`` sends no time zone."""
    text = form.get(name, "")
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(main_zone(country)))).timestamp()
    except (ValueError, OverflowError):
        raise FanousError(f"{name}: {text!r} is not a date and time such as 2024-02-08T08:00") from None


def _network(text: str) -> int:
    number = asn_of(text.upper())
    if not number:
        raise FanousError(f"networks: {text!r} is not a network number such as AS17557")
    return number


def _number(form: Mapping[str, str], name: str) -> float:
    try:
        return float(form[name])
    except ValueError:
        raise FanousError(f"{name}: {form[name]!r} is not a number") from None
