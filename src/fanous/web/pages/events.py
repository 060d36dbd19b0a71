"""Events: what people recorded alongside incidents - announced events and claims by others - and an event's page."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fanous.analysis.incidents.claims import Checked
from fanous.analysis.incidents.events import EventOutcome, Timing, is_about, relation, touches
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.pipeline.claims import check, event_report
from fanous.pipeline.query import known_until
from fanous.publish.edition import stories
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.web.routes import Facts, page

MOST = 8
"""Most claims, or events, on a page, since each claim is a query to the store."""

ANSWERS = {
    ClaimCheck.SUPPORTED: "Supported",
    ClaimCheck.CONTRADICTED: "Contradicted",
    ClaimCheck.CANNOT_TELL: "Cannot tell",
}
CLAIMED = {
    Said.DISRUPTED: "Restricted",
    Said.OUTAGE: "Outage",
    Said.BLOCKING: "Blocking",
    Said.THROTTLING: "Throttling",
    Said.SLOWDOWN: "Slowdown",
    Said.NORMAL: "Nothing unusual",
}
TIMINGS = {
    Timing.BEFORE: "It began {length} before this event, and was still under way when the event began.",
    Timing.DURING: "It began during this event, {length} after its start.",
    Timing.BEFORE_OR_DURING: "It began about when this event did.",
    Timing.OVER_BEFORE: "It had ended when this event began.",
    Timing.ALREADY_ON: "It was under way long before this event.",
}


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """What someone said, and what was measured.

    Attributes:
        link: where it was said; empty unless it is an ordinary web address.
        answer: one of ``ANSWERS``.
    """

    claim: Claim
    checked: Checked
    link: str

    @property
    def said(self) -> str:
        return CLAIMED[self.claim.said]

    @property
    def answer(self) -> str:
        return ANSWERS[self.checked.answer]


@dataclass(frozen=True, slots=True)
class Announced:
    """An announced event around the time of an incident.

    Attributes:
        text: when the incident began relative to the event, from ``TIMINGS``.
        seconds: between the event's start and the onset.
    """

    event: AnnouncedEvent
    text: str
    seconds: float


def statements_of(store: Store, claims: Iterable[Claim]) -> list[ClaimRow]:
    """Each claim checked against the evidence, in the order given."""
    return [ClaimRow(claim, check(store, claim), web_address(claim.link)) for claim in [*claims][:MOST]]


def claims_about(store: Store, incident: Incident, now: float) -> list[Claim]:
    """Claims about its country, time and targets; of an incident whose data ended, none about later times."""
    end = known_until(store, incident, now) if incident.end is None else incident.end
    return [
        claim
        for claim in store.ledger.claims(incident.country, incident.onset, end)
        if not claim.targets or not incident.targets or set(claim.targets) & set(incident.targets)
    ]


def announced_beside(store: Store, incident: Incident) -> list[Announced]:
    """Events that its time touches; none for a retracted incident."""
    if incident.status is Status.RETRACTED:
        return []
    found = []
    for event in store.ledger.events(incident.country):
        if is_about(incident, event) and touches(incident, event):
            one = relation(incident, event)
            found.append(Announced(event, TIMINGS[one.timing], abs(one.minutes) * 60))
    return found[:MOST]


def web_address(link: str) -> str:
    """The link if readers may be sent there, otherwise empty: only http and https URLs with a host and visible
    characters.

    A link with invisible characters may lead elsewhere than it seems to.
    """
    if not link.isprintable() or " " in link:
        return ""
    try:
        parts = urlsplit(link)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return ""
    return link if fine else ""


OUTCOMES = {
    EventOutcome.DISRUPTED: "Disrupted",
    EventOutcome.ALREADY_ON: "Disrupted since before",
    EventOutcome.SUSPECTED: "Suspected",
    EventOutcome.NONE_SEEN: "Nothing seen",
    EventOutcome.CANNOT_TELL: "Cannot tell",
}

ANNOUNCED = "Announced"
"""Outcome of an event that has not begun."""


@page("/{country:country}/{event:event}", "event.html")
def event_facts(store: Store, visit: Visit) -> Facts | None:
    """Before it begins, an event is only announced, without a report."""
    code = visit.asked["country"]
    event = next((one for one in store.ledger.events(code) if one.id == visit.asked["event"]), None)
    if event is None:
        return None
    report = event_report(store, event) if event.start <= visit.now else None
    return {
        "code": code,
        "event": event,
        "report": report,
        "outcome": OUTCOMES[report.outcome] if report else ANNOUNCED,
        "incidents": stories(store, [one.incident for one in report.relations] if report else []),
    }
