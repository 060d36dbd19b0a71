"""Incident: everything that is known about one incident, and what it may have cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fanous.analysis.cost import Disruption, of_incident
from fanous.analysis.policing import Policing
from fanous.errors import FanousError
from fanous.model.coverage import Sensitivity
from fanous.model.incident import Incident, Status, Witness
from fanous.model.reason import Reason
from fanous.pipeline.call import Call
from fanous.questions.claims import Lacking, lacking, slowed_how, what_else, witnesses
from fanous.questions.country import data_ended, known_until, unnamed
from fanous.refdata.users import user_weights
from fanous.store.ledger import Revision
from fanous.store.protocol import Store


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
        incident = known_incident(store, self.incident)
        return IncidentDetails(
            incident,
            store.ledger.revisions(incident.id),
            store.of(incident.provenance).facts.networks(incident.country),
            witnesses(store, incident),
            slowed_how(store, incident),
            what_else(store, incident),
            lacking(store, incident),
            unnamed(store, incident),
            data_ended(store, incident, store.now()),
        )


class EstimateCost(Call[tuple[Disruption, Incident]], frozen=True, tag="cost"):
    """What an incident disrupted, for an estimate of its cost."""

    incident: str

    def perform(self, store: Store) -> tuple[Disruption, Incident]:
        incident = known_incident(store, self.incident)
        if incident.status is Status.RETRACTED:
            raise FanousError(
                f"{incident.id} was retracted, so no cost is estimated; `fanous incidents show {incident.id}` says why"
            )
        until, counts = known_until(store, incident, store.now()), user_weights(incident.country) is not None
        return of_incident(incident, until, counts_users=counts), incident


def known_incident(store: Store, name: str) -> Incident:
    """The incident of that name, in capitals or not.

    Raises:
        FanousError: there is none.
    """
    incident = store.ledger.incident(name.upper())
    if incident is None:
        raise FanousError(f"no incident {name} in this store; see `fanous incidents list`")
    return incident
