"""A blocked measurement records what blocking leaves of it, and is judged so."""

import json
from pathlib import Path

import pytest

from fanous.analysis.rules import judge
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous_lab.evaluation.simulate.rows import TECHNIQUES, Measured, Row, blocked, write_rows

COLUMNS = [
    "input",
    "ip",
    "port",
    "ip_asn",
    "ip_as_org_name",
    "dns_engine",
    "dns_failure",
    "dns_answer",
    "tcp_success",
    "tcp_failure",
    "tls_failure",
    "tls_success",
    "tls_handshake_time",
    "http_request_url",
    "http_failure",
    "http_runtime",
    "hostname",
]
HEADER = {
    "report_id": "r",
    "test_name": "telegram",
    "measurement_uid": "u",
    "probe_cc": "KE",
    "probe_asn": "33771",
    "measurement_start_time": "2023-11-01 00:18:03",
}
WEB, CENTRE = "149.154.167.99", "149.154.175.50"


def row(**fields: str) -> Row:
    return HEADER | dict.fromkeys(COLUMNS, "") | fields


ROWS = (
    row(
        hostname="web.telegram.org",
        ip=WEB,
        port="443",
        dns_engine="system",
        dns_answer=WEB,
        tcp_success="1.0",
        tls_handshake_time="0.1",
        tls_success="1",
    ),
    row(hostname="web.telegram.org", http_request_url="https://web.telegram.org/", http_runtime="0.3"),
    row(ip=CENTRE, port="443", tcp_success="1.0"),
    row(http_request_url=f"http://{CENTRE}:443/", hostname=CENTRE),
)
MEASURED = Measured("u", 33771, 1_698_797_883, ROWS)


def symptoms(one: Measured, tmp_path: Path) -> set[str]:
    path = tmp_path / "rows.csv"
    write_rows(path, [*HEADER, *COLUMNS], [one])
    (record,) = MEASUREMENT_SOURCES["ooni-csv"].read(path, lambda line, why: pytest.fail(f"{line}: {why}"))
    assert json.loads(record.data)["rows"]
    verdicts = judge(MEASUREMENT_SOURCES["ooni-csv"].parse(record), fingerprints())
    return {v.mechanism for v in verdicts if v.symptom or v.state == "blocked"}


def test_the_measurement_as_it_was_shows_nothing(tmp_path: Path) -> None:
    assert symptoms(MEASURED, tmp_path) == set()


@pytest.mark.parametrize(
    ("technique", "mechanism"),
    [
        ("tcp.timeout", "tcp.timeout"),
        ("tls.reset", "tls.reset"),
        ("dns.nxdomain", "dns.nxdomain"),
        ("dns.bogon", "dns.injection.bogon"),
    ],
)
def test_each_technique_leaves_its_mark(technique: str, mechanism: str, tmp_path: Path) -> None:
    assert mechanism in symptoms(blocked(MEASURED, technique), tmp_path)


def test_every_technique_is_tried_here() -> None:
    assert set(TECHNIQUES) == {"tcp.timeout", "tls.reset", "dns.nxdomain", "dns.bogon"}


@pytest.mark.parametrize("technique", ["tls.reset", "dns.nxdomain", "dns.bogon"])
def test_what_goes_by_name_leaves_bare_addresses_alone(technique: str) -> None:
    assert blocked(MEASURED, technique).rows[-2:] == ROWS[-2:]
