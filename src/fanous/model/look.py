"""Look: a probe looked at its own line, and what it found."""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.place import Access


class LineState(StrEnum):
    """What a probe's own line was like: with a network, without one, with sites inside the country alone, or
    besides with those outside that somebody put on a list."""

    ONLINE = "online"
    OFFLINE = "offline"
    INTRANET = "intranet"
    ALLOW_LIST = "allow_list"


@dataclass(frozen=True, slots=True)
class Look:
    """One look.

    Attributes:
        uid: of the measurement.
        at: unix seconds, UTC, at which it was made (not at which it arrived).
        source: the source it came through.
    """

    uid: str
    country: str
    asn: int
    access: Access
    probe: str
    at: float
    line: LineState
    source: str
