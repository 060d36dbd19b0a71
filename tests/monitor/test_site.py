"""The table ``[web]``: how the pages are seen from outside, and who may change what they show."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.monitor.settings import read
from fanous.web.settings import SiteSettings, Token
from tests.each import each

MAP = "PK\tM0 0h9v9z\n"


def configured(folder: Path, text: str) -> SiteSettings:
    file = folder / "fanous.toml"
    file.write_text(f"[web]\n{text}", encoding="utf-8")
    return read(file, folder / "store").site


def test_without_the_table_pages_are_as_the_request_names_them_and_there_is_no_door(tmp_path: Path) -> None:
    assert read(None, tmp_path / "store").site == SiteSettings()


def test_every_key_is_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOOR", "0123456789abcdef0123456789abcdef")
    (tmp_path / "map.tsv").write_text(MAP)
    found = configured(
        tmp_path, 'url = "https://fanous.example/"\nmap = "map.tsv"\nkey = "k.pem"\nadmin_token = "DOOR"'
    )
    assert found == SiteSettings(
        "https://fanous.example",
        tmp_path / "map.tsv",
        tmp_path / "k.pem",
        Token("0123456789abcdef0123456789abcdef"),
    )
    assert "0123456789" not in repr(found)


@each(
    ("text", "why"),
    [
        ('url = "fanous.example"', "an address such as"),
        ('url = "javascript:alert(1)"', "an address such as"),
        ('url = "https://fanous.example/path"', "address without a path"),
        ('map = "none.tsv"', "cannot be read"),
        ('map = "bad.tsv"', "a line of a map is"),
        ('map = "empty.tsv"', "has no country"),
        ('admin_token = "NOT_SET"', "is not set"),
        ('admin_token = "SHORT"', "fewer than 24 characters"),
        ("urls = 1", "did you mean 'url'"),
    ],
)
def test_a_mistake_is_told_with_file_table_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    monkeypatch.setenv("SHORT", "secret")
    monkeypatch.delenv("NOT_SET", raising=False)
    (tmp_path / "bad.tsv").write_text("PK M0 0\n")
    (tmp_path / "empty.tsv").write_text("# nothing\n")
    with pytest.raises(FanousError, match=why) as told:
        configured(tmp_path, text)
    assert "fanous.toml" in str(told.value)
    assert "[web]" in str(told.value)
