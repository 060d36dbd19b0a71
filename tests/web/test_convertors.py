"""Regions and networks of a country have their levels on its page, the lowest first."""

import re
from dataclasses import replace

import pytest

from fanous.model.place import Place
from fanous.model.series import Series
from fanous.web.pages.connectivity import MOST_PLACES, standing
from tests.web.test_connectivity import series, visiting
from tests.web.visits import NOW


def at(one: Series, asn: int = 0, region: str = "") -> Series:
    return replace(one, key=replace(one.key, place=Place("PK", asn, region)))


def test_each_place_is_listed_once_by_its_lowest_level_the_lowest_first() -> None:
    low, lower, fine = (at(series(left), region="PK-PB") for left in (0.5, 0.2, 1.0))
    found = standing([fine, low, lower, at(series(0.05), asn=17557), at(series(1.0), asn=9541)], NOW)
    assert [(p.name.split()[0], p.asn, p.level.share) for p in found] == [
        ("AS17557", 17557, pytest.approx(0.05)),
        ("Panjāb", 0, pytest.approx(0.2)),
        ("AS9541", 9541, 1.0),
    ]


def test_what_cannot_be_compared_or_is_worse_when_it_rises_says_nothing_of_a_place() -> None:
    short = series()
    short = Series(short.key, short.step, short.times[-1:], short.values[-1:], *(short.counts[-1:],) * 3)
    assert standing([at(short, asn=1), at(series(3.0, "ping-slash24-latency"), asn=1)], NOW) == []


def test_the_page_shows_them_below_the_country() -> None:
    text = (
        visiting(levels=(series(1.0), at(series(0.2), region="PK-PB"), at(series(0.05), asn=17557)))
        .get("/PK")
        .text
    )
    rows = re.search(r'id="places".*?</table>', text, re.DOTALL)
    assert rows is not None
    assert rows[0].index("AS17557") < rows[0].index("Panjāb")
    assert re.search(r"AS17557.*?</svg>5%.*?Panjāb.*?</svg>20%", rows[0], re.DOTALL)
    assert text.count("IODA, Georgia Tech ((c) Georgia Tech Research Corporation)") == 1, "once, below them"
    assert "lowest of" not in text


def test_a_country_of_many_networks_says_how_many_are_not_shown() -> None:
    many = tuple(at(series(0.5), asn=asn) for asn in range(1, MOST_PLACES + 3))
    assert f"The {MOST_PLACES} lowest of {MOST_PLACES + 2}." in visiting(levels=many).get("/PK").text


def test_a_country_without_levels_of_places_has_no_such_table() -> None:
    assert 'id="places"' not in visiting().get("/PK").text
