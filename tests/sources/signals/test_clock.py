"""Times of tables."""

import pytest

from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.sources.signals.rows import reader, zone_of
from tests.each import each


@each(
    ("text", "zone", "instant"),
    [
        ("2025-12-01 00:00:00", "UTC", "2025-12-01T00:00:00Z"),
        ("2025-12-01T05:00+05:00", "UTC", "2025-12-01T00:00:00Z"),
        ("2025-12-01", "UTC", "2025-12-01T00:00:00Z"),
        ("11-Nov-2019 00:00:00", "Asia/Tehran", "2019-11-10T20:30:00Z"),
        ("1-nov-2019 9:05", "UTC", "2019-11-01T09:05:00Z"),
        ("11-Nov-2019", "UTC", "2019-11-11T00:00:00Z"),
        ("1573430400", "UTC", "2019-11-11T00:00:00Z"),
        ("1573430400", "Asia/Tehran", "2019-11-10T20:30:00Z"),  # "Epoch format, but in local time"
        ("1573430400000", "UTC", "2019-11-11T00:00:00Z"),
        ("2025-12-01 00:00:00 UTC", "Asia/Tehran", "2025-12-01T00:00:00Z"),
        ("2025/12/1 00:30", "UTC", "2025-12-01T00:30:00Z"),
        ("Dec 01, 2025 09:30", "UTC", "2025-12-01T09:30:00Z"),
        ("December 1, 2025, 12:05 AM", "UTC", "2025-12-01T00:05:00Z"),
        ("1 December 2025 9:30 pm", "UTC", "2025-12-01T21:30:00Z"),
        ("1573430400.5", "UTC", "2019-11-11T00:00:00Z"),
        ("2021-02-09 21:18:11.000", "+06:30", "2021-02-09T14:48:11Z"),
        ("2021-02-09 21:18:11", "GMT-5", "2021-02-10T02:18:11Z"),
        ("2025-12-01 0:00", "UTC", "2025-12-01T00:00:00Z"),  # as a spreadsheet saves them
        ("2025-12-01 9:30:00", "Asia/Karachi", "2025-12-01T04:30:00Z"),
        ("2025/12/1 0:00", "UTC", "2025-12-01T00:00:00Z"),
        ("2025-12-1", "UTC", "2025-12-01T00:00:00Z"),
        ("2025-12-01 12:30 AM", "UTC", "2025-12-01T00:30:00Z"),
        ("2025-12-01 3:30+03:30", "UTC", "2025-12-01T00:00:00Z"),
        ("Mon Dec 01 2025 00:00:00 GMT+0000", "Asia/Tehran", "2025-12-01T00:00:00Z"),
        ("Mon Dec 01 2025 03:30:00 GMT+0330 (Iran Standard Time)", "UTC", "2025-12-01T00:00:00Z"),
        ("Mon, 01 Dec 2025 00:00:00 GMT", "Asia/Tehran", "2025-12-01T00:00:00Z"),
        ("Monday, December 1, 2025 12:00 AM", "UTC", "2025-12-01T00:00:00Z"),
        ("1764547200000.0", "UTC", "2025-12-01T00:00:00Z"),
        ("2024-10-27 02:30", "Europe/Berlin", "2024-10-27T00:30:00Z"),  # shown twice: the first
    ],
)
def test_a_time_is_read_on_its_clock(text: str, zone: str, instant: str) -> None:
    seconds = reader(zone_of(zone))(text)
    assert seconds is not None and to_iso(seconds) == instant


@each(
    "text",
    [
        "",
        "yesterday",
        "32-Nov-2019",
        "11-Xxx-2019",
        "Decimal 1, 2025",
        "Dec 1, 2025 13:00 PM",
        "12/01/2025",
        "2025-12/01",
        "2025-12-01 1:5",
        "2025-12-01 0:00 PKT",
        "Dec 01 2025 00:00 GMT+9900",
        "202512010000",  # which is no time in 1976
        "1.76455E+12",  # a spreadsheet rounded it to hours
        "99999999999999",
        "0001-01-01",
        "9999-12-31",
    ],
)
def test_an_invalid_time_is_reported(text: str) -> None:
    assert reader(zone_of("UTC"))(text) is None


@pytest.mark.parametrize("zone", ["Asia/Tehra", "+99", "../etc/passwd", "Asia", "noon"])
def test_an_invalid_zone_is_reported_with_an_example(zone: str) -> None:
    with pytest.raises(FanousError, match="Asia/Tehran"):
        zone_of(zone)
