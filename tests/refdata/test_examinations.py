"""Where and when the internet was cut for examinations before."""

from datetime import datetime
from zoneinfo import ZoneInfo

from fanous.refdata import toml_table
from fanous.refdata.countries import exam_season, is_country, main_zone
from fanous.wording.findings import EXAMS
from tests.each import each

SEASONS = toml_table("examinations.toml")


def at(cc: str, *moment: int) -> float:
    return datetime(*moment, tzinfo=ZoneInfo(main_zone(cc))).timestamp()  # type: ignore[misc,arg-type]


@each(
    ("cc", "moment", "names"),
    [
        ("SY", (2023, 6, 25, 5, 0), "secondary certificates"),  # Internet Society Pulse
        ("IQ", (2025, 6, 8, 6, 0), "preparatory"),
        ("IQ", (2024, 6, 8, 6, 0), ""),  # Shafaq News: the first year known, which is no sign of itself
        ("KE", (2023, 11, 8, 11, 5), ""),  # as in Kenya
        ("KE", (2024, 11, 6, 11, 5), "KCSE"),
        ("SD", (2022, 6, 13, 7, 30), "secondary certificate"),  # Cloudflare
        ("DZ", (2024, 6, 9, 8, 0), "baccalaureate"),
        ("SY", (2023, 6, 25, 15, 0), ""),  # no hour of theirs
        ("SY", (2023, 2, 6, 5, 0), ""),  # the earthquake
        ("IR", (2024, 6, 8, 6, 0), ""),  # no such country
        ("XX", (2024, 6, 8, 6, 0), ""),
    ],
)
def test_the_season_and_the_hour_of_the_capital_count(cc: str, moment: tuple[int, ...], names: str) -> None:
    hint = exam_season(cc, at(cc, *moment))
    assert (hint is not None) is bool(names)
    if hint is not None:
        assert names in str(hint.params["exam"])
        assert hint.params["years"] == tuple(year for year in SEASONS[cc]["years"] if year < moment[0])


@each("cc", SEASONS)
def test_every_row_is_whole_and_says_whence(cc: str) -> None:
    row = SEASONS[cc]
    first, last = row["hours"]
    assert is_country(cc)
    assert 0 <= first < last <= 24
    assert all(1 <= month <= 12 for month in row["months"])
    assert row["exam"] in EXAMS and row["source"]
    assert row["years"] == sorted(set(row["years"])) and all(2010 < year < 2030 for year in row["years"])
