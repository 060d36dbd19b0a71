"""One measurement is checked, named by its content, and kept without an address."""

import time
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from fanous.collector.origin import UNKNOWN, Origin
from fanous.collector.request import Refused
from fanous.collector.submission import (
    Apart,
    ReportId,
    Submission,
    asn_of,
    open_report,
    parse_report_id,
    receive,
)
from fanous.model.measurement import Record
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.document import DOOR_SECONDS
from tests.collector.probe import OPEN, REPORT_ID, body, measurement
from tests.each import each

ADDRESS = "203.0.113.77"
NOW = 1702826000.0  # 2023-12-17 15:13:20
UNPLACED = REPORT_ID.replace("_PK_17557_", "_ZZ_0_")


def received(
    number: int = 0, report: str = REPORT_ID, address: str = ADDRESS, seen: Origin = UNKNOWN, **fields: Any
) -> Submission:
    sent = msgspec.json.encode(body(number, **fields))
    return receive(parse_report_id(report), sent, address, seen, NOW)


def test_what_rules_read_of_a_measurement_is_kept_and_nothing_else() -> None:
    kept = msgspec.json.decode(received(unforeseen="x").line)
    sent = measurement()
    dropped = {"annotations", "data_format_version", "id", "test_runtime"}
    assert {name: kept[name] for name in sent.keys() - dropped} == {
        name: sent[name] for name in sent.keys() - dropped
    } | {"test_keys": {"queries": [], "requests": [], "tcp_connect": []}}
    assert kept["annotations"] == {} and not kept.keys() & {"id", "unforeseen", "test_runtime"}
    assert kept["x_collector"]["received"] == "2023-12-17T15:13:00Z"


@pytest.mark.parametrize(("cc", "asn", "is_apart"), [("PK", "AS17557", False), ("ZZ", "AS0", True)])
def test_what_is_set_aside_keeps_no_page(cc: str, asn: str, is_apart: bool) -> None:
    page = {
        "requests": [{"response": {"body": "<title>x</title>", "code": 200}}, {"response": {"code": 302}}]
    }
    report = UNPLACED if is_apart else REPORT_ID
    submission = received(report=report, probe_cc=cc, probe_asn=asn, test_keys=page)
    assert bool(submission.apart) is is_apart
    first, second = (one["response"] for one in msgspec.json.decode(submission.line)["test_keys"]["requests"])
    assert ("title" in str(first)) is not is_apart
    assert first["code"] == 200 and first.get("body_is_truncated") is (True if is_apart else None)
    assert not second.get("body_is_truncated"), "it had none"


def test_a_uid_has_the_form_of_oonis_and_tells_no_second() -> None:
    uid = received().uid
    assert uid.startswith("20231217143000.000000_PK_webconnectivity_")
    assert msgspec.json.decode(received().line)["measurement_uid"] == uid


def test_the_identity_is_that_of_all_that_was_sent() -> None:
    assert received(unforeseen="x").uid != received(unforeseen="y").uid


@pytest.mark.parametrize(
    "given",
    [
        {"x": [["x-client-ip", f"2a02:{n:x}::{n:x}"] for n in range(4_000)], "probe_ip": "198.51.100.7"},
        {"input": "0::" * 30_000, "probe_ip": "198.51.100.7"},
    ],
)
def test_a_poisoned_body_of_a_hundred_kilobytes_is_soon_done(given: dict[str, Any]) -> None:
    """The first took 11 s when each address was searched for by itself."""
    start = time.thread_time()
    received(**given)
    assert time.thread_time() - start < 4 * DOOR_SECONDS


def test_a_body_whose_addresses_take_too_long_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanous.collector.submission.DOOR_SECONDS", 0.01)
    with pytest.raises(Refused, match="too costly"):
        received(input="0::" * 100_000, probe_ip="198.51.100.7")


def test_the_same_measurement_sent_again_has_the_same_identity() -> None:
    other_report = REPORT_ID.replace("Ab3dEf6hIj9lMnO0", "another0another0")
    again = (
        received(report=other_report),
        received(report_id=other_report, measurement_uid="another", probe_ip="203.0.113.78"),
        received(address="2001:db8::1", seen=Origin("PK", 17557)),
        received(x_collector={"received": "never"}),
    )
    assert {one.uid for one in again} == {received().uid}


@pytest.mark.parametrize(
    ("started", "apart"), [("2023-12-17 15:20:00", None), ("2023-12-17 15:30:00", Apart.AHEAD)]
)
def test_a_measurement_from_the_next_hours_is_kept_and_concludes_nothing(
    started: str, apart: Apart | None
) -> None:
    assert received(measurement_start_time=started).apart is apart


@pytest.mark.parametrize(
    "never", ["1970-01-01 00:00:00", "0001-01-01 00:00:00", "yesterday", "2026-02-30 10:00:00"]
)
def test_a_clock_that_was_never_set_is_named(never: str) -> None:
    with pytest.raises(Refused, match="never set"):
        received(measurement_start_time=never, test_start_time=never)


def test_the_order_of_fields_makes_no_difference() -> None:
    turned = {"content": dict(reversed(list(measurement().items()))), "format": "json"}
    report = parse_report_id(REPORT_ID)
    assert receive(report, msgspec.json.encode(turned), ADDRESS, UNKNOWN, NOW).uid == received().uid


@pytest.mark.parametrize("fields", [{"input": "https://x.org/"}, {"test_keys": {}}, {"test_runtime": 1.5}])
def test_another_measurement_has_another_identity(fields: dict[str, Any]) -> None:
    assert received(**fields).uid != received().uid != received(1).uid


def test_what_the_collector_writes_cannot_be_written_by_a_probe() -> None:
    forged = received(measurement_uid="20200101000000.000000_IR_telegram_0000000000000000", report_id="mine")
    kept = msgspec.json.decode(forged.line)
    assert kept["measurement_uid"] == forged.uid
    assert kept["report_id"] == REPORT_ID
    twice = b'{"format":"json","content":' + msgspec.json.encode(measurement())[:-1]
    twice += b',"measurement_uid":"a","measurement_uid":"b"}}'
    kept = msgspec.json.decode(receive(parse_report_id(REPORT_ID), twice, ADDRESS, UNKNOWN, NOW).line)
    assert kept["measurement_uid"] == received().uid


def test_no_address_is_in_what_is_kept() -> None:
    page = f"you are {ADDRESS} or 203-0-113-77.dsl.example"
    line = received(
        probe_ip="2001:db8::77",
        input=f"https://x.com/?from={ADDRESS}",
        annotations={"note": "2001:0db8:0000:0000:0000:0000:0000:0077"},
        test_keys={"requests": [{"response": {"body": page, "data": b64encode(page.encode()).decode()}}]},
    ).line
    assert b"203.0.113.77" not in line and b"203-0-113-77" not in line
    assert b"2001:db8" not in line and b"2001:0db8" not in line
    assert b64encode(ADDRESS.encode())[:10] not in line
    assert b"127.0.0.1" in line


def test_a_kept_line_is_one_that_the_store_can_use() -> None:
    line = received(annotations={"lines": "one\ntwo\r"}).line
    assert b"\n" not in line and b"\r" not in line
    header = MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", line)).measurement
    assert (header.uid, header.probe, header.country, header.asn) == (
        received(annotations={"lines": "one\ntwo\r"}).uid,
        REPORT_ID,
        "PK",
        17557,
    )


@each(
    ("fields", "why"),
    [
        ({"probe_cc": "IR"}, "Inconsistent measurement"),
        ({"probe_asn": "AS1"}, "Inconsistent measurement"),
        ({"test_name": "telegram"}, "Inconsistent measurement"),
        ({"probe_cc": 7}, "must be strings"),
        ({"probe_cc": "pk"}, "bad_cc"),
        ({"test_name": "Web_Connectivity"}, "tn_no_lower"),
        ({"test_name": "x" * 31}, "tn_len"),
        ({"probe_asn": "17557"}, "asn"),
        ({"probe_asn": "AS017557"}, "asn"),
        ({"test_start_time": None, "measurement_start_time": None}, "no time"),
        ({"test_start_time": "then", "measurement_start_time": 7}, "no time"),
        ({"measurement_start_time": "2024-01-17 14:30:07"}, "future"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why) as refusal:
        received(**fields)
    assert refusal.value.status == 400


@each(
    "sent",
    [
        b"",
        b"{}",
        b"[]",
        b'{"format":"json","content":[]}',
        b'{"format":"yaml","content":"a: b"}',
        b'{"format":"json","content":{"a":NaN}}',
        b'{"format":"json","content":{"a":1e999}}',
        b'{"format":"json","content":{"a":"\xff"}}',
        b'{"format":"json","content":' + b'{"a":' * 100_000,
        b'{"format":"json","content":{"a":[' + b"1," * 6_000_000 + b"1]}}",
    ],
)
def test_what_is_no_measurement_is_refused(sent: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        receive(parse_report_id(REPORT_ID), sent, ADDRESS, UNKNOWN, NOW)
    assert refusal.value.status == 400


@each(
    ("report", "fields", "seen", "apart"),
    [
        (REPORT_ID, {}, UNKNOWN, None),
        (REPORT_ID, {}, Origin("PK", 17557), None),
        (REPORT_ID, {}, Origin("PK", 0), None),
        (REPORT_ID, {}, Origin("DE", 24940), Apart.CONTRADICTED),  # a VPN, or a lie
        (REPORT_ID, {}, Origin("PK", 9541), Apart.CONTRADICTED),
        (UNPLACED, {"probe_cc": "ZZ", "probe_asn": "AS0"}, UNKNOWN, Apart.UNKNOWN),
        (UNPLACED, {"probe_cc": "ZZ", "probe_asn": "AS0"}, Origin("PK", 17557), None),
        (UNPLACED.replace("ZZ", "PK"), {"probe_asn": "AS0"}, UNKNOWN, Apart.UNKNOWN),
        (REPORT_ID.replace("17557", "64512"), {"probe_asn": "AS64512"}, UNKNOWN, Apart.PRIVATE),
        (REPORT_ID.replace("PK", "XX"), {"probe_cc": "XX"}, UNKNOWN, Apart.UNKNOWN),
    ],
)
def test_what_no_network_can_be_named_for_is_kept_apart(
    report: str, fields: dict[str, Any], seen: Origin, apart: Apart | None
) -> None:
    assert received(report=report, seen=seen, **fields).apart is apart


def test_claimed_and_derived_are_kept_apart_and_a_silent_claim_is_filled_in() -> None:
    fields: dict[str, Any] = {"probe_cc": "ZZ", "probe_asn": "AS0"}
    kept = msgspec.json.decode(received(report=UNPLACED, seen=Origin("PK", 17557), **fields).line)
    assert (kept["probe_cc"], kept["probe_asn"]) == ("PK", "AS17557")
    assert kept["x_collector"]["claimed"] == {"probe_cc": "ZZ", "probe_asn": "AS0"}
    assert kept["x_collector"]["derived"] == {"probe_cc": "PK", "probe_asn": "AS17557"}
    assert received(report=UNPLACED, seen=Origin("PK", 17557), **fields).uid == (
        received(report=UNPLACED, **fields).uid
    )


OPENED_AT = 1702823400.0  # 2023-12-17 14:30:00
CHANCE = bytes(range(200, 212))


def opened(**fields: Any) -> str:
    asked = {name: value for name, value in {**OPEN, **fields}.items() if value is not None}
    return open_report(msgspec.json.encode(asked), OPENED_AT, CHANCE).report_id


def test_an_id_has_six_parts_as_ooni_makes_them() -> None:
    parts = opened().split("_")
    assert parts[:5] == ["20231217T143000Z", "webconnectivity", "PK", "17557", "n0"]
    assert len(parts) == 6 and len(parts[5]) == 16 and parts[5].isalnum()


def test_the_answer_to_opening_is_as_a_probe_reads_it() -> None:
    answer = msgspec.to_builtins(open_report(msgspec.json.encode(OPEN), OPENED_AT, CHANCE))
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
        open_report(body, OPENED_AT, CHANCE)


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
