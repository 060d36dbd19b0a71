"""Approval: a person has looked at a claim that was held, and lets it stand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Approval:
    """Who let which incident pass.

    Attributes:
        revision: the one that was looked at.
        at: unix seconds, UTC.
        note: in their words; empty = none.
    """

    incident: str
    revision: int
    who: str
    at: float
    note: str = ""
