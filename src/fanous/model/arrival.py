"""Arrival: measurements of one network that came in after something had been claimed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """Counts of one network.

    Attributes:
        measurements: that came in.
        late: of these, made before the newest that was known then.
    """

    asn: int
    measurements: int
    late: int
