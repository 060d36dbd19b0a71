"""When a channel may be written to."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from fanous.model.alert import Happening
from fanous.model.instant import HOUR, from_iso
from fanous.publish.alerts.channel import LONGEST_WAIT, Pace, QuietHours, wait_after

NIGHT = QuietHours(time(22), time(7), ZoneInfo("Asia/Karachi"))
OPENED, CONFIRMED = Happening.OPENED, Happening.CONFIRMED


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2023-12-17T16:59Z", "2023-12-17T16:59Z"),  # 21:59 in Karachi
        ("2023-12-17T17:00Z", "2023-12-18T02:00Z"),
        ("2023-12-18T01:59Z", "2023-12-18T02:00Z"),
        ("2023-12-18T02:00Z", "2023-12-18T02:00Z"),
    ],
)
def test_quiet_hours_are_those_of_the_place(now: str, until: str) -> None:
    assert NIGHT.until(from_iso(now)) == from_iso(until)


def test_quiet_hours_follow_summer_time() -> None:
    night = QuietHours(time(1), time(5), ZoneInfo("Europe/Berlin"))
    assert night.until(from_iso("2024-03-31T00:30Z")) == from_iso("2024-03-31T03:00Z")  # 5:00 CEST


def test_some_news_does_not_wait_for_the_morning() -> None:
    pace, now = Pace((NIGHT,), (CONFIRMED,)), from_iso("2023-12-17T20:00Z")
    assert pace.allowed_at(now, OPENED, None) == from_iso("2023-12-18T02:00Z")
    assert pace.allowed_at(now, CONFIRMED, None) == now


def test_messages_about_one_group_keep_their_distance() -> None:
    pace = Pace(per_hour=2)
    assert pace.allowed_at(10_000, OPENED, 9_000.0) == 9_000 + HOUR / 2
    assert pace.allowed_at(10_000, OPENED, 8_000.0) == 10_000


def test_patience_doubles_to_an_hour_and_heeds_the_receiver() -> None:
    assert [wait_after(n) for n in (1, 2, 3)] == [15, 30, 60]
    assert wait_after(30) == LONGEST_WAIT
    assert wait_after(1, asked=120.0) == 120
    assert wait_after(1, asked=1e9) == LONGEST_WAIT
