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
        found = known_incident(store, self.incident)
        return IncidentDetails(
            found,
            store.ledger.revisions(found.id),
            store.of(found.provenance).facts.networks(found.country),
            witnesses(store, found),
            slowed_how(store, found),
            what_else(store, found),
            lacking(store, found),
            unnamed(store, found),
            data_ended(store, found, store.now()),
        )


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


def known_incident(store: Store, name: str) -> Incident:
    """The incident of that name, in capitals or not.

    Raises:
        FanousError: there is none.
    """
    found = store.ledger.incident(name.upper())
    if found is None:
        raise FanousError(f"no incident {name} in this store; see `fanous incidents list`")
    return found
