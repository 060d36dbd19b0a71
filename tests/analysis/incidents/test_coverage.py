"""Enough measured to say that nothing happened?"""

import pytest

from fanous.analysis.incidents.witnesses import coverage_of, coverage_sentence, is_ordinary, lacking
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes

END = MONDAY + 8 * HOUR


@pytest.mark.parametrize(
    ("ballots", "why"),
    [
        ([], "nobody measured"),
        ([Ballot([1, 2], False), Ballot([1], False, asn=2, probe="0.0")], "only 2 of the 3"),
        ([Ballot(range(8), False)], "AS1 alone"),
        ([Ballot([1, 2], False), Ballot([1, 2], False, asn=2)], "2 of 8 hours"),
        ([Ballot(range(8), False), Ballot(range(8), False, asn=2)], ""),
    ],
)
def test_what_the_coverage_lacks_is_said(ballots: list[Ballot], why: str) -> None:
    assert why in lacking(coverage_of(votes(*ballots), MONDAY, END))
    assert bool(lacking(coverage_of(votes(*ballots), MONDAY, END))) == bool(why)


def test_a_window_in_which_much_failed_is_not_ordinary() -> None:
    calm = [Ballot(range(8), False), Ballot(range(8), False, asn=2)]
    assert is_ordinary(coverage_of(votes(*calm), MONDAY, END))
    assert not is_ordinary(coverage_of(votes(*calm, Ballot(range(4), True)), MONDAY, END))


def test_measurements_outside_of_the_window_do_not_count() -> None:
    found = coverage_of(votes(Ballot([-1, 0, 7, 8], True)), MONDAY, END)
    assert (found.measurements, found.failing, found.hours_measured, found.hours) == (2, 2, 2, 8)
    assert "2 measurements" in coverage_sentence(found)
