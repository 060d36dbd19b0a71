"""A measurement without a report is kept like any other, and one /24 or /48 is one probe."""

from pathlib import Path

import msgspec
import pytest

from fanous.collector.door import Policy
from fanous.collector.origin import UNKNOWN, read_ranges, trusted_proxies
from fanous.collector.request import Refused
from fanous.collector.settings import DoorSettings
from fanous.collector.submission import Senders, receive, sent_alone
from fanous.model.measurement import STATED, Record
from fanous.sources.measurements import MEASUREMENT_SOURCES
from tests.collector.probe import OPEN, measurement
from tests.collector.threads import door
from tests.each import each

NOW = 1702826000.0  # 2023-12-17 15:13:20
DAY = 86_400.0
CONTENT = msgspec.json.encode(measurement(1)).decode()


def reports() -> Senders:
    return Senders(lambda count: bytes(range(count)))


def test_what_one_address_sends_on_one_day_is_one_report() -> None:
    book = reports()
    first = book.report_of(CONTENT, "203.0.113.7", NOW)
    assert str(book.report_of(CONTENT, "203.0.113.7", NOW + 3600)) == str(first)
    assert str(book.report_of(CONTENT, "203.0.113.8", NOW)) == str(first)
    assert str(book.report_of(CONTENT, "203.0.114.7", NOW)) != str(first)
    assert str(first).startswith("20231217T000000Z_webconnectivity_PK_17557_n0_")


def test_a_subscriber_s_many_addresses_of_ipv6_are_one() -> None:
    book = reports()
    one, other = (str(book.report_of(CONTENT, f"2001:db8::{n}", NOW)) for n in (1, 2))
    assert one == other == str(book.report_of(CONTENT, "2001:db8:0:1::1", NOW))
    assert one != str(book.report_of(CONTENT, "2001:db8:1::1", NOW))


def test_the_key_is_another_each_day_and_in_each_process() -> None:
    book, elsewhere = Senders(), Senders()
    first = book.report_of(CONTENT, "203.0.113.7", NOW).random
    assert first != elsewhere.report_of(CONTENT, "203.0.113.7", NOW).random
    assert first != book.report_of(CONTENT, "203.0.113.7", NOW + DAY).random


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
        reports().report_of(content, "203.0.113.7", NOW)
    assert refused.value.status == 400


def test_an_identity_that_no_one_checked_is_not_kept() -> None:
    sent = measurement(1, probe_id="one of many that a liar may write")
    report = reports().report_of(CONTENT, "203.0.113.7", NOW)
    kept = receive(report, msgspec.json.encode({"content": sent}), "203.0.113.7", UNKNOWN, NOW)
    assert b"probe_id" not in kept.line and b"203.0.113.7" not in kept.line


def test_an_open_collector_counts_what_one_address_sends_as_one_probe_whatever_its_reports_are(
    tmp_path: Path,
) -> None:
    """Senders make up the names of their reports: four of them, from one address, confirmed an incident."""

    def probes(*, is_open: bool, address: str = "") -> set[str]:
        found = set()
        policy = Policy(open_to_all=is_open, trusted=trusted_proxies(["127.0.0.1"]))
        inbox = tmp_path / f"{is_open} {address}"
        with door(inbox, policy) as client:
            if address:
                client.headers["X-Forwarded-For"] = address
            for number in range(3):
                report = client.post("/report", json=OPEN).json()["report_id"]
                sent = measurement(number, probe_id=f"another {number}")
                client.post(f"/report/{report}", json={"format": "json", "content": sent}).raise_for_status()
            lone = {"format": "json", "content": msgspec.json.encode(measurement(9)).decode()}
            client.post("/api/v1/submit_measurement", json=lone).raise_for_status()
        for path in inbox.rglob("*.jsonl*"):
            for line in path.read_bytes().splitlines():
                found.add(MEASUREMENT_SOURCES["edge"].parse(Record("edge", line)).measurement.probe)
        return found

    assert len(probes(is_open=False)) == 4
    (one,) = probes(is_open=True)
    assert one.startswith(STATED) and "127.0.0.1" not in one
    # A private address proves nothing: it may be that of a proxy, or of another machine of the same hoster.
    assert (
        len(probes(is_open=True, address="10.1.2.3")) == len(probes(is_open=True, address="39.32.1.1")) == 1
    )
    assert len(probes(is_open=False, address="39.32.1.1")) == 4
    assert Policy().open_to_all and DoorSettings().open_to_all


def test_all_who_are_not_where_they_claim_to_be_are_one_voice_of_the_network_that_they_claim(
    tmp_path: Path,
) -> None:
    """Three servers of a VPN would be three voices on any network, once an operator moves what was set aside."""
    table = tmp_path / "networks.csv"
    table.write_text("198.51.0.0,198.51.255.255,24940,DE\n39.32.0.0,39.63.255.255,17557,PK\n")
    policy = Policy(trusted=trusted_proxies(["127.0.0.1"]), origins=read_ranges(table))

    def probes(kept: str, *addresses: str) -> set[str]:
        inbox = tmp_path / "-".join((kept, *addresses))
        with door(inbox, policy) as client:
            for number, address in enumerate(addresses):
                client.headers["X-Forwarded-For"] = address
                report = client.post("/report", json=OPEN).json()["report_id"]
                sent = {"format": "json", "content": measurement(number)}
                client.post(f"/report/{report}", json=sent).raise_for_status()
                lone = {"format": "json", "content": msgspec.json.encode(measurement(number + 5)).decode()}
                client.post("/api/v1/submit_measurement", json=lone).raise_for_status()
        lines = [line for path in (inbox / kept).glob("*.jsonl*") for line in path.read_bytes().splitlines()]
        assert len(lines) == 2 * len(addresses)
        return {MEASUREMENT_SOURCES["edge"].parse(Record("edge", line)).measurement.probe for line in lines}

    assert len(probes("apart", "198.51.1.1", "198.51.2.2", "198.51.3.3")) == 1
    assert len(probes("", "39.32.1.1", "39.33.1.1")) == 2


def test_a_claimed_network_has_another_voice_each_day() -> None:
    book = reports()
    assert book.name_of_claim(17557, NOW) == book.name_of_claim(17557, NOW + 3600)
    assert len({book.name_of_claim(17557, NOW), book.name_of_claim(9541, NOW)}) == 2
    assert book.name_of_claim(17557, NOW) != book.name_of("203.0.113.7", NOW)
