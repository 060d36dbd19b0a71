"""IODA's answers, in the shapes that ``samples`` cites."""

import json
from typing import Any

import numpy as np
import pytest

from fanous.errors import FanousError, Rejected
from fanous.pipeline.pull import fetch
from fanous.sources.connector import Parsed, Query
from fanous.sources.publishers import LIVE_SOURCES
from fanous.sources.signals.ioda import ADDRESS, CODES_A_REQUEST
from tests.each import each
from tests.sources.signals.samples import T0, ioda, ioda_series

IODA = LIVE_SOURCES["ioda"]
DAY = 86400


def parsed(*series: dict[str, Any]) -> Parsed:
    return IODA.parse(ioda(*series), "PK", "")


def test_values_stand_on_a_grid_and_null_was_not_measured() -> None:
    (levels,) = parsed(ioda_series()).series
    assert levels.times.tolist() == [T0, T0 + 300, T0 + 600]
    assert levels.values[0] == 100 and np.isnan(levels.values[1]) and levels.values[2] == 0
    assert levels.step == 300


def test_subtypes_are_series_of_their_own() -> None:
    products = ("WEB_SEARCH", "YOUTUBE")
    found = parsed(*(ioda_series(datasource="gtr", subtype=name) for name in products)).series
    assert [levels.key.subtype for levels in found] == list(products)


@pytest.mark.parametrize(
    ("place", "entity"),
    [
        ({"entityType": "region", "entityCode": "2330", "entityName": "Punjab"}, "PK-PB"),
        ({"entityType": "region", "entityCode": "2330", "entityName": ""}, "PK:2330"),
        ({"entityType": "asn", "entityCode": "17557", "entityName": "PTCL"}, "AS17557"),
        ({"entityType": "geoasn", "entityCode": "17557-PK", "entityName": "PTCL"}, "AS17557"),
    ],
)
def test_a_series_is_about_its_place(place: dict[str, str], entity: str) -> None:
    (levels,) = parsed(ioda_series(**place)).series
    assert str(levels.key.place) == entity
    assert levels.key.place.country == "PK"


def test_a_network_and_its_part_in_the_country_are_two_series() -> None:
    whole = {"entityType": "asn", "entityCode": "17557", "entityName": "PTCL", "values": [9, 9]}
    part = {"entityType": "geoasn", "entityCode": "17557-PK", "entityName": "PTCL", "values": [5, 4]}
    found = parsed(*(ioda_series(**place) for place in (whole, part))).series
    told = [(str(one.key.place), one.key.subtype, one.values.tolist()) for one in found]
    assert told == [("AS17557", "", [9, 9]), ("AS17557", "geoasn", [5, 4])]


def test_loss_and_latency_are_taken_out_of_their_objects() -> None:
    values = [[{"agg_values": {"loss_pct": 5.0, "median_latency": 80}}], None, []]
    loss, latency = parsed(
        ioda_series(datasource="ping-slash24-loss", values=values),
        ioda_series(datasource="ping-slash24-latency", values=values),
    ).series
    assert loss.values[0] == pytest.approx(0.05), "a share, not a percentage"
    assert latency.values[0] == 80
    assert np.isnan(loss.values[1:]).all()


def test_a_datasource_that_we_do_not_know_is_passed_over() -> None:
    newer = [
        ioda_series(datasource=name, values=[[{"agg_values": {}}]])
        for name in ("upstream-delay-x", "gtr-sarima")
    ]
    assert parsed(*newer) == Parsed(())


@each(
    ("changes", "why"),
    [
        ({"values": ["many"]}, "value 1 is not a number"),
        ({"values": {"0": 1}}, "`$.values`"),
        ({"values": [True]}, "not a number"),
        ({"step": 0}, "`$.step`"),
        ({"step": "300s"}, "`$.step`"),
        ({"from": -5}, "`$.from`"),
        ({"from": 1e300}, "`$.from`"),
        ({"datasource": None}, "`$.datasource`"),
        ({"entityType": "county"}, "another place"),
        ({"entityCode": "IR"}, "another place than PK"),
        ({"entityType": "asn", "entityCode": "AS1"}, "another place"),
        ({"subtype": {"a": 1}}, "`$.subtype`"),
    ],
)
def test_a_series_that_cannot_be_used_leaves_the_others(changes: dict[str, Any], why: str) -> None:
    found = parsed(ioda_series(**changes), ioda_series(datasource="mozilla"))
    assert [levels.key.signal for levels in found.series] == ["mozilla"]
    assert [(number, why in reason) for number, reason in found.rejects] == [(1, True)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<html>", "a web page"),
        (b'{"error": "from must be earlier", "data": []}', "from must be earlier"),
        (b"[]", "known form"),
        (b'{"data": {}}', "not a list"),
        (b'{"data":' + b"[" * 100_000, "not JSON"),
    ],
)
def test_another_document_is_rejected_whole(data: bytes, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        IODA.parse(data, "PK", "")


def nothing(url: str) -> bytes:
    raise AssertionError(f"asked for {url}")


def test_a_short_window_is_one_question_a_kind_of_place() -> None:
    pieces = list(IODA.pieces(Query("PK", T0, T0 + DAY, networks=(17557, 45669)), nothing))
    assert [piece.name for piece in pieces] == ["country/PK", "asn/17557,45669"]
    assert pieces[0].url == f"{ADDRESS}/signals/raw/country/PK?from={T0}&until={T0 + DAY}"


def test_a_long_window_is_asked_in_pieces_that_begin_at_fixed_places() -> None:
    ask = Query("PK", T0, T0 + 100 * DAY)
    first = [(piece.since, piece.until) for piece in IODA.pieces(ask, nothing)]
    later = [
        (piece.since, piece.until) for piece in IODA.pieces(Query("PK", T0 + DAY, T0 + 100 * DAY), nothing)
    ]
    assert first[0][0] <= T0 and first[-1][1] == T0 + 100 * DAY
    assert all(until - since <= 30 * DAY for since, until in first)
    assert first == later


def test_regions_are_asked_for_first_and_together() -> None:
    asked = []

    def get(url: str) -> bytes:
        asked.append(url)
        return json.dumps(
            {"data": [{"code": str(n), "name": "?"} for n in range(CODES_A_REQUEST + 1)]}
        ).encode()

    pieces = list(IODA.pieces(Query("PK", T0, T0 + DAY, regions=True), get))
    assert asked == [f"{ADDRESS}/entities/query?entityType=region&relatedTo=country/PK"]
    assert [piece.name.count(",") for piece in pieces] == [0, CODES_A_REQUEST - 1, 0]


@pytest.mark.parametrize("answer", [b"{}", None])
def test_a_list_of_regions_that_fails_loses_no_series_of_the_country(answer: bytes | None) -> None:
    """It is requested once more, by itself, so that its failure is reported."""

    def get(url: str) -> bytes:
        if answer is None:
            raise FanousError("the server says 404 Not Found")
        return answer

    ask = Query("PK", T0, T0 + DAY, networks=(17557,), regions=True)
    pieces = list(IODA.pieces(ask, get))
    assert sorted(piece.name for piece in pieces) == ["asn/17557", "country/PK", "regions"]
    told = fetch(
        "ioda", ask, lambda url: get(url) if "entities" in url else ioda(ioda_series()), lambda: 0.0, []
    )
    found = {one.piece.name: one for one in told}
    assert found["country/PK"].parsed is not None and found["regions"].parsed is None
    assert ("404" if answer is None else "not a list") in found["regions"].why


def test_a_list_of_regions_holds_no_series() -> None:
    listed = {"type": "entities.lookup", "error": None, "data": [{"code": "2330", "name": "Punjab"}]}
    assert IODA.parse(json.dumps(listed).encode(), "PK", "regions") == Parsed(())
