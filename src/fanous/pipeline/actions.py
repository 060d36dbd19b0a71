"""Actions: everything that people change in a ledger, as typed calls (``pipeline.call``).

The command line, the desk, administrators' requests and the control socket of ``fanous run`` all perform these and
nothing else, so that all of them do the same and leave the same trace.
"""

from dataclasses import replace

from fanous.base.text import printable
from fanous.errors import FanousError
from fanous.model.claim import EARLIEST, LATEST, Claim, Said, defect
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Scope
from fanous.model.instant import from_iso
from fanous.pipeline import detect, revise
from fanous.pipeline.call import Call
from fanous.refdata.countries import is_country
from fanous.store.protocol import Store
from fanous.wording.names import target_wanted

LONGEST_TITLE = 200
"""Most characters of the title of an announced event: a line or two on a phone."""

LONGEST_NAME = 120
"""Most characters of the name or role that a person signs with."""


class Approve(Call[Incident], frozen=True, tag="approve"):
    """Let a held incident stand; gives the incident."""

    incident: str
    by: str
    note: str = ""

    def perform(self, store: Store) -> Incident:
        _check_signed(self.by)
        return detect.approve(store, self.incident, self.by, self.note, store.now())


class Hold(Call[Incident], frozen=True, tag="hold"):
    """Hold an incident until a person approves it; gives the incident."""

    incident: str
    by: str
    note: str = ""

    def perform(self, store: Store) -> Incident:
        _check_signed(self.by)
        return revise.hold(store, self.incident, self.by, self.note, store.now())


class Retract(Call[Incident], frozen=True, tag="retract"):
    """Withdraw an incident for good; gives the incident."""

    incident: str
    by: str
    reason: str

    def perform(self, store: Store) -> Incident:
        _check_signed(self.by)
        return revise.withdraw(store, self.incident, self.by, self.reason, store.now())


class Annotate(Call[Incident], frozen=True, tag="annotate"):
    """Write a note on an incident, or remove it with an empty one; gives the incident."""

    incident: str
    by: str
    note: str

    def perform(self, store: Store) -> Incident:
        _check_signed(self.by)
        return revise.annotate(store, self.incident, self.by, self.note, store.now())


class NameTargets(Call[Incident], frozen=True, tag="name_targets"):
    """Let readers see the names of an incident's targets that are on no list; gives the incident."""

    incident: str
    by: str
    reason: str = ""

    def perform(self, store: Store) -> Incident:
        _check_signed(self.by)
        return revise.name_targets(store, self.incident, self.by, self.reason, store.now())


class Merge(Call[Incident], frozen=True, tag="merge"):
    """Make an incident part of another; gives the other."""

    incident: str
    into: str
    by: str
    reason: str

    def perform(self, store: Store) -> Incident:
        _check_signed(self.by)
        return revise.merge(store, self.incident, self.into, self.by, self.reason, store.now())


class NameRole(Call[str], frozen=True, tag="name_role"):
    """Show a role wherever a person has signed; gives the role."""

    name: str
    role: str

    def perform(self, store: Store) -> str:
        name, role = self.name.strip(), self.role.strip()
        if not name or not role or len(role) > LONGEST_NAME:
            raise FanousError(
                "name the person as they signed, and the role to show, such as 'the duty editor'"
            )
        store.ledger.name_role(name, role)
        return role


class Announce(Call[list[AnnouncedEvent]], frozen=True, tag="announce"):
    """Register events before they begin; gives them with their labels."""

    events: tuple[AnnouncedEvent, ...]

    def perform(self, store: Store) -> list[AnnouncedEvent]:
        return [store.ledger.add_event(_checked(one)) for one in self.events]


class RecordClaim(Call[Claim], frozen=True, tag="record_claim"):
    """Record a claim by others, once; the fields of ``fanous claims add``; gives the claim."""

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

    def perform(self, store: Store) -> Claim:
        claim = claim_of(self)
        recorded = store.ledger.claims(claim.country)
        known = (one for one in recorded if replace(one, id="", recorded_at=0.0) == claim)
        return next(known, None) or store.ledger.add_claim(claim)


class RetryAlerts(Call[int], frozen=True, tag="retry_alerts"):
    """Queue alerts that were given up again; gives their number.

    Attributes:
        keys: ``None`` = all.
    """

    keys: tuple[str, ...] | None = None

    def perform(self, store: Store) -> int:
        return store.ledger.outbox.revive(self.keys, store.now())


Action = (
    Approve
    | Hold
    | Retract
    | Annotate
    | NameTargets
    | Merge
    | NameRole
    | Announce
    | RecordClaim
    | RetryAlerts
)


def _check_signed(by: str) -> None:
    if len(by) > LONGEST_NAME:
        raise FanousError(f"by: more than {LONGEST_NAME} characters; give a name or a role")


def _checked(event: AnnouncedEvent) -> AnnouncedEvent:
    """An event, checked, without the fields that only the ledger sets.

    Raises:
        FanousError: there is no such country, no title, a very long one, or its times make no sense.
    """
    _check_country(event.country)
    if not event.title.strip():
        raise FanousError("title: an announced event needs one")
    if len(event.title.strip()) > LONGEST_TITLE:
        raise FanousError(f"title: more than {LONGEST_TITLE} characters")
    if not all(EARLIEST <= time < LATEST for time in (event.start, event.end)):
        raise FanousError("an event has to be between the years 1990 and 2100")
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
    if not printable(told.who):
        raise FanousError("who: a name is needed")
    claim = Claim(
        told.who.strip(),
        told.what,
        country,
        _instant("since", told.since),
        _instant("until", told.until),
        networks=told.networks,
        targets=tuple(target_wanted(name) for name in told.targets),
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
