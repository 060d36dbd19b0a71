"""Explore with series of public sources: places compared, the API's numbers, and values that may not be passed on."""

import csv
import html
import io
import re
from dataclasses import replace
from urllib.parse import unquote_plus

import numpy as np
import pytest
from pyarrow import parquet

from fanous.model.incident import Status
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.questions import explore
from fanous.web.answers import Site
from tests.each import each
from tests.hostile import HOSTILE
from tests.web.small_store import SmallStore
from tests.web.test_connectivity import outage
from tests.web.visits import NOW, Reader, reader

HOUR, DAY = 3600, 86_400
FIRST = int(NOW) // DAY * DAY - 3 * DAY
OPEN, CLOSED = "tor", "ioda"
"""Sources whose terms allow and forbid to pass on values."""

COUNTRY, PUNJAB, SINDH, PTCL = (
    Place("PK"),
    Place("PK", 0, "PK-PB"),
    Place("PK", 0, "PK-SD"),
    Place("PK", 17557),
)
OLD_TOWN = Place("PK", 0, "PK:Old Town")
"""A region without a known code."""


def series(place: Place = COUNTRY, source: str = OPEN, left: float = 0.5, subtype: str = "") -> Series:
    """Two days of hours at 1000, then one at a share of it."""
    times = FIRST + HOUR * np.arange(72, dtype=np.int64)
    values = np.where(times >= FIRST + 2 * DAY, 1000 * left, 1000.0)
    ones = np.ones(72, np.int64)
    key = SeriesKey(place, "", "tor_relay", source=source, subtype=subtype)
    return Series(key, HOUR, times, values, ones, ones * 0, ones * 0)


EVERY = (
    series(),
    series(PUNJAB, left=0.9),
    series(SINDH, left=0.1),
    series(PTCL),
    series(source=CLOSED, left=0.2),
)


def visiting(*known: Series) -> Reader:
    return reader(SmallStore([outage()], quantity_series=[*(known or EVERY)]), Site(clock=lambda: NOW))


def names(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><bdi>([^<]+)</bdi></th><td>', text[text.index('id="numbers"') :])


def test_the_signal_of_a_country_is_shown_on_the_dates_that_hold_it() -> None:
    text = visiting().get("/explore?signal=tor_relay&country=PK").text
    assert re.search(r"<h1>[^<]+ · Pakistan</h1>", text)
    assert names(text) == ["Pakistan (ioda)", "Pakistan (tor)"], "what fell furthest first"
    assert "100% = 1,000" in text
    assert text.count('class="line l0"') == 4, "two panels, each for wide and narrow pages"
    assert '<option value="tor_relay" selected>' in text
    since = re.search(r'name="since" value="([^"]+)"', text)
    assert since is not None
    assert since[1] == "2023-12-15"


def test_a_single_low_value_shows_in_the_band_and_not_in_the_line() -> None:
    """A quiet series that lacks one hour a day seemed to plunge each day."""
    quiet, cut = series(subtype="quiet"), series(subtype="cut", left=0.7)
    values = np.where(quiet.times % DAY == 0, 100.0, 1000.0)
    text = (
        visiting(replace(quiet, values=values), cut)
        .get("/explore?signal=tor_relay&country=PK&step=86400")
        .text
    )
    assert names(text) == ["Pakistan (cut)", "Pakistan (quiet)"], "a single value is no departure"
    wide = text.partition('<div class="wide">')[2].partition("</svg>")[0]
    lines = re.findall(r'<path d="([^"]+)" class="line l0"', wide)
    assert [len(set(re.findall(r"[V ]([\d.]+)", line))) for line in lines] == [2, 1]
    bands = re.findall(r'<path d="([^"]+)" class="band b0"', wide)
    assert [band.count("M") for band in bands] == [1, 3], "the day of the cut has two levels"
    row = re.findall(r"<bdi>Pakistan \(quiet\)</bdi></th>(.*?)</tr>", text)[-1]
    assert re.findall(r"<td>([\d,.]+)</td>", row) == ["100", "1,000", "1,000", "1,000", "72"]


def test_a_value_counts_in_every_step_that_its_bin_covers() -> None:
    text = visiting(series()).get("/explore?signal=tor_relay&country=PK&step=600").text
    wide = text.partition('<div class="wide">')[2].partition("</svg>")[0]
    (line,) = re.findall(r'<path d="([^"]+)" class="line l0"', wide)
    assert line.count("M") == 1, "no gap between the hours"


def test_a_country_without_data_in_this_time_is_named() -> None:
    assert "No data in this time: Kenya." in visiting().get("/explore?signal=tor_relay&country=PK,KE").text
    assert "No data in this time" not in visiting().get("/explore?signal=tor_relay&country=PK").text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("by=region", ["Sindh", "Panjāb"]),
        ("region=PK-SD", ["Sindh"]),
        ("region=PK-SD,PK-PB", ["Sindh", "Panjāb"]),
        ("by=network", ["AS17557 PTCL"]),
        ("network=AS17557", ["AS17557 PTCL"]),
    ],
)
def test_places_are_chosen_by_kind_or_by_name(asked: str, found: list[str]) -> None:
    answer = visiting().get(f"/explore?signal=tor_relay&country=PK&{asked}")
    assert (answer.status_code, names(answer.text)) == (200, found)


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("signal=tor_relay&country=pakistan&region=sindh", "signal=tor_relay&country=PK&region=PK-SD"),
        ("signal=tor_relay&country=PK&region=PK-SD&by=country", "signal=tor_relay&country=PK&region=PK-SD"),
        ("signal=tor_relay&country=PK&by=target", "signal=tor_relay&country=PK"),
        ("signal=tor_relay&country=PK&layer=dns", "signal=tor_relay&country=PK"),
        ("country=PK&region=sindh&by=region", "country=PK&region=PK-SD"),
        ("country=PK&region=Old%20Town", "country=PK&region=PK%3AOld+Town"),
        ("country=PK&region=PK:Sindh", "country=PK&region=PK-SD"),
    ],
)
def test_a_question_has_one_address(asked: str, leads_to: str) -> None:
    answer = visiting(*EVERY, series(OLD_TOWN)).get(f"/explore?{asked}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"/explore?{leads_to}")


@each("asked", ["country=PK&region=PK%3AOld+Town", "signal=tor_relay&country=PK&region=PK%3AOld+Town"])
def test_a_region_without_a_code_keeps_its_address(asked: str) -> None:
    assert visiting(*EVERY, series(OLD_TOWN)).get(f"/explore?{asked}").status_code == 200


@each(
    ("asked", "meant"),
    [
        ("country=PK&region=PK:Blah", []),
        ("country=PK&region=PK-XX", []),
        ("country=PK&region=PK:Sidnh", ["PK-SD"]),
        ("country=PK&region=Panjap", ["PK-PB"]),
        ("region=PK:Sidnh", ["PK-SD"]),
        ("country=PK&region=Old%20Twon", ["PK:Old Town"]),
        ("country=KE&region=KE:Nairobbi", ["KE-30"]),
    ],
)
def test_a_region_that_is_nowhere_is_unknown_and_similar_ones_are_offered(
    asked: str, meant: list[str]
) -> None:
    visitor = visiting(*EVERY, series(OLD_TOWN))
    text = visitor.get(f"/explore?signal=tor_relay&{asked}").text
    assert "No matches for" in text
    assert 'id="chart"' not in text
    links = re.findall(r'<a href="([^"]+)">Did you mean', text)
    assert [unquote_plus(link).partition("region=")[2] for link in links] == meant
    assert all(visitor.get(html.unescape(link)).status_code == 200 for link in links)
    assert visitor.get(f"/explore.csv?signal=tor_relay&{asked}").status_code == 404


def test_names_beyond_the_fourth_are_said_to_be_left_out() -> None:
    visitor, five = visiting(), "signal=tor_relay&country=PK,KE,UG,TZ,Etiopia"
    text = visitor.get(f"/explore?{five}").text
    assert "Only four names fit into one question. Left out: Etiopia." in text
    assert names(text)
    assert "Left out: Etiopia." in visitor.get(f"/embed/explore?{five}").text
    assert visitor.get(f"/explore.csv?{five}").status_code == 404
    assert "Left out" not in visitor.get("/explore?signal=tor_relay&country=PK,KE,UG,TZ").text


def test_a_region_of_measurements_is_said_to_be_unknown_and_leads_to_series() -> None:
    visitor = visiting()
    text = visitor.get("/explore?country=PK&region=PK-SD").text
    assert "Measurements name a country and a network, but no region." in text
    assert 'href="/explore?signal=tor_relay&amp;country=PK&amp;region=PK-SD"' in text
    assert visitor.get("/explore.csv?country=PK&region=PK-SD").status_code == 404
    embedded = visitor.get("/embed/explore?country=PK&region=PK-SD").text
    assert "but no region" in embedded and "Nothing was measured" not in embedded


def test_the_api_gives_the_series_of_a_region() -> None:
    answer = visiting().get("/api/v1/series?country=PK&region=PK-SD").json()
    assert {one["region"] for one in answer["series"]} == {"PK-SD"}
    unknown = visiting().get("/api/v1/series?country=PK&region=PK-SD,PK:Sidnh")
    assert unknown.status_code == 404
    assert unknown.json()["detail"] == "region: PK has no region PK:Sidnh; did you mean PK-SD (Sindh)?"
    for many in ("target=a,b,c,d,e", "region=PK-SD,PK-PB,PK-KP,PK-BA,PK-IS"):
        assert visiting().get(f"/api/v1/series?country=PK&{many}").status_code == 400


def test_an_embed_of_values_that_may_not_be_passed_on_says_so() -> None:
    text = visiting(series(source=CLOSED)).get("/embed/explore?signal=tor_relay&country=PK").text
    assert "do not allow these values to be embedded" in text and "Nothing was measured" not in text


def test_a_table_without_a_licence_is_not_said_to_forbid_anything() -> None:
    own, asked = visiting(series(source="csv")), "signal=tor_relay&country=PK"
    text = own.get(f"/explore?{asked}").text
    assert "No licence is stated for the imported table" in text and "The terms of" not in text
    assert "No licence is stated" in own.get(f"/embed/explore?{asked}").text
    assert own.get(f"/explore.csv?{asked}").status_code == 404


def test_files_and_the_api_give_the_same_numbers() -> None:
    visitor, asked = visiting(series(), series(SINDH)), "signal=tor_relay&country=PK"
    document = visitor.get(f"/explore.json?{asked}").json()
    rows = list(csv.DictReader(io.StringIO(visitor.get(f"/explore.csv?{asked}").text)))
    table = parquet.read_table(io.BytesIO(visitor.get(f"/explore.parquet?{asked}").content))
    dates = f"since={document['since']}&until={document['until']}"
    api = visitor.get(f"/api/v1/series?{asked}&{dates}").json()
    assert document["series"] == [one for one in api["series"] if one["region"] is None]
    (one,) = document["series"]
    assert [float(row["value"]) for row in rows] == table["value"].to_pylist() == one["values"]
    assert [row["time"] for row in rows] == one["times"]
    assert {row["licence"] for row in rows} == {one["licence"]}
    assert {row["end"] for row in rows} >= {one["times"][1]}


def test_values_whose_terms_forbid_it_are_on_the_page_alone() -> None:
    visitor, asked = visiting(), "signal=tor_relay&country=PK"
    text = visitor.get(f"/explore?{asked}").text
    assert "The terms of" in text
    assert "do not allow us to pass on values" in text
    rows = list(csv.DictReader(io.StringIO(visitor.get(f"/explore.csv?{asked}").text)))
    assert {row["value"] for row in rows} == {"1000.0", "500.0"}, "and none of the other source's 200"
    values = [one["values"] for one in visitor.get(f"/explore.json?{asked}").json()["series"]]
    assert values.count(None) == 1
    for path in ("/explore.svg", "/embed/explore"):
        shown = visitor.get(f"{path}?{asked}").text
        assert "100% = 1,000" in shown
        assert "IODA" not in shown
    only = visiting(series(source=CLOSED))
    for ending in ("csv", "parquet", "svg", "png"):
        assert only.get(f"/explore.{ending}?{asked}").status_code == 404
    assert "<figure" not in only.get(f"/embed/explore?{asked}").text
    page = only.get(f"/explore?{asked}").text
    assert "<figure" in page
    assert "/explore.csv" not in page


def test_a_picture_carries_its_source_unit_clock_and_the_incident() -> None:
    picture = visiting().get("/explore.svg?signal=tor_relay&country=PK").text
    for said in ("Tor", "Share of the highest value", "Time in Pakistan (PKT)", "Measured until", "CC0"):
        assert said in picture
    assert 'stroke-width="3"' in picture, "the bar of the outage"


def test_the_page_of_measurements_offers_the_signals_that_there_are() -> None:
    text = visiting().get("/explore?country=PK").text
    assert 'href="/explore?signal=tor_relay&amp;country=PK"' in text
    assert "0 measurements" not in text


def test_too_many_series_and_values_are_said_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = visiting()
    monkeypatch.setattr(explore, "MOST_VALUES", 10)
    assert visitor.get("/explore?signal=tor_relay&country=PK").status_code == 200
    assert visitor.get("/explore.csv?signal=tor_relay&country=PK").status_code == 404
    monkeypatch.setattr(explore, "MOST_SERIES", 1)
    assert "This is too much to show at once." in visiting().get("/explore?signal=tor_relay&country=PK").text


def test_hostile_names_of_a_source_are_text() -> None:
    known = [series(subtype=HOSTILE), series(subtype="other")]
    for path in ("/explore", "/explore.svg", "/embed/explore"):
        text = visiting(*known).get(f"{path}?signal=tor_relay&country=PK").text
        assert HOSTILE not in text
        assert "other" in text


def test_an_open_incident_whose_data_have_ended_is_not_told_as_going_on() -> None:
    """What carries it ended 30 days ago: no one knows whether it goes on."""
    going = replace(outage(), evidence=replace(outage().evidence, families=("usage",)))
    assert going.is_open
    store = SmallStore([going], quantity_series=[series()])
    fresh = reader(store, Site(clock=lambda: NOW))
    stale = reader(store, Site(clock=lambda: NOW + 30 * DAY))
    path = f"/{going.country}/{going.id}"
    assert "so far" in fresh.get(path).text and "the data end on" not in fresh.get(path).text
    text = stale.get(path).text
    assert "the data end on 17 December 2023" in text or "the data end on 18 December 2023" in text
    assert "so far" not in text
    unheard = "2023: what has happened since is unknown."
    for other in (f"/{going.country}", f"/embed{path}"):
        assert unheard in stale.get(other).text and unheard not in fresh.get(other).text, other
    assert "length not known" in stale.get("/incidents").text
    assert "length not known" not in fresh.get("/incidents").text
    heading = re.search(r"<h1>(.*?)</h1>", stale.get("/").text)
    assert heading is not None and "ongoing" not in heading[1] and "suspected" not in heading[1]
    assert "Last on record" in stale.get("/").text and "Last on record" not in fresh.get("/").text


def test_a_retracted_claim_without_an_end_is_not_told_as_going_on() -> None:
    """One whose data ended two years earlier said "for 843 days so far", and its chart went on until today."""
    gone = replace(
        outage(), status=Status.RETRACTED, evidence=replace(outage().evidence, families=("usage",))
    )
    store = SmallStore([gone], quantity_series=[series()])
    fresh, stale = reader(store, Site(clock=lambda: NOW)), reader(store, Site(clock=lambda: NOW + 30 * DAY))
    for visitor in (fresh, stale):
        text = visitor.get(f"/{gone.country}/{gone.id}").text
        assert "Not seen" in text and "so far" not in text
        assert ("the data end on" in text) == (visitor is stale)
