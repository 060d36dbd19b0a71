"""The line: a moment's fault and chance suspend, and retract once they are over."""

from collections.abc import Sequence

import numpy as np

from fanous.model.explanation import Standing
from fanous.model.incident import Status
from tests.analysis.explanations.claims import answer, claim_of
from tests.analysis.incidents.events import Ballot, assembled, finding, votes
from tests.each import each

MINUTE = 1 / 60


def rounds(minutes: Sequence[float], probes: int = 3, *, vouched: bool = True) -> list[Ballot]:
    """Probes that fail at the same minutes after ten o'clock, seconds apart."""
    return [
        Ballot(
            [10 + (minute + n / 60) * MINUTE for minute in minutes],
            True,
            probe=f"own {n}",
            source="edge",
            controlled=True,
            vouched=vouched,
        )
        for n in range(probes)
    ]


@each(
    ("what", "ballots", "standing"),
    [
        ("two rounds", rounds([0, 5]), Standing.HOLDS),
        ("three rounds", rounds([0, 5, 10]), Standing.EXCLUDED),
        ("a third round of one probe alone", [*rounds([0, 5]), *rounds([10], 1)], Standing.HOLDS),
        ("two rounds twenty minutes apart", rounds([0, 20]), Standing.EXCLUDED),
        ("two probes", rounds([0, 5], 2), Standing.UNTESTED),
        ("strangers, who have no rounds", rounds([0, 5], vouched=False), Standing.UNTESTED),
    ],
)
def test_a_fault_may_pass_within_two_rounds(what: str, ballots: list[Ballot], standing: Standing) -> None:
    claim = claim_of(votes(*ballots), [finding(10, 11)])
    assert answer("line.fault_passed", claim).standing is standing, what


@each(
    ("probabilities", "standing"),
    [([0.98, 0.97], Standing.HOLDS), ([0.98, 0.99], Standing.EXCLUDED)],
)
def test_it_may_be_chance_while_no_network_is_raised(probabilities: list[float], standing: Standing) -> None:
    group = [finding(10, 11, asn=asn, probability=p) for asn, p in enumerate(probabilities, 1)]
    assert answer("line.chance", claim_of(votes(*rounds([0, 5])), group)).standing is standing


@each(
    ("end", "minutes", "probability", "status", "codes"),
    [
        (None, [0, 5], 0.999, Status.SUSPECTED, ("lacks.rounds",)),
        (10.2, [0, 5], 0.999, Status.RETRACTED, ("faded", "lacks.rounds")),
        (10.3, [0, 5, 10], 0.999, Status.ENDED, ("rule.c2",)),
        (10.3, [0, 5, 10], 0.98, Status.RETRACTED, ("faded", "lacks.network")),
        (None, [0, 5, 10], 0.98, Status.SUSPECTED, ("lacks.network",)),
    ],
)
def test_what_may_have_been_a_moments_fault_is_taken_back_once_it_is_over(
    end: float | None, minutes: list[float], probability: float, status: Status, codes: tuple[str, ...]
) -> None:
    every = votes(*rounds(minutes))
    found = assembled(
        [finding(10, end, last_seen=10.4, probability=probability)],
        every,
        every.where(np.zeros(len(every), np.bool_)),
    )
    assert found.status is status
    assert tuple(reason.code for reason in found.reasons[: len(codes)]) == codes


@each(
    ("before", "standing"),
    [
        ((), Standing.UNTESTED),
        ((Ballot([10 - 6 * 24], False),), Standing.UNTESTED),
        ((Ballot([9 - 7 * 24], False),), Standing.EXCLUDED),
        ((Ballot([9 - 7 * 24], False, asn=2),), Standing.UNTESTED),  # nothing is known of this network
    ],
)
def test_what_often_fails_there_is_known_after_a_week(before: tuple[Ballot, ...], standing: Standing) -> None:
    claim = claim_of(votes(Ballot([10, 11, 12], True), *before), [finding(10, 13)])
    assert answer("line.often_fails", claim).standing is standing
