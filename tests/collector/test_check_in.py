"""A probe that checks in is told where it is and what to measure."""

from typing import Any

import msgspec
import pytest

from fanous.collector.origin import Origin
from fanous.collector.request import Refused
from fanous.collector.services import NETTESTS, ListedUrl, check_in
from fanous.collector.submission import parse_report_id

URLS = [
    *(ListedUrl(f"https://{n}.example/", "NEWS") for n in range(150)),
    ListedUrl("https://x.com/", "GRP"),
    ListedUrl("https://pk.example/", "GRP", "PK"),
    ListedUrl("https://ir.example/", "GRP", "IR"),
]
HOME = Origin("PK", 17557)
NOW = 1702823400.0


def checked_in(seen: Origin = HOME, **fields: Any) -> dict[str, Any]:
    asked = {"probe_cc": "PK", "probe_asn": "AS17557", **fields}
    answer = check_in(msgspec.json.encode(asked), seen, URLS, "https://th.example", NOW, lambda: bytes(12))
    return dict(msgspec.to_builtins(answer))


def listed(**fields: Any) -> list[str]:
    return [one["url"] for one in checked_in(**fields)["tests"]["web_connectivity"]["urls"]]


def test_the_answer_has_what_a_probe_reads() -> None:
    answer = checked_in()
    assert (answer["v"], answer["probe_cc"], answer["probe_asn"]) == (1, "PK", "AS17557")
    assert answer["utc_time"] == "2023-12-17T14:30:00Z"
    assert answer["conf"]["features"]["webconnectivity_0.5"] is True
    assert answer["conf"]["test_helpers"]["web-connectivity"] == [
        {"address": "https://th.example", "type": "https"}
    ]
    assert set(answer["tests"]) == set(NETTESTS)
    for name, test in answer["tests"].items():
        assert parse_report_id(test["report_id"]).test_name == name.replace("_", "")


@pytest.mark.parametrize(
    ("fields", "count"),
    [({}, 20), ({"charging": True}, 100), ({"run_type": "manual"}, 152)],
)
def test_how_much_is_measured_hangs_on_the_battery(fields: dict[str, Any], count: int) -> None:
    assert len(listed(**fields)) == count


@pytest.mark.parametrize("codes", [["GRP"], "GRP"])
def test_a_list_is_of_the_categories_and_the_country(codes: Any) -> None:
    assert listed(web_connectivity={"category_codes": codes}) == ["https://x.com/", "https://pk.example/"]


def test_a_probe_that_knows_its_network_keeps_its_claim_and_is_told_what_is_seen() -> None:
    answer = checked_in(seen=Origin("DE", 24940))
    assert (answer["probe_cc"], answer["probe_asn"]) == ("DE", "AS24940")
    assert parse_report_id(answer["tests"]["telegram"]["report_id"]).asn == 17557


def test_a_probe_that_does_not_know_its_network_gets_what_is_seen() -> None:
    answer = checked_in(probe_cc="ZZ", probe_asn="AS0")
    assert parse_report_id(answer["tests"]["telegram"]["report_id"]).asn == 17557
    assert parse_report_id(answer["tests"]["telegram"]["report_id"]).country == "PK"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"charging":"yes"}', b'{"probe_cc":7}'])
def test_what_is_no_check_in_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        check_in(body, Origin(), URLS, "", NOW, lambda: bytes(12))
    assert refusal.value.status == 422
