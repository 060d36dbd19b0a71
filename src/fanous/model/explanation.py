"""Explanation: what else an incident could be, and how that stands after it was weighed against the evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from fanous.model.reason import Reason


class Standing(StrEnum):
    """How one explanation stands, in the order in which readers are told."""

    HOLDS = "holds"
    UNTESTED = "untested"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Weighed:
    """One explanation of an incident, weighed.

    Attributes:
        code: of the explanation, such as ``host.may_fail``: a row of ``analysis.explanations.table``.
        because: the figures that decided it.
    """

    code: str
    standing: Standing
    because: Reason


def for_readers(explanations: Iterable[Weighed]) -> list[Weighed]:
    """What holds, then what could not be tested, then what is excluded."""
    return sorted(explanations, key=lambda explanation: list(Standing).index(explanation.standing))
