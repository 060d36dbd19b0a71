"""Records: small raw OONI measurements, as any probe may write them; a test states only what it is about."""

import json
from base64 import b64encode
from typing import Any

from fanous.model.measurement import Layer, Observation, Observer, ParsedMeasurement, Record
from fanous.sources.measurements import MEASUREMENT_SOURCES

UID = "20231217143000.123456_PK_webconnectivity_00112233445566ff"
ADDRESS = "203.0.113.10"
HOST = "news.example.org"


def document(test_keys: Any = None, **given: Any) -> dict[str, Any]:
    """A sound web_connectivity record of PTCL; ``given`` replaces fields of the header."""
    header = {
        "data_format_version": "0.2.0",
        "measurement_uid": UID,
        "report_id": "20231217T142900Z_webconnectivity_PK_17557_n1_abcdefghijklmnop",
        "measurement_start_time": "2023-12-17 14:30:00",
        "test_start_time": "2023-12-17 14:29:00",
        "probe_asn": "AS17557",
        "probe_cc": "PK",
        "probe_ip": "127.0.0.1",
        "probe_network_name": "PTCL",
        "resolver_asn": "AS17557",
        "software_name": "ooniprobe-android",
        "software_version": "3.8.2",
        "annotations": {"network_type": "wifi", "platform": "android"},
        "input": f"https://{HOST}/",
        "test_name": "web_connectivity",
        "test_version": "0.4.3",
        "test_keys": web_keys() if test_keys is None else test_keys,
    }
    return header | given


def web_keys(**given: Any) -> dict[str, Any]:
    """What web_connectivity 0.5 writes of a page that works; ``given`` replaces keys."""
    keys: dict[str, Any] = {
        "queries": [query()],
        "tcp_connect": [connect()],
        "tls_handshakes": [handshake()],
        "requests": [transaction()],
        "network_events": [],
        "control": control(),
        "control_failure": None,
    }
    return keys | given


def query(host: str = HOST, *addresses: str, **given: Any) -> dict[str, Any]:
    answers = [
        {"answer_type": "A", "ipv4": address, "asn": 64500, "ttl": 60} for address in addresses or (ADDRESS,)
    ]
    return {
        "engine": "getaddrinfo",
        "hostname": host,
        "query_type": "A",
        "failure": None,
        "answers": answers,
        "t0": 0.1,
        "t": 0.15,
    } | given


def connect(ip: str = ADDRESS, port: Any = 443, failure: Any = None, **given: Any) -> dict[str, Any]:
    status = {"failure": failure, "success": failure is None}
    return {"ip": ip, "port": port, "status": status, "t0": 0.2, "t": 0.25, "transaction_id": 1} | given


def handshake(host: str = HOST, address: str = f"{ADDRESS}:443", **given: Any) -> dict[str, Any]:
    return {
        "address": address,
        "server_name": host,
        "failure": None,
        "no_tls_verify": False,
        "peer_certificates": [],
        "t0": 0.25,
        "t": 0.4,
        "transaction_id": 1,
    } | given


def transaction(url: str = f"https://{HOST}/", body: Any = "", **given: Any) -> dict[str, Any]:
    response = {
        "body": body or "<html><title>News of the day</title></html>",
        "code": 200,
        "headers_list": [["Content-Type", "text/html"], ["Server", "nginx"]],
    }
    return {
        "address": f"{ADDRESS}:443",
        "failure": None,
        "request": {"url": url, "method": "GET"},
        "response": response,
        "t0": 0.4,
        "t": 0.9,
        "transaction_id": 1,
    } | given


def control(**given: Any) -> dict[str, Any]:
    endpoint = f"{ADDRESS}:443"
    return {
        "dns": {"failure": None, "addrs": [ADDRESS]},
        "ip_info": {ADDRESS: {"asn": 64500, "flags": 11}},
        "tcp_connect": {endpoint: {"status": True, "failure": None}},
        "tls_handshake": {endpoint: {"server_name": HOST, "status": True, "failure": None}},
        "http_request": {
            "body_length": 1200,
            "failure": None,
            "title": "News of the day",
            "headers": {"Content-Type": "text/html"},
            "status_code": 200,
        },
    } | given


def encoded(content: Any) -> bytes:
    return json.dumps(content).encode()


def parsed(content: Any, source: str = "ooni") -> ParsedMeasurement:
    """What the connector makes of one document."""
    data = content if isinstance(content, bytes) else encoded(content)
    return MEASUREMENT_SOURCES[source].parse(Record(source, data))


def seen(content: Any, layer: Layer, vantage: Observer = Observer.PROBE) -> list[Observation]:
    """Its observations of one layer."""
    return [o for o in parsed(content).observations if o.layer is layer and o.vantage is vantage]


def binary(data: bytes) -> dict[str, str]:
    return {"format": "base64", "data": b64encode(data).decode()}


def der(tag: int, *parts: bytes) -> bytes:
    """One element of ASN.1 DER."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def certificate(subject: str, issuer: str, *names: str) -> bytes:
    """An X.509 certificate that is well formed but signed by no authority."""

    def name(text: str) -> bytes:
        return der(0x30, der(0x31, der(0x30, bytes.fromhex("0603550403"), der(0x0C, text.encode()))))

    alternative = der(0x30, *[der(0x82, each.encode()) for each in names])
    extension = der(0x30, bytes.fromhex("0603551d11"), der(0x04, alternative))
    tbs = der(
        0x30,
        der(0xA0, der(0x02, b"\x02")),
        der(0x02, b"\x01" * 16),
        der(0x30, bytes.fromhex("06092a864886f70d01010b")),
        name(issuer),
        der(0x30, der(0x17, b"230101000000Z"), der(0x17, b"240101000000Z")),
        name(subject),
        der(0x30, b"\x00" * 64),
        der(0xA3, der(0x30, extension)),
    )
    return der(0x30, tbs, der(0x30, b""), der(0x03, b"\x00" * 65))
