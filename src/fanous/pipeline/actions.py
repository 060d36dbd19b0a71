"""Actions: everything that people change in a ledger, as typed calls.

The command line, the desk, administrators' requests and the control socket of ``fanous run`` all carry out these and
nothing else, so that each does the same and leaves the same trace.  To add one: a struct here, its line in
``Action`` and ``RESULTS``, and its case in ``perform_action``.
"""

from typing import Any

import msgspec

from fanous.errors import FanousError
from fanous.model.claim import Claim, Said, defect
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Scope
from fanous.model.instant import from_iso
from fanous.pipeline import detect, revise
from fanous.refdata.countries import is_country
from fanous.refdata.platforms import target_of
from fanous.store.protocol import Store

LONGEST_NAME = 120
"""Most characters of the name or role that a person signs with."""


class Approve(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="approve"):
    """Let a held incident stand; gives the incident."""

    incident: str
    by: str
    note: str = ""


class Hold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hold"):
    """Hold an incident until a person approves it; gives the incident."""

    incident: str
    by: str
    note: str = ""


class Retract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="retract"):
    """Withdraw an incident for good; gives the incident."""

    incident: str
    by: str
    reason: str


class Annotate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="annotate"):
    """Write a note to an incident, or remove it with an empty one; gives the incident."""

    incident: str
    by: str
    note: str


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="merge"):
    """Make an incident part of another; gives the other."""

    incident: str
    into: str
    by: str
    reason: str


class NameRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="name_role"):
    """Show a role wherever a person has signed; gives the role."""

    name: str
    role: str


class Announce(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="announce"):
    """Register events before they begin; gives them with their labels."""

    events: tuple[AnnouncedEvent, ...]


class RecordClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="record_claim"):
    """Record a claim by others; the fields of ``fanous claims add``; gives the claim."""

    who: str
    what: Said
    country: str
    since: str
    until: str
    targets: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    scope: Scope | None = None
    level: float | None = None
    began_before: str = ""
    hours: float | None = None
    link: str = ""
    quote: str = ""


class RetryAlerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="retry_alerts"):
    """Queue alerts that were given up once more; gives how many.

    Attributes:
        keys: ``None`` = all.
    """

    keys: tuple[str, ...] | None = None


Action = Approve | Hold | Retract | Annotate | Merge | NameRole | Announce | RecordClaim | RetryAlerts

RESULTS: dict[type, Any] = {
    Approve: Incident,
    Hold: Incident,
    Retract: Incident,
    Annotate: Incident,
    Merge: Incident,
    NameRole: str,
    Announce: list[AnnouncedEvent],
    RecordClaim: Claim,
    RetryAlerts: int,
}
"""Action -> type of what it gives."""


def perform_action(store: Store, action: Action) -> Any:
    """Carry out an action, now; called in the thread that owns the store.

    Returns:
        What ``RESULTS`` says.

    Raises:
        FanousError: it makes no sense, and nothing was changed.
    """
    by, now = getattr(action, "by", ""), store.now()
    if len(by) > LONGEST_NAME:
        raise FanousError(f"by: more than {LONGEST_NAME} characters; give a name or a role")
    match action:
        case Approve():
            return detect.approve(store, action.incident, by, action.note, now)
        case Hold():
            return revise.hold(store, action.incident, by, action.note, now)
        case Retract():
            return revise.withdraw(store, action.incident, by, action.reason, now)
        case Annotate():
            return revise.annotate(store, action.incident, by, action.note, now)
        case Merge():
            return revise.merge(store, action.incident, action.into, by, action.reason, now)
        case NameRole():
            return _name_role(store, action)
        case Announce():
            return [store.ledger.add_event(_checked(one)) for one in action.events]
        case RecordClaim():
            return store.ledger.add_claim(claim_of(action))
        case RetryAlerts():
            return store.ledger.outbox.revive(action.keys, store.now())


def _name_role(store: Store, action: NameRole) -> str:
    name, role = action.name.strip(), action.role.strip()
    if not name or not role or len(role) > LONGEST_NAME:
        raise FanousError("name the person as they signed, and the role to show, such as 'the duty editor'")
    store.ledger.name_role(name, role)
    return role


def _checked(event: AnnouncedEvent) -> AnnouncedEvent:
    """An event without what only the ledger gives.

    Raises:
        FanousError: there is no such country, no title, or it ends before it begins.
    """
    _check_country(event.country)
    if not event.title.strip():
        raise FanousError("title: an announced event needs one")
    if event.start >= event.end:
        raise FanousError("start: it must be before the end")
    return AnnouncedEvent(event.country, event.start, event.end, event.title.strip(), event.targets)


def claim_of(told: RecordClaim) -> Claim:
    """The claim, checked as the command line checks it.

    Raises:
        FanousError: there is no such country, or its time ends before it begins.
    """
    country = told.country.upper()
    _check_country(country)
    if not told.who.strip():
        raise FanousError("who: a name is needed")
    claim = Claim(
        told.who.strip(),
        told.what,
        country,
        _instant("since", told.since),
        _instant("until", told.until),
        networks=told.networks,
        targets=tuple(target_of(name) for name in told.targets),
        scope=told.scope,
        level=told.level,
        began_before=_instant("began_before", told.began_before) if told.began_before else None,
        hours=told.hours,
        link=told.link,
        quote=told.quote,
    )
    if claim.since >= claim.until:
        raise FanousError("since: it must be before until")
    if why := defect(claim):
        raise FanousError(f"this claim cannot be recorded: {why}")
    return claim


def _instant(name: str, text: str) -> float:
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        raise FanousError(f"{name}: {text!r} is not a date or time such as 2023-12-17T15:00Z") from None


def _check_country(country: str) -> None:
    if not is_country(country):
        raise FanousError(f"country: {country!r} is not an ISO 3166-1 code such as 'PK'")
