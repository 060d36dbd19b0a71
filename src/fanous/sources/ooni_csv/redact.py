"""Redact: the rows of one measurement, less the columns that no fact is taken from."""

from typing import Any

import msgspec

from fanous.errors import Rejected
from fanous.model.measurement import ParsedMeasurement
from fanous.sources.redaction import digest, pruned, to_minute, without_seconds

HEADER = (
    *("test_name", "test_version", "probe_cc", "probe_asn", "probe_as_org_name", "resolver_asn"),
    *("software_name", "software_version", "input", "network_type"),
)
FACTS = (
    *("hostname", "fqdn", "ip", "ip_asn", "port"),
    *("dns_engine", "dns_failure", "dns_answer", "dns_query_type", "dns_answer_asn"),
    *("tcp_failure", "tcp_success"),
    *("tls_failure", "tls_server_name", "tls_version", "tls_cipher_suite"),
    *("tls_handshake_time", "tls_handshake_read_count", "tls_handshake_read_bytes"),
    *("tls_end_entity_certificate_fingerprint", "tls_end_entity_certificate_subject"),
    *("tls_end_entity_certificate_subject_common_name", "tls_end_entity_certificate_san_list"),
    "tls_end_entity_certificate_issuer_common_name",
    *("http_request_url", "http_failure", "http_runtime", "http_response_status_code"),
    *("http_response_body_length", "http_response_body_is_truncated", "http_response_html_title"),
    "pp_http_response_body_title",
    *("http_response_header_location", "http_response_header_server"),
)
"""What ``parse`` and ``facts`` read; everything else of a row is left out."""


def redact(data: bytes, parsed: ParsedMeasurement) -> bytes:
    """The record as it may leave the store.

    Raises:
        Rejected: it is no record of rows.
    """
    try:
        document = msgspec.json.decode(data)
        rows: list[dict[str, Any]] = document["rows"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError) as error:
        raise Rejected(f"not a record of rows: {error}") from error
    wanted = dict.fromkeys((*HEADER, *FACTS))
    header = parsed.measurement
    named = {
        "measurement_uid": digest(header.uid),
        "report_id": digest(header.probe),
        "measurement_start_time": to_minute(header.started_at),
    }
    distinct = {msgspec.json.encode(_row(row, wanted)): None for row in rows}
    first, *others = (msgspec.json.decode(row) for row in distinct)
    return msgspec.json.encode({"ooni_csv": document.get("ooni_csv", 1), "rows": [named | first, *others]})


def _row(row: dict[str, Any], wanted: dict[str, None]) -> dict[str, Any]:
    kept: dict[str, Any] = pruned(row, wanted)
    if "http_response_html_title" in kept:
        kept["http_response_html_title"] = without_seconds(kept["http_response_html_title"])
    return kept
