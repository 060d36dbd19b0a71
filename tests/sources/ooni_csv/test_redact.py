"""Rows of OONI's tables as they may leave a store."""

import json

import pytest

from fanous.errors import Rejected
from fanous.model.measurement import Record
from fanous.publish.evidence.redact import redacted
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni_csv import FACTS, HEADER, redact
from tests.each import each
from tests.planted import KINDS, left_in
from tests.shared_data import shared_file

ROW = {
    "measurement_uid": "20231108080501.123456_KE_telegram_0123456789abcdef",
    "measurement_start_time": "2023-11-08 08:05:01",
    "test_name": "telegram",
    "probe_cc": "KE",
    "probe_asn": "33771",
    "resolver_ip": "203.0.113.53",
    "ip": "149.154.167.51",
    "port": "443",
    "tcp_failure": "generic_timeout_error",
}


URLS = ("http_request_url", "http_response_header_location")
TEXTS = (
    *("ip", "dns_engine", "dns_answer", "dns_query_type", "tls_version", "tls_cipher_suite"),
    *("http_response_html_title", "pp_http_response_body_title", "http_response_header_server"),
)
"""Columns that hold no number."""


def record(*rows: dict[str, str]) -> Record:
    return Record("ooni-csv", json.dumps({"ooni_csv": 1, "rows": list(rows)}).encode())


def test_minutes_stay_and_the_rest_goes() -> None:
    text = redacted(record(ROW)).data.decode()
    assert "203.0.113.53" not in text
    assert "08:05:01" not in text
    assert "20231108080501" not in text
    assert "2023-11-08T08:05:00Z" in text


def test_rows_that_differ_only_in_what_is_left_out_become_one() -> None:
    other = ROW | {"resolver_ip": "203.0.113.54"}
    assert len(json.loads(redacted(record(ROW, other)).data)["rows"]) == 1


def test_a_stored_row_names_no_one_in_addresses_urls_and_certificates() -> None:
    mail = "parveen@mail.example"
    row = ROW | {
        "input": "https://n.example/?page=12345678",
        "network_type": "home of P.",
        "http_request_url": f"https://n.example/?sid=a1b2c3d4e5f6&to={mail}",
        "http_response_header_location": "https://parveen:hunter22@n.example/login?next=home",
        "tls_end_entity_certificate_subject": f"CN=box,emailAddress={mail}",
        "tls_end_entity_certificate_subject_common_name": mail,
        "tls_end_entity_certificate_san_list": f"['n.example', '{mail}']",
        "tls_end_entity_certificate_issuer_common_name": f"CA of {mail}",
    }
    source = MEASUREMENT_SOURCES["ooni-csv"]
    stored, parsed = source.take(record(row))
    for data in (stored.data, redacted(record(row)).data, redacted(stored).data):
        assert not any(text in data.decode() for text in (mail, "home of P.", "a1b2c3d4e5f6", "hunter22"))
    assert (
        json.loads(stored.data)["rows"][0]["http_response_header_location"]
        == "https://n.example/login?next=home"
    )
    (seen,) = [one for one in parsed.observations if one.cert_issuer]
    assert (seen.cert_subject, seen.cert_issuer) == ("", "other")
    assert source.take(stored)[0].data == stored.data
    assert repr(source.parse(stored).observations) == repr(parsed.observations)


FREE = frozenset(FACTS) - {
    *("hostname", "fqdn", "tls_server_name"),  # what was measured
    *("tls_end_entity_certificate_subject", "tls_end_entity_certificate_subject_common_name"),
    *("tls_end_entity_certificate_san_list", "tls_end_entity_certificate_issuer_common_name"),
}
"""Columns in which a public row may contain nothing that was written freely."""


@each("name", KINDS)
def test_a_public_row_has_nothing_of_what_was_written_freely(name: str) -> None:
    text = KINDS[name]
    numbers = [column for column in FREE if text.isdigit() and column not in TEXTS]
    row = ROW | {"input": "https://n.example/"} | {column: text for column in FREE if column not in numbers}
    row |= {"hostname": "ali-laptop.lan", "tls_server_name": "ali-laptop"}
    row |= dict.fromkeys(URLS, f"https://n.example/{text}?a={text}")
    stored, _ = MEASUREMENT_SOURCES["ooni-csv"].take(record(row))
    for public in (redacted(record(row)).data, redacted(stored).data):
        assert left_in(public, {name: text, "a machine": "ali-laptop"}) == []
        assert b"https://n.example/*1" in public and b"name-1.local" in public


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(Rejected):
        redact(b"{}", MEASUREMENT_SOURCES["ooni-csv"].parse(record(ROW)))


def test_every_column_that_is_read_is_kept() -> None:
    from fanous.sources import ooni_csv

    read = {
        name
        for name in _names_of(str(ooni_csv.__file__))
        if name.startswith(("dns_", "tcp_", "tls_", "http_", "probe_", "resolver_", "software_", "test_"))
    }
    assert read - {*HEADER, *FACTS, "test_runtime"} == set()


def _names_of(path: str) -> set[str]:
    import ast
    from pathlib import Path

    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


@pytest.mark.shared_data
def test_no_fact_of_a_real_row_changes() -> None:
    path = shared_file("ooni/2023-KE-web_connectivity-telegram.org.csv.gz")
    parse = MEASUREMENT_SOURCES["ooni-csv"].parse
    for one in list(MEASUREMENT_SOURCES["ooni-csv"].read(path, lambda *_: None))[::10]:
        before, after = parse(one), parse(redacted(one))
        assert list(map(repr, after.observations)) == list(map(repr, before.observations))
        assert after.measurement.started_at == before.measurement.started_at // 60 * 60
