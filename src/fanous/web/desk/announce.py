"""Announce: events registered beforehand, and claims by others."""

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from fanous.errors import FanousError
from fanous.model.claim import EARLIEST, LATEST, Said
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Scope
from fanous.model.instant import from_iso
from fanous.model.place import asn_of
from fanous.pipeline.actions import LONGEST_TITLE, Action, Announce, RecordClaim
from fanous.pipeline.search import target_named
from fanous.publish.edition import CLAIMED, statements_of
from fanous.refdata.countries import is_country, main_zone
from fanous.sources.ics import EventLeftOut, read_events
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.web.desk.form import Refusal, words
from fanous.web.routes import Facts

MOST_LISTED = 100


def events_facts(store: Store, _visit: Visit) -> Facts:
    """Registered events, the latest first."""
    events = sorted(store.ledger.events(), key=lambda one: -one.start)
    return {"events": events[:MOST_LISTED], "more": max(0, len(events) - MOST_LISTED)}


def event_of(form: Mapping[str, str], _path: Mapping[str, Any], left: list[EventLeftOut]) -> Action:
    """A single event, or all of a pasted calendar that can be used; ``left`` gets the others."""
    country, targets = _country(form), _targets(form)
    if "calendar" in form:
        if not form["calendar"].lstrip("\ufeff").upper().startswith("BEGIN:VCALENDAR"):
            raise Refusal("calendar")
        found = read_events(form["calendar"], "the calendar", country, left.append)
        if not found:
            raise Refusal("unusable" if left else "eventless")
        return Announce(tuple(AnnouncedEvent(country, e.start, e.end, e.title, targets) for e in found))
    start, end = (_local(form, name, country) for name in ("start", "end"))
    title = form.get("title", "").strip()
    if start >= end:
        raise Refusal("order")
    if not 0 < len(title) <= LONGEST_TITLE:
        raise Refusal("untitled", most=f"{LONGEST_TITLE}")
    if not all(EARLIEST <= time < LATEST for time in (start, end)):
        raise Refusal("years")
    return Announce((AnnouncedEvent(country, start, end, title, targets),))


def claims_facts(store: Store, _visit: Visit) -> Facts:
    """Claims by others, latest first, checked against the evidence."""
    claims = sorted(store.ledger.claims(), key=lambda one: -one.recorded_at)
    statements = statements_of(store, claims)
    return {
        "statements": statements,
        "more": len(claims) - len(statements),
        "kinds": CLAIMED,
        "scopes": list(Scope),
    }


def claim_of_form(form: Mapping[str, str], _path: Mapping[str, Any], _left: list[EventLeftOut]) -> Action:
    """A claim; empty fields were not stated."""
    what, scope = form.get("what", ""), form.get("scope", "")
    if what not in list(Said) or (scope and scope not in list(Scope)):
        raise FanousError("choose what they say happened, and how far it reached")
    link = form.get("link", "")
    if link and not link.startswith(("https://", "http://")):
        raise Refusal("link", given=link)
    if _instant(form, "since") >= _instant(form, "until"):
        raise Refusal("order")
    return RecordClaim(
        who=form.get("who", ""),
        what=Said(what),
        country=_country(form),
        since=form.get("since", ""),
        until=form.get("until", ""),
        targets=_targets(form),
        networks=tuple(_network(one) for one in words(form, "networks")),
        scope=Scope(scope) if scope else None,
        level=_level(form),
        hours=_number(form, "hours"),
        link=link,
        quote=form.get("quote", ""),
    )


def _country(form: Mapping[str, str]) -> str:
    code = form.get("country", "").upper()
    if not is_country(code):
        raise Refusal("country", given=code or "-")
    return code


def _targets(form: Mapping[str, str]) -> tuple[str, ...]:
    found = {one: target_named(one) for one in words(form, "targets")}
    for one, target in found.items():
        if not target:
            raise Refusal("target", given=one)
    return tuple(dict.fromkeys(found.values()))


def _local(form: Mapping[str, str], name: str, country: str) -> float:
    """A local time in the country; ``<input type=datetime-local>`` sends no time zone."""
    text = form.get(name, "")
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(main_zone(country)))).timestamp()
    except (ValueError, OverflowError):
        raise Refusal("moment", given=text or "-") from None


def _instant(form: Mapping[str, str], name: str) -> float:
    text = form.get(name, "")
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        raise Refusal("moment", given=text or "-") from None


def _network(text: str) -> int:
    number = asn_of(text.upper())
    if not number:
        raise Refusal("network", given=text)
    return number


def _level(form: Mapping[str, str]) -> float | None:
    found = _number(form, "level")
    if found is not None and not 0 <= found <= 100:
        raise Refusal("level")
    return None if found is None else found / 100


def _number(form: Mapping[str, str], name: str) -> float | None:
    """A number as people write it, with a point or a comma, and perhaps a percent sign; ``None`` = not given."""
    text = form.get(name, "").rstrip(" %").replace(",", ".").replace("٫", ".")
    try:
        found = float(text) if text else None
    except ValueError:
        raise Refusal(name) from None
    if found is not None and not isfinite(found):
        raise Refusal(name)
    return found
