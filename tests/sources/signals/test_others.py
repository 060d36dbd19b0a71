"""Tor, Radar and Google, in the shapes that ``samples`` cites."""

import json
from typing import Any

import pytest

from fanous.errors import Rejected
from fanous.sources.connector import Parsed, Query
from fanous.sources.publishers import LIVE_SOURCES
from tests.sources.signals.samples import RADAR_TIMES, SAMPLES, T0, radar

DAY = 86400
HEAD = b"date,country,users,lower,upper,frac\n"


def parsed(source: str, data: bytes, name: str = "") -> Parsed:
    return LIVE_SOURCES[source].parse(data, "PK", name)


def test_users_of_tor_are_a_value_a_day() -> None:
    (levels,) = parsed("tor", SAMPLES["tor"]).series
    assert (levels.key.signal, levels.step) == ("tor_relay", DAY)
    assert levels.values.tolist() == [5000, 5100]
    assert levels.times[1] == T0


def test_bridges_are_another_signal_and_other_countries_are_passed_over() -> None:
    data = HEAD + b"2023-11-15,pk,10,,,70\n2023-11-15,ir,90000,,,70\n2023-11-15,,2000000,,,70\n"
    (levels,) = parsed("tor", data, "userstats-bridge-country.csv").series
    assert levels.key.signal == "tor_bridge"
    assert levels.values.tolist() == [10]


@pytest.mark.parametrize(
    "line", [b"2023-11-15,pk,many,,,1", b"someday,pk,1,,,1", b"2023-11-15,pk", b"2023-11-15,pk,-5,,,1"]
)
def test_a_line_of_tor_that_cannot_be_used_is_named(line: bytes) -> None:
    found = parsed("tor", b"# preamble\n" + HEAD + line + b"\n2023-11-14,pk,5,,,1\n")
    assert [number for number, _ in found.rejects] == [3]
    assert found.series[0].values.tolist() == [5]


def test_a_last_line_of_tor_that_may_be_cut_within_a_number_is_left_out() -> None:
    (levels,) = parsed("tor", HEAD + b"2023-11-14,pk,5000,,,1\n2023-11-15,pk,50").series
    assert levels.values.tolist() == [5000]


@pytest.mark.parametrize(("data", "why"), [(b"# only\n", "lacks date"), (b"<html>\n", "lacks date")])
def test_what_is_no_file_of_tor_is_rejected(data: bytes, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        parsed("tor", data)


def test_tor_is_asked_by_whole_days_for_relays_and_bridges() -> None:
    pieces = list(LIVE_SOURCES["tor"].pieces(Query("PK", T0, T0 + DAY), lambda _: b""))
    assert [piece.name for piece in pieces] == ["userstats-relay-country.csv", "userstats-bridge-country.csv"]
    assert all("start=2023-11-15&end=2023-11-15&country=pk" in piece.url for piece in pieces)


def test_traffic_that_radar_saw_is_read_though_its_numbers_are_texts() -> None:
    (levels,) = parsed("radar", radar(timestamps=RADAR_TIMES, values=["0.5", "1"])).series
    assert (levels.key.signal, levels.values.tolist()) == ("radar_netflows", [0.5, 1.0])
    assert levels.times.tolist() == [T0, T0 + 900]


def test_connections_that_end_early_are_summed_over_the_stages_and_belong_to_a_network() -> None:
    stages = {name: ["1.5", "2"] for name in ("post_syn", "post_ack", "post_psh", "later_in_flow")}
    data = radar(timestamps=RADAR_TIMES, no_match=["94", "92"], **stages)
    (levels,) = parsed("radar", data, "tcp_resets_timeouts/timeseries_groups?asn=17557").series
    assert (levels.key.signal, levels.values.tolist()) == ("radar_tampering", [6.0, 8.0])
    assert str(levels.key.place) == "AS17557"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"success": false, "errors": [{"message": "bad token"}]}', "bad token"),
        (b'{"success": true, "result": {}}', "timestamps"),
        (radar(timestamps=RADAR_TIMES, values=["1"]), "as many values"),
        (radar(timestamps=RADAR_TIMES), "as many values"),
        (b"null", "known form"),
        (b"{}", "not true"),
    ],
)
def test_another_answer_of_radar_is_rejected(data: bytes, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        parsed("radar", data)


@pytest.mark.parametrize("values", [["x", "1"], [[], "1"], [True, "1"]])
def test_an_invalid_value_of_radar_is_named(values: list[Any]) -> None:
    found = parsed("radar", radar(timestamps=RADAR_TIMES, values=values))
    assert [number for number, _ in found.rejects] == [1]
    assert found.series[0].values.tolist() == [1]


def test_radar_is_asked_for_four_weeks_in_one_question_since_it_scales_each_answer() -> None:
    pieces = list(LIVE_SOURCES["radar"].pieces(Query("PK", T0 - 900, T0, networks=(17557,)), lambda _: b""))
    assert [piece.name.partition("?")[2] for piece in pieces] == ["location=PK"] * 2 + ["asn=17557"] * 2
    assert all(piece.until - piece.since >= 28 * DAY for piece in pieces)


def test_googles_products_are_told_apart_and_youtube_is_a_target() -> None:
    (levels,) = parsed("google", SAMPLES["google"], "product=21").series
    assert (levels.key.target, levels.key.subtype, levels.step) == ("youtube", "youtube", 1800)
    assert levels.values.tolist() == [0.5, 0.6]
    (search,) = parsed("google", SAMPLES["google"], "product=19").series
    assert (search.key.target, search.key.subtype) == ("", "search")


@pytest.mark.parametrize("data", [b"", b")]}'\n\n{}", b")]}'\n\n[[]]", b")]}'\n\n[[1, 2]]", b"<html></html>"])
def test_another_answer_of_google_is_rejected(data: bytes) -> None:
    with pytest.raises(Rejected):
        parsed("google", data, "product=19")


def test_a_row_of_google_that_cannot_be_used_is_named() -> None:
    rows = [[T0 * 1000, [[0, 0.5]]], ["now", [[0, 1]]], [T0 * 1000, []], None]
    found = parsed("google", b")]}'\n\n" + json.dumps([["", rows]]).encode(), "product=19")
    assert [number for number, _ in found.rejects] == [2, 3, 4]
    assert found.series[0].values.tolist() == [0.5]


def test_a_saved_answer_of_google_must_say_its_product() -> None:
    with pytest.raises(Rejected, match="product=19"):
        parsed("google", SAMPLES["google"], "saved.json")
