"""What came in, as a reason."""

import pytest

from fanous.analysis.incidents.revision import arrival_sentence
from fanous.model.coverage import Arrival, SeriesArrival


@pytest.mark.parametrize(
    ("arrivals", "sentence"),
    [
        ([], ""),
        ([Arrival(24499, 12, 12)], "12 late measurements from AS24499"),
        ([Arrival(24499, 1, 1)], "1 late measurement from AS24499"),
        ([Arrival(1, 5, 0), Arrival(2, 7, 0)], "12 new measurements from AS2 and AS1"),
        ([Arrival(1, 5, 2)], "2 late measurements from AS1, 3 new measurements from AS1"),
        (
            [Arrival(asn, 10 - asn, 10 - asn) for asn in range(1, 6)],
            "35 late measurements from AS1, AS2, AS3 and 2 other networks",
        ),
    ],
)
def test_networks_are_named_from_the_most_and_then_counted(arrivals: list[Arrival], sentence: str) -> None:
    assert arrival_sentence(arrivals) == sentence


def test_bins_of_levels_are_named_by_signal_and_source() -> None:
    levels = [SeriesArrival("ioda", "bgp", 5, 2), SeriesArrival("ioda", "ping-slash24", 4, 0)]
    assert arrival_sentence([Arrival(1, 1, 0)], levels) == (
        "1 new measurement from AS1, 2 late bins of bgp (ioda), "
        "7 new bins of ping-slash24 (ioda) and bgp (ioda)"
    )
