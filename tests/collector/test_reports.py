"""A report's id says all that there is to know of it."""

from typing import Any

import msgspec
import pytest

from fanous.collector.request import Refused
from fanous.collector.submission import ReportId, asn_of, open_report, parse_report_id
from tests.collector.probe import OPEN, REPORT_ID
from tests.each import each

NOW = 1702823400.0  # 2023-12-17 14:30:00
CHANCE = bytes(range(200, 212))


def opened(**fields: Any) -> str:
    asked = {name: value for name, value in {**OPEN, **fields}.items() if value is not None}
    return open_report(msgspec.json.encode(asked), NOW, CHANCE).report_id


def test_an_id_has_six_parts_as_ooni_makes_them() -> None:
    parts = opened().split("_")
    assert parts[:5] == ["20231217T143000Z", "webconnectivity", "PK", "17557", "n0"]
    assert len(parts) == 6 and len(parts[5]) == 16 and parts[5].isalnum()


def test_the_answer_to_opening_is_as_a_probe_reads_it() -> None:
    answer = msgspec.to_builtins(open_report(msgspec.json.encode(OPEN), NOW, CHANCE))
    assert set(answer) == {"backend_version", "report_id", "supported_formats"}
    assert "json" in answer["supported_formats"]


@each(
    ("fields", "part", "value"),
    [
        ({"probe_asn": None}, 3, "0"),
        ({"probe_asn": "17557"}, 3, "0"),
        ({"probe_asn": "ASxyz"}, 3, "0"),
        ({"probe_asn": "AS99999999999"}, 3, "0"),
        ({"probe_asn": "as17557"}, 3, "17557"),
        ({"probe_cc": None}, 2, "ZZ"),
        ({"probe_cc": "PAK"}, 2, "ZZ"),
        ({"probe_cc": "P_K"}, 2, "PK"),
        ({"probe_cc": "pk"}, 2, "PK"),
        ({"test_name": "Facebook_Messenger"}, 1, "facebookmessenger"),
    ],
)
def test_what_is_no_country_or_network_becomes_unknown(fields: dict[str, Any], part: int, value: str) -> None:
    assert opened(**fields).split("_")[part] == value


@pytest.mark.parametrize(
    "missing", ["test_start_time", "test_version", "software_name", "software_version", "format"]
)
def test_a_report_needs_what_theirs_needs(missing: str) -> None:
    with pytest.raises(Refused, match=missing) as refusal:
        opened(**{missing: None})
    assert refusal.value.status == 422


@each("body", [b"", b"[]", b"{", b'"\xff"', b"[" * 100_000, msgspec.json.encode({**OPEN, "probe_cc": 7})])
def test_what_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        open_report(body, NOW, CHANCE)


@each("name", ["", "x", "../../etc", "web connectivity", "x" * 40, "тест"])
def test_a_report_is_of_a_nettest(name: str) -> None:
    with pytest.raises(Refused):
        opened(test_name=name)


def test_an_id_that_was_given_is_understood() -> None:
    assert parse_report_id(REPORT_ID) == ReportId(
        "20231217T143000Z", "webconnectivity", "PK", 17557, "n0", "Ab3dEf6hIj9lMnO0"
    )
    assert str(parse_report_id(REPORT_ID)) == REPORT_ID


@each(
    "text",
    [
        "",
        "a_b_c",
        REPORT_ID + "_more",
        REPORT_ID.replace("_PK_", "_PAK_"),
        REPORT_ID.replace("_PK_", "_P1_"),
        REPORT_ID.replace("_17557_", "_x_"),
        REPORT_ID.replace("_17557_", "_-1_"),
        REPORT_ID.replace("_17557_", "_99999999999_"),
        REPORT_ID.replace("webconnectivity", "w"),
        REPORT_ID.replace("webconnectivity", "web-connectivity"),
        REPORT_ID.replace("20231217T143000Z", "203.0.113.77"),
        REPORT_ID.replace("n0", "n 0"),
        REPORT_ID + "x" * 40,
    ],
)
def test_an_id_that_none_would_give_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="Incorrect format") as refusal:
        parse_report_id(text)
    assert refusal.value.status == 400


@each(
    ("text", "asn"),
    [
        ("AS17557", 17557),
        ("as1", 1),
        ("AS0", 0),
        ("AS", None),
        ("17557", None),
        ("AS-1", None),
        ("AS４", None),
    ],
)
def test_an_asn_is_read_from_its_text(text: str, asn: int | None) -> None:
    assert asn_of(text) == asn
