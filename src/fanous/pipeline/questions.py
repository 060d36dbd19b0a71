"""Questions: what commands that only read ask of a store, as typed calls (``pipeline.call``).

Those in ``pipeline.listings`` and ``pipeline.query`` load faster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fanous.analysis.claims import Checked
from fanous.analysis.cost import Disruption, of_incident
from fanous.analysis.events import EventReport
from fanous.analysis.policing import Policing
from fanous.charts.connectivity import SeriesNow
from fanous.errors import FanousError
from fanous.model.claim import Claim
from fanous.model.coverage import Sensitivity
from fanous.model.incident import Correction, Incident, Status, Witness
from fanous.model.reason import Reason
from fanous.model.vitals import Backlog, Spell
from fanous.pipeline import claims
from fanous.pipeline.call import Call
from fanous.pipeline.claims import Lacking, lacking
from fanous.pipeline.query import data_ended, known_until, unnamed
from fanous.pipeline.series import series_now
from fanous.pipeline.vitals import Vitals, examine
from fanous.refdata.users import user_weights
from fanous.store.ledger import Revision
from fanous.store.protocol import Store


@dataclass(frozen=True, slots=True)
class SignalsNow:
    """The latest bin of every series of a country; ``synthetic``: everything known about it was staged."""

    series: Sequence[SeriesNow]
    synthetic: bool


class ReadSignals(Call[SignalsNow], frozen=True, tag="signals"):
    """Each source's signals at an instant, unix seconds."""

    country: str
    at: float

    def perform(self, store: Store) -> SignalsNow:
        return SignalsNow(series_now(store, self.country, self.at), store.about(self.country).is_synthetic)


@dataclass(frozen=True, slots=True)
class IncidentDetails:
    """Everything known about one incident; ``names``: ASN -> name.

    Attributes:
        unnamed: what would have been found on networks that it does not name.
        known_until: when the data about an open incident ended, unix seconds; ``None`` = they have not.
    """

    incident: Incident
    revisions: Sequence[Revision]
    names: Mapping[int, str]
    witnesses: Sequence[Witness]
    slowed_how: Policing | None
    hints: Sequence[Reason]
    lacking: Lacking
    unnamed: Sequence[Sensitivity]
    known_until: float | None


class ShowIncident(Call[IncidentDetails], frozen=True, tag="incident"):
    """One incident with everything about it."""

    incident: str

    def perform(self, store: Store) -> IncidentDetails:
        found = known_incident(store, self.incident)
        return IncidentDetails(
            found,
            store.ledger.revisions(found.id),
            store.of(found.provenance).facts.networks(found.country),
            claims.witnesses(store, found),
            claims.slowed_how(store, found),
            claims.what_else(store, found),
            lacking(store, found),
            unnamed(store, found),
            data_ended(store, found, store.now()),
        )


class ListCorrections(Call[list[Correction]], frozen=True, tag="corrections"):
    """Withdrawals, newest first."""

    country: str | None = None

    def perform(self, store: Store) -> list[Correction]:
        return claims.corrections(store, self.country)


class EstimateCost(Call[tuple[Disruption, Incident]], frozen=True, tag="cost"):
    """What an incident disrupted, for an estimate of its cost."""

    incident: str

    def perform(self, store: Store) -> tuple[Disruption, Incident]:
        found = known_incident(store, self.incident)
        if found.status is Status.RETRACTED:
            raise FanousError(
                f"{found.id} was retracted, so no cost is estimated; `fanous incidents show {found.id}` says why"
            )
        until, counts = known_until(store, found, store.now()), user_weights(found.country) is not None
        return of_incident(found, until, counts_users=counts), found


class CheckClaims(Call[list[tuple[Claim, Checked]]], frozen=True, tag="check_claims"):
    """Claims, checked against the evidence; ``None`` = all."""

    claim: str | None = None

    def perform(self, store: Store) -> list[tuple[Claim, Checked]]:
        wanted = [
            one for one in store.ledger.claims() if self.claim is None or one.id.lower() == self.claim.lower()
        ]
        if self.claim is not None and not wanted:
            raise FanousError(f"no claim {self.claim} in this store; see `fanous claims list`")
        return [(one, claims.check(store, one)) for one in wanted]


class ReportEvent(Call[EventReport], frozen=True, tag="event_report"):
    """What was seen around an announced event."""

    event: str

    def perform(self, store: Store) -> EventReport:
        found = next((one for one in store.ledger.events() if one.id.lower() == self.event.lower()), None)
        if found is None:
            raise FanousError(f"no event {self.event} in this store; `fanous events list` shows them")
        return claims.event_report(store, found)


class ExamineStore(Call[tuple[Vitals, list[Spell]]], frozen=True, tag="examine"):
    """The health of a monitor, and its recent problems; reads every file of the archive.

    Attributes:
        folders: one on each disk that it writes to.
        backlogs: those of its inboxes.
        at: unix seconds, by the machine's clock.
    """

    folders: tuple[Path, ...]
    backlogs: tuple[Backlog, ...]
    at: float

    def perform(self, store: Store) -> tuple[Vitals, list[Spell]]:
        feed = list(store.ledger.ailments(self.at))
        seen = examine(store, self.folders, self.backlogs, self.at, {})
        damaged = {segment.name: why for segment, why in store.archive.damaged()}
        return replace(seen, damaged=damaged | (seen.damaged or {})), feed


def known_incident(store: Store, name: str) -> Incident:
    """The incident of that name, in capitals or not.

    Raises:
        FanousError: there is none.
    """
    found = store.ledger.incident(name.upper())
    if found is None:
        raise FanousError(f"no incident {name} in this store; see `fanous incidents list`")
    return found
