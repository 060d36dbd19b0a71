"""Alert: a change to an incident that should be reported to someone outside, and the state of its delivery."""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.incident import Incident, Kind
from fanous.model.reason import Reason


class Happening(StrEnum):
    """The news in a revision; if there are several, the first of these."""

    CORRECTED = "corrected"
    ENDED = "ended"
    CONFIRMED = "confirmed"
    OPENED = "opened"
    WIDENED = "widened"
    """It reaches further than before: more of a service, more services, more networks."""
    NARROWED = "narrowed"
    """Part of a service works again; other parts do not."""


class AlertState(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    """Given up: a person has to look into it (``fanous alerts retry``)."""

    DROPPED = "dropped"
    """Deliberately not sent: newer news about the same incident replaced it, or nothing was left to say."""


class Priority(StrEnum):
    """How far an alert's incident reaches, the most urgent first."""

    NATION = "nation"
    NETWORKS = "networks"
    """Several networks, or a region."""

    PLATFORM = "platform"
    """One network: a service that people know by name, or the line itself."""

    SITE = "site"
    """One network: only sites that are on no list of ours."""

    METHOD = "method"
    """What another method took back, in all countries: no news about any event."""


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """Alerts that may share a message, and share the number of messages an hour.

    Attributes:
        network: ``AS9541``; empty = several, or a region.
        is_confirmed: suspicions, which take least to cause, never hold up what is confirmed.
        is_staged: staged events never share a message with real ones.
    """

    country: str
    network: str
    kind: Kind
    priority: Priority
    is_confirmed: bool
    is_staged: bool

    @property
    def rank(self) -> tuple[int, bool]:
        """The most urgent comes first."""
        return list(Priority).index(self.priority), not self.is_confirmed


@dataclass(frozen=True, slots=True)
class News:
    """A revision for which the recipients are not yet decided.

    Attributes:
        seq: its order in the ledger.
        at: unix seconds of the revision.
        before: the incident it revised, or what readers were told last; None = there was none.
        told: channels that were sent something about this incident, or are about to be.
        reasons: of the revision.
    """

    seq: int
    n: int
    at: float
    incident: Incident
    before: Incident | None
    told: frozenset[str]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One revision that has to be sent to one channel."""

    channel: str
    incident: str
    n: int
    happening: Happening
    group: AlertGroup


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert for one channel, sent in a message of its own or with others of its group.

    Attributes:
        key: the same however often it is sent, so that a receiver can show it once.
        incident: label.
        n: the revision that it reports.
        told_n: the last revision that this channel was sent; 0 = none.
        created_at, due_at, sent_at: unix seconds.
        attempts: number of attempts begun.
        why: the reason for its last failure, or for dropping it; empty = none.
        message: key of the message that carries it, which is its own if it is alone; empty = not begun.
    """

    key: str
    channel: str
    incident: str
    n: int
    told_n: int
    happening: Happening
    state: AlertState
    created_at: float
    due_at: float
    attempts: int
    sent_at: float | None
    why: str
    group: AlertGroup
    message: str = ""
