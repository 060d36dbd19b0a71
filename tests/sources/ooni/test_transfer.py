"""Speed tests of every version."""

from math import isnan
from typing import Any

import pytest

from fanous.model.measurement import Layer
from tests.each import each
from tests.sources.records import document, parsed, web_keys

NDT = {
    "server": {"hostname": "ndt-mlab1-tst01.mlab.example"},
    "summary": {"download": 4200.5, "upload": 900.0, "min_rtt": 30.0},
    "download": [
        {"AppInfo": {"NumBytes": 1000, "ElapsedTime": 250_000}},
        {"AppInfo": {"NumBytes": 5_000_000, "ElapsedTime": 10_000_000}},
        {"TCPInfo": {}},
    ],
    "failure": None,
}
DASH = {
    "simple": {"connect_latency": 0.01, "median_bitrate": 7000},
    "receiver_data": [{"received": 1000, "elapsed": 2.0}, {"received": 500, "elapsed": 1.5}],
    "failure": None,
}


@each(
    ("name", "keys", "kbps", "received", "seconds"),
    [
        ("ndt", NDT, 4200.5, 5_000_000, 10.0),
        ("dash", DASH, 7000, 1500, 3.5),
        ("ndt", {"simple": {"download": 3100}}, 3100, -1, None),  # Measurement Kit
        ("ndt", {"failure": "generic_timeout_error"}, None, -1, None),
        ("dash", DASH | {"simple": {"median_bitrate": -1}}, None, 1500, 3.5),
        ("dash", DASH | {"simple": {"median_bitrate": 1e300}}, None, 1500, 3.5),
        ("ndt", NDT | {"download": [None, 7]}, 4200.5, -1, None),
    ],
)
def test_the_download_is_one_observation(
    name: str, keys: dict[str, Any], kbps: float | None, received: int, seconds: float | None
) -> None:
    bundle = parsed(document(keys, test_name=name, input=None))
    (seen,) = bundle.observations
    assert (seen.layer, seen.target, bundle.measurement.target) == (Layer.TRANSFER, name, name)
    assert isnan(seen.kbps) if kbps is None else seen.kbps == kbps
    assert seen.received == received
    assert isnan(seen.seconds) if seconds is None else seen.seconds == seconds
    assert seen.failure == keys.get("failure")


@pytest.mark.parametrize("keys", [{}, {"simple": {}}, {"summary": None}, {"download": []}])
def test_a_test_that_says_nothing_observed_nothing(keys: dict[str, Any]) -> None:
    assert parsed(document(keys, test_name="ndt")).observations == ()


IN_TURN = [
    {
        "role": "target",
        "pair": 0,
        "url": "https://video.example.org/clip",
        "t0": 1.0,
        "failure": "generic_timeout_error",
        "bytes": 170_000,
        "seconds": 10.0,
        "kbps": 310.0,
        "kbps_late": 137.0,
        "largest_gap": 0.9,
    },
    {
        "role": "control",
        "pair": 0,
        "address": "198.51.100.7:443",
        "url": "https://speed.example.com/",
        "t0": 11.5,
        "failure": None,
        "bytes": 393_216,
        "seconds": 0.5,
        "kbps": 6291.5,
        "kbps_late": None,
        "largest_gap": None,
    },
]


def test_downloads_in_turn_are_observations_of_the_target_and_of_the_control() -> None:
    found = parsed(document(web_keys(x_transfers=IN_TURN), input="https://example.org/")).observations
    slow, fast = (o for o in found if o.layer is Layer.TRANSFER)
    assert (slow.target, slow.hostname, slow.failure) == (
        "example.org",
        "video.example.org",
        "generic_timeout_error",
    )
    assert (slow.kbps, slow.received, slow.seconds, slow.largest_gap) == (137.0, 170_000, 10.0, 0.9)
    assert (slow.ip, fast.ip) == ("", "198.51.100.7")
    assert (fast.target, fast.role, fast.kbps) == ("speed.example.com", "control", 6291.5)


@each("odd", [[None], [7], {"role": 1}, "x", [{"url": 5}], [{"kbps": "fast"}]])
def test_odd_downloads_cost_nothing_else(odd: Any) -> None:
    layers = {o.layer for o in parsed(document(web_keys(x_transfers=odd))).observations}
    assert {Layer.DNS, Layer.TCP, Layer.TLS, Layer.HTTP} <= layers
