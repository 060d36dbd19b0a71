"""Levels for people and as a document."""

from io import StringIO

import pytest
from rich.console import Console

from fanous.charts.connectivity import SeriesNow, age_words, connectivity_document, print_connectivity
from fanous.model.place import Access, Place
from fanous.model.series import SeriesKey

T0 = 1_700_006_400
PUNJAB = Place("PK", region="PK-PB")


def level(value: float, ordinary: float | None, entity: Place = PUNJAB, source: str = "ioda") -> SeriesNow:
    return SeriesNow(
        SeriesKey(entity, "", "bgp", Access.ANY, 0, source), 300, T0, value, ordinary, "as stated"
    )


@pytest.mark.parametrize(
    ("value", "ordinary", "percent"), [(50, 100, 50), (0, 100, 0), (5, None, None), (5, 0, None)]
)
def test_a_level_is_a_share_of_the_ordinary_or_cannot_be_said(
    value: float, ordinary: float | None, percent: float | None
) -> None:
    assert level(value, ordinary).percent == percent


def test_the_document_says_what_whose_and_how_old() -> None:
    document = connectivity_document("PK", [level(50, 100)], T0 + 900.0)
    (row,) = document["signals"]
    assert row["entity"] == "PK-PB" and row["family"] == "routing"
    assert row["percent_of_ordinary"] == 50
    assert row["age_seconds"] == 600, "since the bin ended"
    assert row["licence"] == "as stated" and row["credit"] == "IODA, Georgia Tech"


def test_people_see_places_by_name_levels_and_whose_figures_they_are() -> None:
    page = StringIO()
    levels = [level(50, 100), level(5, None, Place("PK", 17557)), level(1, 1, Place("PK"), "csv")]
    print_connectivity(Console(file=page, width=160), "PK", levels, T0 + 900.0)
    text = page.getvalue()
    for words in ("Panjāb", "50%", "no history", "AS17557", "10 min", "licence: as stated"):
        assert words in text


def test_a_rise_of_losses_is_worse_and_the_answer_says_so() -> None:
    loss = SeriesNow(
        SeriesKey(PUNJAB, "", "ping-slash24-loss", source="ioda"), 600, T0, 0.6, 0.02, "as stated"
    )
    page = StringIO()
    print_connectivity(Console(file=page, width=160), "PK", [loss, level(50, 100)], T0 + 900.0)
    assert "3,000% (more is worse)" in page.getvalue()
    assert page.getvalue().count("more is worse") == 1
    rows = connectivity_document("PK", [loss, level(50, 100)], T0 + 900.0)["signals"]
    assert [(row["bad"], row["percent_of_ordinary"]) for row in rows] == [("up", 3000), ("down", 50)]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (600, "10 min"), (3 * 3600, "3 h"), (9e5, "10 days")]
)
def test_an_age_is_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert age_words(seconds) == words


def test_traffic_of_one_product_names_it() -> None:
    page, key = StringIO(), SeriesKey(Place("RU"), "youtube", "google_traffic", source="csv", subtype="value")
    print_connectivity(Console(file=page, width=160), "RU", [SeriesNow(key, 7200, T0, 9, 10, "")], T0 + 900.0)
    assert "Share of a Google product's traffic (YouTube, value)" in page.getvalue()
