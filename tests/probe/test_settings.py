"""Settings of the probe out of a TOML file."""

from pathlib import Path

import pytest

from fanous.config import convert
from fanous.errors import FanousError
from fanous.probe.settings import (
    MOBILE_CAP_MB,
    MOBILE_SHARE,
    Settings,
    adjusted,
    load_settings,
)
from tests.each import each


def test_without_a_file_the_defaults_hold() -> None:
    assert load_settings(None) == Settings()


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "probe.toml"
    path.write_text('[probe]\nlookup_timeout = 1\nanchors = ["10.0.0.1"]\nallow_private = true\n')
    settings = load_settings(path)
    assert (settings.lookup_timeout, settings.anchors, settings.allow_private) == (1.0, ("10.0.0.1",), True)
    assert settings.resolver == Settings().resolver


@each(
    ("table", "words"),
    [
        ({"lookup_timeuot": 1}, "did you mean 'lookup_timeout'"),
        ({"lookup_timeout": "1"}, "a number from 0 is needed"),
        ({"most_body": 1.5}, "a whole number from 1 is needed"),
        ({"at_once": True}, "a whole number from 1 is needed"),
        ({"allow_private": 1}, "true or false is needed"),
        ({"controls": "https://a.example/"}, "a list is needed"),
    ],
)
def test_a_mistake_is_named(table: dict[str, object], words: str) -> None:
    with pytest.raises(FanousError, match=words):
        convert(table, Settings, "probe.toml")


def test_a_file_that_is_missing_or_not_toml_is_reported(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("= 1")
    for name in ("none.toml", "bad.toml"):
        with pytest.raises(FanousError, match="cannot be read as TOML"):
            load_settings(tmp_path / name)


def test_a_mobile_line_is_spared() -> None:
    mobile = adjusted(Settings(), mobile=True)
    assert (mobile.cap_mb, mobile.transfer_share) == (MOBILE_CAP_MB, MOBILE_SHARE)
    assert adjusted(Settings(), mobile=True, cap_mb=30).cap_mb == 30
    assert adjusted(Settings()) == Settings()
