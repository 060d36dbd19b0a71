"""Hand-made claims for the tests of explanations."""

from collections.abc import Sequence

import numpy as np

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.explanations.comparisons import NOTHING, Comparisons
from fanous.analysis.explanations.event import MeasuredEvent, NamedEvent
from fanous.analysis.explanations.explanation import Weighing
from fanous.analysis.explanations.table import OF_NAMED_EVENT, OF_NETWORKS
from fanous.model.explanation import Standing
from fanous.model.series import Votes
from tests.analysis.incidents.events import Ballot, finding, votes


def event_of(
    every: Votes, group: Sequence[Finding], known: Comparisons = NOTHING, country: str = "XA"
) -> MeasuredEvent:
    """Everything that was measured of an event."""
    return MeasuredEvent(country, every, every.where(np.zeros(len(every), np.bool_)), group, group, known)


def claim_of(
    every: Votes,
    group: Sequence[Finding],
    known: Comparisons = NOTHING,
    *,
    is_named: bool = True,
    controlled: bool = False,
) -> NamedEvent:
    """A claim about all that fails.

    Args:
        controlled: did the failing measurements carry normal controls?
    """
    witness = every.where(every.seen)
    witness.controlled[:] |= controlled
    return NamedEvent(event_of(every, group, known), group, is_named, every, witness, witness, np.array([]))


def known_of(known: Comparisons, *, controlled: bool = False, is_named: bool = True) -> NamedEvent:
    """A claim of which only this matters."""
    every = votes(Ballot([10, 11, 12], True))
    return claim_of(every, [finding(10, 13)], known, is_named=is_named, controlled=controlled)


def answer(code: str, claim: NamedEvent) -> Weighing:
    """How the row with this code stands for a claim."""
    (row,) = (row for row in OF_NAMED_EVENT if row.code == code)
    return row.weigh(claim)


def answer_of(code: str, event: MeasuredEvent) -> Weighing:
    """The same for a row that leaves out networks."""
    (row,) = (row for row in OF_NETWORKS if row.code == code)
    return row.weigh(event)


def held(claim: NamedEvent) -> set[str]:
    """Codes of the rows that hold for a claim."""
    return {row.code for row in OF_NAMED_EVENT if row.weigh(claim).standing is Standing.HOLDS}
