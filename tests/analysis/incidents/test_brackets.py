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


def test_until_a_second_line_reports_it_those_who_reach_the_target_are_right() -> None:
    """A stranger's line that began to fail, or to lie, ten hours before the block."""
    lie = Ballot([30, 31, 33, 35, 37, 39, 41], True, probe="probe_id line", vouched=False)
    reached = Ballot([30.5, 34.5, 39.75], False, probe="probe_id neighbour", vouched=False)
    block = [Ballot([40.5, 44, 50], True, probe=f"probe_id {n}", vouched=False) for n in range(3)]
    (found,) = from_first_failures([finding(30, 60)], votes(lie, reached, *block))
    bounds = found.anomaly.start_earliest, found.anomaly.start_latest
    assert bounds == (seconds(39.75), seconds(40.5))
    assert seconds(39.75) <= found.anomaly.start <= seconds(40.5)
    (alone,) = from_first_failures([finding(30, 60)], votes(lie, *block))
    assert alone.anomaly.start_latest == seconds(30), "no one reached it meanwhile"
