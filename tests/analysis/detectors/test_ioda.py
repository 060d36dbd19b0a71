"""IODA's rule, for comparison: a share of the sliding median."""

from fanous.analysis.detectors.ioda import IodaOptions, find_below_median
from tests.analysis.detectors.quantity_series import levels
from tests.builders import DAY
from tests.each import each

HOUR = 3600


@each(
    ("signal", "notation", "stretches"),
    [
        ("ping-slash24", "100x384 79x4 100x44", [(192, 194)]),
        ("ping-slash24", "100x384 81x4 100x44", []),
        ("ping-slash24", "100x300 50x4 100x44", []),  # the window was not filled once
        ("ping-slash24", "100x384 50x680", [(192, 444.5)]),  # inpainted for a week, learnt in half of one
        ("bgp", "100x96 98x4 100x44", [(48, 50)]),
        ("merit-nt", "100x384 30x4 20x4 100x44", [(194, 196)]),
        ("gtr", "100x384 1x10 100x44", []),  # not watched by this rule
    ],
)
def test_what_falls_below_the_share_warns(
    signal: str, notation: str, stretches: list[tuple[float, float]]
) -> None:
    found = find_below_median([levels(notation, signal=signal)], IodaOptions())
    assert [((a.start - DAY) / HOUR, a.end and (a.end - DAY) / HOUR) for a in found] == stretches
