"""A country's own line from its regions."""

from fanous.analysis.detectors.grid import REGIONS, ROLLED_UP, rolled_up
from fanous.model.place import Place
from fanous.model.series import Series
from tests.analysis.detectors.quantity_series import levels


def regions(*notations: str, signal: str = "connectivity") -> list[Series]:
    return [levels(text, signal=signal, entity=Place("XA", 0, f"XA-{n}")) for n, text in enumerate(notations)]


def test_the_median_of_regions_speaks_for_the_country() -> None:
    six, four = ["100x4 0x4"] * 6, ["100x8"] * 4
    (line,) = rolled_up(regions(*six, *four))
    assert (line.key.place, line.key.subtype, line.key.source) == (Place("XA"), ROLLED_UP, "a test")
    assert line.values.tolist() == [100] * 4 + [0] * 4
    assert line.counts.tolist() == [10] * 8


def test_few_regions_or_a_line_of_the_countrys_own_give_none() -> None:
    many = regions(*["100x8"] * REGIONS)
    assert rolled_up(many[1:]) == []
    assert rolled_up([*many, levels("90x8", signal="connectivity")]) == []
    assert len(rolled_up([*many, levels("90x8", signal="bgp")])) == 1
    networks = [levels("1x8", signal="connectivity", entity=Place("XA", n + 1)) for n in range(20)]
    assert rolled_up(networks) == [], "networks differ in size too much to count alike"


def test_a_bin_in_which_most_regions_are_silent_is_not_measured() -> None:
    (line,) = rolled_up(regions(*["100x4 _x4"] * 6, *["100x8"] * 4))
    assert len(line) == 4
