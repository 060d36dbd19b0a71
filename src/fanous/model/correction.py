"""Correction: a revision that took something back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Correction:
    """What is no longer claimed.

    Attributes:
        incident: its label.
        n: the revision that took it back.
        at: unix seconds, UTC.
        taken_back: each thing, in words.
        reason: of the revision.
    """

    incident: str
    country: str
    n: int
    at: float
    taken_back: tuple[str, ...]
    reason: str
