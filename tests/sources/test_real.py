"""Real measurements and exports, where they are present: all are taken, and the counts are known."""

from collections import Counter
from pathlib import Path

import pytest

from fanous.model.measurement import Layer, Observer, ParsedMeasurement, Record
from fanous.sources.measurements import MEASUREMENT_SOURCES
from tests.shared_data import shared_file

pytestmark = pytest.mark.shared_data

MEASUREMENTS = "ooni/real_measurements.jsonl.gz"
TELEGRAM = "ooni/2023-KE-telegram.csv.gz"
WEB = "ooni/2023-KE-web_connectivity-telegram.org.csv.gz"


def read_all(source: str, path: Path) -> list[Record]:
    def never(line: int, why: str) -> None:
        raise AssertionError(f"{path}:{line}: {why}")

    return list(MEASUREMENT_SOURCES[source].read(path, never))


def bundles(source: str, name: str) -> list[ParsedMeasurement]:
    return [MEASUREMENT_SOURCES[source].parse(record) for record in read_all(source, shared_file(name))]


def test_all_76_real_measurements_are_taken() -> None:
    read = bundles("ooni", MEASUREMENTS)
    assert len(read) == 76
    assert len({bundle.measurement.uid for bundle in read}) == 76
    assert Counter(bundle.measurement.test_name for bundle in read)["web_connectivity"] == 28
    assert {n: bundle.bogus for n, bundle in enumerate(read, 1) if bundle.bogus} == {
        58: ("test_keys: missing",),
        67: ("requests.response.body: not base64",),
    }


def test_every_real_measurement_with_steps_has_observations() -> None:
    observed = (
        "web_connectivity",
        "telegram",
        "whatsapp",
        "facebook_messenger",
        "signal",
        "tor",
        "ndt",
        "dash",
    )
    for bundle in bundles("ooni", MEASUREMENTS):
        expected = bundle.measurement.test_name in observed and "test_keys: missing" not in bundle.bogus
        assert bool(bundle.observations) is expected, bundle.measurement.uid


def test_no_probe_address_is_left_in_a_real_record() -> None:
    addresses = (b"212.129.75.18", b"196.223.156.162", b"66.253.196.21", b"202.138.55.172", b"27.19.191.196")
    for record in read_all("ooni", shared_file(MEASUREMENTS)):
        assert not [address for address in addresses if address in record.data]


def test_the_pakistani_measurement_has_its_failed_handshakes_and_a_control_that_fails_too() -> None:
    (bundle,) = [
        each
        for each in bundles("ooni", MEASUREMENTS)
        if (each.measurement.country, each.measurement.test_name) == ("PK", "web_connectivity")
    ]
    tls = [o for o in bundle.observations if o.layer is Layer.TLS]
    assert Counter((o.vantage, o.failure) for o in tls) == {
        (Observer.PROBE, "eof_error"): 21,
        (Observer.HELPER, "eof_error"): 37,
    }
    assert all(o.seconds > 0 for o in tls if o.vantage is Observer.PROBE)


@pytest.mark.parametrize(
    ("name", "rows", "distinct", "measurements"),
    [
        pytest.param(TELEGRAM, 125_441, 62_056, 2344, marks=pytest.mark.matrix),
        (WEB, 6055, 3032, 1228),
    ],
)
def test_every_row_of_a_real_export_is_kept_or_a_repetition(
    name: str, rows: int, distinct: int, measurements: int
) -> None:
    records = read_all("ooni-csv", shared_file(name))
    assert len(records) == measurements
    assert sum(record.items for record in records) == distinct
    assert sum(record.items + record.duplicates for record in records) == rows


@pytest.mark.matrix
def test_access_points_of_the_real_export_are_told_from_the_web_client() -> None:
    seen = Counter((o.role, o.layer) for b in bundles("ooni-csv", TELEGRAM) for o in b.observations)
    assert seen["api", Layer.TCP] > 10 * seen["client", Layer.TCP] * 0.5
    assert seen["api", Layer.TLS] == 0
    assert seen["api", Layer.DNS] == 0
    assert seen["client", Layer.TLS] > 2000
