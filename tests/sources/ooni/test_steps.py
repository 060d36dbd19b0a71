"""The probe's own steps as observations."""

from math import isnan, nan
from typing import Any

import pytest

from fanous.model.measurement import Layer
from tests.each import each
from tests.sources.records import (
    ADDRESS,
    HOST,
    binary,
    certificate,
    connect,
    document,
    handshake,
    parsed,
    query,
    seen,
    transaction,
    web_keys,
)


def one(layer: Layer, **keys: Any) -> Any:
    """The only observation of a layer."""
    (observation,) = seen(document(web_keys(**keys)), layer)
    return observation


def test_a_lookup_has_its_answers_with_networks_and_lifetimes() -> None:
    answers = [
        {"answer_type": "CNAME", "hostname": "cdn.example.net", "ttl": 5},
        {"answer_type": "A", "ipv4": "203.0.113.10", "asn": 64500, "ttl": 60},
        {"answer_type": "AAAA", "ipv6": "2001:db8::1", "ttl": "299"},
        {"answer_type": "A", "ipv4": "203.0.113.11", "ttl": None},
        {"answer_type": "A", "ipv4": "[scrubbed]"},
    ]
    lookup = one(Layer.DNS, queries=[query(answers=answers)])
    assert lookup.answers == ("203.0.113.10", "2001:db8::1", "203.0.113.11")
    assert lookup.answer_asns == (64500, 0, 0)
    assert lookup.ttls == (60, 299, -1)
    assert (lookup.hostname, lookup.query_type, lookup.failure) == (HOST, "A", None)
    assert (lookup.at, lookup.seconds) == (pytest.approx(0.1), pytest.approx(0.05))


@each(
    ("engine", "resolver"),
    [
        ("system", "system"), ("getaddrinfo", "system"), ("golang_net_resolver", "system"), (None, "system"),
        ("udp", "udp"), ("doh", "doh"), ("dot", "dot"), ("new", "system"),
    ],
)  # fmt: skip
def test_the_engine_tells_the_resolver(engine: str | None, resolver: str) -> None:
    assert one(Layer.DNS, queries=[query(engine=engine)]).resolver == resolver


def test_a_failed_lookup_is_an_observation_like_any_other() -> None:
    lookup = one(Layer.DNS, queries=[query(failure="dns_nxdomain_error", answers=None)])
    assert (lookup.failure, lookup.answers) == ("dns_nxdomain_error", ())


@each(
    ("step", "ip", "port", "hostname", "failure"),
    [
        (connect(), ADDRESS, 443, HOST, None),
        (connect(port="443"), ADDRESS, 443, HOST, None),
        (connect(failure="connection_refused"), ADDRESS, 443, HOST, "connection_refused"),
        (connect(status={"success": True}), ADDRESS, 443, HOST, None),  # no failure key
        (connect(status={"success": True, "failure": False}), ADDRESS, 443, HOST, None),
        (connect(status={"success": False, "failure": False}), ADDRESS, 443, HOST, "unknown_failure"),
        (connect(ip="[scrubbed]"), "", 443, "", None),
        (connect(ip="cdn.example.net"), "", 443, "cdn.example.net", None),
        (connect(ip="2001:db8::5", port=70000), "2001:db8::5", 0, "", None),
    ],
)
def test_a_connection_has_its_endpoint_and_the_name_it_was_answered_for(
    step: dict[str, Any], ip: str, port: int, hostname: str, failure: str | None
) -> None:
    connection = one(Layer.TCP, tcp_connect=[step])
    assert (connection.ip, connection.port, connection.failure) == (ip, port, failure)
    assert connection.hostname == hostname


def test_a_connection_without_a_status_is_noted_and_says_nothing() -> None:
    record = document(web_keys(tcp_connect=[connect(status=None)]))
    assert seen(record, Layer.TCP) == []
    assert any("without its status" in note for note in parsed(record).bogus)


@each(
    ("given", "valid"),
    [
        ({}, True),
        ({"no_tls_verify": True}, None),
        ({"failure": "ssl_unknown_authority"}, False),
        ({"failure": "ssl_invalid_hostname"}, False),
        ({"failure": "ssl_invalid_certificate"}, False),
        ({"failure": "connection_reset"}, None),
        ({"failure": "ssl_failed_handshake"}, None),
    ],
)
def test_a_certificate_was_valid_invalid_or_not_seen(given: dict[str, Any], valid: bool | None) -> None:
    assert one(Layer.TLS, tls_handshakes=[handshake(**given)]).cert_valid is valid


def test_a_handshake_has_its_certificate_bytes_and_time() -> None:
    chain = [binary(certificate(HOST, "Example Authority", HOST))]
    events = [
        {"operation": "read", "t": 0.3, "num_bytes": 1400, "transaction_id": 1, "failure": None},
        {"operation": "read", "t": 0.38, "num_bytes": 1600, "transaction_id": 1, "failure": None},
    ]
    seen_ = one(Layer.TLS, tls_handshakes=[handshake(peer_certificates=chain)], network_events=events)
    assert (seen_.ip, seen_.port, seen_.hostname) == (ADDRESS, 443, HOST)
    assert (seen_.cert_subject, seen_.cert_issuer) == (HOST, "other")
    assert (seen_.received, seen_.largest_gap) == (3000, pytest.approx(0.08))
    assert seen_.seconds == pytest.approx(0.15)


def test_an_old_handshake_finds_its_start_and_address_among_the_events() -> None:
    old = {key: value for key, value in handshake().items() if key not in ("address", "t0", "transaction_id")}
    events = [
        {"operation": "connect", "t": 0.21, "address": f"{ADDRESS}:443", "failure": None},
        {"operation": "tls_handshake_start", "t": 0.211},
        {"operation": "tls_handshake_done", "t": 0.4},
    ]
    found = one(Layer.TLS, tls_handshakes=[old], network_events=events)
    assert (found.ip, found.port) == (ADDRESS, 443)
    assert found.seconds == pytest.approx(0.189)


@pytest.mark.parametrize(
    "keys",
    [
        {"quic_handshakes": [handshake()], "tls_handshakes": []},
        {"tls_handshakes": [handshake(network="udp")]},
        {"tls_handshakes": [handshake(network="quic")]},
    ],
)
def test_quic_is_told_by_its_list_or_its_network(keys: dict[str, Any]) -> None:
    assert one(Layer.QUIC, **keys).hostname == HOST


def test_a_request_has_its_page() -> None:
    response = {
        "body": "<title>Away</title>",
        "body_is_truncated": True,
        "code": 302,
        "headers": {"Location": "https://other.example/", "Server": "nginx", "X-A": "1"},
    }
    page = one(Layer.HTTP, requests=[transaction(response=response)])
    assert (page.status_code, page.title, page.body_length, page.body_truncated) == (302, "Away", 19, True)
    assert (page.location, page.server) == ("https://other.example/", "nginx")
    assert page.header_names == ("location", "server", "x-a")
    assert page.headers == "Location: https://other.example/\nServer: nginx\nX-A: 1"
    assert page.body == "<title>Away</title>"
    assert (page.hostname, page.ip, page.port) == (HOST, ADDRESS, 443)


def test_data_that_trickled_and_then_stopped_differs_from_nothing_at_all() -> None:
    failed = transaction(failure="generic_timeout_error", t=30.4, response={"body": "", "code": 0})
    event = {"operation": "read", "num_bytes": 8000, "transaction_id": 1, "failure": None}
    asked = {"operation": "write", "num_bytes": 200, "transaction_id": 1, "t": 0.41}
    trickled = one(
        Layer.HTTP, requests=[failed], network_events=[asked, event | {"t": 1.0}, event | {"t": 2.0}]
    )
    nothing = one(Layer.HTTP, requests=[failed], network_events=[asked])
    assert (trickled.received, nothing.received) == (16_000, 0)
    assert trickled.largest_gap == pytest.approx(28.4)
    assert isnan(nothing.largest_gap)
    assert trickled.seconds == pytest.approx(30.0)
    assert (nothing.status_code, nothing.body_length) == (0, -1)


def test_requests_are_put_in_the_order_they_were_made() -> None:
    newest_first = [transaction("https://b.example/"), transaction("https://a.example/")]
    pages = seen(document(web_keys(requests=newest_first)), Layer.HTTP)
    assert [page.url for page in pages] == ["https://a.example/", "https://b.example/"]


def test_a_request_without_its_request_is_noted() -> None:
    bundle = parsed(document(web_keys(requests=[transaction(request=None)])))
    assert [note for note in bundle.bogus if "without its request" in note]


def test_a_url_of_an_address_has_no_host_name() -> None:
    page = one(Layer.HTTP, requests=[transaction("http://203.0.113.77:8080/", address=None)])
    assert (page.hostname, page.ip, page.port) == ("", "203.0.113.77", 8080)


def test_a_clock_that_went_backwards_is_an_unknown_time() -> None:
    assert one(Layer.TCP, tcp_connect=[connect(t0=5.0, t=1.0)]).seconds == pytest.approx(nan, nan_ok=True)
