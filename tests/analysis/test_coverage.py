"""Enough measured to say that nothing happened?"""

import pytest

from fanous.analysis.coverage import coverage_of, is_ordinary, lacking, measured
from fanous.model.reason import Reason
from fanous.wording.reasons import reasons_text
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes

END = MONDAY + 8 * HOUR


@pytest.mark.parametrize(
    ("ballots", "why"),
    [
        ([], Reason("coverage.none")),
        (
            [Ballot([1, 2], False), Ballot([1], False, asn=2, probe="0.0")],
            Reason("coverage.few_probes", {"runs": 2, "needed": 3}),
        ),
        ([Ballot(range(8), False)], Reason("coverage.one_network", {"networks": "AS1"})),
        (
            [Ballot([1, 2], False), Ballot([1, 2], False, asn=2)],
            Reason("coverage.few_hours", {"measured": 2, "hours": 8}),
        ),
        ([Ballot(range(8), False), Ballot(range(8), False, asn=2)], None),
    ],
)
def test_what_the_coverage_lacks_is_reported(ballots: list[Ballot], why: Reason | None) -> None:
    assert lacking(coverage_of(votes(*ballots), MONDAY, END)) == why


def test_a_window_in_which_much_failed_is_not_ordinary() -> None:
    calm = [Ballot(range(8), False), Ballot(range(8), False, asn=2)]
    assert is_ordinary(coverage_of(votes(*calm), MONDAY, END))
    assert not is_ordinary(coverage_of(votes(*calm, Ballot(range(4), True)), MONDAY, END))


def test_measurements_outside_of_the_window_do_not_count() -> None:
    found = coverage_of(votes(Ballot([-1, 0, 7, 8], True)), MONDAY, END)
    assert (found.measurements, found.failing, found.hours_measured, found.hours) == (2, 2, 2, 8)
    assert reasons_text([measured(found)]) == (
        "2 measurements by 2 probes or test runs on 1 network, in 2 of 8 hours; 2 failed."
    )
