"""Alert: what happened to an incident that somebody outside should be told, and what became of telling them."""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.incident import Incident


class Happening(StrEnum):
    """What a revision is news of; if it is several things at once, the first of these."""

    CORRECTED = "corrected"
    ENDED = "ended"
    CONFIRMED = "confirmed"
    OPENED = "opened"


class AlertState(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    """Given up: somebody has to look into it (``fanous alerts retry``)."""

    DROPPED = "dropped"
    """Not sent on purpose: newer news of the same incident took its place, or nothing was left to say."""


@dataclass(frozen=True, slots=True)
class News:
    """A revision for which it was not decided yet who should be told.

    Attributes:
        seq: order in which the ledger took it in.
        at: unix seconds of the revision.
        before: the claim that it revised; None = there was none.
        told: channels that were sent something about this incident, or are about to be.
    """

    seq: int
    n: int
    at: float
    incident: Incident
    before: Incident | None
    told: frozenset[str]


@dataclass(frozen=True, slots=True)
class Order:
    """One channel must be told of one revision."""

    channel: str
    incident: str
    n: int
    happening: Happening


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one channel.

    Attributes:
        key: the same however often it is sent, so that a receiver can show it once.
        incident: label.
        n: the revision that it reports.
        told_n: the last revision that this channel was sent; 0 = none.
        created_at, due_at, sent_at: unix seconds.
        attempts: that were begun.
        why: it failed last, or was dropped; empty = nothing to say.
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
