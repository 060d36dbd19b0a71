"""Raw OONI records as they may leave a store."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fanous.analysis.rules import judge
from fanous.errors import Rejected
from fanous.model.measurement import Record
from fanous.model.verdict import Verdict
from fanous.pipeline.judge import known_fingerprints
from fanous.publish.evidence.redact import redacted
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.redact import public_title, redact
from tests.planted import with_bodies
from tests.shared_data import shared_file

PAGE = "<html><head><title>Hello at 15:04:05</title></head><body>dear Mrs Doe, 15:04:05</body></html>"


def record(**keys: Any) -> Record:
    """A record with one request, and things in it that must not be passed on."""
    response = {
        "code": 200,
        "body": PAGE,
        "headers": {"Date": "Sun, 17 Dec 2023 15:04:05 GMT", "Set-Cookie": "who=me", "Server": "nginx"},
        "headers_list": [
            ["Date", "Sun, 17 Dec 2023 15:04:05 GMT"],
            ["Set-Cookie", "who=me"],
            ["Server", "nginx"],
        ],
    }
    document = {
        "test_name": "web_connectivity",
        "measurement_uid": "20231217150405.123456_PK_webconnectivity_0123456789abcdef",
        "report_id": "20231217T150400Z_webconnectivity_PK_17557_n1_secret",
        "measurement_start_time": "2023-12-17 15:04:05",
        "test_start_time": "2023-12-17 15:04:00",
        "probe_cc": "PK",
        "probe_asn": "AS17557",
        "probe_ip": "127.0.0.1",
        "resolver_asn": "AS17557",
        "resolver_ip": "203.0.113.53",
        "input": "https://example.org/",
        "annotations": {"network_type": "mobile", "phone": "yes"},
        "test_keys": {
            "client_resolver": "203.0.113.54",
            "requests": [{"request": {"url": "https://example.org/"}, "response": response, "failure": None}],
            "queries": [{"hostname": "example.org", "answers": [], "resolver_address": "203.0.113.55:53"}],
        }
        | keys,
    }
    return Record("ooni", json.dumps(document).encode())


def test_seconds_addresses_identifiers_and_what_a_page_said_are_gone() -> None:
    text = redacted(record()).data.decode()
    for secret in ("15:04:05", "203.0.113", "secret", "20231217150405", "who=me", "Mrs Doe", "phone"):
        assert secret not in text
    assert '"2023-12-17T15:04:00Z"' in text


def test_a_device_s_name_leaves_only_as_a_digest_that_counts_as_the_same_probe() -> None:
    given = record()
    document = json.loads(given.data) | {"probe_id": "device 7"}
    kept = redacted(Record(given.source, json.dumps(document).encode()))
    assert b"device 7" not in kept.data and b"probe_id" not in kept.data
    assert MEASUREMENT_SOURCES["ooni"].parse(kept).measurement.probe == json.loads(kept.data)["report_id"]


def test_what_the_rules_need_stays() -> None:
    before, after = (
        MEASUREMENT_SOURCES["ooni"].parse(record()),
        MEASUREMENT_SOURCES["ooni"].parse(redacted(record())),
    )
    page, blank = before.observations[-1], after.observations[-1]
    assert (blank.status_code, blank.body_length, blank.server) == (200, page.body_length, "nginx")
    assert blank.header_names == page.header_names
    assert blank.title == "****1 * ****2"
    assert after.measurement.access == before.measurement.access


def test_of_a_known_page_the_passages_that_it_is_known_by_stay() -> None:
    """With asterisks in place of what may be anything between their words."""
    given = record()
    notice = (
        b"</title>Dear Mrs Doe, Surf Safely! <b>Doe</b> at 15:04:05: this page is not accessible, Mrs Doe"
    )
    known = Record("ooni", given.data.replace(b"</title>", notice).replace(b"https:", b"http:"))
    public = with_bodies(redacted(known).data)
    assert b"Doe" not in public
    assert re.search(rb"</title>\nSurf Safely\*{30,50}not accessible", public)
    assert _sayings(_judged(redacted(known))) == _sayings(_judged(known))
    assert any(verdict.rule_id == "http.blockpage" for verdict in _judged(redacted(known)))


def test_a_title_keeps_the_helpers_words_and_those_it_is_known_by() -> None:
    said = public_title("Welcome Mrs Doe to Example Example", "welcome to the example")
    assert said == "Welcome * * to Example Example"
    assert public_title("Mrs Khadija Khadija Bhutto", "Other") == "* ****1 ****1 ****2"
    assert public_title("Mrs Doe is Restricted", "", ["restricted"]) == "* * * Restricted"
    assert public_title("a  b", "a b") == "a b *", "which is not the helper's"
    assert public_title("", "x") == ""


@pytest.mark.parametrize("data", [b"[]", b"nothing"])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected):
        redact(data, MEASUREMENT_SOURCES["ooni"].parse(record()))


def test_a_redacted_record_redacted_again_has_no_seconds_to_lose() -> None:
    once = redacted(record())
    again = json.loads(redacted(once).data)
    assert again["test_keys"] == json.loads(once.data)["test_keys"]


def test_made_up_records_go_on_saying_so(rally: Path) -> None:
    line = rally.read_bytes().partition(b"\n")[0]
    assert b'"synthetic":"fanous"' in redacted(Record("ooni", line)).data


def _judged(one: Record) -> tuple[Verdict, ...]:
    return judge(MEASUREMENT_SOURCES["ooni"].parse(one), known_fingerprints())


def _sayings(verdicts: tuple[Verdict, ...]) -> list[tuple[Any, ...]]:
    """All but the prose, which quotes URLs and titles, and which no test compares."""
    return [(v.target, v.layer, v.rule_id, v.mechanism, v.controlled, v.observations) for v in verdicts]


@pytest.mark.shared_data
def test_no_verdict_on_a_real_record_changes() -> None:
    path = shared_file("ooni/real_measurements.jsonl.gz")
    records = list(MEASUREMENT_SOURCES["ooni"].read(path, lambda *_: None))
    assert len(records) > 50
    for one in records:
        assert _sayings(_judged(redacted(one))) == _sayings(_judged(one)), one.line


def test_no_verdict_on_a_made_up_record_changes(rally: Path) -> None:
    for line in rally.read_bytes().splitlines()[::25]:
        one = Record("ooni", line)
        assert _sayings(_judged(redacted(one))) == _sayings(_judged(one))


def test_what_the_helper_and_a_bridge_answered_is_quieted_too() -> None:
    cookie = {"headers": {"Set-Cookie": "who=me", "Date": "Sun, 17 Dec 2023 15:04:05 GMT"}}
    control = {"http_request": {"status_code": 200, **cookie}}
    asked = redacted(record(control=control)).data.decode()
    requests = [{"request": {"url": "http://192.0.2.1/"}, "response": {"body": PAGE, **cookie}}]
    bridge = {"target_protocol": "dir_port", "requests": requests}
    for targets in ({"a": bridge}, [bridge]):
        tor = json.loads(record().data) | {"test_name": "tor", "test_keys": {"targets": targets}}
        asked += redacted(Record("ooni", json.dumps(tor).encode())).data.decode()
    assert "who=me" not in asked
    assert "15:04:05" not in asked
    assert "Mrs Doe" not in asked
    assert asked.count("Set-Cookie") >= 4
