"""Listings: what the ledger holds, as typed calls (``pipeline.call``); the engine is not started for them."""

from fanous.model.alert import AlertState, Delivery
from fanous.model.claim import Claim
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident
from fanous.pipeline.call import Call
from fanous.store.protocol import Store


class ListIncidents(Call[list[Incident]], frozen=True, tag="incidents"):
    """Latest revisions by onset, retracted ones included."""

    country: str | None = None
    since: float | None = None
    until: float | None = None

    def perform(self, store: Store) -> list[Incident]:
        return list(store.ledger.incidents(self.country, self.since, self.until))


class ListClaims(Call[list[Claim]], frozen=True, tag="claims"):
    """Claims by others, by the time that they are about."""

    country: str | None = None

    def perform(self, store: Store) -> list[Claim]:
        return list(store.ledger.claims(self.country))


class ListEvents(Call[list[AnnouncedEvent]], frozen=True, tag="events"):
    """Announced events by their start."""

    country: str | None = None

    def perform(self, store: Store) -> list[AnnouncedEvent]:
        return list(store.ledger.events(self.country))


class ListDeliveries(Call[list[Delivery]], frozen=True, tag="deliveries"):
    """Alerts, the oldest first; ``None`` = in any state."""

    state: AlertState | None = None

    def perform(self, store: Store) -> list[Delivery]:
        return list(store.ledger.outbox.deliveries(self.state))
