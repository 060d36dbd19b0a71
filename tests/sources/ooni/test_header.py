"""Who measured, from where and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fanous.errors import Rejected
from fanous.model.instant import from_iso
from fanous.model.measurement import is_stated
from fanous.model.place import Access
from tests.each import each
from tests.sources.records import UID, document, parsed

START = from_iso("2023-12-17T14:30:00Z")


def header(**given: Any) -> Any:
    return parsed(document(None, **given)).measurement


def received(**later: float) -> str:
    """A ``measurement_uid`` that OONI gave so much later than the measurement began."""
    at = datetime.fromtimestamp(START, UTC) + timedelta(**later)
    return f"{at:%Y%m%d%H%M%S.%f}_PK_webconnectivity_0123456789abcdef"


def without(*names: str) -> dict[str, Any]:
    return {key: value for key, value in document().items() if key not in names}


def test_a_sound_record_has_all() -> None:
    seen = header()
    assert (seen.uid, seen.test_name, seen.test_version) == (UID, "web_connectivity", "0.4.3")
    assert (seen.country, seen.asn, seen.resolver_asn, seen.network_name) == ("PK", 17557, 17557, "PTCL")
    assert (seen.started_at, seen.access, seen.defect) == (START, Access.ANY, "")
    assert seen.software == "ooniprobe-android 3.8.2"
    assert seen.probe == document()["report_id"]
    assert (seen.input, seen.target) == ("https://news.example.org/", "news.example.org")


@each(
    ("value", "started_at"),
    [
        ("2023-12-17 14:30:00", START),
        ("2023-12-17T14:30:00Z", START),
        ("2023-12-17 19:30:00+05:00", START),
        ("2023-12-17 14:30:00.250", START + 0.25),
        (None, START - 60),  # the time of the test run
        ("yesterday", START - 60),
        ("0001-01-01 00:00:00", START - 60),  # Go's zero time
        ("9999-12-31 00:00:00", START - 60),
        (1702823400, START - 60),
    ],
)
def test_a_time_is_read_in_any_form_and_else_the_next_best_is_taken(value: Any, started_at: float) -> None:
    assert header(measurement_start_time=value).started_at == started_at


@pytest.mark.parametrize("kept", ["measurement_uid", "report_id"])
def test_identifiers_begin_with_a_time(kept: str) -> None:
    missing = {"measurement_start_time", "test_start_time", "measurement_uid", "report_id"} - {kept}
    seen = parsed(without(*missing)).measurement
    assert seen.started_at in (START, START - 60)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (without("test_name"), "no test_name"),
        (document(test_name=" \x1f"), "no test_name"),
        (without("measurement_start_time", "test_start_time", "measurement_uid", "report_id"), "no time"),
    ],
)
def test_without_a_name_or_a_time_it_is_no_measurement(record: dict[str, Any], why: str) -> None:
    with pytest.raises(Rejected, match=why):
        parsed(record)


@each(
    ("given", "defect"),
    [
        ({"annotations": {"network_type": "vpn"}}, "vpn"),
        ({"measurement_uid": received(hours=-2)}, "clock ahead"),
        ({"measurement_uid": received(minutes=-50)}, ""),
        ({"measurement_uid": received(days=30)}, "late"),
        ({"report_id": "20231117T143000Z_x_PK_1_n1_a"}, ""),  # a probe's report may be open for weeks
        ({"annotations": {"network_type": "no_internet"}}, "no network"),
        ({"probe_asn": "AS0"}, "unknown network"),
        ({"probe_asn": None}, "unknown network"),
        ({"probe_cc": "ZZ"}, "unknown network"),
        ({"probe_cc": None}, "unknown network"),
        ({"annotations": None}, ""),
        ({"annotations": "none"}, ""),
    ],
)
def test_a_defect_of_the_instrument_is_named(given: dict[str, Any], defect: str) -> None:
    assert header(**given).defect == defect


@pytest.mark.parametrize(
    ("network_type", "access"),
    [("mobile", Access.MOBILE), ("wifi", Access.ANY), ("wired_ethernet", Access.ANY), (None, Access.ANY)],
)
def test_wifi_says_nothing_about_the_line_behind_it(network_type: str | None, access: Access) -> None:
    assert header(annotations={"network_type": network_type}).access == access


@each(("code", "country"), [("pk", "PK"), (" PK ", "PK"), ("PAK", "ZZ"), ("", "ZZ"), (7, "ZZ"), ("П1", "ZZ")])
def test_a_country_is_two_letters_or_unknown(code: Any, country: str) -> None:
    assert header(probe_cc=code).country == country


@pytest.mark.parametrize(
    ("value", "text"),
    [(["a.example", "b.example"], "a.example b.example"), (None, ""), ([1, "x"], "x"), ({}, "")],
)
def test_an_input_may_be_a_list_or_missing(value: Any, text: str) -> None:
    assert header(input=value, test_name="meek_fronted_requests_test").input == text


def test_a_record_without_identity_has_that_of_its_content() -> None:
    first = without("measurement_uid")
    turned = dict(reversed(list(first.items())))
    uid = parsed(first).measurement.uid
    assert len(uid) == 64
    assert parsed(turned).measurement.uid == uid
    assert parsed(first | {"probe_ip": "198.51.100.7"}).measurement.uid == uid
    assert parsed(first | {"input": "https://other.example/"}).measurement.uid != uid


def test_an_identity_that_cannot_be_one_is_replaced_by_that_of_the_content() -> None:
    uids = {header(measurement_uid=odd).uid for odd in ("x" * 300, "x" * 301, " \x00", "", None)}
    assert {len(uid) for uid in uids} == {64}
    assert len(uids) == 5


def test_a_name_that_only_the_sender_states_joins_his_reports_and_is_marked_as_his_word() -> None:
    (name,) = {header(probe_id="one device", report_id=f"20260901T0{n}").probe for n in (1, 2)}
    assert is_stated(name) and name.endswith("one device")
    assert not is_stated(header(report_id="20260901T01").probe)


def test_without_a_report_a_measurement_is_a_probe_of_its_own() -> None:
    assert header(report_id="").probe == UID


def test_long_and_odd_names_are_cut_and_cleaned() -> None:
    seen = header(probe_network_name="A\x00B\nC" + "x" * 1000)
    assert seen.network_name.startswith("A B Cx")
    assert len(seen.network_name) == 200
