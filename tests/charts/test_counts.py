"""Stacked panels: blocked and slowed apart, gaps, bounds of events, and words that do not touch."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from fanous.charts.counts import NARROW, WIDE, Panel, Sheet, framed, stack_of, stacked
from fanous.charts.paint import png
from fanous.charts.plot import IncidentSpan, Shape
from fanous.charts.reachability import ShareLine
from fanous.model.coverage import Outcomes
from fanous.model.series import Spread

HOSTILE = '</text><script>alert("&")</script>'
SHEET = Sheet(
    [0, 600, 1200, 1800, 2400],
    [(600, "00:10")],
    [(0.0, "0%"), (1.0, "100%")],
    "Share of users",
    "Title",
    "Description",
    "Time in Pakistan (PKT)",
)
HALF = Panel("X", "", [(0.5, 0.75), None, (0.5, 0.75), (0.5, 0.75)])


def elements(*panels: Panel, sheet: Sheet = SHEET, shape: Shape = WIDE) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(stacked(panels, sheet, shape, "a")).iter())


def paths(name: str, *panels: Panel, sheet: Sheet = SHEET) -> list[str]:
    return [e.get("d") or "" for e in elements(*panels, sheet=sheet) if e.get("class") == name]


def texts(sheet: Sheet, *panels: Panel) -> list[str]:
    return [e.text or "" for e in elements(*panels, sheet=sheet) if e.tag.endswith("text")]


@pytest.mark.parametrize("shape", [WIDE, NARROW])
def test_hostile_text_is_text_and_the_picture_is_well_formed(shape: Shape) -> None:
    drawn = stacked(
        [Panel(HOSTILE, HOSTILE, HALF.cells)], replace(SHEET, title=HOSTILE, unit=HOSTILE), shape, "a"
    )
    ElementTree.fromstring(drawn)
    assert "<script" not in drawn
    assert "style=" not in drawn


def test_blocked_slowed_and_working_are_apart_in_steps_and_a_gap_stays_one() -> None:
    for name in ("blocked", "slowed", "works"):
        (path,) = paths(name, HALF)
        assert re.fullmatch(r"(M[0-9.]+ [0-9.]+V[0-9.]+H[0-9.]+V[0-9.]+z){2}", path), "equal bins are one"
    assert paths("slowed", replace(HALF, cells=[(0.5, 0.5)] * 4)) == []


def test_counts_that_say_nothing_are_a_gap() -> None:
    assert stack_of([None, Outcomes(2, unclear=2), Outcomes(4, ok=1, blocked=2, throttled=1)]) == [
        None,
        None,
        (0.5, 0.75),
    ]


def test_an_incident_is_marked_from_beginning_to_end_and_its_uncertainty_is_a_band() -> None:
    over, going = IncidentSpan(600, 1200, [(300, 900)]), IncidentSpan(600, 1800, is_open=True)
    (bound,) = paths("bound", replace(HALF, spans=[over]))
    assert bound.count("M") == 2
    assert len(paths("shade", replace(HALF, spans=[over]))) == 1
    (bound,) = paths("bound", replace(HALF, spans=[going]))
    assert bound.count("M") == 1, "it has no end"
    assert paths("shade", replace(HALF, spans=[going])) == []
    assert paths("bound", replace(HALF, spans=[replace(over, start=-900, end=9000)])) == []
    both = paths("shade", replace(HALF, spans=[replace(over, brackets=[(300, 900), (900, 1500)])]))
    assert len(both) == 2, "its end is as uncertain as its beginning"


def test_another_incident_is_a_grey_bar_alone() -> None:
    other = replace(HALF, spans=[IncidentSpan(600, 1200, [(300, 900)], is_other=True)])
    assert len(paths("past", other)) == 1
    assert paths("bound", other) == paths("lasts", other) == paths("shade", other) == []


def test_axes_say_what_they_measure_and_words_that_would_touch_are_left_out() -> None:
    named = replace(
        SHEET, bounds=[(600, "Began"), (1800, "Ended")], marks=[(610, "Election"), (1200, "Exam")]
    )
    said = {"Share of users", "Time in Pakistan (PKT)", "Began", "Ended", "Exam", "Election"}
    assert said <= set(texts(named, HALF)), (
        "on a phone the words of the rally of the demo were missing next to Began"
    )
    dense = replace(named, marks=[(600 + n, f"Election {n}") for n in range(4)])
    assert {"Election 0", "Election 1", "Ended"} <= set(texts(dense, HALF))
    assert not {"Election 2", "Election 3", "Began"} & set(texts(dense, HALF))
    assert len(paths("event", HALF, sheet=dense)) == 4, "the lines are there all the same"


def test_a_line_is_drawn_in_steps_with_gaps_over_the_band_of_its_range() -> None:
    steps = [Spread(1.0, 1.0, 1.0, 1), None, Spread(0.5, 0.1, 0.5, 6), Spread(0.25, 0.25, 0.25, 6)]
    bgp = Panel("bgp", "", [], line=ShareLine.of("bgp", steps))
    (path,) = paths("line l0", bgp)
    assert path.count("M") == 2
    assert "L" not in path
    (band,) = paths("band b0", bgp)
    assert band.count("M") == 1, "where all values are the same there is no band"
    lowest = [float(y) for y in re.findall(r"V([\d.]+)", band)]
    assert max(lowest) > max(float(y) for y in re.findall(r"V([\d.]+)", path)), "the lowest is not the line's"


def test_a_picture_that_stands_alone_has_its_colours_and_its_source() -> None:
    drawn = framed([HALF] * 5, SHEET, [("blocked", "Blocked")], ["Data: OONI"], "17 December")
    assert "class=" not in drawn
    assert "Data: OONI" in drawn
    assert png(drawn, 900).startswith(b"\x89PNG")
