"""The share of users for whom a target worked as usual, through time."""

import pytest

from fanous.charts.reachability import Lines, reachable
from fanous.model.place import Access, NetworkWeight, UserWeights
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes

WEIGHTS = UserWeights(
    "PK",
    (NetworkWeight(1, 0.3, Access.ANY, "One"), NetworkWeight(2, 0.1, Access.ANY, "Two")),
    0.2,
    "made up",
)
THRICE = [0.1, 0.2, 0.3]


def lines_of(*ballots: Ballot, weights: UserWeights | None = None, hours: int = 12) -> Lines:
    return reachable(votes(*ballots), ["x"], MONDAY, MONDAY + hours * HOUR, weights)


def first(lines: Lines) -> float | None:
    return lines.lines[0].shares[0]


def test_networks_count_by_their_users_where_these_are_known() -> None:
    ballots = Ballot(THRICE, True, asn=1), Ballot(THRICE, False, asn=2)
    assert first(lines_of(*ballots, weights=WEIGHTS)) == pytest.approx(0.25)
    assert first(lines_of(*ballots)) == pytest.approx(0.5)


def test_a_network_without_known_users_does_not_count_next_to_those_with() -> None:
    ballots = Ballot(THRICE, True, asn=1), Ballot(THRICE, False, asn=99)
    assert first(lines_of(*ballots, weights=WEIGHTS)) == 0.0


def test_nothing_measured_and_too_little_measured_are_no_value() -> None:
    lines = lines_of(Ballot(THRICE, False), Ballot([3.1, 3.2], False), Ballot([5.1, 5.2, 5.3], False))
    assert set(lines.lines[0].shares) == {None, 1.0}


def test_a_picture_begins_and_ends_with_the_record() -> None:
    lines = lines_of(Ballot([3.1, 3.2, 3.3], False), Ballot([5.1, 5.2, 5.3], True))
    assert (lines.start, lines.end) == (MONDAY + 3 * HOUR, MONDAY + 6 * HOUR)
    assert lines.lines[0].shares == (1.0, None, 0.0)


def test_bins_are_as_fine_as_the_measurements_allow() -> None:
    often = [n / 20 for n in range(20 * 12)]
    assert lines_of(Ballot(often, False), hours=11).step == 600
    assert lines_of(Ballot(often[::10], False)).step > 1800


def test_a_measurement_fails_once_however_many_of_its_votes_saw_it() -> None:
    lines = lines_of(Ballot(THRICE, True), Ballot(THRICE, False))
    assert first(lines) == 0.5
