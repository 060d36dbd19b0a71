from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.store.location import at_urls, check_folder, in_folder


def test_a_folder_holds_all_three_parts(tmp_path: Path) -> None:
    location = in_folder(tmp_path / "my store%20")
    assert location.archive == tmp_path / "my store%20" / "archive"
    assert location.engine_folder == tmp_path / "my store%20" / "facts"
    assert location.ledger == f"sqlite:///{tmp_path}/my store%20/ledger.sqlite"
    assert location.lock == tmp_path / "my store%20" / "facts.lock"


def test_the_parts_can_stand_apart() -> None:
    location = at_urls("file:///a/archive", "chdb:///b/engine", "sqlite:////c/ledger.sqlite")
    assert (location.archive, location.engine_folder) == (Path("/a/archive"), Path("/b/engine"))
    assert location.lock == Path("/b/engine.lock")


def test_paths_do_where_urls_do() -> None:
    location = at_urls("/a", "/b", "/c.sqlite")
    assert (location.archive, location.facts, location.ledger) == (
        Path("/a"),
        "chdb:///b",
        "sqlite:////c.sqlite",
    )


def test_with_facts_on_a_server_the_archive_is_what_has_one_writer() -> None:
    assert at_urls("/a", "clickhouse://host/db", "/c").lock == Path("/a.lock")


def test_every_folder_that_is_written_to_is_known() -> None:
    apart = at_urls("/a/archive", "chdb:///b/engine", "sqlite:////c/ledger.sqlite")
    assert apart.folders == (Path("/a/archive"), Path("/b"), Path("/c"))
    assert at_urls("/a", "clickhouse://host/db", "postgresql://h/db").folders == (Path("/a"), Path("/"))


def test_a_cluster_is_named_in_the_address_and_not_told_to_the_client() -> None:
    location = at_urls("/a", "clickhouses://me:hush@host:9440/db?cluster=two&connect_timeout=5", "/c")
    assert location.cluster == "two"
    assert location.server == "clickhouse://me:hush@host:9440/db?connect_timeout=5"
    assert location.is_encrypted
    assert "hush" not in location.facts_name
    assert at_urls("/a", "clickhouse://host/db", "/c").cluster == ""


@pytest.mark.parametrize("facts", ["clickhouse://host", "clickhouse:///db", "clickhouse://h/db?cluster=a'b"])
def test_an_address_of_a_server_that_says_too_little_is_refused(facts: str) -> None:
    with pytest.raises(FanousError, match=r"write clickhouse://user|may only have letters"):
        at_urls("/a", facts, "/c")


@pytest.mark.parametrize(("archive", "facts"), [("ftp://host/a", "/b"), ("/a", "mysql://host/db")])
def test_a_place_of_an_unknown_kind_is_refused(archive: str, facts: str) -> None:
    with pytest.raises(FanousError, match="cannot keep"):
        at_urls(archive, facts, "/c")


def test_a_folder_with_other_files_is_not_a_store(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("")
    with pytest.raises(FanousError, match=r"is not a store.*photo\.jpg"):
        check_folder(tmp_path, must_exist=False)


@pytest.mark.parametrize("entries", [[], ["archive"], ["archive", "facts.lock"], ["ledger.sqlite", "notes"]])
def test_an_empty_or_half_made_folder_can_become_a_store(tmp_path: Path, entries: list[str]) -> None:
    for entry in entries:
        (tmp_path / entry).write_text("")
    check_folder(tmp_path, must_exist=False)


def test_a_file_is_not_a_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FanousError, match="is a file"):
        check_folder(tmp_path / "file", must_exist=False)


def test_a_store_that_must_be_there_and_is_not_says_so(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="no store"):
        check_folder(tmp_path / "nothing", must_exist=True)
