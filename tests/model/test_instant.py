"""Unix seconds inside, RFC 3339 in UTC at the edges."""

import time
from collections.abc import Iterator

import pytest

from fanous.model.instant import from_iso, to_iso
from tests.each import each

RALLY = 1_702_814_400.0
"""17 December 2023, 12:00 UTC."""


@each(
    ("text", "instant"),
    [
        ("2023-12-17T12:00:00Z", RALLY),
        ("2023-12-17T12:00Z", RALLY),
        ("2023-12-17T17:00:00+05:00", RALLY),
        ("2023-12-17 12:00:00", RALLY),  # without a zone it is UTC
        ("2023-12-17", RALLY - 43_200),
        ("  2023-12-17T12:00Z\n", RALLY),
        ("2023-12-17T12:00:00.25Z", RALLY + 0.25),
        ("1970-01-01", 0.0),
        ("1969-12-31T23:59:59Z", -1.0),
    ],
)
def test_a_date_or_time_is_read(text: str, instant: float) -> None:
    assert from_iso(text) == instant


@each(
    "text",
    [
        *("", "yesterday", "1702814400", "2023-13-01", "2023-12-17T25:00Z", "17/12/2023"),
        *(
            "0001-01-01T00:00+12:00",
            "9999-12-31T23:00-12:00",
        ),  # of no year in UTC, so it cannot be written again
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_iso(text)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (RALLY, "2023-12-17T12:00:00Z"),
        (RALLY + 0.999, "2023-12-17T12:00:00Z"),  # cut, not rounded: nothing is dated after it happened
        (0.0, "1970-01-01T00:00:00Z"),
    ],
)
def test_it_is_written_in_utc_to_the_second(instant: float, text: str) -> None:
    assert to_iso(instant) == text


@pytest.fixture
def in_karachi(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own clock is five hours ahead."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Karachi")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_karachi")
def test_the_clock_of_the_machine_does_not_matter() -> None:
    assert from_iso("2023-12-17T12:00:00") == RALLY
    for instant in (0.0, 1.0, RALLY, 4e9):
        assert from_iso(to_iso(instant)) == instant
