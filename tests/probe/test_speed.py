"""How fast data came, for people."""

import json
from typing import Any

from fanous.probe.outcome import Speed, speed_of
from tests.each import each


def record(transfers: list[dict[str, Any]], reads: list[tuple[float, int]]) -> bytes:
    events = [{"operation": "read", "t": at, "transaction_id": 7, "num_bytes": n} for at, n in reads]
    keys = {
        "requests": [{"t0": 1.0, "transaction_id": 7}],
        "network_events": events,
        "x_transfers": transfers,
    }
    return json.dumps({"test_keys": keys}).encode()


def rate(role: str, kbps: float | None, late: float | None = None) -> dict[str, Any]:
    return {"role": role, "kbps": kbps, "kbps_late": late}


def frozen(after: int) -> dict[str, Any]:
    return rate("target", 7e3) | {"failure": "generic_timeout_error", "stall_offset": after}


PAGE = [(0.5, 4_000), (1.5, 10_000), (2.5, 12_500)]


@each(
    ("transfers", "reads", "speed"),
    [
        ([rate("target", 900.0, 137.0), rate("control", 9e3)], PAGE, Speed(137.0, 9e3, "transfer")),
        ([rate("target", 100.0), rate("target", 300.0)], PAGE, Speed(200.0, None, "transfer")),
        ([rate("target", None)], PAGE, Speed(100.0, None, "page")),  # the handshake's read does not count
        ([frozen(16_000), rate("control", 9e3)], PAGE, Speed(7e3, 9e3, "transfer", 16_000)),
        ([frozen(16_000), rate("target", 7e3)], PAGE, Speed(7e3, None, "transfer")),  # one went on
        ([], PAGE[:2], None),
        ([], [], None),
    ],
)
def test_a_download_tells_more_than_a_page(
    transfers: list[dict[str, Any]], reads: list[tuple[float, int]], speed: Speed | None
) -> None:
    assert speed_of(record(transfers, reads)) == speed
