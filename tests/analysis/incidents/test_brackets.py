"""An event began between two measurements, the last that worked and the first that failed, and ended between two."""

from fanous.analysis.incidents.brackets import MEASURED_WITHIN, end_between, from_first_failures
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, finding, votes
from tests.each import each

MINUTE = 1 / 60


def seconds(hours: float) -> float:
    return MONDAY + hours * HOUR


@each(
    ("what", "worked", "failed"),
    [
        ("it still worked in the bin in which it failed", 30 + 2 * MINUTE, 30 + 9 * MINUTE),
        ("it was last seen to work at the beginning of a bin", 29.5, 30),
        ("nothing was measured for hours", 20, 30 + 5 * MINUTE),
    ],
)
def test_an_onset_lies_between_two_measurements_and_not_between_two_bins(
    what: str, worked: float, failed: float
) -> None:
    every = votes(Ballot([10, worked], False), Ballot([failed, 31, 40, 59], True))
    (found,) = from_first_failures([finding(30, 60)], every)
    anomaly = found.anomaly
    assert (anomaly.start_earliest, anomaly.start_latest) == (seconds(worked), seconds(failed)), what
    assert seconds(worked) <= anomaly.start <= seconds(failed)


def test_what_works_on_another_network_bounds_no_onset() -> None:
    every = votes(Ballot([20], False), Ballot([29.9], False, 2), Ballot([30.2, 40], True))
    (found,) = from_first_failures([finding(30, 60)], every)
    assert found.anomaly.start_earliest == seconds(20)


def test_an_end_lies_between_two_measurements_of_the_network_that_came_back_last() -> None:
    first, last = finding(30, 50), finding(30, 60, asn=2)
    every = votes(
        Ballot([30, 49], True), Ballot([49.5, 61], False), Ballot([30, 58.5], True, 2), Ballot([61.25, 63], False, 2)
    )  # fmt: skip
    bounds = end_between([first, last], every, last.anomaly.end or 0)
    assert bounds == (seconds(58.5), seconds(61.25) + MEASURED_WITHIN)


def test_where_no_one_measured_afterwards_an_end_has_no_bounds() -> None:
    assert end_between([finding(30, 60)], votes(Ballot([30, 59], True)), seconds(60)) is None
