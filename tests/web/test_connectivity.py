"""Levels in % of what is ordinary, on the pages of a country and of an outage."""

import csv
import io
import re
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from fanous.analysis.series.signals import SIGNALS
from fanous.model.incident import (
    Estimate,
    FamilyView,
    Incident,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Says,
    Scope,
    Stage,
    Status,
)
from fanous.model.instant import to_iso
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.publish.levels import lines_of
from fanous.publish.pictures import reach
from fanous.store.protocol import Store
from fanous.web.answers import Site
from fanous.web.pages.connectivity import level_of
from fanous.wording import LANGUAGES
from tests.charts.events import ONGOING, incident
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, Reader, reader

HOUR, DAY = 3600, 86_400
DOWN_SINCE = NOW - 6 * HOUR


def series(left: float = 0.05, signal: str = "bgp", source: str = "ioda") -> Series:
    """Ten days of hours at 1000, and since ``DOWN_SINCE`` that share of it."""
    times = np.arange(int(NOW) - 10 * DAY, int(NOW), HOUR, dtype=np.int64)
    values = np.where(times >= DOWN_SINCE, 1000 * left, 1000.0)
    ones = np.ones(len(times), np.int64)
    key = SeriesKey(Place("PK"), "", signal, source=source)
    return Series(key, HOUR, times, values, ones, ones * 0, ones * 0)


def outage() -> Incident:
    down = FamilyView("routing", Says.DOWN, ("ioda bgp",), ("PK",), Estimate(0.05, 0.04, 0.06), DOWN_SINCE)
    given: dict[str, Any] = ONGOING | {
        "kind": Kind.OUTAGE,
        "scope": Scope.NATION,
        "entities": ("PK",),
        "parts": (Part("", Kind.OUTAGE, ("outage.loss",), ("PK",)),),
        "networks": (),
        "onset": DOWN_SINCE,
        "onset_earliest": DOWN_SINCE - 600,
        "onset_latest": DOWN_SINCE,
        "intervals": (Interval(DOWN_SINCE, None),),
        "level": Estimate(0.05, 0.04, 0.06),
        "opinions": (down, FamilyView("usage", Says.ORDINARY, ("tor users",), ("PK",))),
    }
    return incident(**given)


def visiting(*known: Incident, levels: tuple[Series, ...] = (series(),)) -> Reader:
    return reader(SmallStore([*known], quantity_series=[*levels]), Site(clock=lambda: NOW))


@pytest.mark.parametrize("path", ["/PK", "/PK/PK-2023-0042", "/"])
def test_a_level_is_said_in_percent_of_the_ordinary_one_with_its_source(path: str) -> None:
    text = visiting(outage()).get(path).text
    assert "Visible /24 blocks in routing" in text
    assert "IODA, Georgia Tech" in text
    assert re.search(r"</svg>5%", text)


@pytest.mark.parametrize("code", sorted(LANGUAGES.keys() - {"en"}))
def test_a_signal_is_named_in_the_readers_language(code: str) -> None:
    text = visiting(outage()).get(f"/PK?lang={code}").text
    title = SIGNALS["bgp"].title
    assert title not in text
    assert text.count(LANGUAGES[code].say(title)) >= 2  # in the table, and by its line in the chart


def test_an_outage_shows_its_levels_before_who_saw_it_and_no_empty_grid() -> None:
    text = visiting(outage()).get("/PK/PK-2023-0042").text
    assert text.index('id="connectivity"') < text.index('id="saw"')
    assert "AS0" not in text
    assert 'id="networks"' not in text
    assert "fanous verify PK-2023-0042.fanous --series STORE" in text
    assert "Values of IODA may not be passed on, so the bundle has only their digests." in text


def test_how_old_a_level_is_is_said_as_of_measurements() -> None:
    """A level of 2019 was "2,567 days" old."""
    text = visiting(outage()).get("/PK").text
    assert "Latest data" in text
    assert re.search(r"<td>\d+ minutes? ago</td>", text)


@pytest.mark.parametrize("code", sorted(LANGUAGES.keys() - {"en"}))
def test_an_imported_table_is_called_one_in_the_readers_language(code: str) -> None:
    imported = replace(series(), key=replace(series().key, source="csv"))
    text = visiting(outage(), levels=(imported,)).get(f"/PK/PK-2023-0042?lang={code}").text
    assert "--series STORE" in text
    assert "an imported table" not in text


def test_levels_of_one_loss_are_shaded_as_one() -> None:
    """A line at each change of level looked like an end."""
    stages = (Interval(DOWN_SINCE, DOWN_SINCE + HOUR), Interval(DOWN_SINCE + HOUR, None))
    one = replace(outage(), intervals=stages)
    drawn = visiting(one).get("/PK/PK-2023-0042").text.partition('class="wide"')[2].partition("</svg>")[0]
    assert drawn.count('class="shade"') == 2, "the loss, and the bounds of its onset"
    assert drawn.count('class="bound"') == 1


def test_the_traffic_of_a_platform_that_fell_is_no_outage_and_its_onset_is_that_of_the_fall() -> None:
    """The page of YouTube in Russia gave 1 August as the earliest onset of a fall that its first sentence put on the
    8th, and the list of incidents called it an outage."""
    led_up = (Stage(DOWN_SINCE - 5 * DAY, DOWN_SINCE - 7200, 0.91), Stage(DOWN_SINCE, None, 0.63))
    fell = Part("youtube", Kind.OUTAGE, ("outage.platform",), ("PK",))
    one = replace(outage(), parts=(fell,), levels=led_up, onset_earliest=DOWN_SINCE - 5 * DAY)
    visit = visiting(one)
    row = visit.get("/incidents").text.partition('class="path" href="/PK"')[2].partition("</li>")[0]
    assert "Loss of traffic" in row
    assert "Outage" not in row
    for asked, found in {
        "kind=traffic": 1,
        "mechanism=outage.platform": 1,
        "kind=outage": 0,
        "mechanism=outage": 0,
    }.items():
        assert visit.get(f"/incidents.json?{asked}").json()["count"] == found, asked
        assert f"Loss of traffic ({found})" in visit.get(f"/incidents?{asked}").text or not found
    choices = visit.get("/incidents").text.partition('name="kind"')[2].partition("</select>")[0]
    assert "Loss of traffic" in choices
    assert "Outage" not in choices
    assert "loss of connectivity" not in visit.get("/incidents").text
    began = visit.get("/PK/PK-2023-0042").text.partition("<dt>Began</dt>")[2].partition("</dd>")[0]
    assert "between 21:00 and 23:00 PKT16:00–18:00 UTC" in re.sub("<[^>]+>", "", began)


def test_the_page_of_a_loss_of_traffic_draws_the_traffic_and_only_that() -> None:
    """What Google's products carry is no connectivity either."""
    fell = Part("youtube", Kind.OUTAGE, ("outage.platform",), ("PK",))
    one = replace(outage(), parts=(fell,))
    of_youtube = replace(series().key, signal="gtr-norm", subtype="YOUTUBE")
    levels = (
        replace(series(0.63), key=of_youtube),
        replace(series(), key=replace(of_youtube, subtype="GMAIL")),
    )
    visit = visiting(one, levels=levels)
    text = visit.get("/PK/PK-2023-0042").text
    drawn = text.partition('id="traffic"')[2].partition("<h2")[0]
    assert "<svg" in drawn
    assert "YouTube · " in drawn, "the line has the name of what it is about"
    assert re.search(r"</svg>63%", drawn)
    assert "GMAIL" not in text
    assert 'id="connectivity"' not in text
    assert 'id="connectivity"' not in visit.get("/PK").text


def test_the_levels_of_an_outage_are_medians_while_it_lasted_not_the_newest() -> None:
    """Next to "40% of the usual level was left" the page of Venezuela in 2019 said 90%, the level after the end."""
    recovered = series()
    recovered.values[recovered.times >= DOWN_SINCE + 3 * HOUR] = 900.0
    over = replace(
        outage(), end=DOWN_SINCE + 3 * HOUR, intervals=(Interval(DOWN_SINCE, DOWN_SINCE + 3 * HOUR),)
    )
    visit = visiting(over, levels=(recovered,))
    told = visit.get("/PK/PK-2023-0042").text.partition('id="connectivity"')[2].partition("<h2")[0]
    assert "Median share of the baseline in the main stretch of the incident" in told
    assert re.search(r"</svg>5%", told)
    assert not re.search(r"</svg>90%", told)
    assert re.search(r"</svg>90%", visit.get("/PK").text)


def test_the_chart_of_a_retracted_outage_has_the_baseline_of_what_was_said() -> None:
    """Its own low days would be their own baseline: the text said 5%, and the end of the line 100%."""
    since, long = NOW - 18 * DAY, series()
    times = np.arange(int(NOW) - 40 * DAY, int(NOW), HOUR, dtype=np.int64)
    ones = np.ones(len(times), np.int64)
    values = np.where(times >= since, 50.0, 1000.0)
    low = Series(long.key, HOUR, times, values, ones, ones * 0, ones * 0)
    gone = replace(
        outage(),
        status=Status.RETRACTED,
        onset=since,
        onset_earliest=since - 600,
        onset_latest=since,
        end=NOW,
        intervals=(Interval(since, NOW),),
    )
    told = visiting(gone, levels=(low,)).get("/PK/PK-2023-0042").text
    told = told.partition('id="connectivity"')[2].partition("<h2")[0]
    drawn = re.search(r'data-shares="([\d,]+)"', told)
    assert drawn is not None
    assert set(drawn[1].split(",")) == {"100", "5"}
    assert drawn[1].endswith(",5,5,5")


def test_regions_are_listed_with_the_lowest_first_and_the_rest_is_counted() -> None:
    def of(n: int) -> Series:
        one = series(n / 100, "connectivity", "csv")
        return replace(one, key=replace(one.key, place=Place("PK", region=f"PK-{n:02}"), subtype="column_7"))

    text = visiting(outage(), levels=tuple(map(of, range(14, 0, -1)))).get("/PK/PK-2023-0042").text
    told = text.partition('id="connectivity"')[2].partition("<h2")[0]
    assert re.findall(r"</svg>(\d+)%", told) == ["8", *(str(n) for n in range(1, 12))], "the country first"
    names = re.findall(r"<li data-shares=.*?</svg>(.*?)</li>", told)
    assert names[0] == "Pakistan · median of its regions"
    assert "The 11 lowest of 14." in told
    assert "column_7" not in told
    assert told.count("an imported table") == 1, "what all rows have in common is said once"


def test_each_family_says_what_it_saw_of_an_outage() -> None:
    text = visiting(outage()).get("/PK/PK-2023-0042").text
    assert "5% of the usual level, between 4% and 6% (Visible /24 blocks in routing, IODA)." in text
    row = re.search(r"<th scope=\"row\">Traffic and users.*?</tr>", text, re.DOTALL)
    assert row is not None
    assert "Did not see it" in row[0]
    assert "Volunteers&#39; probes send nothing while they have no network." in text


def test_a_series_without_history_is_not_compared() -> None:
    short = series()
    one = Series(short.key, HOUR, short.times[-1:], short.values[-1:], *(short.counts[-1:],) * 3)
    assert (level := level_of(one, NOW)) is not None
    assert level.share is None
    assert "No history" in visiting(levels=(one,)).get("/PK").text


def test_a_bin_that_goes_on_is_not_the_newest_value() -> None:
    whole = series(1.0)
    whole.values[-1] = 0.0
    assert (level := level_of(whole, float(whole.times[-1] + 60))) is not None
    assert level.share == 1.0


def test_of_a_signal_whose_rise_is_bad_no_line_is_drawn_and_its_row_says_so() -> None:
    slow = series(3.0, "ping-slash24-latency")
    assert lines_of([slow], NOW - DAY, NOW).lines == ()
    assert "more is worse" in visiting(levels=(slow,)).get("/PK").text


def test_an_hour_without_a_network_is_in_the_band_of_its_step_and_not_in_its_line() -> None:
    one = series(1.0)
    one.values[100] = 10.0
    lines = lines_of([one], float(one.times[0]) + DAY, NOW)
    assert lines.step > HOUR
    (line,) = lines.lines
    assert min(extent[0] for extent in line.ranges if extent) == pytest.approx(0.01)
    assert {share for share in line.shares if share is not None} == {1.0}


def test_half_an_hour_without_a_network_is_in_the_band_of_a_year() -> None:
    """Of ten-minute values a chart of a year once looked at every 136th."""
    times = np.arange(int(NOW) - 390 * DAY, int(NOW), 600, dtype=np.int64)
    away = int(NOW) - 100 * DAY + 7_200
    values = np.where((times >= away) & (times < away + 1_800), 0.0, 1000.0)
    values += np.where(times % DAY < DAY // 2, 0.0, 1000.0) * (values > 0)  # more by day than by night
    ones = np.ones(len(times), np.int64)
    one = Series(
        SeriesKey(Place("PK"), "", "bgp", source="ioda"), 600, times, values, ones, ones * 0, ones * 0
    )
    (line,) = lines_of([one], NOW - 364 * DAY, NOW).lines
    lows = [extent[0] for extent in line.ranges if extent]
    assert lows.count(0.0) == 1
    assert sorted(lows)[1] == 1.0, "a night is no loss"
    assert {share for share in line.shares if share is not None} == {1.0}


def test_most_of_a_step_without_a_network_is_in_its_line() -> None:
    one = series(1.0)
    lines = lines_of([one], float(one.times[0]) + DAY, NOW)
    bins = (one.times - lines.start) // lines.step
    (rows,) = np.nonzero(bins == 20)
    one.values[rows[: len(rows) // 2 + 1]] = 0.0
    (line,) = lines_of([one], float(one.times[0]) + DAY, NOW).lines
    assert line.shares[20] == 0.0
    assert line.ranges[20] == (0.0, 1.0)


def test_the_series_that_show_an_outage_are_drawn_however_many_there_are() -> None:
    """Families come in turn, so that many series of one do not leave out the others."""
    probing = ("connectivity", "ping-slash24", "responders", "scan_up")
    many = [*(series(1.0, name) for name in probing), series(0.1), series(1.0, "tor_relay")]
    page = visiting(outage(), levels=tuple(many)).get("/PK/PK-2023-0042").text
    drawn = re.findall(r"<li data-shares=.*?</svg>(.*?)</li>", page)
    assert len(drawn) == 5
    assert "Visible /24 blocks in routing" in drawn[0]
    assert any("Tor users" in name for name in drawn)


def test_who_was_cut_first_has_the_first_bar_below_the_chart_and_the_first_row_of_the_table() -> None:
    one = outage()
    since = one.onset
    later, first = (
        NetworkPart(name, (), (Interval(since + hours * HOUR, None),), 9, 0, 0.99)
        for name, hours in (("AS17557", -1), ("AS45669", -3))
    )
    country = NetworkPart("PK", (), (Interval(since, None),), 9, 0, 0.99)
    evidence = replace(one.evidence, probes=0)
    page = (
        visiting(replace(one, networks=(country, later, first), evidence=evidence))
        .get("/PK/PK-2023-0042")
        .text
    )
    wide = page.partition('<div class="wide">')[2].partition("</svg>")[0]
    assert re.findall(r'class="lasts"/><text [^>]*>([^<]*)<', wide) == ["Jazz", "PTCL"]
    table = page.partition('<details id="when">')[2].partition("</table>")[0]
    assert re.findall(r'<th scope="row"><bdi>([^<]*)', table) == ["Jazz", "PTCL"]


def test_a_country_without_a_source_of_levels_says_nothing_of_them() -> None:
    text = visiting(levels=()).get("/PK").text
    assert "Connectivity" not in text


def test_an_outage_leads_to_the_series_that_show_it() -> None:
    text = visiting(outage()).get("/PK/PK-2023-0042").text
    link = re.search(r'Explore the series: <a href="(/explore[?]signal=bgp[^"]*)">', text)
    assert link is not None, text
    assert visiting(outage()).get(link[1].replace("&amp;", "&")).status_code == 200


def test_what_was_going_on_when_the_data_ended_is_not_said_to_go_on() -> None:
    """The shutdown of Iran in 2019 was on the first page as "since 17 November 2019", and nothing more."""
    one = replace(outage(), evidence=replace(outage().evidence, families=("routing",)))
    later = Site(clock=lambda: NOW + 900 * DAY)
    store = SmallStore([one], quantity_series=[series()], now_is=NOW + 900 * DAY)
    visitor = reader(store, later)
    assert "The data end on 18 December 2023" in visitor.get("/").text.partition("Last on record")[2]
    ended = "The data end on 18 December 2023: what has happened since is unknown."
    alert = visitor.get(f"/PK/{one.id}.cap").text
    assert ended in alert and "<urgency>Unknown</urgency>" in alert
    assert ended in visitor.get(f"/PK/{one.id}/report.md").text
    assert all(ended in visitor.get(f"/incidents/feed.{form}").text for form in ("atom", "json"))
    (row,) = csv.DictReader(io.StringIO(visitor.get("/incidents.csv").text))
    assert row["known_until"] == "2023-12-17T23:00:00Z"
    assert 0 < float(row["hours"]) < 48  # not those of 900 days
    _, shown_until = reach(cast(Store, store), one, NOW + 900 * DAY)
    assert to_iso(shown_until - 1) == row["known_until"]  # nor does its chart show more
    asked = visitor.get("/explore?country=PK&since=2025-01-01&until=2025-01-31").text
    assert "1 earlier incident concerns" in asked and one.id not in asked


def test_series_are_measurements_even_where_no_probe_measured() -> None:
    """What is blocked cannot be said, but an outage would show."""
    assert "No probe measured here in this period." in visiting().get("/PK").text
    home = visiting().get("/").text
    assert "No probe measured in the last 7 days: series of public sources show outages only" in home
    assert "Nothing was heard from 248 countries and territories" in home
    nothing = visiting(levels=()).get("/").text
    assert "Nothing has been measured yet, so nothing can be said" in nothing
