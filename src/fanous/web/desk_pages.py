"""Pages of the desk: what each shows, and what its form does.

To add one: a function here that gathers what its template needs, the template in ``web/templates/desk``, and its line
in ``PAGES``; if it changes something, a function that turns its form into an action, and its line in ``FORMS``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from fanous import __version__
from fanous.analysis.incidents.names import unwatched
from fanous.analysis.incidents.revision import released
from fanous.errors import FanousError
from fanous.model.alert import AlertState
from fanous.model.claim import EARLIEST, LATEST, Said
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Scope, Status
from fanous.model.instant import DAY, from_iso
from fanous.model.place import asn_of
from fanous.pipeline.actions import (
    LONGEST_TITLE,
    Action,
    Annotate,
    Announce,
    Approve,
    Hold,
    Merge,
    NameRole,
    NameTargets,
    RecordClaim,
    Retract,
    RetryAlerts,
)
from fanous.publish.edition import CLAIMED, Story, lately_over, open_ones, statements_of, stories
from fanous.publish.witnesses import witness_rows
from fanous.refdata.countries import is_country, main_zone
from fanous.sources.ics import EventLeftOut, read_events
from fanous.store.ledger import Revision
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.web.form import MOST_BYTES, MOST_CALENDAR_BYTES, Form, Refusal, check_signed, words
from fanous.web.pages.incident import pictured
from fanous.web.pages.measurements import WHICH_PAGE, listed_facts
from fanous.web.routes import Facts
from fanous.wording.names import target_named


@dataclass(frozen=True, slots=True)
class DeskPage:
    """The declaration of one page of the desk.

    Attributes:
        path: below ``/desk``, as Starlette writes routes.
        template: in ``web/templates/desk``.
        gather: reads the store, in its thread; ``None`` = there is no such page.
        title: in the desk's navigation; empty = not listed.
        asks: query parameters that it reads, and a pattern for each; any other value is ignored.
    """

    path: str
    template: str
    gather: Callable[[Store, Visit], Facts | None]
    title: str = ""
    asks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeskForm:
    """The declaration of one form of the desk: what is done with it, and where it leads.

    Attributes:
        path: below ``/desk``, where the form is sent.
        read: turns the form into an action, and appends what it has to leave out to the list; raises ``FanousError``
            if it makes no sense.
        page: path of the page to go back to, with the parameters of ``path``.
        most: most bytes.
        check: raises ``FanousError`` if the store is no longer as the sender saw it; ``None`` = it need not be.
    """

    path: str
    read: Callable[[Form, Mapping[str, str], list[EventLeftOut]], Action]
    page: str
    most: int = MOST_BYTES
    check: Callable[[Store, Form, Mapping[str, str]], None] | None = None


MOST_LISTED = 100
MOST_STORIES = 60

# --- review: incidents that wait for a person, their evidence, and the decision ------------------------------

NEAR = 14 * DAY
"""Seconds: incidents in the same country this close in time may be one event."""


def queue_facts(store: Store, visit: Visit) -> Facts:
    """Incidents waiting for review, oldest first, and others that are open or ended recently."""
    every = store.ledger.incidents()
    waiting = [incident for incident in every if incident.awaits_review]
    others = [incident for incident in every if not incident.awaits_review]
    recent = [*open_ones(others), *lately_over(others, visit.now)]
    to_name = sorted(
        (one for one in recent if _withheld(store, one)), key=lambda one: one.first_published_at or 0
    )
    return {
        "waiting": stories(store, waiting[:MOST_STORIES]),
        "to_name": stories(store, to_name[:MOST_STORIES]),
        "overdue": sum((one.first_published_at or visit.now) < visit.now - NAMED_WITHIN for one in to_name),
        "going_on": stories(store, open_ones(others)[:MOST_STORIES]),
        "ended": stories(store, lately_over(others, visit.now)),
        "released": released,
        "holds_national": store.ledger.holds_national(),
        "hides_held": store.ledger.hides_held(),
    }


NAMED_WITHIN = DAY
"""Seconds within which a person should have looked at a name: the newest independent outlet is on no list either."""


def _withheld(store: Store, incident: Incident) -> tuple[str, ...]:
    """The names of it that readers do not see."""
    return unwatched(incident, store.for_readers().ledger.watches(incident))


def incident_facts(store: Store, visit: Visit) -> Facts | None:
    """One incident: as it is, as it would be after approval, and what it rests on."""
    incident = store.ledger.incident(visit.asked["id"])
    if incident is None:
        return None
    store_of_side = store.of(incident.provenance)
    (story,) = stories(store_of_side, [incident])
    revisions = store.ledger.revisions(incident.id)
    return {
        **pictured(store_of_side, incident, visit),
        "story": story,
        "incident": incident,
        "names": story.names,
        "after": released(incident),
        "saw": witness_rows(store_of_side, incident),
        "revisions": revisions,
        "seen": _latest(revisions),
        "near": _near(store, incident),
        "signers": _signers(revisions),
        "is_public": store.for_readers().ledger.incident(incident.id) is not None,
        "withheld": _withheld(store, incident),
        "can_decide": incident.status is not Status.RETRACTED,
    }


def measurements_facts(store: Store, visit: Visit) -> Facts | None:
    """What an incident rests on, measurement by measurement, whether or not readers see it."""
    incident = store.ledger.incident(visit.asked["id"])
    return None if incident is None else listed_facts(store.of(incident.provenance), incident, visit)


def _near(store: Store, incident: Incident) -> list[Story]:
    """Other incidents of the country at about the same time that it may be part of."""
    last = incident.onset if incident.end is None else incident.end
    incidents = store.ledger.incidents(
        incident.country, incident.onset - NEAR, last + NEAR, synthetic=incident.provenance.is_synthetic
    )
    fitting = [
        other
        for other in incidents
        if other.id != incident.id and other.status is not Status.RETRACTED and not other.held_by
    ]
    return stories(store, fitting[:MOST_STORIES])


def _signers(revisions: list[Revision]) -> list[str]:
    """Everyone who has signed something about it."""
    reasons = [reason for revision in revisions for reason in (*revision.reasons, *revision.incident.reasons)]
    by = [str(reason.params["by"]) for reason in reasons if "by" in reason.params]
    notes = [revision.incident.note.by for revision in revisions if revision.incident.note]
    return list(dict.fromkeys([*by, *notes]))


def check_seen(store: Store, form: Form, path: Mapping[str, Any]) -> None:
    """Refuse a decision on a revision that is no longer the latest: a colleague or new data may have changed what
    would be published.

    Raises:
        Refusal: it was revised.
    """
    if "seen" in form and form["seen"] != str(_latest(store.ledger.revisions(path["id"]))):
        raise Refusal("revised")


def _latest(revisions: list[Revision]) -> int:
    return revisions[-1].n if revisions else 0


def decision_of(form: Form, path: Mapping[str, Any], _left: list[EventLeftOut]) -> Action:
    """The decision that the pressed button names."""
    label, by, text = path["id"], form.get("by", ""), form.get("text", "")
    decision = form.get("decision")
    if decision in ("approve", "hold", "name", "note"):
        check_signed(form)
    elif decision in ("retract", "merge"):
        check_signed(form, text)
    match decision:
        case "approve":
            return Approve(label, by, text)
        case "hold":
            return Hold(label, by, text)
        case "retract":
            return Retract(label, by, text)
        case "note":
            return Annotate(label, by, text)
        case "name":
            return NameTargets(label, by, text)
        case "merge":
            return Merge(label, form.get("into", ""), by, text)
        case "role":
            return NameRole(form.get("name", ""), form.get("role", ""))
    raise FanousError("press one of the buttons: the form names no decision")


# --- announced events, and claims by others -----------------------------------------------------------------


def events_facts(store: Store, _visit: Visit) -> Facts:
    """Registered events, the latest first."""
    events = sorted(store.ledger.events(), key=lambda event: -event.start)
    return {"events": events[:MOST_LISTED], "more": max(0, len(events) - MOST_LISTED)}


def event_of(form: Form, _path: Mapping[str, Any], omissions: list[EventLeftOut]) -> Action:
    """A single event, or all of a pasted calendar that can be used; ``left`` gets the others."""
    country, targets = _country(form), _targets(form)
    if "calendar" in form:
        if not form["calendar"].lstrip("\ufeff").upper().startswith("BEGIN:VCALENDAR"):
            raise Refusal("calendar")
        events = read_events(form["calendar"], "the calendar", country, omissions.append)
        if not events:
            raise Refusal("unusable" if omissions else "eventless")
        return Announce(tuple(AnnouncedEvent(country, e.start, e.end, e.title, targets) for e in events))
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
    claims = sorted(store.ledger.claims(), key=lambda claim: -claim.recorded_at)
    statements = statements_of(store, claims)
    return {
        "statements": statements,
        "more": len(claims) - len(statements),
        "kinds": CLAIMED,
        "scopes": list(Scope),
    }


def claim_of_form(form: Form, _path: Mapping[str, Any], _left: list[EventLeftOut]) -> Action:
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
        networks=tuple(_network(word) for word in words(form, "networks")),
        scope=Scope(scope) if scope else None,
        level=_level(form),
        hours=_number(form, "hours"),
        link=link,
        quote=form.get("quote", ""),
    )


def _country(form: Form) -> str:
    code = form.get("country", "").upper()
    if not is_country(code):
        raise Refusal("country", given=code or "-")
    return code


def _targets(form: Form) -> tuple[str, ...]:
    codes = {word: target_named(word) for word in words(form, "targets")}
    for one, target in codes.items():
        if not target:
            raise Refusal("target", given=one)
    return tuple(dict.fromkeys(codes.values()))


def _local(form: Form, name: str, country: str) -> float:
    """A local time in the country; ``<input type=datetime-local>`` sends no time zone."""
    text = form.get(name, "")
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(main_zone(country)))).timestamp()
    except (ValueError, OverflowError):
        raise Refusal("moment", given=text or "-") from None


def _instant(form: Form, name: str) -> float:
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


def _level(form: Form) -> float | None:
    percent = _number(form, "level")
    if percent is not None and not 0 <= percent <= 100:
        raise Refusal("level")
    return None if percent is None else percent / 100


def _number(form: Form, name: str) -> float | None:
    """A number as people write it, with a point or a comma, and perhaps a percent sign; ``None`` = not given."""
    text = form.get(name, "").rstrip(" %").replace(",", ".").replace("٫", ".")
    try:
        number = float(text) if text else None
    except ValueError:
        raise Refusal(name) from None
    if number is not None and not isfinite(number):
        raise Refusal(name)
    return number


# --- alerts and health --------------------------------------------------------------------------------------

STATES = {
    AlertState.WAITING: "Waiting",
    AlertState.SENT: "Sent",
    AlertState.DEAD: "Given up",
    AlertState.DROPPED: "Not sent: a newer message replaced it",
}


def health_facts(store: Store, visit: Visit) -> Facts:
    """The monitor's health: what is wrong, its sources, probes, collector and disks."""
    workings = visit.site.workings
    return {
        "ailments": workings.ailments(),
        "ended": [one for one in workings.feed() if one.ended_at is not None][:MOST_LISTED],
        "vitals": workings.vitals(),
        "pulls": workings.pulls(),
        "heard": sorted(workings.heard(), key=lambda one: (not one.silent, -one.last))[:MOST_LISTED],
        "collector": workings.collector,
        "lacking": [need for need in workings.needs() if not need.found],
        "undetected": store.ledger.undetected(),
        "version": __version__,
    }


def alerts_facts(store: Store, visit: Visit) -> Facts:
    """Channels, and the messages sent to them, latest first."""
    deliveries = store.ledger.outbox.deliveries()
    return {
        "channels": list((visit.site.alerting.channels or {}).values()),
        "deliveries": deliveries[::-1][:MOST_LISTED],
        "dead": sum(delivery.state is AlertState.DEAD for delivery in deliveries),
        "states": STATES,
    }


# --- the registry -------------------------------------------------------------------------------------------

PAGES = (
    DeskPage("", "queue.html", queue_facts, "Review queue"),
    DeskPage("/incidents/{id:incident}", "incident.html", incident_facts),
    DeskPage(
        "/incidents/{id:incident}/measurements", "measurements.html", measurements_facts, asks=WHICH_PAGE
    ),
    DeskPage("/events", "events.html", events_facts, "Announced events"),
    DeskPage("/claims", "claims.html", claims_facts, "What others say"),
    DeskPage("/alerts", "alerts.html", alerts_facts, "Alerts"),
    DeskPage("/health", "health.html", health_facts, "Health"),
)
FORMS = (
    DeskForm("/incidents/{id:incident}", decision_of, "/incidents/{id}", check=check_seen),
    DeskForm("/events", event_of, "/events", MOST_CALENDAR_BYTES),
    DeskForm("/claims", claim_of_form, "/claims"),
    DeskForm("/alerts", lambda _form, _path, _left: RetryAlerts(), "/alerts"),
)

NAVIGATION = tuple((f"/desk{page.path}", page.title) for page in PAGES if page.title)

DONE = {
    "Approve": "Approved.",
    "Hold": "Held.",
    "Retract": "Retracted.",
    "Annotate": "The note was saved.",
    "NameTargets": "Readers see the names from now on.",
    "Merge": "Merged into another incident.",
    "NameRole": "The role is shown from now on.",
    "Announce": "Registered.",
    "RecordClaim": "Recorded.",
    "RetryAlerts": "Queued again.",
    "Test": "The test message was accepted.",
}
"""Action -> what the next page says."""
