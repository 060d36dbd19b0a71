"""Rows: small CSVs of OONI observations, written here as exporters write them."""

import csv
import io

COLUMNS = (
    *("report_id", "input", "test_name", "test_version", "measurement_uid", "probe_cc", "probe_asn"),
    *("probe_as_org_name", "network_type", "measurement_start_time", "hostname", "ip", "port", "ip_asn"),
    *("resolver_asn", "dns_engine", "dns_failure", "dns_answer", "tcp_success", "tcp_failure"),
    *("tls_handshake_time", "tls_success", "tls_failure", "tls_handshake_read_bytes"),
    *("tls_end_entity_certificate_subject_common_name", "tls_end_entity_certificate_san_list"),
    *("http_request_url", "http_failure", "http_runtime"),
)
UID = "20231110080000.000001_KE_telegram_00112233445566ff"
ACCESS_POINT = "149.154.175.50"


def row(**given: str) -> dict[str, str]:
    """A row of a telegram measurement on Safaricom, without any step; ``given`` adds columns."""
    return {
        "report_id": "20231110T080000Z_telegram_KE_37061_n1_abcdefghijklmnop",
        "test_name": "telegram",
        "test_version": "0.3.1",
        "measurement_uid": UID,
        "probe_cc": "KE",
        "probe_asn": "37061",
        "probe_as_org_name": "Safaricom",
        "network_type": "mobile",
        "measurement_start_time": "2023-11-10 08:00:00+00:00",
        "resolver_asn": "37061.0",
        "tls_success": "0",
        "tls_end_entity_certificate_san_list": "[]",
    } | given


def csv_of(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
