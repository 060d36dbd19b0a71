"""A country's name and the clock on its walls."""

from zoneinfo import available_timezones

import pytest

from fanous.model.instant import from_iso
from fanous.refdata import toml_table
from fanous.refdata.countries import country_name, has_several_clocks, is_country, local, main_zone
from tests.each import each

RALLY = from_iso("2023-12-17T15:00:00Z")


@pytest.mark.parametrize(
    ("cc", "name"),
    [("PK", "Pakistan"), ("KE", "Kenya"), ("XK", "Kosovo"), ("ZZ", "an unknown country"), ("QQ", "QQ")],
)
def test_a_country_has_a_name_for_people(cc: str, name: str) -> None:
    assert country_name(cc) == name


def test_names_exist_in_other_languages() -> None:
    assert country_name("PK", "ur") == "پاکستان"
    assert country_name("KE", "pt_BR") == "Quênia"


@each(
    ("cc", "clock"),
    [
        ("PK", "20:00"),
        ("KE", "18:00"),
        ("NP", "20:45"),
        ("IR", "18:30"),
        ("VE", "11:00"),
        ("US", "10:00"),
        ("ZZ", "15:00"),
    ],
)
def test_an_instant_is_read_on_the_countrys_clock(cc: str, clock: str) -> None:
    assert local(RALLY, cc).strftime("%H:%M") == clock


def test_every_zone_in_the_table_exists() -> None:
    table = toml_table("countries.toml")
    assert len(table) >= 245
    assert {entry["zone"] for entry in table.values()} <= available_timezones()


def test_a_country_with_several_clocks_says_so() -> None:
    assert has_several_clocks("RU")
    assert not has_several_clocks("PK")
    assert main_zone("ID") == "Asia/Jakarta"
    assert is_country("PK") and not is_country("ZZ")


def test_naming_a_country_reads_no_file_again(monkeypatch: pytest.MonkeyPatch) -> None:
    country_name("CD", "ur")
    monkeypatch.setattr("tomllib.loads", None)
    assert country_name("CD") == "DR Congo"
