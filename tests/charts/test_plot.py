"""Charts and cards: well-formed, alone without style, hostile text as text, Arabic script shaped."""

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from struct import unpack
from xml.etree import ElementTree

import numpy as np
import pytest

from fanous.charts.card import CHART, Words, card
from fanous.charts.counts import Panel, Sheet, named_rows
from fanous.charts.grid import Cell, strip
from fanous.charts.paint import BLOCKED, FONT, INK, OK, balanced, breadth, broken, fitted, png
from fanous.charts.plot import NARROW, WIDE, IncidentSpan, Legend, PartBar, Shape, plot, ticks
from fanous.charts.reachability import Lines, ShareLine
from fanous.model.instant import DAY
from fanous.wording.language import END_ISOLATE, ENGLISH, ISOLATE

HOSTILE = '</text><script>alert("&")</script>'
LINES = Lines(
    0, 600, (ShareLine("x", (1.0, None, 0.5, 0.25)), ShareLine("youtube", (None, 1.0, 1.0, None))), True
)
LEGEND = Legend(HOSTILE, HOSTILE, [(600.0, HOSTILE)], [(0.0, "0%"), (1.0, "100%")])


def words(headline: str = "X blocked", *, rtl: bool = False, sure: bool = True) -> Words:
    return Words(
        "Confirmed",
        headline,
        "A sentence.",
        ["foot", HOSTILE],
        sure,
        False,
        False,
        "note",
        rtl,
    )


@pytest.mark.parametrize("shape", [WIDE, NARROW])
@pytest.mark.parametrize("alone", [True, False])
def test_a_chart_is_well_formed_and_hostile_text_is_text(shape: Shape, alone: bool) -> None:
    drawn = plot(LINES, [IncidentSpan(600, 1200)], LEGEND, shape, "a", alone=alone)
    root = ElementTree.fromstring(drawn)
    assert root.get("viewBox") == f"0 0 {shape.width} {shape.height}"
    assert "<script" not in drawn
    assert "style=" not in drawn
    assert ("class=" in drawn) is not alone


def test_a_gap_stays_a_gap() -> None:
    drawn = plot(LINES, [], LEGEND, WIDE, "a")
    path = next(e.get("d") or "" for e in ElementTree.fromstring(drawn).iter() if e.get("class") == "line l0")
    assert path.count("M") == 2


def paths(lines: Lines) -> list[str]:
    drawn = ElementTree.fromstring(plot(lines, [], LEGEND, WIDE, "a"))
    return [e.get("d") or "" for e in drawn.iter() if (e.get("class") or "").startswith("line ")]


def test_a_line_is_level_within_a_bin_and_has_no_slopes() -> None:
    (path,) = paths(Lines(0, 600, (ShareLine("x", (1.0, 0.5, None, 0.5)),), True))
    assert re.fullmatch(r"M44 28H220V[0-9]+H395M570 [0-9]+H746", path.replace("M44 10", "M44 28"))


def test_lines_that_coincide_are_both_seen() -> None:
    one, other, third = paths(
        Lines(0, 600, tuple(ShareLine(name, (1.0, 0.0)) for name in ("x", "youtube", "facebook")), True)
    )
    assert len({one, other, third}) == 3
    apart = paths(Lines(0, 600, (ShareLine("x", (1.0, 0.5)), ShareLine("youtube", (0.9, 0.4))), True))
    assert not any("." in path for path in apart)


NAMED = replace(LEGEND, unit="Share", clock="Time", names=["X", "YouTube", HOSTILE])
HIGH = Lines(0, 600, tuple(ShareLine(name, (1.0, 1.0)) for name in ("x", "youtube", "facebook")), True)


def test_lines_are_named_at_their_ends_and_the_axes_say_what_they_measure() -> None:
    drawn = plot(HIGH, [IncidentSpan(0, 600)], NAMED, WIDE, "a")
    texts = {e.text or "": e for e in ElementTree.fromstring(drawn).iter() if e.tag.endswith("text")}
    assert {"X", "YouTube", "Share", "Time"} <= texts.keys()
    places = sorted(float(e.get("y") or 0) for e in texts.values() if e.get("class") == "name")
    assert len(places) == 3
    assert all(after - before >= 15 for before, after in pairwise(places))
    assert 'class="name"' not in plot(HIGH, [], NAMED, NARROW, "a"), "a phone has no room for names"


def test_a_name_has_as_many_rows_as_there_is_room_and_each_runs_the_way_of_its_script() -> None:
    name = "روٹنگ میں نظر آنے والے /24 بلاک · ایک درآمد شدہ جدول"
    drawn = plot(Lines(0, 600, HIGH.lines[:1], True), [], replace(NAMED, names=[name], rtl=True), WIDE, "a")
    rows = [e.text or "" for e in ElementTree.fromstring(drawn).iter() if e.get("class") == "name" and e.text]
    assert len(rows) == 3 and not any("…" in row for row in rows)
    assert all(row.startswith(ISOLATE) and row.endswith(END_ISOLATE) for row in rows)
    five = replace(HIGH, lines=HIGH.lines[:1] * 5)
    drawn = plot(five, [], replace(NAMED, names=[name * 3] * 5), WIDE, "a")
    places = re.findall(r'y="(\d+)"[^>]* class="name"', drawn)
    assert len(places) == 10 and max(map(int, places)) < WIDE.height, "two rows each, in the picture"


def test_the_start_and_end_of_an_event_are_marked_unless_they_lie_outside() -> None:
    def bounds(span: IncidentSpan) -> list[str]:
        drawn = plot(LINES, [span], LEGEND, WIDE, "a")
        return [e.get("d") or "" for e in ElementTree.fromstring(drawn).iter() if e.get("class") == "bound"]

    assert len(bounds(IncidentSpan(600, 1200))) == 2
    assert len(bounds(IncidentSpan(-600, 1200))) == 1
    assert len(bounds(IncidentSpan(600, 1e9))) == 1
    assert len(bounds(IncidentSpan(600, 1200, is_open=True))) == 1, "no end has been seen"


def test_the_bounds_of_an_onset_and_an_end_are_shaded_without_lines() -> None:
    drawn = plot(LINES, [IncidentSpan(600, 1200, [(300, 900), (1100, 1300)])], LEGEND, WIDE, "a")
    assert drawn.count('class="shade"') == 3
    assert drawn.count('class="bound"') == 2, "the best estimates alone"


def test_the_nights_of_a_curfew_are_shaded_without_lines_that_would_hide_the_series() -> None:
    drawn = plot(LINES, [IncidentSpan(60 * n, 60 * n + 30) for n in range(20)], LEGEND, WIDE, "a")
    assert drawn.count('class="shade"') == 20
    assert 'class="bound"' not in drawn


SHEET = Sheet([0, 600, 1200], [(600, HOSTILE)], [], "Share", HOSTILE, HOSTILE)
PANELS = [
    Panel(HOSTILE, "", [(0.0, 0.0), (0.5, 1.0)], [IncidentSpan(600, 1200, [(300, 900)])]),
    Panel("Y", "", [None, (1.0, 1.0)], [IncidentSpan(600, 1200, [(300, 900)])]),
]


KEY = [("blocked", HOSTILE), ("slowed", "Slowed")]


def drawn_card(of: Words, *, charted: bool = False, panels: list[Panel] = PANELS) -> str:
    return card(of, named_rows(panels, SHEET, KEY, CHART) if charted else "")


@pytest.mark.parametrize("rtl", [True, False])
@pytest.mark.parametrize("charted", [True, False])
def test_a_card_is_a_picture_of_the_size_that_is_shared(rtl: bool, charted: bool) -> None:
    drawn = drawn_card(words(rtl=rtl), charted=charted)
    ElementTree.fromstring(drawn)
    assert "<script" not in drawn
    assert size_of(png(drawn, 1200)) == (1200, 630)


def test_the_chart_of_a_card_names_its_rows_and_tells_blocked_from_slowed() -> None:
    tree = ElementTree.fromstring(drawn_card(words(), charted=True))
    texts = [one.text for one in tree.iter() if one.tag.endswith("text")]
    assert {HOSTILE, "Y", "Slowed"} <= set(texts)
    rows = [one for one in tree.iter() if one.tag.endswith("path")]
    fills = Counter(one.get("fill") for one in rows if "V" in (one.get("d") or ""))
    assert fills["url(#slowed)"] == 1 and fills[BLOCKED] == 2
    only_blocked = drawn_card(words(), charted=True, panels=[replace(PANELS[1], title="Z")])
    assert "Slowed" not in only_blocked, "the key explains what is drawn"
    areas = [one.get("d") or "" for one in rows if one.get("fill") in (BLOCKED, "url(#slowed)", OK)]
    assert len(areas) >= 5 and not any(set(area) & set("Ll") for area in areas), "steps have no slopes"


@pytest.mark.parametrize(("pieces", "lines"), [(1, 1), (20, 0)])
def test_an_incident_in_many_pieces_is_marked_by_bars_alone(pieces: int, lines: int) -> None:
    spans = [IncidentSpan(n * 60, n * 60 + 30) for n in range(pieces)]
    drawn = drawn_card(words(), charted=True, panels=[replace(PANELS[0], spans=spans)])
    assert drawn.count('stroke-width="5"') == pieces
    assert drawn.count(f'stroke="{INK}" stroke-width="2"') == lines


def test_arabic_letters_are_joined() -> None:
    """Joined letters are another picture than the same letters kept apart by non-joiners."""
    joined, apart = "پاکستان", "\u200c".join("پاکستان")
    assert png(drawn_card(words(joined, rtl=True)), 1200) != png(drawn_card(words(apart, rtl=True)), 1200)


@pytest.mark.parametrize("text", ["پاکستان", "17 ديسمبر", "\u206817 ديسمبر\u2069", "باكستان (PKT)"])
def test_arabic_letters_are_bold_only_where_they_should_be(text: str) -> None:
    def drawn(weight: int) -> bytes:
        return png(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 40">'
            f'<text x="5" y="30" font-family="{FONT}" font-size="20" font-weight="{weight}">{text}</text></svg>',
            400,
        )

    assert drawn(400) != drawn(700)


def test_a_suspicion_does_not_look_confirmed_in_grey() -> None:
    assert 'stroke-dasharray="10 6"' in drawn_card(words(sure=False))
    assert 'stroke-dasharray="10 6"' not in drawn_card(words())


def test_a_caption_stands_between_headline_and_chart_only() -> None:
    long = replace(words("X and YouTube restricted " * 3), caption=f"caption {HOSTILE}")
    charted = drawn_card(long, charted=True)
    heights = {e.text: float(e.get("y") or 0) for e in ElementTree.fromstring(charted).iter() if e.text}
    headline = max(y for text, y in heights.items() if text.startswith(("X and", "YouTube", "restricted")))
    assert headline + 15 < heights[long.caption] < 304, "below the headline, above the chart"
    assert charted.count("<script") == 0
    assert drawn_card(long) == drawn_card(replace(long, caption=""))


@pytest.mark.parametrize(
    ("text", "most"),
    [("short", 1), ("a headline of several words that runs over more than one line of the card " * 2, 2)],
)
def test_a_headline_never_has_more_lines_than_there_is_room_for(text: str, most: int) -> None:
    size, lines = fitted(text, (62, 40), 1088, 2)
    assert len(lines) == most
    assert all(breadth(line, size) <= 1088 for line in lines), "the ellipsis needs room too"


def test_a_name_that_is_set_apart_is_never_broken() -> None:
    lines = broken("a \u2068X (Twitter)\u2069 b", 40, 100)
    assert [line for line in lines if "(Twitter)" in line] == ["\u2068X\u00a0(Twitter)\u2069"]


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("\u2068a\u2069 b", "\u2068a\u2069 b"),
        ("\u2068a b", "a b"),
        ("a\u2069 b", "a b"),
        ("میں \u2068\u2068a\u2069،", "میں \u2068a\u2069،"),
    ],
)
def test_half_a_list_runs_as_its_line_does(line: str, whole: str) -> None:
    assert balanced(line) == whole


def test_every_line_of_a_broken_text_is_whole() -> None:
    lines = broken("\u2068one two three four five\u2069 six", 40, 200)
    assert len(lines) > 1
    assert [balanced(line) for line in lines] == lines


def test_no_data_is_nothing_in_a_strip_and_runs_are_one_shape() -> None:
    drawn = strip([Cell.NO_DATA, Cell.CUT, Cell.CUT, Cell.REACHABLE])
    assert drawn.count("<path") == 2
    assert strip([Cell.NO_DATA] * 3) == ""


def size_of(picture: bytes) -> tuple[int, int]:
    """From the header of a PNG."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = unpack(">II", picture[16:24])
    return width, height


def test_the_range_of_a_bin_is_a_band_behind_its_line() -> None:
    line = ShareLine("x", (1.0, 0.5, None), ranges=((1.0, 1.0), (0.0, 1.0), None))
    drawn = plot(Lines(0, 600, (line,), True), [], LEGEND, WIDE, "m")
    (band,) = re.findall(r'<path d="([^"]*)" class="band b0"/>', drawn)
    assert re.fullmatch(r"M(\d+) (\d+)H(\d+)V(\d+)H\1z", band), "one bin has a range"
    assert drawn.index("band b0") < drawn.index("line l0")


@pytest.mark.parametrize("shape", [WIDE, NARROW])
def test_a_row_below_the_lines_spans_the_time_for_which_a_place_was_low(shape: Shape) -> None:
    bars = [
        PartBar("First & Sons", [(600.0, 1200.0), (1800.0, 9000.0)]),
        PartBar("Never", [(9000.0, 9600.0)]),
    ]
    drawn = plot(LINES, [], replace(LEGEND, names=("x", "youtube"), bars=bars), shape, "m")
    root = ElementTree.fromstring(drawn)
    rows = [e.get("d") or "" for e in root.iter() if e.get("class") == "lasts"]
    left, right, _, bottom = map(float, (root.get("data-frame") or "").split())
    first = [tuple(map(float, span)) for span in re.findall(r"M(\d+) (\d+)H(\d+)", rows[0])]
    found = [((start - left) / (right - left), (end - left) / (right - left)) for start, _, end in first]
    assert np.allclose(found, [(0.25, 0.5), (0.75, 1.0)], atol=0.01)
    assert rows[1] == "", "outside the time that is drawn"
    height = float((root.get("viewBox") or "").split()[-1])
    assert all(bottom < y < height for _, y, _ in first)
    assert "First & Sons" in [e.text for e in root.iter() if e.get("class") == "name"]


@pytest.mark.parametrize("days", range(2, 60))
def test_a_narrow_picture_has_at_least_two_ticks(days: int) -> None:
    """Nine days of Uganda on a phone had one."""
    since = 1_610_000_000
    assert 2 <= len(ticks(since, since + days * DAY, "UG", ENGLISH, NARROW.ticks)) <= NARROW.ticks + 1
