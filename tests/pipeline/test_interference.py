"""When a target failed here, which is compared with how it fared elsewhere at the same times."""

from fanous.analysis.explanations.comparisons import LONGEST_FAILURE, ONSET_SLOT
from fanous.pipeline.interference import failing
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, finding, votes


def hours(slots: list[int]) -> list[float]:
    return [(slot * ONSET_SLOT - MONDAY) / HOUR for slot in slots]


def test_half_hours_count_in_which_most_failed_on_the_networks_in_question() -> None:
    group = [finding(10, 14, asn=1), finding(11, 14, asn=2)]
    found = failing(
        group,
        votes(
            Ballot([10, 11.1, 12, 12.2, 13.6], True),
            Ballot([10.6, 12.3], False),
            Ballot([13.7, 13.8], False, asn=2),
            Ballot([10.7], True, asn=2),  # before its own stretch
            Ballot([11.6], True, asn=3),  # another network's
        ),
    )
    assert hours(found) == [10.0, 11.0, 12.0]


def test_what_fails_for_longer_than_platforms_do_is_not_asked_elsewhere() -> None:
    lasts = LONGEST_FAILURE / 2
    every = [n / 2 for n in range(LONGEST_FAILURE + 1)]
    assert len(failing([finding(0, lasts, asn=1)], votes(Ballot(every[:-1], True)))) == LONGEST_FAILURE
    assert failing([finding(0, lasts + 1, asn=1)], votes(Ballot(every, True))) == []
