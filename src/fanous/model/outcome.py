"""Outcome: how many measurements were made on a network in a stretch of time, and how many failed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeasurementCount:
    """One network and stretch.

    Attributes:
        start: unix seconds, UTC, at which the stretch begins.
        failed: of those made; one fails if it saw interference with any of the targets asked for.
    """

    asn: int
    start: float
    made: int
    failed: int
