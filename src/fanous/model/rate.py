"""Rate: how fast data came to a probe under innocuous names - what its line gives, not what a target gets."""

from dataclasses import dataclass

from fanous.model.place import Access


@dataclass(frozen=True, slots=True)
class Rate:
    """The controls of the downloads of one measurement.

    Attributes:
        uid: of the measurement.
        at: unix seconds, UTC, at which it was made (not at which it arrived).
        kbps: of the fastest of them.
        rtt_ms: median time of the measurement's connections that stood; NaN = unknown.
        beside: the target whose downloads they accompanied, mostly from its own address.
        source: the source it came through.
    """

    uid: str
    country: str
    asn: int
    access: Access
    probe: str
    at: float
    kbps: float
    rtt_ms: float
    beside: str
    source: str
