"""What leads or trails an event and fails in another way is no part of it."""

import pytest

from fanous.analysis.incidents.brackets import from_first_failures
from fanous.analysis.incidents.networks import without_strays
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, finding, votes
from tests.each import each

EVENT = [30 + n / 2 for n in range(60)]
"""Half hours of the event itself, 30:00 to 59:30."""


def kept(*strays: Ballot) -> list[float]:
    """Hours at which the stretches begin that are left of the event and of one stretch a ballot."""
    own = finding(30, 60)
    others = [finding(min(b.hours), max(b.hours) + 1, asn=b.asn) for b in strays]
    found = without_strays([own, *others], votes(Ballot(EVENT, True), *strays))
    return sorted((f.anomaly.start - own.anomaly.start) / 3600 + 30 for f in found)


def timeouts(hours: list[float], *, controlled: bool = False, asn: int = 1) -> Ballot:
    return Ballot(hours, True, asn, mechanism="tcp.timeout", controlled=controlled)


def test_odd_failures_before_and_after_move_neither_onset_nor_end() -> None:
    assert kept(timeouts([10, 10.5, 11]), timeouts([70, 70.2], asn=2)) == [30]


@pytest.mark.parametrize(
    "stretch",
    [
        Ballot([10, 10.5, 11], True),  # it fails as the event does
        timeouts([10, 10.5, 11], controlled=True),
        timeouts([10 + n for n in range(8)]),  # long enough to stand alone
    ],
)
def test_what_is_like_the_event_or_stands_alone_is_its_first_session(stretch: Ballot) -> None:
    assert kept(stretch) == [10, 30]


def test_failures_within_it_are_kept_however_they_fail() -> None:
    assert kept(timeouts([40, 40.5], asn=2)) == [30, 40]


def test_a_lone_stretch_is_no_stray_of_itself() -> None:
    group = [finding(10, 12)]
    assert without_strays(group, votes(timeouts([10, 11]))) == group
    assert without_strays([finding(10, 12, probability=0.95)], votes(timeouts([10, 11]))) != []


ROLLED_OUT = [n / 2 for n in range(42, 60)]
"""Half hours before the event, from 21:00."""


@each(
    ("what", "before", "onset", "earliest"),
    [
        ("half of it fails from 21:00 on", [Ballot(ROLLED_OUT[::2], True), Ballot(ROLLED_OUT[1::2], False)], 21, 20),
        ("in another way", [timeouts(ROLLED_OUT[::2]), Ballot(ROLLED_OUT[1::2], False)], 30, 29.5),
        ("two that fail by chance", [Ballot([21, 24], True), Ballot(ROLLED_OUT[3:], False)], 30, 29.5),
        ("on another network", [Ballot(ROLLED_OUT, True, 2)], 30, 20),
    ],
)  # fmt: skip
def test_a_block_that_is_rolled_out_begins_with_its_first_failure(
    what: str, before: list[Ballot], onset: float, earliest: float
) -> None:
    every = votes(Ballot([18, 19, 20], False), *before, Ballot(EVENT, True))
    (found,) = from_first_failures([finding(30, 60)], every)
    hours = [(at - MONDAY) / HOUR for at in (found.anomaly.start, found.anomaly.start_earliest or 0)]
    assert hours == [onset, earliest], what
    assert found.anomaly.start_latest == MONDAY + 30 * HOUR
