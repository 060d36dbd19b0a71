"""What a probe sends, shaped as ooniprobe does it (ooni/probe-cli, internal/probeservices/collector.go)."""

from typing import Any

OPEN = {
    "data_format_version": "0.2.0",
    "format": "json",
    "probe_asn": "AS17557",
    "probe_cc": "PK",
    "software_name": "ooniprobe-android",
    "software_version": "3.8.2",
    "test_name": "web_connectivity",
    "test_start_time": "2023-12-17 14:30:00",
    "test_version": "0.4.3",
}
REPORT_ID = "20231217T143000Z_webconnectivity_PK_17557_n0_Ab3dEf6hIj9lMnO0"


def measurement(number: int = 0, **fields: Any) -> dict[str, Any]:
    """One of web_connectivity; ``number`` makes it another."""
    return {
        "annotations": {"platform": "android"},
        "data_format_version": "0.2.0",
        "id": f"bdd20d7a-bba5-40dd-a111-{number:012d}",
        "input": "https://x.com/",
        "measurement_start_time": "2023-12-17 14:30:07",
        "probe_asn": "AS17557",
        "probe_cc": "PK",
        "probe_ip": "127.0.0.1",
        "report_id": REPORT_ID,
        "resolver_asn": "AS17557",
        "software_name": "ooniprobe-android",
        "software_version": "3.8.2",
        "test_keys": {"control_failure": None, "requests": [], "queries": [], "tcp_connect": []},
        "test_name": "web_connectivity",
        "test_runtime": 1.25,
        "test_start_time": "2023-12-17 14:30:00",
        "test_version": "0.4.3",
        **fields,
    }


def body(number: int = 0, **fields: Any) -> dict[str, Any]:
    """Of ``POST /report/{id}``."""
    return {"format": "json", "content": measurement(number, **fields)}
