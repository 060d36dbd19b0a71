"""Where an address is, without a table of the operator's own."""

from pathlib import Path

import pytest

from fanous.collector.origin import UNKNOWN, Origin, ShippedOrigins, origins_named
from fanous.collector.submission import Apart, new_report_id, receive
from fanous.errors import FanousError

NOW = 1_702_825_200.0


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("39.32.0.1", Origin("PK", 17557)),
        ("8.8.8.8", Origin("US", 15169)),
        ("127.0.0.1", UNKNOWN),
        ("10.1.2.3", UNKNOWN),
        ("::1", UNKNOWN),
    ],
)
def test_country_and_network_are_known_by_default(address: str, origin: Origin) -> None:
    assert origins_named(None).of(address) == origin


def test_the_operator_may_want_another_table_or_none(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("39.32.0.0,39.63.255.255,64496,PK\n")
    assert origins_named(tmp_path / "own.csv").of("39.32.0.1") == Origin("PK", 64496)
    assert origins_named(Path("none")).of("39.32.0.1") == UNKNOWN
    assert origins_named(tmp_path / "none").of("39.32.0.1") == UNKNOWN
    with pytest.raises(FanousError, match="Cannot read"):
        origins_named(tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("address", "apart"),
    [
        ("39.32.0.1", None),  # on the network that it names
        ("8.8.8.8", Apart.CONTRADICTED),  # through a tunnel: the measurement is of another network
        ("127.0.0.1", None),  # no one knows
    ],
)
def test_a_claim_is_held_against_the_address_at_the_door(address: str, apart: Apart | None) -> None:
    report = new_report_id("web_connectivity", "PK", "AS17557", NOW, b"chance of twelve")
    body = (
        b'{"format":"json","content":{"probe_cc":"PK","probe_asn":"AS17557","test_name":"web_connectivity",'
        b'"measurement_start_time":"2023-12-17 15:00:00","test_keys":{}}}'
    )
    kept = receive(report, body, address, ShippedOrigins().of(address), NOW)
    assert kept.apart is apart
    assert address.encode() not in kept.line.replace(b'"probe_ip":"127.0.0.1"', b"")
