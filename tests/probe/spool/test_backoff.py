"""The wait grows, is never in step with others, and is never shorter than what was asked."""

import pytest

from fanous.probe.upload import MOST_ASKED_SECONDS, MOST_SECONDS, backoff, retry_after
from tests.each import each


@each(
    ("failures", "chance", "asked", "seconds"),
    [
        (1, 0.0, None, 1.0),
        (1, 1.0, None, 2.0),
        (2, 1.0, None, 4.0),
        (5, 1.0, None, 32.0),
        (5, 0.0, None, 16.0),
        (50, 1.0, None, MOST_SECONDS),
        (5000, 0.0, None, MOST_SECONDS / 2),
        (1, 0.0, 60.0, 60.0),
        (1, 1.0, 60.0, 66.0),
        (20, 1.0, 1.0, MOST_SECONDS),
        (1, 0.0, 1e9, MOST_ASKED_SECONDS),
    ],
)
def test_so_long_is_waited(failures: int, chance: float, asked: float | None, seconds: float) -> None:
    assert backoff(failures, chance, asked) == pytest.approx(seconds)


@each(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_seconds_or_nothing(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds
