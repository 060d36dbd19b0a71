"""The client's address in every place where probes and servers put it."""

import json
from base64 import b64encode
from ipaddress import ip_address
from typing import Any
from weakref import ref

import pytest

from fanous.sources.ooni import content
from fanous.sources.ooni.content import scrub
from fanous.sources.ooni.spellings import Addresses
from tests.each import each
from tests.sources.records import ADDRESS, binary, document, encoded, transaction, web_keys

PROBE = "198.51.100.7"
PROBE6 = "2001:db8:0:1::abcd"


def told(name: str, value: str) -> dict[str, Any]:
    """A page whose server tells the client ``value``, in the list and in the map of its headers."""
    response = {"body": "", "code": 200, "headers_list": [[name, value]], "headers": {name: value}}
    return document(web_keys(requests=[transaction(response=response)]))


@each(
    "text",
    [
        PROBE,
        f"you are {PROBE}.",
        f"http://{PROBE}:8080/",
        f"{PROBE},10.0.0.1",
        "host-198-51-100-7.dsl.example",
        f"read tcp {PROBE}:5678->203.0.113.1:443",
    ],
)
def test_what_the_probe_calls_its_address_goes_wherever_it_stands(text: str) -> None:
    clean = scrub(encoded(document(probe_ip=PROBE, input=text)))
    assert PROBE.encode() not in clean
    assert b"198-51-100-7" not in clean
    assert json.loads(clean)["input"] != text


@pytest.mark.parametrize("text", ["1198.51.100.7", "198.51.100.77", "198.51.100.777.9"])
def test_a_longer_address_is_another_one(text: str) -> None:
    assert json.loads(scrub(encoded(document(probe_ip=PROBE, input=text))))["input"] == text


@pytest.mark.parametrize(
    "text", [PROBE6, f"[{PROBE6}]:443", PROBE6.upper(), "2001:0db8:0000:0001:0000:0000:0000:abcd"]
)
def test_ipv6_goes_in_any_spelling(text: str) -> None:
    clean = json.loads(scrub(encoded(document(probe_ip=PROBE6, input=text))))
    assert clean["input"] in ("127.0.0.1", "127.0.0.1:443")


def test_an_address_inside_base64_goes_too() -> None:
    page = transaction(response={"body": binary(b"\xff your address: 198.51.100.7"), "code": 200})
    clean = json.loads(scrub(encoded(document(web_keys(requests=[page]), probe_ip=PROBE))))
    body = clean["test_keys"]["requests"][0]["response"]["body"]
    assert body == binary(b"\xff your address: 127.0.0.1")


@each(
    ("name", "value"),
    [
        ("X-Forwarded-For", PROBE),
        ("x-client-ip", PROBE),
        ("X-Real-IP", f"{PROBE}:4711"),
        ("X-Your-Address-Is", PROBE),
        ("X-Forwarded-For", f"{PROBE}, 203.0.113.99"),
        ("CF-Connecting-IP", PROBE6),
    ],
)
def test_what_a_server_calls_the_client_goes(name: str, value: str) -> None:
    clean = scrub(encoded(told(name, value)))
    assert PROBE.encode() not in clean
    assert PROBE6.encode() not in clean
    json.loads(clean)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("client_ip", PROBE),
        ("ClientIP", PROBE),
        ("my_ip", PROBE),
        ("Client", f"{PROBE}:5555"),
        ("real_address", PROBE),
    ],
)
def test_what_a_speed_test_calls_the_client_goes_everywhere(key: str, value: str) -> None:
    record = document({key: value, "log": f"hello {PROBE}"}, test_name="ndt")
    clean = scrub(encoded(record))
    assert PROBE.encode() not in clean


def test_a_server_that_names_itself_as_the_client_does_not_forge_an_answer() -> None:
    clean = json.loads(scrub(encoded(told("X-Real-IP", ADDRESS))))
    keys_ = clean["test_keys"]
    assert keys_["queries"][0]["answers"][0]["ipv4"] == ADDRESS
    assert keys_["tcp_connect"][0]["ip"] == ADDRESS
    assert keys_["requests"][0]["response"]["headers"] == {"X-Real-IP": "127.0.0.1"}


@pytest.mark.parametrize("value", ["[scrubbed]", "127.0.0.1", "", "gateway"])
def test_a_value_that_is_not_an_address_stays(value: str) -> None:
    data = encoded(told("X-Client-IP", value))
    assert scrub(data) is data


def test_a_probe_ip_that_is_not_an_address_is_replaced_nevertheless() -> None:
    assert json.loads(scrub(encoded(document(probe_ip="my laptop"))))["probe_ip"] == "127.0.0.1"


def test_a_clean_record_is_the_same_object() -> None:
    data = encoded(document())
    assert scrub(data) is data


@pytest.mark.parametrize("quick", [True, False])
def test_both_ways_of_finding_keys_agree(quick: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (
        b'{"probe_ip":"a","X-Forwarded-For":"b","xprobe_ip":1,"CLIENT":{},"client":1,"body":"\\"client\\""}'
    )
    if not quick:
        monkeypatch.setattr(content, "_database", lambda: None)
    assert content.find_keys(data) == [
        (b"probe_ip", 11),
        (b"x-forwarded-for", 33),
        (b"client", 60),
        (b"client", 72),
    ]


def test_a_site_that_names_an_address_of_few_figures_changes_nothing_else_in_the_record() -> None:
    """A censor's server could otherwise break what shows the block: its header would rewrite the certificate."""
    base64 = b64encode(bytes(range(256)) * 8).decode()
    record = {
        "probe_ip": "127.0.0.1",
        "requests": [
            {"response": {"headers_list": [["X-Client-IP", "1.1.1.1"]], "code": 1, "body": "1, 1, 1, 1"}}
        ],
        "queries": [{"transaction_id": 1, "x_attempt": 1} for _ in range(4)],
        "peer_certificates": [{"data": base64, "format": "base64"}],
    }
    kept = json.loads(scrub(json.dumps(record).encode()))
    assert kept["queries"] == record["queries"] and kept["peer_certificates"] == record["peer_certificates"]
    assert kept["requests"][0]["response"] == {
        "headers_list": [["X-Client-IP", "127.0.0.1"]],
        "code": 1,
        "body": "127, 0, 0, 1",
    }


def test_what_is_known_of_a_record_is_freed_with_it() -> None:
    """An ingest pauses the garbage collector."""
    known = Addresses([ip_address(ADDRESS)])
    left = ref(known)
    del known
    assert left() is None
