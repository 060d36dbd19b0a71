"""One probe alone, against its neighbours, is no ground for a suspicion."""

from fanous.analysis.incidents.networks import is_groundless
from tests.analysis.incidents.events import Ballot, finding, votes
from tests.each import each

HOURS = [10.0, 10.5, 11.0, 11.5]


LINE = ("probe_id line.4", "probe_id line.6")
"""The names that a collector gives to a stranger's line."""


def lone(*ballots: Ballot) -> bool:
    """X fails on the networks of the failing ballots from 10:00 to noon."""
    group = [finding(10, 12, asn=asn) for asn in sorted({b.asn for b in ballots if b.seen})]
    return is_groundless(group, votes(*ballots))


@each(
    ("ballots", "expected"),
    [
        ([Ballot(HOURS, True, probe="a"), Ballot(HOURS, False, probe="b")], True),
        # No one else measures there: it may be true.
        ([Ballot(HOURS, True, probe="a"), Ballot(HOURS, False, 2, probe="b")], False),
        # A second one says so, on the same network or on another.
        (
            [Ballot(HOURS, True, probe="a"), Ballot(HOURS, True, probe="b"), Ballot(HOURS, False, probe="c")],
            False,
        ),
        (
            [
                Ballot(HOURS, True, probe="a"),
                Ballot(HOURS, False, probe="b"),
                Ballot(HOURS, True, 2, probe="c"),
            ],
            False,
        ),
        # What neighbours saw at another time is irrelevant.
        ([Ballot(HOURS, True, probe="a"), Ballot([8.0, 9.0, 13.0], False, probe="b")], False),
        # A neighbour that fails at times is a second witness.
        (
            [
                Ballot(HOURS, True, probe="a"),
                Ballot(HOURS[1:], False, probe="b"),
                Ballot([10.2], True, probe="b"),
            ],
            False,
        ),
    ],
)
def test_a_lone_dissenter_has_neighbours_that_see_nothing(ballots: list[Ballot], expected: bool) -> None:
    assert lone(*ballots) is expected


@each(
    ("others", "expected"),
    [
        ([], True),
        ([Ballot(HOURS, True, probe="probe_id neighbour", vouched=False)], False),
        ([Ballot(HOURS, True, 2, probe="probe_id elsewhere", vouched=False)], False),
        ([Ballot(HOURS, True, probe="own")], False),
        ([Ballot(HOURS, True, probe="20260101T000000Z_run", vouched=False)], False),
        # It has other names the next day, and is still one line.
        ([Ballot([34.0], True, probe="probe_id next day", vouched=False)], True),
    ],
)
def test_what_one_line_of_a_stranger_says_is_no_ground(others: list[Ballot], expected: bool) -> None:
    said = [Ballot(HOURS, True, probe=name, vouched=False) for name in LINE]
    group = [finding(10, 36, asn=asn) for asn in sorted({ballot.asn for ballot in (*said, *others)})]
    assert is_groundless(group, votes(*said, *others)) is expected
