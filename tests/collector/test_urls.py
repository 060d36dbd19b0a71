"""Test lists are read in Citizen Lab's form."""

from pathlib import Path

import pytest

from fanous.collector.services import DEFAULT_URLS, ListedUrl, read_urls
from fanous.errors import FanousError
from fanous.refdata.platforms import target_of


def test_a_list_has_a_target_a_row(tmp_path: Path) -> None:
    path = tmp_path / "pk.csv"
    path.write_text(
        "url,category_code,category_description,country_code\n"
        'https://a.example/,NEWS,"News, Media",pk\nhttp://b.example/,GRP,,\nftp://c.example/,GRP,,\n'
    )
    assert read_urls(path) == (
        ListedUrl("https://a.example/", "NEWS", "PK"),
        ListedUrl("http://b.example/", "GRP", "XX"),
    )


@pytest.mark.parametrize("text", ["", "https://a.example/,NEWS\n", "url,name\n"])
def test_an_invalid_list_is_reported(text: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(FanousError, match="url and category_code"):
        read_urls(tmp_path / "list.csv")


def test_what_is_measured_by_default_are_platforms() -> None:
    hosts = [one.url.removeprefix("https://").rstrip("/") for one in DEFAULT_URLS]
    assert {"x", "youtube", "whatsapp", "telegram"} <= {target_of(host) for host in hosts}
