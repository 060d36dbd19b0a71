"""An instant on two clocks."""

import pytest

from fanous.model.instant import from_iso
from fanous.wording.clocks import clock, english_clocks, short_clock, span, zone_name
from tests.each import each


@each(
    ("at", "country", "text"),
    [
        ("2023-12-17T14:55Z", "PK", "17 December 2023, 19:55 PKT (14:55 UTC)"),
        ("2023-12-17T22:25Z", "PK", "18 December 2023, 03:25 PKT (17 December, 22:25 UTC)"),
        ("2023-12-31T22:25Z", "PK", "1 January 2024, 03:25 PKT (31 December, 22:25 UTC)"),
        ("2023-12-17T02:00Z", "VE", "16 December 2023, 22:00 UTC-04 (17 December, 02:00 UTC)"),
        ("2023-12-17T14:55Z", "NP", "17 December 2023, 20:40 UTC+05:45 (14:55 UTC)"),
        ("2023-12-17T14:55Z", "GH", "17 December 2023, 14:55 GMT (the same in UTC)"),
        ("2023-12-17T14:55Z", "ZZ", "17 December 2023, 14:55 UTC"),
        ("9999-12-31T23:59Z", "PK", "31 December 9999, 23:59 UTC"),
        ("2023-07-01T12:00Z", "GB", "1 July 2023, 13:00 BST (12:00 UTC)"),
    ],
)
def test_the_date_in_utc_is_given_where_it_is_another(at: str, country: str, text: str) -> None:
    assert english_clocks(from_iso(at), country) == text


def test_the_day_may_be_left_out() -> None:
    assert clock(from_iso("2023-12-17T14:55Z"), "PK", day=False) == "19:55 PKT"
    assert (
        english_clocks(from_iso("2023-12-17T22:25Z"), "PK", day=False) == "03:25 PKT (17 December, 22:25 UTC)"
    )


@pytest.mark.parametrize(
    ("start", "end", "texts"),
    [
        (
            "2023-12-17T14:00Z",
            "2023-12-17T15:00Z",
            ("about 17 December 2023, 19:00 PKT (14:00 UTC)", "about 20:00 PKT (15:00 UTC) the same day"),
        ),
        (
            "2023-12-17T18:00Z",
            "2023-12-17T20:00Z",  # one day in UTC, two in Pakistan
            (
                "about 17 December 2023, 23:00 PKT (18:00 UTC)",
                "about 18 December 2023, 01:00 PKT (17 December, 20:00 UTC)",
            ),
        ),
    ],
)
def test_the_same_day_is_the_same_on_the_countrys_clock(start: str, end: str, texts: tuple[str, str]) -> None:
    assert span(from_iso(start), from_iso(end), "PK") == texts


def test_a_short_time_has_no_year() -> None:
    assert short_clock(from_iso("2023-11-08T11:05Z"), "KE") == "8 Nov 14:05"


@each(
    ("at", "country", "name"),
    [
        ("2023-12-17T15:00Z", "PK", "PKT"),
        ("2023-12-17T15:00Z", "KE", "EAT"),
        ("2023-12-17T15:00Z", "NP", "UTC+05:45"),
        ("2023-12-17T15:00Z", "IR", "UTC+03:30"),
        ("2023-12-17T15:00Z", "VE", "UTC-04"),
        ("2023-12-17T15:00Z", "US", "EST"),
        ("2023-12-17T15:00Z", "ZZ", "UTC"),
        ("2023-07-01T00:00Z", "DE", "CEST"),
        ("2023-01-01T00:00Z", "DE", "CET"),
    ],
)
def test_a_zone_has_its_usual_name_at_that_time_of_the_year(at: str, country: str, name: str) -> None:
    assert zone_name(from_iso(at), country) == name
