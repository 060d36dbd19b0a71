"""Claim: what someone else says about a disruption, kept next to what Fanous found."""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.incident import Scope


class Said(StrEnum):
    """What is said to have happened."""

    DISRUPTED = "disrupted"
    OUTAGE = "outage"
    BLOCKING = "blocking"
    THROTTLING = "throttling"
    SLOWDOWN = "slowdown"
    NORMAL = "normal"


class ClaimCheck(StrEnum):
    """How the evidence answers a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim.  Times are unix seconds, UTC; what was not said is None or empty.

    Attributes:
        who: whose claim it is: ``NetBlocks``, ``the regulator``.
        said: what happened; ``disrupted`` = restricted in some way, ``throttling`` = slowed down, ``slowdown`` =
            everything is slow.
        country: ISO 3166-1 alpha-2.
        since: the time the claim is about, half-open with ``until``.
        networks: ASNs that they name; empty = none in particular.
        targets: that they name; empty = none in particular.
        scope: how far they say it reached.
        level: for outages: share of the baseline that was left, 0..1.
        began_before: the instant before which they say it began.
        hours: how long they say it lasted.
        link: where they said it.
        quote: in their own words.
        id: label, ``PK-claim-1``; empty until the ledger has given one.
        recorded_at: when it came into the ledger.
    """

    who: str
    said: Said
    country: str
    since: float
    until: float
    networks: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    scope: Scope | None = None
    level: float | None = None
    began_before: float | None = None
    hours: float | None = None
    link: str = ""
    quote: str = ""
    id: str = ""
    recorded_at: float = 0.0
