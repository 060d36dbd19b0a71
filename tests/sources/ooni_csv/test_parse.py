"""Rows as observations, with the traps of the exports."""

from math import isnan
from typing import Any

import pytest

from fanous.model.instant import from_iso
from fanous.model.measurement import Layer, Observation, ParsedMeasurement
from fanous.model.place import Access
from tests.each import each
from tests.sources.ooni_csv.rows import ACCESS_POINT, UID, row
from tests.sources.records import parsed

WEB = "web.telegram.org"
WEB_ADDRESS = "149.154.167.99"


def bundle(*rows: dict[str, str]) -> ParsedMeasurement:
    return parsed({"ooni_csv": 1, "rows": list(rows)}, "ooni-csv")


def observations(*rows: dict[str, str]) -> list[Observation]:
    return list(bundle(*rows).observations)


def test_the_header_is_that_of_the_measurement() -> None:
    seen = bundle(row()).measurement
    assert (seen.uid, seen.test_name, seen.country, seen.asn, seen.resolver_asn) == (
        UID, "telegram", "KE", 37061, 37061,
    )  # fmt: skip
    assert seen.started_at == from_iso("2023-11-10T08:00:00Z")
    assert (seen.access, seen.target, seen.network_name) == (Access.MOBILE, "telegram", "Safaricom")
    assert seen.probe.startswith("20231110T080000Z_telegram")


def test_a_row_with_a_whole_connection_is_one_observation_a_layer() -> None:
    whole = row(
        hostname=WEB, ip=WEB_ADDRESS, port="443.0", ip_asn="62041.0",
        dns_engine="system", dns_answer=WEB_ADDRESS,
        tcp_success="1.0", tls_handshake_time="0.135", tls_success="1", tls_handshake_read_bytes="10636.0",
        tls_end_entity_certificate_subject_common_name="*.web.telegram.org",
        tls_end_entity_certificate_san_list="['*.web.telegram.org', 'web.telegram.org']",
    )  # fmt: skip
    dns, tcp, tls = observations(whole)
    assert (dns.layer, dns.hostname, dns.answers, dns.answer_asns) == (
        Layer.DNS,
        WEB,
        (WEB_ADDRESS,),
        (62041,),
    )
    assert (tcp.layer, tcp.ip, tcp.port, tcp.failure, tcp.role) == (
        Layer.TCP,
        WEB_ADDRESS,
        443,
        None,
        "client",
    )
    assert (tls.layer, tls.seconds, tls.failure, tls.received) == (Layer.TLS, 0.135, None, 10636)
    assert tls.cert_subject == "web.telegram.org"
    assert tls.cert_valid is True


def test_a_table_without_missing_values_holds_no_handshake_where_there_was_none() -> None:
    """Newer tables write 0 for what was not measured, and ``fqdn`` for the name."""
    nothing = {"tls_handshake_time": "0", "tls_handshake_read_count": "0", "tls_success": "0", "port": "0"}
    forged = row(
        fqdn=WEB, ip="10.10.34.36", ip_asn="0", dns_engine="system", dns_answer="10.10.34.36", **nothing
    )
    assert [(o.layer, o.hostname) for o in observations(forged)] == [(Layer.DNS, WEB)]
    cut = row(fqdn=WEB, ip=WEB_ADDRESS, tls_failure="connection_reset", **nothing)
    (tls,) = observations(cut)
    assert (tls.layer, tls.hostname, tls.failure, isnan(tls.seconds)) == (
        Layer.TLS,
        WEB,
        "connection_reset",
        True,
    )


def test_the_network_of_an_answer_is_that_of_the_address_where_the_probe_told_none() -> None:
    (dns,) = observations(
        row(hostname=WEB, ip=WEB_ADDRESS, ip_asn="62041", dns_engine="system", dns_answer=WEB_ADDRESS)
        | {"dns_answer_asn": "0"}
    )
    assert dns.answer_asns == (62041,)


@pytest.mark.parametrize("column", ["http_response_html_title", "pp_http_response_body_title"])
def test_the_title_of_a_page_has_had_two_names(column: str) -> None:
    (page,) = observations(row(http_request_url=f"http://{WEB}/") | {column: "Surf Safely!"})
    assert page.title == "Surf Safely!"


def test_what_was_measured_is_known_by_the_name_alone() -> None:
    seen = bundle(row(test_name="web_connectivity", fqdn="x.com", dns_engine="system", dns_answer="1.2.3.4"))
    assert seen.measurement.target == "x"


def test_the_answers_of_one_lookup_are_one_observation() -> None:
    common = {"hostname": WEB, "dns_engine": "system"}
    rows = [row(**common, dns_answer=f"149.154.167.{n}", ip=f"149.154.167.{n}") for n in (99, 98)]
    four, six = observations(*rows, row(**common, dns_answer="2001:67c:4e8:f004::9"))
    assert (four.query_type, four.answers) == ("A", ("149.154.167.99", "149.154.167.98"))
    assert (six.query_type, six.answers) == ("AAAA", ("2001:67c:4e8:f004::9",))


def test_an_ipv6_answer_without_a_connection_is_a_lookup_only() -> None:
    answered = row(
        hostname=WEB, ip="2001:67c:4e8:f004::9", dns_engine="system", dns_answer="2001:67c:4e8:f004::9"
    )
    assert [o.layer for o in observations(answered)] == [Layer.DNS]


@each(
    ("columns", "layers"),
    [
        ({"tls_success": "0"}, []),  # a lookup's or a connection's row carries 0
        ({"tls_success": "1"}, []),
        ({"tcp_success": "0.0"}, []),
        ({"tcp_success": "1.0"}, [Layer.TCP]),
        ({"tcp_failure": "connection_refused", "tcp_success": "1"}, [Layer.TCP]),
        ({"tls_failure": "connection_reset", "tls_success": "1"}, [Layer.TLS]),
        ({"tls_handshake_time": "0.2"}, [Layer.TLS]),
    ],
)
def test_a_step_is_told_by_its_failure_or_its_measurements(
    columns: dict[str, str], layers: list[Layer]
) -> None:
    assert [o.layer for o in observations(row(ip=ACCESS_POINT, port="443.0", **columns))] == layers


def test_a_failed_handshake_failed_whatever_tls_success_says() -> None:
    (tls,) = observations(row(tls_failure="connection_reset", tls_success="1", hostname=WEB))
    assert (tls.failure, tls.cert_valid) == ("connection_reset", None)


def test_a_negative_handshake_time_is_an_unknown_time_of_a_handshake_that_took_place() -> None:
    (tls,) = observations(row(hostname=WEB, tls_handshake_time="-29.93"))
    assert tls.failure is None
    assert isnan(tls.seconds)


@pytest.mark.parametrize(
    ("url", "role", "hostname", "ip", "port"),
    [
        (f"http://{ACCESS_POINT}:443/", "api", "", ACCESS_POINT, 443),
        (f"http://{ACCESS_POINT}/", "api", "", ACCESS_POINT, 80),
        (f"https://{WEB}/", "client", WEB, "", 443),
    ],
)
def test_a_request_to_an_address_is_one_to_an_access_point(
    url: str, role: str, hostname: str, ip: str, port: int
) -> None:
    (page,) = observations(
        row(http_request_url=url, http_failure="generic_timeout_error", http_runtime="30.5")
    )
    assert (page.role, page.hostname, page.ip, page.port) == (role, hostname, ip, port)
    assert (page.failure, page.seconds) == ("generic_timeout_error", 30.5)


def test_a_fact_that_two_rows_repeat_is_one() -> None:
    again = row(ip=ACCESS_POINT, port="80.0", tcp_success="1.0")
    assert len(observations(again, again | {"network_type": "wifi"})) == 1


@pytest.mark.parametrize(
    ("columns", "target", "role"),
    [
        ({"input": "https://t.me/", "http_request_url": "https://telegram.org/"}, "telegram", "site"),
        (
            {"input": "https://www.example.org/", "http_request_url": "https://example.org/"},
            "example.org",
            "web",
        ),
        (
            {"input": "https://example.org/", "http_request_url": "https://other.example/"},
            "example.org",
            "redirect",
        ),
        ({"http_request_url": "https://example.org/"}, "example.org", "web"),  # no input in the export
    ],
)
def test_web_connectivity_is_about_its_input(columns: dict[str, str], target: str, role: str) -> None:
    seen = bundle(row(test_name="web_connectivity", **columns))
    assert seen.measurement.target == target
    assert [o.role for o in seen.observations] == [role]
    assert seen.control_failure == "control_not_in_file"


def test_any_other_nettest_is_taken_without_observations() -> None:
    assert observations(row(test_name="dnscheck", tcp_success="1.0", ip=ACCESS_POINT)) == []


@each(
    "columns",
    [
        {"port": "many"}, {"tls_handshake_time": "1e999"}, {"tls_handshake_time": "nan"}, {"ip": "?"},
        {"http_request_url": "http://[broken"}, {"probe_asn": "AS"}, {"dns_answer": "x" * 10_000},
        {"resolver_asn": "-1.0"}, {"probe_cc": "Kenya"}, {"tls_handshake_read_bytes": "9" * 30},
    ],
)  # fmt: skip
def test_nothing_in_a_field_breaks_the_row(columns: dict[str, Any]) -> None:
    assert bundle(row(**columns)).measurement.uid == UID
