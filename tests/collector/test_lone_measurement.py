"""A measurement without a report is kept like any other, and one address is one probe."""

import msgspec
import pytest

from fanous.collector.origin import UNKNOWN
from fanous.collector.request import Refused
from fanous.collector.submission import LoneReports, accepted, receive, sent_alone
from tests.collector.probe import measurement
from tests.each import each

NOW = 1702826000.0  # 2023-12-17 15:13:20
DAY = 86_400.0
CONTENT = msgspec.json.encode(measurement(1)).decode()


def reports() -> LoneReports:
    return LoneReports(lambda count: bytes(range(count)))


def test_what_one_address_sends_on_one_day_is_one_report() -> None:
    book = reports()
    first = book.of(CONTENT, "203.0.113.7", NOW)
    assert str(book.of(CONTENT, "203.0.113.7", NOW + 3600)) == str(first)
    assert str(book.of(CONTENT, "203.0.113.8", NOW)) != str(first)
    assert str(first).startswith("20231217T000000Z_webconnectivity_PK_17557_n0_")


def test_a_subscriber_s_many_addresses_of_ipv6_are_one() -> None:
    book = reports()
    one, other = (str(book.of(CONTENT, f"2001:db8::{n}", NOW)) for n in (1, 2))
    assert one == other != str(book.of(CONTENT, "2001:db8:0:1::1", NOW))


def test_the_key_is_another_each_day_and_in_each_process() -> None:
    book, elsewhere = LoneReports(), LoneReports()
    first = book.of(CONTENT, "203.0.113.7", NOW).random
    assert first != elsewhere.of(CONTENT, "203.0.113.7", NOW).random
    assert first != book.of(CONTENT, "203.0.113.7", NOW + DAY).random


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 422), (b"[]", 422), (b'{"format":"json"}', 422), (b'{"content":{}}', 422)],
)
def test_what_is_no_submission_is_refused_as_theirs_does(body: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        sent_alone(body)
    assert refused.value.status == status


@each("content", ["", "[]", "{", '{} , "content": {}', '{"test_name": 7}', '{"test_name": "?"}'])
def test_what_is_no_measurement_has_no_report(content: str) -> None:
    with pytest.raises(Refused) as refused:
        reports().of(content, "203.0.113.7", NOW)
    assert refused.value.status == 400


def test_a_client_with_a_credential_hears_that_no_one_checked_it() -> None:
    sent = sent_alone(
        msgspec.json.encode({"content": CONTENT, "nym": "n", "zkp_request": "z", "manifest_version": "1"})
    )
    answer = accepted(sent, "uid", reports().of(CONTENT, "203.0.113.7", NOW))
    assert (answer.measurement_uid, answer.verification_status) == ("uid", "unverified")
    assert answer.error == "manifest_not_found"
    assert accepted(sent_alone(b'{"content":"{}"}'), "uid", reports().of(CONTENT, "::1", NOW)).error is None


def test_an_identity_that_no_one_checked_is_not_kept() -> None:
    sent = measurement(1, probe_id="one of many that a liar may write")
    report = reports().of(CONTENT, "203.0.113.7", NOW)
    kept = receive(report, msgspec.json.encode({"content": sent}), "203.0.113.7", UNKNOWN, NOW)
    assert b"probe_id" not in kept.line and b"203.0.113.7" not in kept.line
