"""Look: a probe looked at its own line, and what it found."""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.entity import Access


class Line(StrEnum):
    """What a probe's own line was like."""

    ONLINE = "online"
    OFFLINE = "offline"
    INTRANET = "intranet"


@dataclass(frozen=True, slots=True)
class Look:
    """One look.

    Attributes:
        uid: of the measurement.
        at: unix seconds, UTC, at which it was made (not at which it arrived).
        source: the connector it came through.
    """

    uid: str
    country: str
    asn: int
    access: Access
    probe: str
    at: float
    line: Line
    source: str
