"""RatePair: how fast a target came to one probe, beside another name in the same measurement."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RatePair:
    """One measurement; rates in kbit/s, both above 0."""

    probe: str
    asn: int
    target: str
    kbps: float
    control_kbps: float
