"""RIPEstat's answers, in the shape that ``samples`` cites."""

from typing import Any

import numpy as np
import pytest

from fanous.errors import Rejected
from fanous.sources.connector import Query
from fanous.sources.publishers import LIVE_SOURCES
from tests.each import each
from tests.sources.signals.samples import T0, ripestat, stat

RIPESTAT = LIVE_SOURCES["ripestat"]


def shown(data: bytes) -> dict[str, list[float]]:
    return {levels.key.signal: levels.values.tolist() for levels in RIPESTAT.parse(data, "PK", "").series}


def test_a_stretch_is_all_its_bins() -> None:
    data = ripestat(
        stat("2023-11-15T00:00:00", "2023-11-15T00:10:00"),
        stat("2023-11-15T00:15:00", "2023-11-15T00:15:00", v4_prefixes_ris=0, v6_prefixes_ris=None),
    )
    assert shown(data) == {"asns": [90] * 4, "prefixes_v4": [2000, 2000, 2000, 0], "prefixes_v6": [300] * 3}
    (asns, *_) = RIPESTAT.parse(data, "PK", "").series
    assert asns.times.tolist() == [T0, T0 + 300, T0 + 600, T0 + 900]


@each(
    ("wrong", "why"),
    [
        (stat("2023-11-15T01:00:00", "2023-11-15T00:00:00"), "impossible stretch"),
        (stat("2023-11-15T01:00:00", "2199-11-15T00:00:00"), "impossible stretch"),
        (stat("soon", "later"), "without times"),
        (stat("", "") | {"timeline": []}, "no timeline"),
        ({"timeline": "now"}, "Expected `array`"),
        (stat("2023-11-15T00:00:00", "2023-11-15T00:00:00", asns_ris="many"), "`$.asns_ris`"),
        (7, "Expected `object`"),
    ],
)
def test_a_stretch_that_cannot_be_used_leaves_the_others(wrong: Any, why: str) -> None:
    good = stat("2023-11-15T00:00:00", "2023-11-15T00:00:00")
    parsed = RIPESTAT.parse(ripestat(wrong, good), "PK", "")
    assert [(number, why in reason) for number, reason in parsed.rejects] == [(1, True)]
    assert len(parsed.series) == 3


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"status": "error", "messages": [["error", "no such country"]]}', "no such country"),
        (b"{}", "`data` is missing"),
        (ripestat(resolution="1y"), "resolution"),
        (ripestat(resource="IR"), "not PK"),
    ],
)
def test_another_answer_is_rejected_whole(data: bytes, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        RIPESTAT.parse(data, "PK", "")


def test_minus_one_means_missing() -> None:
    minus = stat("2023-11-15T00:00:00", "2023-11-15T00:00:00", v6_prefixes_ris=-1)
    found = shown(ripestat(minus))
    assert (found["asns"], found["prefixes_v4"]) == ([90], [2000])
    assert np.isnan(found["prefixes_v6"]).all()


def test_coarser_bins_than_were_asked_for_are_told_and_stay_what_they_are() -> None:
    data = ripestat(stat("2023-11-15T00:00:00", "2023-11-15T01:00:00"), resolution="1h")
    asked = RIPESTAT.parse(data, "PK", "country/PK")
    assert [(number, "1h" in why and "5m" in why) for number, why in asked.rejects] == [(0, True)]
    assert {levels.step for levels in asked.series} == {3600}
    assert RIPESTAT.parse(data, "PK", "saved.json").rejects == ()


def test_no_question_spans_more_than_28_days() -> None:
    pieces = list(RIPESTAT.pieces(Query("PK", T0, T0 + 90 * 86400), lambda _: b""))
    assert max(piece.until - piece.since for piece in pieces) == 28 * 86400
    assert pieces[0].since <= T0 and pieces[-1].until == T0 + 90 * 86400


def test_the_question_names_the_country_and_the_window() -> None:
    (piece,) = RIPESTAT.pieces(Query("PK", T0, T0 + 3600), lambda _: b"")
    assert f"resource=pk&starttime={T0}&endtime={T0 + 3600}&resolution=5m" in piece.url
