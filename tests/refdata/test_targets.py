"""The lists of targets that ship with the product."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fanous.errors import FanousError
from fanous.refdata import toml_table
from fanous.refdata.countries import is_country
from fanous.refdata.platforms import ROLES, role_of, target_of
from fanous.refdata.targets import do_not_run, list_names, target_list


def test_these_lists_ship() -> None:
    assert list_names() == ("ai", "circumvention", "controls", "news", "social")


@pytest.mark.parametrize("name", list_names())
def test_every_entry_belongs_to_its_target_and_role_and_names_its_source(name: str) -> None:
    for entry in toml_table(f"targets/{name}.toml")["target"]:
        assert entry["source"]
        for role in ROLES:
            for url in entry.get(role, ()):
                host = urlsplit(url).hostname or ""
                assert target_of(host) == entry["name"]
                assert role_of(host) == role


@pytest.mark.parametrize("name", list_names())
def test_a_list_has_urls_each_once(name: str) -> None:
    urls = target_list(name).urls
    assert len(urls) == len(set(urls)) > 3
    assert all(urlsplit(url).scheme == "https" for url in urls)


def test_what_may_draw_attention_is_opt_in() -> None:
    assert [name for name in list_names() if target_list(name).opt_in] == ["circumvention"]


def test_the_social_list_has_what_people_use() -> None:
    targets = {target_of(urlsplit(url).hostname or "") for url in target_list("social").urls}
    assert {"x", "facebook", "instagram", "youtube", "tiktok", "whatsapp", "telegram", "signal"} <= targets


def test_countries_in_which_no_one_should_measure_have_a_reason() -> None:
    assert do_not_run()
    assert all(is_country(code) and why for code, why in do_not_run().items())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mine.txt", "# mine\nhttps://a.example/\n\nhttps://b.example/\nhttps://a.example/\nno url\n"),
        (
            "cl.csv",
            "url,category_code\nhttps://a.example/,NEWS\nhttps://b.example/,HUMR\nftp://c.example/,X\n",
        ),
        ("own.toml", '[[target]]\nname = "a"\nweb = ["https://a.example/", "https://b.example/"]\n'),
    ],
)
def test_a_list_of_ones_own_is_read(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert target_list(str(tmp_path / name)).urls == ("https://a.example/", "https://b.example/")


@pytest.mark.parametrize(
    ("name", "content", "left_out"),
    [
        ("mine.txt", "# mine\nhttps://a.example/\n\nb.example\n", ("line 4: 'b.example'",)),
        (
            "cl.csv",
            "url,category_code\nhttps://a.example/,NEWS\nftp://c.example/,X\n",
            ("line 3: 'ftp://c.example/'",),
        ),
        ("own.toml", '[[target]]\nweb = ["https://a.example/", "b.example"]\n', ("'b.example'",)),
        ("good.txt", "https://a.example/\n", ()),
    ],
)
def test_what_is_no_url_is_named(name: str, content: str, left_out: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    one = target_list(str(tmp_path / name))
    assert (one.urls, one.left_out) == (("https://a.example/",), left_out)


@pytest.mark.parametrize(
    "content", ["target = 1", "target = ['https://a.example/']", "[[target]]\nweb = 'https://a.example/'"]
)
def test_a_table_of_another_shape_is_reported(content: str, tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text(content)
    with pytest.raises(FanousError, match="cannot be read"):
        target_list(str(tmp_path / "odd.toml"))


def test_an_unknown_list_names_the_known_ones() -> None:
    with pytest.raises(FanousError, match="known: ai, circumvention, controls, news, social"):
        target_list("socail")


@pytest.mark.parametrize(
    ("name", "content"),
    [("bad.toml", "= 1"), ("deep.toml", "a = " + "[" * 10_000), ("long.csv", 'url\n"' + "x" * 200_000)],
)
def test_a_file_that_cannot_be_read_is_reported(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FanousError, match="cannot be read"):
        target_list(str(tmp_path / name))
