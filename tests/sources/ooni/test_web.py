"""What the test helper saw, and which host is the target's own."""

from typing import Any

import pytest

from fanous.model.measurement import Layer, Observer
from tests.each import each
from tests.sources.records import (
    ADDRESS,
    HOST,
    connect,
    control,
    document,
    parsed,
    query,
    seen,
    transaction,
    web_keys,
)


def helper(layer: Layer, **given: Any) -> Any:
    (observation,) = seen(document(web_keys(control=control(**given))), layer, Observer.HELPER)
    return observation


def test_the_helpers_steps_are_observations_of_the_same_target() -> None:
    lookup, connection, tls, page = (helper(layer) for layer in (Layer.DNS, Layer.TCP, Layer.TLS, Layer.HTTP))
    assert (lookup.hostname, lookup.resolver) == (HOST, "helper")
    assert (lookup.answers, lookup.answer_asns) == ((ADDRESS,), (64500,))
    assert (connection.ip, connection.port, connection.failure) == (ADDRESS, 443, None)
    assert (tls.hostname, tls.ip, tls.cert_valid) == (HOST, ADDRESS, True)
    assert (page.status_code, page.body_length, page.title) == (200, 1200, "News of the day")
    assert page.header_names == ("content-type",)
    assert {o.target for o in (lookup, connection, tls, page)} == {HOST}


@pytest.mark.parametrize(
    ("given", "layer", "failure"),
    [
        ({"dns": {"failure": "dns_name_error", "addrs": []}}, Layer.DNS, "dns_nxdomain_error"),
        ({"dns": {"addrs": []}}, Layer.DNS, None),
        (
            {"tcp_connect": {f"{ADDRESS}:443": {"status": False, "failure": None}}},
            Layer.TCP,
            "unknown_failure",
        ),
        (
            {"tls_handshake": {f"{ADDRESS}:443": {"status": False, "failure": "eof_error"}}},
            Layer.TLS,
            "eof_error",
        ),
        (
            {
                "http_request": {
                    "body_length": -1,
                    "status_code": -1,
                    "failure": "dns_lookup_error",
                    "headers": {},
                }
            },
            Layer.HTTP,
            "dns_lookup_error",
        ),
    ],
)
def test_what_failed_for_the_helper_is_reported(
    given: dict[str, Any], layer: Layer, failure: str | None
) -> None:
    seen_ = helper(layer, **given)
    assert seen_.failure == failure
    assert (seen_.status_code, seen_.body_length) in ((0, -1), (200, 1200))


@pytest.mark.parametrize(
    ("given", "layer"),
    [
        ({"dns": {}}, Layer.DNS),
        ({"http_request": {}}, Layer.HTTP),
        ({"http_request": {"status_code": -1}}, Layer.HTTP),
    ],
)
def test_a_helper_that_says_nothing_of_a_step_is_not_a_control_of_it(
    given: dict[str, Any], layer: Layer
) -> None:
    assert seen(document(web_keys(control=control() | given)), layer, Observer.HELPER) == []


def test_an_old_helper_put_names_among_its_addresses() -> None:
    assert helper(Layer.DNS, dns={"addrs": ["news.example.org", ADDRESS]}).answers == (ADDRESS,)


@each(
    ("keys", "failure"),
    [
        ({"control_failure": None}, None),
        ({"control_failure": False}, None),
        ({"control_failure": "connection_refused"}, "connection_refused"),
        ({"control_failure": "json_parse_error", "control": {}}, "json_parse_error"),
        ({"control": {}}, "control_empty"),
        ({"control": None}, "control_empty"),
        ({"control": [1]}, "control_empty"),
    ],
)
def test_a_control_that_failed_gives_a_reason_and_no_observations(
    keys: dict[str, Any], failure: str | None
) -> None:
    bundle = parsed(document(web_keys(**keys)))
    assert bundle.control_failure == failure
    assert any(o.vantage is Observer.HELPER for o in bundle.observations) is (failure is None)


@pytest.mark.parametrize(
    ("host", "target"),
    [("www.example.org", "example.org"), ("twitter.com", "x"), ("203.0.113.5", "203.0.113.5")],
)
def test_the_target_is_the_platform_or_the_host(host: str, target: str) -> None:
    bundle = parsed(document(input=f"https://{host}/"))
    assert bundle.measurement.target == target
    assert {o.target for o in bundle.observations} == {target}


@pytest.mark.parametrize(
    ("host", "role"),
    [(HOST, "web"), (f"www.{HOST}", "web"), ("login.example.net", "redirect"), ("192.0.2.9", "redirect")],
)
def test_a_host_that_the_pages_sent_us_on_to_is_a_redirect(host: str, role: str) -> None:
    pages = seen(document(web_keys(requests=[transaction(f"http://{host}/")])), Layer.HTTP)
    assert [(page.target, page.role) for page in pages] == [(HOST, role)]


def test_a_platforms_own_hosts_have_the_platforms_roles() -> None:
    keys = web_keys(queries=[query("twitter.com"), query("pbs.twimg.com"), query("api.twitter.com")])
    lookups = seen(document(keys, input="https://x.com/"), Layer.DNS)
    assert [lookup.role for lookup in lookups] == ["web", "media", "api"]


def test_an_address_that_only_the_helper_was_answered_is_the_sites_own() -> None:
    only = "203.0.113.200"
    keys = web_keys(tcp_connect=[connect(only)], control=control(dns={"addrs": [ADDRESS, only]}))
    assert [c.hostname for c in seen(document(keys), Layer.TCP)] == [HOST]


def test_an_address_shared_with_a_redirect_is_still_the_targets_own() -> None:
    keys = web_keys(queries=[query(), query("login.example.net")])
    assert [(c.hostname, c.role) for c in seen(document(keys), Layer.TCP)] == [(HOST, "web")]


@pytest.mark.parametrize(
    "keys",
    [
        web_keys(x_control_request={"http_request": f"https://{HOST}/"}, requests=[]),
        web_keys(requests=[transaction("https://later.example/"), transaction()]),
        web_keys(requests=[]),
    ],
)
def test_a_missing_input_is_found_in_what_was_asked(keys: dict[str, Any]) -> None:
    assert parsed(document(keys, input=None)).measurement.target == HOST


def test_a_record_without_keys_is_taken_and_says_so() -> None:
    record = document() | {"test_keys": None}
    bundle = parsed(record)
    assert bundle.observations == ()
    assert bundle.control_failure == "control_empty"
    assert bundle.bogus == ("test_keys: missing",)


@pytest.mark.parametrize(
    ("length", "seconds", "kbps"),
    [(1_000_000, 2.0, 4_000.0), (2_000, 2.0, None), (1_000_000, None, None), (1_000_000, 0, None)],
)
def test_a_large_page_that_our_own_helper_timed_is_a_rate(
    length: int, seconds: float | None, kbps: float | None
) -> None:
    page = {"body_length": length, "failure": None, "status_code": 200, "x_seconds": seconds}
    keys = web_keys(control=control(http_request=page))
    found = [o.kbps for o in seen(document(keys), Layer.TRANSFER, Observer.HELPER)]
    assert found == ([] if kbps is None else [kbps])
