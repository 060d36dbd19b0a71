"""Explanation: what else an incident could be, and how that stands after it was weighed against the evidence."""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.reason import Reason


class Standing(StrEnum):
    """How one explanation stands."""

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
