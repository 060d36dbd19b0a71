"""Rule: which incidents concern whom; what a rule does not name it does not ask for."""

from dataclasses import dataclass

from fanous.model.alert import Happening
from fanous.model.incident import Incident, Status


@dataclass(frozen=True, slots=True)
class AlertRule:
    """All that is named has to hold; of a list one entry is enough.

    Attributes:
        channels: who is told.
        countries: ISO codes; empty = everywhere.  Likewise the others.
        networks: ASNs of which one is named; a national incident concerns every network.
        targets: of which one is hit; an incident without targets (an outage) hits all of them.
        statuses: that the incident has now; an ended one counts as what it was, confirmed or suspected.
        confidence: at least; 0..1.
        on: of which news.
    """

    channels: tuple[str, ...]
    countries: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    confidence: float = 0.0
    on: tuple[Happening, ...] = tuple(Happening)

    def concerns(self, incident: Incident) -> bool:
        """Whatever the news is."""
        named = {f"AS{asn}" for asn in self.networks}
        return (
            (not self.countries or incident.country in self.countries)
            and (not named or incident.country in incident.entities or bool(named & set(incident.entities)))
            and (not self.targets or not incident.targets or bool(set(self.targets) & set(incident.targets)))
            and (not self.kinds or incident.kind in self.kinds)
            and (not self.statuses or _standing(incident) in self.statuses)
            and incident.confidence >= self.confidence
        )


def _standing(incident: Incident) -> Status:
    if incident.status is not Status.ENDED:
        return incident.status
    return Status.SUSPECTED if incident.confirmed_at is None else Status.CONFIRMED
