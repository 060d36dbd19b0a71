"""Numbers, lists and times in a language."""

import pytest

from fanous.model.instant import from_iso
from fanous.wording import LANGUAGES
from fanous.wording.clocks import ago, both_clocks, length, utc_day
from tests.each import each

EVENING = from_iso("2023-12-17T22:25Z")


@pytest.mark.parametrize(
    ("code", "text"),
    [("en", "12,345"), ("fr", "12\u202f345"), ("es", "12.345"), ("ur", "12,345"), ("fa", "۱۲٬۳۴۵")],
)
def test_a_number_is_written_as_its_readers_write_it(code: str, text: str) -> None:
    assert LANGUAGES[code].number(12_345) == text


def test_persian_figures_have_the_signs_of_their_digits() -> None:
    persian = LANGUAGES["fa"]
    assert (persian.number(1234.5, 1), persian.percent(0.834)) == ("۱٬۲۳۴٫۵", "۸۳٪")


@each(
    ("code", "n", "text"),
    [
        ("en", 1, "1 day"),
        ("en", 30, "30 days"),
        ("ar", 2, "يومان"),
        ("ar", 7, "\u20687\u2069 أيام"),
        ("ar", 30, "\u206830\u2069 يومًا"),
        ("fr", 30, "30 jours"),
    ],
)
def test_a_count_takes_the_form_of_its_number(code: str, n: int, text: str) -> None:
    assert LANGUAGES[code].count("{n} day", "{n} days", n) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "18 December 2023, 03:25 PKT (17 December 2023, 22:25 UTC)"),
        ("fr", "18 décembre 2023, 03:25 PKT (17 décembre 2023, 22:25 UTC)"),
    ],
)
def test_an_instant_is_given_on_both_clocks(code: str, text: str) -> None:
    assert both_clocks(EVENING, "PK", LANGUAGES[code]) == text


def test_a_latin_clock_inside_arabic_script_keeps_its_own_order() -> None:
    assert "\u206803:25 PKT\u2069" in both_clocks(EVENING, "PK", LANGUAGES["ur"])


def test_persian_figures_are_persian() -> None:
    text = both_clocks(EVENING, "PK", LANGUAGES["fa"])
    assert "۰۳:۲۵ PKT" in text
    assert not set(text) & set("0123456789")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(40, "1 minute"), (4800, "80 minutes"), (29_700, "8 hours"), (172_800, "2 days")],
)
def test_a_length_has_no_more_digits_than_a_reader_needs(seconds: float, text: str) -> None:
    assert length(seconds, LANGUAGES["en"]) == text


def test_what_was_heard_just_now_was_heard_a_minute_ago() -> None:
    assert ago(0, 3, LANGUAGES["en"]) == "1 minute ago"


def test_a_time_in_utc_below_a_local_date_has_its_day_if_that_is_another() -> None:
    """The shutdown of Iran in 2019 began on the 17th at 01:30, and "between 21:48 and 22:00 UTC" on the 16th."""
    assert utc_day(from_iso("2019-11-16T22:00Z"), "IR", LANGUAGES["en"]) == "16 November, "
    assert utc_day(from_iso("2019-11-16T19:00Z"), "IR", LANGUAGES["en"]) == ""
