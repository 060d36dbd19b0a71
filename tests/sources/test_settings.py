"""How public sources are asked."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.sources.publishers import source_settings
from tests.each import each


def toml(folder: Path, text: str) -> Path:
    path = folder / "fanous.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_source_that_is_not_named_is_switched_off_and_has_its_own_interval(tmp_path: Path) -> None:
    for settings in (source_settings(None), source_settings(toml(tmp_path, "[sources.tor]\n"))):
        assert not settings["ioda"].enabled
        assert settings["ioda"].every == 600
    assert source_settings(tmp_path / "fanous.toml")["tor"].enabled


def test_a_table_says_how_a_source_is_asked(tmp_path: Path) -> None:
    text = (
        '[sources.radar]\ncountries = ["pk"]\nevery = 3600\nnetworks = [17557]\ntoken = "MY_KEY"\n'
        '[sources.ioda]\nenabled = false\nregions = true\nevery = 1\nmirror = "https://mirror.example"\n'
    )
    settings = source_settings(toml(tmp_path, text))
    radar, ioda = settings["radar"], settings["ioda"]
    assert (radar.countries, radar.every, radar.networks, radar.token) == (("PK",), 3600, (17557,), "MY_KEY")
    assert (ioda.enabled, ioda.regions, ioda.mirror) == (False, True, "https://mirror.example")
    assert ioda.every == 600, "never more often than the source's own interval"


@each(
    ("text", "why"),
    [
        ("sources = 3", r"`sources` must be a table"),
        ("[sources.csv]", "unknown source"),
        ("[sources.iod]", "did you mean 'ioda'"),
        ("[sources]\nioda = 3", "a table"),
        ("[sources.ioda]\nevry = 3", "did you mean 'every'"),
        ("[sources.ioda]\nevery = true", "a whole number is needed"),
        ('[sources.ioda]\nnetworks = ["AS1"]', r"network numbers \(AS17557 is 17557\)"),
        ("[sources.ioda]\nnetworks = [0]", r"network numbers \(AS17557 is 17557\)"),
        ('[sources.ioda]\ncountries = ["Pakistan"]', "an ISO 3166-1 code such as 'PK' is needed"),
    ],
)
def test_what_a_table_of_sources_says_wrong_is_reported(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(FanousError, match=why):
        source_settings(toml(tmp_path, text))
