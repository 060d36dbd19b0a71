"""What came in, as a reason."""

import pytest

from fanous.analysis.incidents.revision import arrivals_of
from fanous.model.coverage import Arrival, SeriesArrival
from fanous.model.reason import Reason

LATE, NEW = "arrived.late_measurements", "arrived.measurements"


def came(code: str, n: int, *names: str, others: int = 0) -> Reason:
    return Reason(code, {"n": n, "from": names, "others": others})


@pytest.mark.parametrize(
    ("arrivals", "reasons"),
    [
        ([], ()),
        ([Arrival(24499, 12, 12)], (came(LATE, 12, "AS24499"),)),
        ([Arrival(1, 5, 0), Arrival(2, 7, 0)], (came(NEW, 12, "AS2", "AS1"),)),
        ([Arrival(1, 5, 2)], (came(LATE, 2, "AS1"), came(NEW, 3, "AS1"))),
        (
            [Arrival(asn, 10 - asn, 10 - asn) for asn in range(1, 6)],
            (came(LATE, 35, "AS1", "AS2", "AS3", others=2),),
        ),
    ],
)
def test_networks_are_named_from_the_most_and_then_counted(
    arrivals: list[Arrival], reasons: tuple[Reason, ...]
) -> None:
    assert arrivals_of(arrivals) == reasons


def test_bins_of_levels_are_named_by_signal_and_source() -> None:
    levels = [SeriesArrival("ioda", "bgp", 5, 2), SeriesArrival("ioda", "ping-slash24", 4, 0)]
    assert arrivals_of([Arrival(1, 1, 0)], levels) == (
        came(NEW, 1, "AS1"),
        came("arrived.late_bins", 2, "bgp (ioda)"),
        came("arrived.bins", 7, "ping-slash24 (ioda)", "bgp (ioda)"),
    )
